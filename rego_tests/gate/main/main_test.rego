package gate.main_test

import data.gate.fixtures
import data.gate.main
import future.keywords.not

asking(controls) := [fixtures.put("/profile", {"name": "x", "controls": controls})]

report(patches) := value if {
	doc := fixtures.after(patches)
	value := main.report with input as doc
}

test_passes_when_a_control_passes if {
	report(asking({"artifact.signed": {"mode": "enforce"}, "scan.malware": {"mode": "warn"}})) == {
		"schema": "urn:gate:report:v1",
		"controls": {
			"artifact.signed": {
				"status": "pass",
				"violations": [],
				"evidence": [fixtures.digests.sig1, fixtures.digests.sig2],
				"reason": null,
			},
			"scan.malware": {
				"status": "pass",
				"violations": [],
				"evidence": [fixtures.digests.report],
				"reason": "scans: 3, artifacts looked at: 2",
			},
		},
	}
}

test_fails_when_a_control_fails if {
	controls := asking({"load.no_remote_code": {"mode": "enforce"}})
	report(array.concat(controls, [fixtures.remove("/scans/inspection")])).controls == {"load.no_remote_code": {
		"status": "fail",
		"violations": [{
			"artifact": "summarizer",
			"code": "load.no_remote_code.uninspected",
			"evidence": [],
			"file": null,
			"message": "none of its files was inspected",
		}],
		"evidence": [],
		"reason": null,
	}}
}

# Those that pass nothing give their violations only.
test_fails_without_evidence_or_reason if {
	patches := [fixtures.put("/findings/f1/severity", "high")]
	controls := asking({"scan.malware": {"mode": "enforce"}})
	entry := report(array.concat(controls, patches)).controls["scan.malware"]
	entry.status == "fail"
	entry.evidence == []
	entry.reason == null
	count(entry.violations) == 1
}

test_violations_are_sorted if {
	controls := asking({"load.safe_format": {"mode": "enforce"}})
	entry := report(array.concat(controls, [fixtures.remove("/scans/inspection")])).controls["load.safe_format"]
	[violation.file | some violation in entry.violations] == ["config.json", "model.safetensors"]
}

test_errors_when_a_section_is_broken if {
	controls := asking({"artifact.signed": {"mode": "enforce"}})
	patches := [fixtures.put(fixtures.statement("sig1", "artifacts"), [])]
	report(array.concat(controls, patches)).controls == {"artifact.signed": {
		"status": "error",
		"violations": [],
		"evidence": [],
		"reason": null,
	}}
}

test_gives_the_reason_when_not_applicable if {
	controls := asking({"artifact.signed": {"mode": "enforce"}})
	report(array.concat(controls, [fixtures.put("/artifacts", {})])).controls == {"artifact.signed": {
		"status": "not_applicable",
		"violations": [],
		"evidence": [],
		"reason": "no artifact of a kind that is signed",
	}}
}

test_leaves_out_what_is_off if report(asking({"artifact.signed": {"mode": "off"}})).controls == {}

test_asks_when_the_mode_is_unknown if {
	object.keys(report(asking({"artifact.signed": {"mode": "x"}, "artifact.pinned": {}})).controls) == {
		"artifact.pinned",
		"artifact.signed",
	}
}

test_leaves_out_unknown_controls if {
	controls := {id: {"mode": "enforce"} | some id in ["no.such", "artifact", "artifact.signed.missing", "", "artifact.no"]}
	report(asking(controls)).controls == {}
}

test_asks_for_nothing_when_there_are_no_controls if {
	report([]).controls == {}
	report(asking(["artifact.signed"])).controls == {}
	report(asking("artifact.signed")).controls == {}
}

# A team's own controls, outside of the library's namespace.
custom(control, patches) := value if {
	doc := fixtures.after(array.concat(asking({"custom.adapter.listed": {"mode": "enforce"}}), patches))
	found := {"adapter": {"listed": control}}
	value := main.report.controls with input as doc with data.custom as found
}

test_passes_when_an_own_control_passes if {
	control := {"status": "pass", "violations": [], "evidence": {"sha256:b", "sha256:a"}, "reason": "two"}
	custom(control, []) == {"custom.adapter.listed": {
		"status": "pass",
		"violations": [],
		"evidence": ["sha256:a", "sha256:b"],
		"reason": "two",
	}}
}

test_fails_when_an_own_control_fails if {
	control := {"status": "fail", "violations": {"y", "x"}, "evidence": {"sha256:a"}, "reason": "no"}
	custom(control, []) == {"custom.adapter.listed": {
		"status": "fail",
		"violations": ["x", "y"],
		"evidence": [],
		"reason": null,
	}}
}

test_gives_the_reason_of_an_own_control_when_not_applicable if {
	control := {"status": "not_applicable", "violations": {"x"}, "evidence": {"sha256:a"}, "reason": "nothing there"}
	custom(control, []) == {"custom.adapter.listed": {
		"status": "not_applicable",
		"violations": [],
		"evidence": [],
		"reason": "nothing there",
	}}
}

test_leaves_out_own_controls_of_other_namespaces if {
	controls := {id: {"mode": "enforce"} | some id in ["other.adapter.listed", "custom.adapter.no", "custom.no.listed"]}
	doc := fixtures.after(asking(controls))
	found := {"adapter": {"listed": {"status": "pass", "violations": [], "evidence": {"sha256:a"}, "reason": null}}}
	value := main.report.controls with input as doc with data.custom as found
	value == {}
}
