package gate.tests.scan.secrets_test

import data.gate.controls.scan.secrets
import data.gate.fixtures
import future.keywords.not

searched := [
	fixtures.put("/parameters/scan.secrets", {"kinds": ["dataset"], "observed": true}),
	fixtures.put("/scans/tickets/tool", "gitleaks"),
]

answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := fixtures.after(array.concat(searched, patches))
	status := secrets.status with input as doc
	found := secrets.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := fixtures.after(array.concat(searched, patches))
	evidence := secrets.evidence with input as doc
	reason := secrets.reason with input as doc
	found := secrets.violations with input as doc
}

missing := ["fail", {["scan.secrets.missing", "tickets", null]}]

finding := ["fail", {["scan.secrets.finding", "tickets", "rows.csv"]}]

test_passes_when_all_was_searched if answer([]) == ["pass", set()]

test_passes_with_its_evidence if {
	whole([]) == {
		"evidence": {fixtures.digests.report},
		"reason": "artifacts searched: 1",
		"violations": set(),
	}
}

test_passes_with_a_tool_that_is_named if {
	answer([
		fixtures.put("/scans/tickets/tool", "finder"),
		fixtures.put("/parameters/scan.secrets/tools", ["finder"]),
	]) == ["pass", set()]
}

test_is_not_applicable_without_kinds if {
	patches := [fixtures.put("/parameters/scan.secrets/kinds", [])]
	answer(patches) == ["not_applicable", set()]
	whole(patches).reason == "no artifact of a kind that has to be scanned asks for admission"
	whole(patches).evidence == set()
}

test_fails_when_nothing_searched if answer([fixtures.put("/scans/tickets/tool", "modelscan")]) == missing

test_fails_when_the_scan_was_cut_short_or_failed if {
	every status in ["failed", "incomplete"] {
		answer([fixtures.put("/scans/tickets/status", status)]) == [
			"fail",
			{["scan.secrets.missing", "tickets", null], ["scan.secrets.incomplete", "tickets", null]},
		]
	}
}

test_fails_when_one_of_several_searches_did_not_come_to_its_end if {
	every tool in ["trufflehog", "sarif"] {
		other := fixtures.put("/scans/other", {
			"artifact": null, "basis": "observed", "coverage": {"errors": {}, "expected": 0, "missing": {}, "scanned": 0},
			"files": {}, "report": null, "status": "failed", "tool": tool,
		})
		answer([other]) == ["fail", {["scan.secrets.incomplete", null, null]}]
		answer([other, fixtures.put("/parameters/scan.secrets/kinds", [])]) == ["fail", {["scan.secrets.incomplete", null, null]}]
	}
}

test_what_an_incomplete_search_found_is_a_secret if {
	["scan.secrets.finding", "tickets", "rows.csv"] in answer([
		fixtures.put("/scans/tickets/status", "incomplete"),
		fixtures.put("/findings/f1/category", "other"),
	])[1]
}

test_fails_when_other_bytes_were_searched if {
	answer([fixtures.put("/scans/tickets/files/rows.csv", fixtures.digests.config)]) == missing
}

test_fails_when_the_report_is_not_signed if {
	observed := fixtures.put("/scans/tickets/basis", "observed")
	answer([observed]) == ["pass", set()]
	answer([observed, fixtures.remove("/parameters/scan.secrets/observed")]) == missing
}

test_fails_when_a_file_was_left_out if {
	answer([fixtures.put("/artifacts/tickets/files/more.csv", {"digest": fixtures.digests.config, "format": "csv"})]) == [
		"fail",
		{["scan.secrets.uncovered", "tickets", "more.csv"]},
	]
}

test_fails_when_an_artifact_has_no_files if answer([fixtures.put("/artifacts/tickets/files", {})]) == missing

