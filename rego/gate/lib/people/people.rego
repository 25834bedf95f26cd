# METADATA
# title: People
# description: Who signed what, and who decided upon an artifact.
# schemas:
#   - input: schema.input
package gate.lib.people

import data.gate.lib.document
import data.gate.lib.lineage
import data.gate.lib.shape
import data.gate.lib.statements
import data.gate.lib.weights
import future.keywords.not

# METADATA
# description: The signers of each verified statement, by digest. Undefined unless each of them can be told from others.
signers := found if {
	every statement in lineage.shaped {
		is_object(statement.subjects)
		every signer in statement.signers {
			is_array(_identity(signer))
		}
	}
	found := {digest: people |
		some digest, statement in lineage.shaped
		people := {identity | some signer in statement.signers; identity := _identity(signer)}
	}
}

# One key, or one account at one issuer, is one person, whatever name gate.yaml gives it.
_identity(signer) := ["key", spki] if {
	signer.kind == "key"
	spki := signer.spki
	shape.is_digest(spki)
}

_identity(signer) := ["identity", issuer, _account(subject)] if {
	signer.kind == "identity"
	issuer := signer.issuer
	subject := signer.subject
	shape.is_text(issuer)
	shape.is_text(subject)
}

# The subject of a workflow is its address, `@` and a ref. It is one workflow, whatever ref it ran for.
_account(subject) := subject if not contains(subject, "://")

_account(subject) := split(subject, "@")[0] if contains(subject, "://")

_decisions := {"approval", "review"}

_exceptions := {"waiver"}

# METADATA
# description: The claims of those who judge by measuring.
evaluations := {"eval", "eval.result", "test.result"}

# What others saw or looked up, who neither made the artifact nor decide upon it.
_observations := {
	"properties", "references", "runtime.trace", "scan.report", "scorecard", "source.summary", "verification.summary",
}

# Functions read other packages through rules of their own: through an import regorus finds nothing in some of them.
_artifacts := document.artifacts

_statements := lineage.shaped

_signers := signers

# METADATA
# description: Who made the statements that cover an artifact, decisions about it aside.
authors(name) := {person |
	some digest, statement in _statements
	name in statement.artifacts
	not statement.claim in (_decisions | _exceptions)
	some person in _signers[digest]
}

# METADATA
# description: |
#   Statements of some of these claims about an artifact or one of its files as they are now, or about a statement that
#   is about them.
concerning(claims, name) := {digest |
	some digest, statement in _statements
	statement.claim in claims
	_concerns(statement, name)
}

default _concerns(_, _) := false

_concerns(statement, name) if _touches(statement, name)

_concerns(statement, name) if {
	some item in _named(statement)
	not _statements[item].claim in (_decisions | _exceptions)
	_touches(_statements[item], name)
}

# The digests of its subjects. Only an object is iterated over in both engines alike.
_named(statement) := object.keys(statement.subjects) if is_object(statement.subjects)

default _touches(_, _) := false

_touches(statement, name) if name in statement.artifacts

_touches(statement, name) if {
	own := {digest | digest := _artifacts[name].digest} | weights.parts(name)
	some item in _named(statement)
	item in own
}

# METADATA
# description: |
#   Statements of some of these claims that decide upon an artifact. A yes is collected and covers it, or has a
#   statement that does as its subject. A no counts however it was made and whatever part of it it is about.
deciding(claims, name) := against(found) | {digest |
	some digest in statements.supporting(found)
	_statements[digest].facts.collected == true
	_is_about(_statements[digest], name)
} if {
	found := concerning(claims, name)
}

default _is_about(_, _) := false

_is_about(statement, name) if name in statement.artifacts

_is_about(statement, name) if {
	some item in statement.depends_on
	is_object(statement.subjects[item])
	not _statements[item].claim in (_decisions | _exceptions)
	name in _statements[item].artifacts
}

# METADATA
# description: Those of some deciding statements that say no.
against(digests) := digests - statements.supporting(digests)

# METADATA
# description: Who says yes in some deciding statements.
approving(digests) := {person | some digest in statements.supporting(digests); some person in _signers[digest]}

# METADATA
# description: Who made an artifact, which are its authors but for those who evaluated or observed it.
makers(name) := {person |
	some digest, statement in _statements
	name in statement.artifacts
	not statement.claim in (((_decisions | _exceptions) | evaluations) | _observations)
	some person in _signers[digest]
}

# METADATA
# description: Who signed statements of some claims that cover an artifact, or build on one that does.
signing(claims, name) := {person |
	some digest, statement in _statements
	statement.claim in claims
	covering := array.concat([digest], statement.depends_on)
	some one in covering
	name in _statements[one].artifacts
	some person in _signers[digest]
}
