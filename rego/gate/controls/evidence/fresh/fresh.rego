# METADATA
# title: Evidence is fresh
# description: No statement is older than the limit of its claim, and none is from the future.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: []
#   artifacts: [weights, adapter, dataset, package, container, prompt, corpus, evaluation, route, slo, plugin]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Make it again, timed by an authority or a log; where stated times count, --created-at or SOURCE_DATE_EPOCH.
#   parameters:
#     - {name: skew_s, type: seconds, default: 300, meaning: how far another clock may be ahead}
#     - {name: accept_stated, type: boolean, default: false, meaning: whether a statement's own time counts for its age}
#     - {name: <claim>, type: seconds, default: none, meaning: the oldest that a statement of this claim may be}
#   frameworks:
#     OWASP-LLM-2025: {relation: partly supports, ids: [LLM03]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 3.1]}
#     NIST-800-53r5: {relation: partly supports, ids: [CA-7, RA-5]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 9]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.6]}
#     CoSAI: {relation: partly supports, ids: [controlRiskGovernance]}
package gate.controls.evidence.fresh

import data.gate.lib.document
import data.gate.lib.parameters
import data.gate.lib.result
import data.gate.lib.shape
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_number(document.now_s)
	is_number(skew_s)
	is_object(limits)
}

settings := parameters.of("evidence.fresh")

skew_s := value if {
	value := object.get(settings, "skew_s", 300)
	shape.is_count(value)
}

limits := values if {
	values := object.remove(settings, ["accept_stated", "skew_s"])
	every limit in values {
		shape.is_count(limit)
	}
}

subjects := object.keys(statements.verified)

trusted[digest] := at if {
	some digest, attestation in statements.verified
	attestation.signed_at.source != "none"
	at := attestation.signed_at.at_s
}

stated[digest] := at if {
	some digest, attestation in statements.verified
	at := attestation.stated_at_s
	is_number(at)
}

# The time that counts: the trusted one, else the statement's own where the profile accepts it.
counted := trusted if not settings.accept_stated == true

counted := object.union(stated, trusted) if settings.accept_stated == true

limited[digest] := limit if {
	some digest, attestation in statements.verified
	limit := limits[attestation.claim]
}

early contains digest if {
	some digest, limit in limited
	document.now_s - counted[digest] <= limit
}

proved := (subjects - object.keys(limited)) | early

violations contains entry if {
	some times in [trusted, stated]
	some digest, at in times
	at > document.now_s + skew_s
	message := sprintf("the %s statement is from the future", [statements.verified[digest].claim])
	entry := result.violation("evidence.fresh.future", message, {"evidence": [digest]})
}

violations contains entry if {
	some digest, limit in limited
	document.now_s - counted[digest] > limit
	message := sprintf("the %s statement is older than %d seconds", [statements.verified[digest].claim, limit])
	entry := result.violation("evidence.fresh.stale", message, {"evidence": [digest]})
}

violations contains entry if {
	some digest, _ in limited
	not is_number(counted[digest])
	message := sprintf("nothing that counts says when the %s statement was made", [statements.verified[digest].claim])
	entry := result.violation("evidence.fresh.untimed", message, {"evidence": [digest]})
}

evidence := subjects

default reason := null

reason := "no verified statement" if count(subjects) == 0
