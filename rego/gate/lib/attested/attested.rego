# METADATA
# title: Attested artifacts
# description: Statements that a collector of the gate made about the files of an artifact.
# schemas:
#   - input: schema.input
package gate.lib.attested

import data.gate.lib.document
import data.gate.lib.shape
import data.gate.lib.statements
import future.keywords.not

# Functions read other packages through rules of their own: through an import regorus finds nothing in some of them.
_artifacts := document.artifacts

_verified := statements.verified

# METADATA
# description: Names of the artifacts of one kind. Undefined unless artifacts and statements are as they have to be.
of_kind(kind) := names if {
	is_object(_artifacts)
	is_object(_verified)
	names := {name | some name, artifact in _artifacts; artifact.kind == kind}
}

# METADATA
# description: |
#   Those of `digests` whose statements speak for what they cover and were collected: typed, and of all files that are
#   there. Of a statement that is not, only its signer's word is known.
collected(digests) := {digest |
	some digest in statements.supporting(digests)
	_verified[digest].facts.collected == true
}

# METADATA
# description: |
#   What is wrong with artifacts of one kind, as [reason, name, digests]: `missing` (no statement of `claim` covers it),
#   `failed` (one that does says no), `uncollected` (nobody collected what it says), `incomplete` (not in `proved`).
problems(kind, claim, proved) := {[reason, name, sort([digest | some digest in digests; is_string(digest)])] |
	some name in of_kind(kind)
	about := statements.about(claim, name)
	said := statements.supporting(about)
	made := collected(about)
	some reason, digests in {
		"missing": {null | count(about) == 0},
		"failed": about - said,
		"uncollected": {digest | some digest in said; count(made) == 0},
		"incomplete": {digest | some digest in made; not name in proved},
	}
	count(digests) > 0
}

# METADATA
# description: Whether facts name at least one path in each of some roles.
# scope: document
default has_roles(_, _) := false

has_roles(facts, roles) if {
	is_object(facts.roles)
	every role in roles {
		_are_paths(facts.roles[role])
	}
}

default _are_paths(_) := false

_are_paths(paths) if {
	shape.is_texts(paths)
	count(paths) > 0
}
