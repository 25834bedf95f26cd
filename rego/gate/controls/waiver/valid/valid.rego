# METADATA
# title: Waivers are in force
# description: Every waiver for something that is here is in force now.
# schemas:
#   - input: schema.input
# custom:
#   severity: medium
#   claims: [waiver]
#   artifacts: [weights, adapter, dataset, package, container, prompt, corpus, evaluation, route, slo, plugin]
#   targets: [training, fine-tuning, deployment]
#   waivable: false
#   fix: Remove the waiver, or have it renewed by somebody who may approve it.
#   frameworks:
#     NIST-800-218A: {relation: supports, ids: [RV.2.2]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MANAGE 1.3, MANAGE 1.4]}
#     NIST-800-53r5: {relation: partly supports, ids: [CA-5, RA-7]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 9]}
#     CoSAI: {relation: partly supports, ids: [controlRiskGovernance]}
package gate.controls.waiver.valid

import data.gate.lib.document
import data.gate.lib.result
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(document.waivers)
	is_object(document.artifacts)
	is_object(document.change)
	is_number(document.now_s)
}

# Digests of what is here: artifacts, their files, and changed files as they are now.
here := {digest |
	some artifact in document.artifacts
	some digest in ({artifact.digest} | {file.digest | some file in artifact.files})
} | {file.new.digest | some file in document.change.files}

# One for something else can waive nothing here; the decision reports it.
subjects := {id | some id, waiver in document.waivers; waiver.artifact in here}

proved := {id |
	some id in subjects
	document.waivers[id].state in {"active", "expiring"}
	document.now_s < document.waivers[id].expires_s
}

violations contains entry if {
	some id in (subjects - proved)
	[code, text] := fault(document.waivers[id].state)
	message := sprintf("waiver %s for %s %s", [id, document.waivers[id].control, text])
	entry := result.violation(code, message, {})
}

default fault(_) := ["waiver.valid.expired", "has run out"]

fault("pending") := ["waiver.valid.pending", "does not hold yet"]

fault("invalid") := ["waiver.valid.invalid", "was not made as it has to be"]

evidence := set()

default reason := "no waiver is for anything here"

reason := sprintf("waivers in force: %d", [count(proved)]) if count(proved) > 0