# What the control says of a data set that is of some kind, without a parameter of kinds.
of_kind(kind) := found if {
	[_, found] := answer([
		fixtures.remove("/parameters/scan.secrets/kinds"),
		fixtures.put("/artifacts/tickets/kind", kind),
		fixtures.put("/scans/tickets/tool", "modelscan"),
	])
}

test_fails_for_each_kind_by_default if {
	every kind in ["adapter", "corpus", "dataset", "package", "plugin", "prompt", "weights"] {
		["scan.secrets.missing", "tickets", null] in of_kind(kind)
	}
	["scan.secrets.missing", "summarizer", null] in of_kind("slo")
	not ["scan.secrets.missing", "tickets", null] in of_kind("slo")
}

test_passes_with_each_tool_by_default if {
	answer([fixtures.put("/scans/tickets/tool", "trufflehog")]) == ["pass", set()]
}

test_passes_without_evidence_when_there_is_no_report if {
	patches := [fixtures.put("/scans/tickets/report", null)]
	answer(patches) == ["pass", set()]
	whole(patches).evidence == set()
}

test_fails_when_a_secret_was_found if answer([fixtures.put("/findings/f1/category", "secret")]) == finding

test_fails_when_such_a_tool_found_something if {
	answer([fixtures.put("/findings/f1/category", "other")]) == finding
	answer([fixtures.remove("/findings/f1/category")]) == finding
}

test_fails_when_any_tool_found_a_secret if {
	answer([
		fixtures.put("/findings/f1/category", "secret"),
		fixtures.put("/findings/f1/scan", "inspection"),
	]) == finding
}

test_fails_with_what_was_found_though_no_scan_is_asked_for if {
	answer([
		fixtures.put("/findings/f1/category", "secret"),
		fixtures.put("/parameters/scan.secrets/kinds", []),
	]) == finding
}

test_passes_with_findings_of_others if {
	answer([
		fixtures.put("/findings/f1/category", "other"),
		fixtures.put("/findings/f1/scan", "inspection"),
	]) == ["pass", set()]
	every category in ["configuration", "unsafe", "vulnerability"] {
		answer([fixtures.put("/findings/f1/category", category)]) == ["pass", set()]
	}
}

# What the control says of a secret of some status, with a parameter.
accepted(word, parameter, value) := status if {
	[status, _] := answer([
		fixtures.put("/findings/f1/category", "secret"),
		fixtures.put("/findings/f1/status", word),
		fixtures.put(sprintf("/parameters/scan.secrets/%s", [parameter]), value),
	])
}

test_passes_when_findings_are_accepted if {
	accepted("suppressed", "accept_suppressed", true) == "pass"
	accepted("not_affected", "accept_not_affected", true) == "pass"
}

test_fails_when_findings_are_not_accepted if {
	accepted("suppressed", "accept_suppressed", false) == "fail"
	accepted("suppressed", "accept_not_affected", true) == "fail"
	accepted("not_affected", "accept_not_affected", "true") == "fail"
	accepted("not_affected", "accept_suppressed", true) == "fail"
	accepted("open", "accept_suppressed", true) == "fail"
}

test_says_who_found_what if {
	{entry.message | some entry in whole([fixtures.put("/findings/f1/category", "secret")]).violations} == {"gitleaks found note"}
}

test_fails_when_the_status_is_not_known if {
	answer([
		fixtures.put("/findings/f1/category", "secret"),
		fixtures.remove("/findings/f1/status"),
		fixtures.put("/parameters/scan.secrets/accept_suppressed", true),
	]) == finding
}

errors(patch) if {
	[status, _] := answer([patch])
	status == "error"
}

test_errors_when_malformed if {
	errors(fixtures.put("/parameters/scan.secrets/kinds", "dataset"))
	errors(fixtures.put("/parameters/scan.secrets/tools", "gitleaks"))
	errors(fixtures.remove("/scans/tickets/tool"))
	errors(fixtures.put("/artifacts", []))
	errors(fixtures.put("/findings", []))
	errors(fixtures.put("/scans", []))
}
