package gate.tests.scan.coverage_test

import data.gate.controls.scan.coverage
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := fixtures.after(patches)
	status := coverage.status with input as doc
	found := coverage.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := fixtures.after(patches)
	evidence := coverage.evidence with input as doc
	reason := coverage.reason with input as doc
	found := coverage.violations with input as doc
}

test_passes_when_all_was_judged if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([
		fixtures.put("/scans/o", object.union(
			fixtures.scans.inspection,
			{"basis": "observed", "report": fixtures.digests.report, "tool": "modelscan"},
		)),
	]) == {
		"evidence": {fixtures.digests.report},
		"reason": "files judged: 3",
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
		"evidence": {fixtures.digests.report},
		"reason": "files judged: 1",
		"violations": set(),
	}
}

test_passes_when_there_is_one_file if {
	answer([
		fixtures.remove("/artifacts/summarizer/files/config.json"),
		fixtures.remove("/scans/inspection/files/config.json"),
		fixtures.put("/scans/inspection/coverage/scanned", 1),
	]) == ["pass", set()]
}

test_passes_when_a_report_judged_the_rest if {
	answer([
		fixtures.put("/scans/o", object.union(
			fixtures.scans.inspection,
			{"basis": "observed", "report": fixtures.digests.report, "tool": "modelscan"},
		)),
		fixtures.put("/scans/inspection/status", "incomplete"),
		fixtures.put("/scans/inspection/files", {"config.json": fixtures.digests.config}),
		fixtures.put("/scans/inspection/coverage/scanned", 1),
	]) == ["pass", set()]
}

test_fails_when_a_dataset_was_not_scanned if {
	answer([
		fixtures.remove("/scans/tickets"),
		fixtures.remove("/scans/rows"),
		fixtures.put("/findings", {}),
	]) == ["fail", {["scan.coverage.missing", "tickets", null]}]
}

test_fails_when_a_file_of_a_dataset_was_not_judged if {
	answer([
		fixtures.put("/artifacts/tickets/files/rows.tar", {"digest": fixtures.digests.rejected, "format": "unknown"}),
	]) == ["fail", {["scan.coverage.uncovered", "tickets", "rows.tar"]}]
}

test_fails_when_nothing_was_scanned if {
	answer([fixtures.remove("/scans/inspection")]) == ["fail", {["scan.coverage.missing", "summarizer", null]}]
}

test_fails_when_an_adapter_was_not_scanned if {
	answer([
		fixtures.remove("/scans/inspection"),
		fixtures.put("/artifacts/summarizer/kind", "adapter"),
	]) == ["fail", {["scan.coverage.missing", "summarizer", null]}]
}

test_fails_when_a_report_does_not_count if {
	answer([
		fixtures.put("/scans/inspection/basis", "observed"),
		fixtures.put("/parameters/scan.coverage/observed", false),
	]) == ["fail", {["scan.coverage.missing", "summarizer", null]}]
}

test_fails_when_a_file_was_not_judged if {
	answer([
		fixtures.put("/scans/inspection/files", {"config.json": fixtures.digests.config}),
		fixtures.put("/scans/inspection/coverage/scanned", 1),
	]) == ["fail", {
		["scan.coverage.uncovered", "summarizer", "model.safetensors"],
	}]
}

test_fails_when_other_bytes_were_judged if {
	answer([
		fixtures.put("/scans/inspection/files/config.json", fixtures.digests.rows),
	]) == ["fail", {["scan.coverage.uncovered", "summarizer", "config.json"]}]
}

test_fails_when_the_files_of_another_artifact_were_judged if {
	answer([
		fixtures.put("/artifacts/copy", fixtures.artifacts.summarizer),
		fixtures.put("/scans/c", object.union(
			fixtures.scans.tickets,
			{"artifact": "copy"},
		)),
	]) == ["fail", {
		["scan.coverage.uncovered", "copy", "config.json"],
		["scan.coverage.uncovered", "copy", "model.safetensors"],
	}]
}

