# METADATA
# title: The change leaves the gate alone
# description: Files that steer the gate itself are unchanged, or the change is approved under the old policy.
# custom:
#   severity: critical
#   claims: [approval]
#   artifacts: []
#   targets: [training, fine-tuning, deployment]
#   waivable: false
#   fix: Move the change of configuration, keys, waivers or profile into one of its own, with a signed approval.
#   frameworks:
#     OWASP-LLM-2025: {relation: partly supports, ids: [LLM03]}
#     NIST-800-218A: {relation: supports, ids: [PS.1.1]}
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

approvals contains pair if {
	some path in steering
	some digest in statements.making("approval", document.change.files[path].covered_by.approval)
	pair := [path, digest]
}

approved := {path | some [path, _] in approvals}

proved := (subjects - steering) | approved

violations contains entry if {
	some path in (steering - approved)
	message := sprintf("it steers the gate (%s) and no verified approval covers it", [document.change.files[path].role])
	entry := result.violation("change.policy_unchanged.changed", message, {"file": path})
}

evidence := {digest | some [_, digest] in approvals}

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
