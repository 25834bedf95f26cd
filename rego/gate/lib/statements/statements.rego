# METADATA
# title: Verified statements
# description: Looks up verified statements by claim and artifact.
# schemas:
#   - input: schema.input
package gate.lib.statements

import data.gate.lib.document
import future.keywords.not

# Functions read other packages through rules of their own: through an import regorus finds nothing in some of them.
_claims := document.claims

# METADATA
# description: All verified statements, by payload digest; undefined unless the index of claims agrees with them.
verified := document.attestations if {
	is_object(document.claims)
	by_claim := {[attestation.claim, digest] | some digest, attestation in document.attestations}
	by_claim == {[claim, digest] | some claim, entry in document.claims; some digest in entry.all}
	by_artifact := {[attestation.claim, artifact, digest] |
		some digest, attestation in document.attestations
		some artifact in attestation.artifacts
	}
	by_artifact == {[claim, artifact, digest] |
		some claim, entry in document.claims
		some artifact, digests in entry.by_artifact
		some digest in digests
	}
}

# METADATA
# description: Payload digests of the statements of one claim that cover every file of one artifact.
about(claim, artifact) := found if {
	is_object(verified)
	found := {digest | some digest in _claims[claim].by_artifact[artifact]}
}

# METADATA
# description: Those of `digests` that are verified statements of a claim, which may be a pattern such as `build.*`.
making(claim, digests) := {digest | some digest in digests; _is_made_by(claim, verified[digest].claim)}

default _is_made_by(_, _) := false

_is_made_by(wanted, claim) if wanted == claim

_is_made_by(wanted, claim) if {
	endswith(wanted, ".*")
	startswith(claim, trim_suffix(wanted, "*"))
}

# METADATA
# description: |
#   Those of `digests` whose statements speak for what they cover. One that says failed or rejected does not, nor does
#   an approval or review that does not say approved, nor a test result that does not say passed.
supporting(digests) := {digest | some digest in digests; _speaks_for(verified[digest])}

# What a claim that is a judgement must say; others may be silent.
_results := {"test.result": {"passed"}}

_decisions := {"approval": {"approved"}, "review": {"approved"}}

default _speaks_for(_) := false

_speaks_for(statement) if {
	results := object.get(_results, statement.claim, {null, "passed", "warned"})
	object.get(statement.facts, "result", null) in results
	decisions := object.get(_decisions, statement.claim, {null, "approved"})
	object.get(statement.facts, "decision", null) in decisions
}