test_fails_when_there_are_no_files if {
	answer([fixtures.put("/artifacts/summarizer/files", {})]) == ["fail", {["scan.coverage.uncovered", "summarizer", null]}]
}

test_fails_when_a_file_is_a_link if {
	answer([
		fixtures.put("/artifacts/summarizer/files/config.json", {"digest": null, "format": "symlink"}),
	]) == ["fail", {["scan.coverage.uncovered", "summarizer", "config.json"]}]
}

test_fails_when_a_scan_failed if {
	answer([fixtures.put("/scans/tickets/status", "failed")]) == ["fail", {["scan.coverage.failed", "tickets", null]}]
}

test_fails_when_a_report_is_absent if {
	answer([
		fixtures.put("/scans/tickets/status", "failed"),
		fixtures.put("/scans/tickets/report", null),
	]) == ["fail", {["scan.coverage.report_missing", "tickets", null]}]
}

test_fails_when_an_inspection_failed if {
	answer([
		fixtures.put("/scans/i2", object.union(
			fixtures.scans.inspection,
			{"status": "failed"},
		)),
	]) == ["fail", {["scan.coverage.failed", "summarizer", null]}]
}

test_fails_when_the_only_inspection_failed if {
	answer([fixtures.put("/scans/inspection/status", "failed")]) == ["fail", {
		["scan.coverage.failed", "summarizer", null],
		["scan.coverage.missing", "summarizer", null],
	}]
}

test_fails_when_a_scan_was_cut_short if {
	answer([fixtures.put("/scans/tickets/status", "incomplete")]) == ["fail", {["scan.coverage.incomplete", "tickets", null]}]
}

test_fails_when_a_scan_met_errors if {
	answer([
		fixtures.put("/scans/tickets/coverage/errors", {"rows.csv": "broken"}),
	]) == ["fail", {["scan.coverage.incomplete", "tickets", null]}]
}

test_fails_when_an_inspection_met_errors if {
	answer([fixtures.put("/scans/inspection/coverage/errors", {"x": "broken"})]) == ["fail", {["scan.coverage.incomplete", "summarizer", null]}]
}

test_fails_with_a_message if {
	whole([fixtures.put("/scans/tickets/status", "incomplete")]) == {
		"evidence": {fixtures.digests.report},
		"reason": "files judged: 3",
		"violations": {{
			"artifact": "tickets",
			"code": "scan.coverage.incomplete",
			"evidence": [],
			"file": null,
			"message": "the modelscan scan met errors or did not come to its end",
		}},
	}
}

test_is_not_applicable_to_a_container if {
	answer([fixtures.remove("/artifacts/summarizer"), fixtures.remove("/artifacts/tickets")]) == ["not_applicable", set()]
}

test_has_a_reason_when_not_applicable if {
	whole([fixtures.put("/artifacts", {}), fixtures.put("/scans", {})]) == {
		"evidence": set(),
		"reason": "no weights, adapter or dataset asks for admission",
		"violations": set(),
	}
}

test_errors_when_there_are_no_artifacts_at_all if {
	answer([fixtures.remove("/artifacts")])[0] == "error"
}

test_errors_when_there_are_no_scans_at_all if {
	answer([fixtures.remove("/scans")])[0] == "error"
}

test_errors_when_a_count_is_wrong if {
	answer([fixtures.put("/scans/inspection/coverage/scanned", 1)])[0] == "error"
}

test_errors_when_parameters_are_no_object if {
	answer([fixtures.put("/parameters/scan.coverage", [])])[0] == "error"
}

test_passes_and_counts_files_of_one_name_in_two_artifacts if {
	whole([
		fixtures.put("/artifacts/copy", fixtures.artifacts.summarizer),
		fixtures.put("/scans/copy", object.union(fixtures.scans.inspection, {"artifact": "copy"})),
	]).reason == "files judged: 5"
}
