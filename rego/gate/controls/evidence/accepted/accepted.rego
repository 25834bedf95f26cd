# METADATA
# title: No evidence was rejected
# description: No forged, conflicting or unreadable evidence about what is at stake lies beside the good one.
# schemas:
#   - input: schema.input
# custom:
#   severity: critical
#   claims: []
#   artifacts: [weights, adapter, dataset, package, container, prompt, corpus, evaluation, route, slo, plugin]
#   targets: [training, fine-tuning, deployment]
#   waivable: false
#   fix: Restore the bytes that were signed, or attest the new ones; remove evidence by a stranger, or sign it anew.
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0013, AML.M0014]}
#     OWASP-ML-2023: {relation: partly supports, ids: [ML06]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 2.8]}
#     NIST-800-53r5: {relation: partly supports, ids: [SI-7, SR-11]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.4]}
#     CoSAI: {relation: partly supports, ids: [controlModelAndDataIntegrityManagement]}
package gate.controls.evidence.accepted

import data.gate.lib.document
import data.gate.lib.result
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(statements.verified)
	is_object(document.rejected)
}

evidence := object.keys(statements.verified)

about_others := {digest | some digest, item in document.rejected; item.concern == "others"}

subjects := evidence | object.keys(document.rejected)

proved := evidence | about_others

violations contains entry if {
	some digest, item in document.rejected
	not digest in about_others
	message := sprintf("%s: %s", [item.code, item.origin])
	entry := result.violation("evidence.accepted.rejected", message, {"evidence": [digest]})
}

default reason := null

reason := "no evidence" if count(subjects) == 0

reason := sprintf("rejected items about nothing at stake: %d", [count(about_others)]) if count(about_others) > 0
