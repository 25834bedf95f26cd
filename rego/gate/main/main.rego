# METADATA
# title: Report
# description: Asks every control that the profile names. Lives outside gate.controls.
# schemas:
#   - input: schema.input
package gate.main

import future.keywords.not

# METADATA
# title: Report document
# description: One entry for each control asked for that exists. The host refuses a missing one.
# entrypoint: true
report := {
	"controls": controls,
	"schema": "urn:gate:report:v1",
}

# What each control says, by id. Nothing is said that does not belong to its status.
controls[id] := entry if {
	some id in asked
	[family, name] := split(id, ".")
	status := data.gate.controls[family][name].status
	entry := {
		"evidence": evidence_of(family, name, status),
		"reason": reason_of(family, name, status),
		"status": status,
		"violations": violations_of(family, name, status),
	}
}

# Controls outside of the library's namespace: `custom.<family>.<name>`.
controls[id] := entry if {
	some id in asked
	[namespace, family, name] := split(id, ".")
	namespace == "custom"
	status := data.custom[family][name].status
	entry := {
		"evidence": custom_evidence_of(family, name, status),
		"reason": custom_reason_of(family, name, status),
		"status": status,
		"violations": custom_violations_of(family, name, status),
	}
}

# Every mode but `off` asks, also one that does not exist.
asked contains id if {
	is_object(input.profile.controls)
	some id, setting in input.profile.controls
	not setting.mode == "off"
}

default violations_of(_, _, _) := []

violations_of(family, name, "fail") := sort(data.gate.controls[family][name].violations)

default evidence_of(_, _, _) := []

evidence_of(family, name, "pass") := sort(data.gate.controls[family][name].evidence)

default reason_of(_, _, _) := null

reason_of(family, name, "pass") := data.gate.controls[family][name].reason

reason_of(family, name, "not_applicable") := data.gate.controls[family][name].reason

default custom_violations_of(_, _, _) := []

custom_violations_of(family, name, "fail") := sort(data.custom[family][name].violations)

default custom_evidence_of(_, _, _) := []

custom_evidence_of(family, name, "pass") := sort(data.custom[family][name].evidence)

default custom_reason_of(_, _, _) := null

custom_reason_of(family, name, "pass") := data.custom[family][name].reason

custom_reason_of(family, name, "not_applicable") := data.custom[family][name].reason
