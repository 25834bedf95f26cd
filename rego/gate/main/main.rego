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
	entry := entry_of(library[family][name])
}

# Controls outside of the library's namespace: `custom.<family>.<name>`.
controls[id] := entry if {
	some id in asked
	[namespace, family, name] := split(id, ".")
	namespace == "custom"
	entry := entry_of(own[family][name])
}

# All controls at once, asked for or not. A reference such as `data.gate.controls[family][name].status` makes OPA
# evaluate that one rule, and the embedded engine every rule of every control: one that fails would differ.
library := data.gate.controls

own := data.custom

# Every mode but `off` asks, also one that does not exist.
asked contains id if {
	is_object(input.profile.controls)
	some id, setting in input.profile.controls
	not setting.mode == "off"
}

entry_of(control) := {
	"evidence": evidence_of(control, control.status),
	"reason": reason_of(control, control.status),
	"status": control.status,
	"violations": violations_of(control, control.status),
}

default violations_of(_, _) := []

violations_of(control, "fail") := sort(control.violations)

default evidence_of(_, _) := []

evidence_of(control, "pass") := sort(control.evidence)

default reason_of(_, _) := null

reason_of(control, "pass") := control.reason

reason_of(control, "not_applicable") := control.reason
