# METADATA
# title: Artifact is signed
# description: Every artifact is covered by a verified signature of a signer trusted for it.
# schemas:
#   - input: schema.input
# custom:
#   severity: critical
#   claims: [artifact.signature]
#   artifacts: [weights, adapter, dataset, package, container]
#   targets: [training, fine-tuning, deployment]
#   waivable: false
#   fix: Sign it with `gate sign` or model signing, by a signer that gate.yaml trusts.
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0013]}
#     NIST-800-218A: {relation: supports, ids: [PS.2.1]}
#     OWASP-AISVS-1.0: {relation: partly supports, ids: [6.1.3]}
#     OWASP-ML-2023: {relation: supports, ids: [ML06]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [GOVERN 6.1, MEASURE 2.7]}
#     NIST-800-53r5: {relation: supports, ids: [CM-14, SI-7(15), SR-4(3)]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 15]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.5, A.10.3]}
#     OpenSSF-Baseline: {relation: supports, ids: [OSPS-BR-06.01]}
#     CoSAI: {relation: supports, ids: [controlModelAndDataIntegrityManagement]}
package gate.controls.artifact.signed

import data.gate.lib.document
import data.gate.lib.result
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(document.artifacts)
	is_object(statements.verified)
}

subjects := {name |
	some name, artifact in document.artifacts
	artifact.kind in {"adapter", "container", "dataset", "package", "weights"}
}

signatures contains pair if {
	some name in subjects
	some digest in statements.about("artifact.signature", name)
	pair := [name, digest]
}

proved := {name | some [name, _] in signatures}

violations contains entry if {
	some name in (subjects - proved)
	message := "no verified signature of a trusted signer covers it"
	entry := result.violation("artifact.signed.missing", message, {"artifact": name})
}

evidence := {digest | some [_, digest] in signatures}

default reason := null

reason := "no artifact of a kind that is signed" if count(subjects) == 0
