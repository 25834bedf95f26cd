# METADATA
# title: Signature is public
# description: The signature of each artifact is in a transparency log, or an authority says when it was made.
# schemas:
#   - input: schema.input
# custom:
#   severity: medium
#   claims: [artifact.signature]
#   artifacts: [weights, adapter, dataset, package, container]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Sign with an identity or a timestamp authority, so that the bundle holds a log entry or a timestamp.
#   parameters:
#     - {name: claims, type: list, choices: claims,
#        default: [], meaning: claims of which every statement must be public as well}
#   frameworks:
#     OWASP-LLM-2025: {relation: partly supports, ids: [LLM03]}
#     MITRE-ATLAS-5: {relation: partly supports, ids: [AML.M0013]}
#     NIST-800-218A: {relation: partly supports, ids: [PS.2.1]}
#     OWASP-ML-2023: {relation: partly supports, ids: [ML06]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 2.8]}
#     NIST-800-53r5: {relation: partly supports, ids: [AU-10]}
#     CoSAI: {relation: partly supports, ids: [controlModelAndDataIntegrityManagement]}
package gate.controls.artifact.transparent

import data.gate.lib.document
import data.gate.lib.parameters
import data.gate.lib.result
import data.gate.lib.shape
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if is_array(claims)

claims := values if {
	values := object.get(parameters.of("artifact.transparent"), "claims", [])
	shape.is_texts(values)
}

subjects := names if {
	is_object(document.artifacts)
	is_object(statements.verified)
	kinds := {"adapter", "container", "dataset", "package", "weights"}
	names := {name | some name, artifact in document.artifacts; artifact.kind in kinds}
}

signatures contains entry if {
	some name in subjects
	some digest in statements.about("artifact.signature", name)
	entry := [name, digest]
}

public := {digest | some digest, statement in statements.verified; is_public(statement)}

default is_public(_) := false

is_public(statement) if statement.log.included == true

# A trusted time comes from the log or from an authority, and stands in what they signed.
is_public(statement) if {
	statement.signed_at.source in {"log", "timestamp-authority"}
	statement.signed_at.at_s > 0
}

shown := {entry | some entry in signatures; entry[1] in public}

signed := {name | some [name, _] in signatures}

proved := {name | some [name, _] in shown}

violations contains entry if {
	some name in (subjects - signed)
	message := "no verified signature of a trusted signer covers it"
	entry := result.violation("artifact.transparent.missing", message, {"artifact": name})
}

violations contains entry if {
	some name in (signed - proved)
	digests := {digest | some [one, digest] in signatures; one == name}
	message := "no log holds its signature, and no authority says when it was made"
	entry := result.violation("artifact.transparent.unlogged", message, {"artifact": name, "evidence": digests})
}

violations contains entry if {
	some name in subjects
	some claim in claims
	some digest in (statements.about(claim, name) - public)
	message := sprintf("no log holds its %s statement, and no authority says when it was made", [claim])
	where := {"artifact": name, "evidence": [digest]}
	entry := result.violation("artifact.transparent.unlogged_claim", message, where)
}

evidence := {digest | some [_, digest] in shown}

default reason := null

reason := "no artifact of a kind that is signed" if count(subjects) == 0
