package gate.main_test

import data.gate.fixtures
import data.gate.main
import future.keywords.not

asking(controls) := [fixtures.put("/profile", {"name": "x", "controls": controls})]

report(patches) := value if {
	doc := fixtures.after(patches)
	value := main.report with input as doc
}

# The library's own answer. It evaluates all controls, so that the tests of controls lie elsewhere.
test_asks_the_library if {
	report(asking({"artifact.signed": {"mode": "enforce"}})) == {
		"schema": "urn:gate:report:v1",
		"controls": {"artifact.signed": {
			"status": "pass",
			"violations": [],
			"evidence": [fixtures.digests.sig1, fixtures.digests.sig2],
			"reason": null,
		}},
	}
}

# What is said of controls that give these answers, by family and name.
answered(found, controls) := value if {
	doc := fixtures.after(asking(controls))
	value := main.report.controls with input as doc with main.library as found
}

passing := {"status": "pass", "violations": set(), "evidence": {"sha256:b", "sha256:a"}, "reason": "two"}

failing := {"status": "fail", "violations": {"y", "x"}, "evidence": {"sha256:a"}, "reason": "no"}

test_passes_when_controls_pass if {
	found := {"artifact": {"signed": passing}, "scan": {"malware": passing}}
	expected := {"status": "pass", "violations": [], "evidence": ["sha256:a", "sha256:b"], "reason": "two"}
	answered(found, {"artifact.signed": {"mode": "enforce"}, "scan.malware": {"mode": "warn"}}) == {
		"artifact.signed": expected,
		"scan.malware": expected,
	}
}

# Those that pass nothing give their violations only.
test_fails_without_evidence_or_reason if {
	found := {"artifact": {"signed": failing}}
	answered(found, {"artifact.signed": {"mode": "enforce"}}) == {"artifact.signed": {
		"status": "fail",
		"violations": ["x", "y"],
		"evidence": [],
		"reason": null,
	}}
}

test_errors_without_anything_else if {
	found := {"artifact": {"signed": object.union(failing, {"status": "error"})}}
	answered(found, {"artifact.signed": {"mode": "enforce"}}) == {"artifact.signed": {
		"status": "error",
		"violations": [],
		"evidence": [],
		"reason": null,
	}}
}

test_gives_the_reason_when_not_applicable if {
	found := {"artifact": {"signed": object.union(failing, {"status": "not_applicable"})}}
	answered(found, {"artifact.signed": {"mode": "enforce"}}) == {"artifact.signed": {
		"status": "not_applicable",
		"violations": [],
		"evidence": [],
		"reason": "no",
	}}
}

test_leaves_out_what_is_off if report(asking({"artifact.signed": {"mode": "off"}})).controls == {}

test_asks_when_the_mode_is_unknown if {
	found := {"artifact": {"signed": passing, "pinned": passing}}
	object.keys(answered(found, {"artifact.signed": {"mode": "x"}, "artifact.pinned": {}})) == {
		"artifact.pinned",
		"artifact.signed",
	}
}

test_leaves_out_unknown_controls if {
	controls := {id: {"mode": "enforce"} | some id in ["no.such", "artifact", "artifact.signed.missing", "", "artifact.no"]}
	answered({"artifact": {"signed": passing}}, controls) == {}
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
