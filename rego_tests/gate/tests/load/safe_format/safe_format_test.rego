package gate.tests.load.safe_format_test

import data.gate.controls.load.safe_format
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := fixtures.after(patches)
	status := safe_format.status with input as doc
	found := safe_format.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := fixtures.after(patches)
	evidence := safe_format.evidence with input as doc
	reason := safe_format.reason with input as doc
	found := safe_format.violations with input as doc
}

test_passes_when_all_is_inspected if {
	answer([]) == ["pass", set()]
}

test_passes_with_a_reason if {
	whole([]) == {
		"evidence": set(),
		"reason": "files inspected: 2",
		"violations": set(),
	}
}

test_passes_with_one if {
	whole([
		fixtures.remove("/artifacts/summarizer/files/config.json"),
		fixtures.remove("/scans/inspection/files/config.json"),
		fixtures.put("/scans/inspection/coverage/scanned", 1),
	]) == {
		"evidence": set(),
		"reason": "files inspected: 1",
		"violations": set(),
	}
}

test_passes_when_a_note_is_no_finding if {
	answer([
		fixtures.put("/findings/f1/scan", "inspection"),
		fixtures.put("/findings/f1/artifact", "summarizer"),
		fixtures.put("/findings/f1/file", "config.json"),
		fixtures.put("/findings/f1/severity", "none"),
	]) == ["pass", set()]
}

test_passes_when_the_finding_is_about_a_dataset if {
	answer([fixtures.put("/findings/f1/scan", "inspection")]) == ["pass", set()]
}

test_passes_when_a_report_has_the_finding if {
	answer([fixtures.put("/findings/f1/artifact", "summarizer")]) == ["pass", set()]
}

test_passes_when_the_finding_is_judged_elsewhere if {
	answer([
		fixtures.put("/findings/f1/scan", "inspection"),
		fixtures.put("/findings/f1/artifact", "summarizer"),
		fixtures.put("/findings/f1/file", "config.json"),
		fixtures.put("/findings/f1/rule", "remote_code.auto_map"),
	]) == ["pass", set()]
}

test_fails_when_a_file_was_not_inspected if {
	answer([
		fixtures.put("/scans/inspection/files", {"config.json": fixtures.digests.config}),
		fixtures.put("/scans/inspection/coverage/scanned", 1),
	]) == ["fail", {
		["load.safe_format.uninspected", "summarizer", "model.safetensors"],
	}]
}

test_fails_when_other_bytes_were_inspected if {
	answer([
		fixtures.put("/scans/inspection/files/config.json", fixtures.digests.rows),
	]) == ["fail", {
		["load.safe_format.uninspected", "summarizer", "config.json"],
	}]
}

test_fails_when_only_a_report_judged if {
	answer([fixtures.put("/scans/inspection/basis", "attested")]) == ["fail", {
		["load.safe_format.uninspected", "summarizer", "config.json"],
		["load.safe_format.uninspected", "summarizer", "model.safetensors"],
	}]
}

test_fails_when_the_inspection_failed if {
	answer([fixtures.put("/scans/inspection/status", "failed")]) == ["fail", {
		["load.safe_format.uninspected", "summarizer", "config.json"],
		["load.safe_format.uninspected", "summarizer", "model.safetensors"],
	}]
}

test_fails_when_the_format_is_unknown if {
	answer([
		fixtures.put("/artifacts/summarizer/files/config.json/format", "unknown"),
	]) == ["fail", {
		["load.safe_format.uninspected", "summarizer", "config.json"],
	}]
}

test_fails_when_there_are_no_files if {
	answer([fixtures.put("/artifacts/summarizer/files", {})]) == ["fail", {["load.safe_format.uninspected", "summarizer", null]}]
}

test_fails_when_an_adapter_has_no_files if {
	answer([
		fixtures.put("/artifacts/summarizer/files", {}),
		fixtures.put("/artifacts/summarizer/kind", "adapter"),
	]) == ["fail", {["load.safe_format.uninspected", "summarizer", null]}]
}

test_fails_when_a_file_is_a_link if {
	answer([
		fixtures.put("/artifacts/summarizer/files/config.json", {"digest": null, "format": "symlink"}),
	]) == ["fail", {["load.safe_format.link", "summarizer", "config.json"]}]
}

test_fails_when_inspection_found_something if {
	answer([
		fixtures.put("/findings/f1/scan", "inspection"),
		fixtures.put("/findings/f1/artifact", "summarizer"),
		fixtures.put("/findings/f1/file", "config.json"),
	]) == ["fail", {["load.safe_format.unsafe", "summarizer", "config.json"]}]
}

test_fails_when_the_severity_is_absent if {
	answer([
		fixtures.put("/findings/f1/scan", "inspection"),
		fixtures.put("/findings/f1/artifact", "summarizer"),
		fixtures.put("/findings/f1/file", "config.json"),
		fixtures.remove("/findings/f1/severity"),
	]) == ["fail", {["load.safe_format.unsafe", "summarizer", "config.json"]}]
}

test_fails_when_the_finding_is_about_no_artifact if {
	answer([
		fixtures.put("/findings/f1/scan", "inspection"),
		fixtures.put("/findings/f1/artifact", null),
		fixtures.put("/findings/f1/file", null),
	]) == ["fail", {["load.safe_format.unsafe", null, null]}]
}

test_fails_with_a_message if {
	whole([
		fixtures.put("/findings/f1/scan", "inspection"),
		fixtures.put("/findings/f1/artifact", "summarizer"),
		fixtures.put("/findings/f1/file", "config.json"),
	]) == {
		"evidence": set(),
		"reason": "files inspected: 2",
		"violations": {{
			"artifact": "summarizer",
			"code": "load.safe_format.unsafe",
			"evidence": [],
			"file": "config.json",
			"message": "inspection found note",
		}},
	}
}

test_is_not_applicable_to_a_dataset if {
	answer([fixtures.remove("/artifacts/summarizer")]) == ["not_applicable", set()]
}

test_has_a_reason_when_not_applicable if {
	whole([fixtures.put("/artifacts", {})]) == {
		"evidence": set(),
		"reason": "no weights or adapter asks for admission",
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
