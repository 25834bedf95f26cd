package gate.tests.load.no_remote_code_test

import data.gate.controls.load.no_remote_code
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := fixtures.after(patches)
	status := no_remote_code.status with input as doc
	found := no_remote_code.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := fixtures.after(patches)
	evidence := no_remote_code.evidence with input as doc
	reason := no_remote_code.reason with input as doc
	found := no_remote_code.violations with input as doc
}

test_passes_when_nothing_is_found if {
	answer([]) == ["pass", set()]
}

test_passes_with_a_reason if {
	whole([]) == {
		"evidence": set(),
		"reason": "files inspected: 3",
		"violations": set(),
	}
}

test_passes_with_one if {
	whole([
		fixtures.remove("/artifacts/tickets"),
		fixtures.remove("/artifacts/summarizer/files/config.json"),
		fixtures.remove("/scans/inspection/files/config.json"),
		fixtures.put("/scans/inspection/coverage/scanned", 1),
	]) == {
		"evidence": set(),
		"reason": "files inspected: 1",
		"violations": set(),
	}
}

test_passes_when_one_file_was_inspected if {
	answer([
		fixtures.put("/scans/inspection/files", {"config.json": fixtures.digests.config}),
		fixtures.put("/scans/inspection/coverage/scanned", 1),
	]) == ["pass", set()]
}

test_passes_when_another_rule_found_something if {
	answer([
		fixtures.put("/findings/f1/scan", "inspection"),
		fixtures.put("/findings/f1/artifact", "summarizer"),
		fixtures.put("/findings/f1/file", "config.json"),
	]) == ["pass", set()]
}

test_passes_when_a_report_has_the_finding if {
	answer([
		fixtures.put("/findings/f1/rule", "remote_code.auto_map"),
		fixtures.put("/findings/f1/artifact", "summarizer"),
	]) == ["pass", set()]
}

test_passes_when_the_finding_is_about_a_container if {
	answer([
		fixtures.put("/findings/f1/artifact", "server"),
		fixtures.put("/findings/f1/rule", "remote_code.auto_map"),
		fixtures.put("/findings/f1/scan", "inspection"),
	]) == ["pass", set()]
}

test_fails_when_a_dataset_has_a_loading_script if {
	answer([
		fixtures.put("/findings/f1/rule", "remote_code.python"),
		fixtures.put("/findings/f1/scan", "rows"),
	]) == ["fail", {["load.no_remote_code.found", "tickets", "rows.csv"]}]
}

test_fails_when_a_dataset_was_not_inspected if {
	answer([fixtures.remove("/scans/rows")]) == ["fail", {["load.no_remote_code.uninspected", "tickets", null]}]
}

test_fails_when_it_is_found if {
	answer([
		fixtures.put("/findings/f1/scan", "inspection"),
		fixtures.put("/findings/f1/artifact", "summarizer"),
		fixtures.put("/findings/f1/file", "config.json"),
		fixtures.put("/findings/f1/rule", "remote_code.auto_map"),
	]) == ["fail", {["load.no_remote_code.found", "summarizer", "config.json"]}]
}

test_fails_when_it_is_found_of_no_severity if {
	answer([
		fixtures.put("/findings/f1/scan", "inspection"),
		fixtures.put("/findings/f1/artifact", "summarizer"),
		fixtures.put("/findings/f1/file", "config.json"),
		fixtures.put("/findings/f1/rule", "remote_code.auto_map"),
		fixtures.put("/findings/f1/severity", "none"),
	]) == ["fail", {["load.no_remote_code.found", "summarizer", "config.json"]}]
}

test_fails_when_it_is_found_in_no_artifact if {
	answer([
		fixtures.put("/findings/f1/rule", "remote_code.auto_map"),
		fixtures.put("/findings/f1/scan", "inspection"),
		fixtures.put("/findings/f1/artifact", null),
		fixtures.put("/findings/f1/file", null),
	]) == ["fail", {["load.no_remote_code.found", null, null]}]
}

test_fails_with_a_message if {
	whole([
		fixtures.put("/findings/f1/scan", "inspection"),
		fixtures.put("/findings/f1/artifact", "summarizer"),
		fixtures.put("/findings/f1/file", "config.json"),
		fixtures.put("/findings/f1/rule", "remote_code.auto_map"),
	]) == {
		"evidence": set(),
		"reason": "files inspected: 3",
		"violations": {{
			"artifact": "summarizer",
			"code": "load.no_remote_code.found",
			"evidence": [],
			"file": "config.json",
			"message": "inspection found remote_code.auto_map",
		}},
	}
}

test_fails_when_nothing_was_inspected if {
	answer([fixtures.remove("/scans/inspection")]) == ["fail", {["load.no_remote_code.uninspected", "summarizer", null]}]
}

test_fails_when_an_adapter_was_not_inspected if {
	answer([
		fixtures.remove("/scans/inspection"),
		fixtures.put("/artifacts/summarizer/kind", "adapter"),
	]) == ["fail", {["load.no_remote_code.uninspected", "summarizer", null]}]
}

test_fails_when_the_inspection_failed if {
	answer([fixtures.put("/scans/inspection/status", "failed")]) == ["fail", {["load.no_remote_code.uninspected", "summarizer", null]}]
}

test_is_not_applicable_to_a_container if {
	answer([fixtures.remove("/artifacts/summarizer"), fixtures.remove("/artifacts/tickets")]) == ["not_applicable", set()]
}

test_has_a_reason_when_not_applicable if {
	whole([fixtures.put("/artifacts", {})]) == {
		"evidence": set(),
		"reason": "no weights, adapter or dataset asks for admission",
		"violations": set(),
	}
}

test_errors_when_there_are_no_artifacts_at_all if {
	answer([fixtures.remove("/artifacts")])[0] == "error"
}

test_errors_when_there_are_no_scans_at_all if {
	answer([fixtures.remove("/scans"), fixtures.put("/findings", {})])[0] == "error"
}

test_errors_when_there_are_no_findings_at_all if {
	answer([fixtures.remove("/findings")])[0] == "error"
}
