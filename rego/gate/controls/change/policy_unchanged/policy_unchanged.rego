# METADATA
# title: The change leaves the gate alone
# description: Files that steer the gate itself are unchanged, or the change is approved under the old policy.
# schemas:
#   - input: schema.input
# custom:
#   severity: critical
#   claims: [approval]
#   artifacts: []
#   targets: [training, fine-tuning, deployment]
#   waivable: false
#   fix: Move the change of configuration, keys, waivers, profile or policy into one of its own, with a signed approval.
#   frameworks:
#     OWASP-LLM-2025: {relation: partly supports, ids: [LLM03]}
#     NIST-800-218A: {relation: supports, ids: [PS.1.1]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [GOVERN 1.4]}
#     NIST-800-53r5: {relation: partly supports, ids: [CM-3, CM-5]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 17]}
#     ISO-42001: {relation: partly supports, ids: [A.6.1.3]}
#     OpenSSF-Baseline: {relation: partly supports, ids: [OSPS-QA-07.01]}
#     CoSAI: {relation: partly supports, ids: [controlRiskGovernance]}
package gate.controls.change.policy_unchanged

import data.gate.lib.document
import data.gate.lib.result
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(document.change)
	is_object(statements.verified)
}

# Without a base nothing can have changed, and nothing says that it has not.
subjects := {path | document.change.status == "collected"; some path, _ in document.change.files}

steering := {path | some path in subjects; is_string(document.change.files[path].role)}

decided[path] := digests if {
	some path in steering
	digests := statements.making("approval", document.change.files[path].covered_by.approval)
	count(digests) > 0
}

approvals[path] := digests if {
	some path, found in decided
	digests := statements.supporting(found)
	count(digests) > 0
}

approved := object.keys(approvals)

proved := (subjects - steering) | approved

violations contains entry if {
	some path in (steering - object.keys(decided))
	message := sprintf("it steers the gate (%s) and no verified approval covers it", [document.change.files[path].role])
	entry := result.violation("change.policy_unchanged.changed", message, {"file": path})
}

violations contains entry if {
	some path in (object.keys(decided) - approved)
	digests := decided[path]
	message := sprintf("it steers the gate (%s) and its approval was refused", [document.change.files[path].role])
	entry := result.violation("change.policy_unchanged.rejected", message, {"file": path, "evidence": digests})
}

violations contains entry if {
	some path in approved
	against := decided[path] - approvals[path]
	count(against) > 0
	message := sprintf("it steers the gate (%s) and its approvals disagree", [document.change.files[path].role])
	entry := result.violation("change.policy_unchanged.conflict", message, {"file": path, "evidence": against})
}

evidence := {digest | some digests in approvals; some digest in digests}

default reason := "no base to compare with"

reason := "no file is changed" if {
	document.change.status == "collected"
	count(document.change.files) == 0
}

reason := sprintf("changed files: %d, none of them steers the gate", [count(subjects)]) if {
	count(subjects) > 0
	count(steering) == 0
}

reason := sprintf("changed files that steer the gate, all approved: %d", [count(approved)]) if count(steering) > 0
