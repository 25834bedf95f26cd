package gate.tests.scan.vulnerabilities_test

import data.gate.controls.scan.vulnerabilities
import data.gate.vulnerable
import future.keywords.not

answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := vulnerable.after(patches)
	status := vulnerabilities.status with input as doc
	found := vulnerabilities.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := vulnerable.after(patches)
	evidence := vulnerabilities.evidence with input as doc
	reason := vulnerabilities.reason with input as doc
	found := vulnerabilities.violations with input as doc
}

setting(name, value) := vulnerable.put(concat("/", ["/parameters/scan.vulnerabilities", name]), value)

passed := ["pass", set()]

finding := ["fail", {["scan.vulnerabilities.finding", "server", null]}]

missing := ["fail", {["scan.vulnerabilities.missing", "site", null]}]

stale := ["fail", {["scan.vulnerabilities.stale", "site", null]}]

incomplete := ["scan.vulnerabilities.incomplete", "site", null]

silenced := [vulnerable.remove("/findings/f1/vex"), vulnerable.remove("/findings/f2/vex")]

test_passes_when_all_was_searched if answer([]) == passed

test_passes_with_its_evidence if {
	whole([]) == {
		"evidence": {vulnerable.digests.report},
		"reason": "artifacts searched: 2",
		"violations": set(),
	}
}

test_evidence_is_of_what_is_judged if {
	whole([setting("kinds", [])]) == {
		"evidence": set(),
		"reason": "no artifact of a kind that has to be scanned asks for admission",
		"violations": set(),
	}
	whole([vulnerable.put("/scans/lock/report", null)]).evidence == {vulnerable.digests.report}
	whole([setting("kinds", ["package"]), vulnerable.put("/scans/lock/report", null)]).evidence == set()
}

test_counts_what_was_searched if whole([setting("kinds", ["package"])]).reason == "artifacts searched: 1"

test_is_not_applicable_without_kinds if answer([setting("kinds", [])]) == ["not_applicable", set()]

test_passes_with_a_tool_that_is_named if {
	answer([vulnerable.put("/scans/lock/tool", "finder"), setting("tools", ["grype", "finder"])]) == passed
}

test_passes_with_each_tool_by_default if {
	every tool in ["grype", "in-toto-vulns", "osv-scanner", "pip-audit", "trivy"] {
		answer([vulnerable.put("/scans/lock/tool", tool)]) == passed
	}
}

test_fails_when_another_tool_looked if answer([vulnerable.put("/scans/lock/tool", "modelscan")]) == missing

test_fails_when_other_bytes_were_searched if {
	answer([vulnerable.put("/scans/lock/files/uv.lock", vulnerable.digests.other)]) == missing
	answer([
		vulnerable.put("/scans/image/files/.", vulnerable.digests.other),
		vulnerable.put("/scans/again/files/.", vulnerable.digests.other),
	]) == ["fail", {["scan.vulnerabilities.missing", "server", null]}]
}

test_fails_when_a_file_was_left_out if {
	file := {"digest": vulnerable.digests.other, "format": "text"}
	answer([vulnerable.put("/artifacts/site/files/poetry.lock", file)]) == [
		"fail",
		{["scan.vulnerabilities.uncovered", "site", "poetry.lock"]},
	]
}

test_fails_when_an_artifact_has_no_files if {
	answer([vulnerable.put("/artifacts/site/files", {})]) == missing
}

test_fails_when_the_report_is_not_signed if {
	observed := vulnerable.put("/scans/lock/basis", "observed")
	answer([observed]) == passed
	answer([observed, vulnerable.remove("/parameters/scan.vulnerabilities/observed")]) == missing
	answer([observed, setting("observed", false)]) == missing
}

test_fails_when_a_scan_was_cut_short if {
	every status in ["failed", "incomplete"] {
		answer([vulnerable.put("/scans/lock/status", status)]) == [
			"fail",
			{["scan.vulnerabilities.missing", "site", null], incomplete},
		]
	}
}

test_fails_when_one_of_two_scans_was_cut_short if {
	answer([vulnerable.put("/scans/again/status", "failed"), vulnerable.put("/scans/again/tool", "sarif")]) == [
		"fail",
		{["scan.vulnerabilities.incomplete", "server", null]},
	]
	answer([vulnerable.put("/scans/again/status", "incomplete")]) == [
		"fail",
		{["scan.vulnerabilities.incomplete", "server", null]},
	]
}

test_a_scan_for_something_else_may_be_cut_short if {
	other := object.union(vulnerable.scan("gitleaks", "server", {}), {"status": "incomplete"})
	answer([vulnerable.put("/scans/secrets", other)]) == passed
}

test_fails_when_data_is_old if {
	now_s := vulnerable.now_s
	answer([vulnerable.put("/scans/lock/database_at_s", now_s - 604800)]) == passed
	answer([vulnerable.put("/scans/lock/database_at_s", now_s - 604801)]) == stale
	answer([setting("database_age_s", vulnerable.day_s)]) == passed
	answer([
		vulnerable.put("/scans/lock/database_at_s", (now_s - vulnerable.day_s) - 1),
		setting("database_age_s", vulnerable.day_s),
	]) == stale
}

test_fails_when_data_is_of_the_future if {
	answer([vulnerable.put("/scans/lock/database_at_s", vulnerable.now_s)]) == passed
	answer([vulnerable.put("/scans/lock/database_at_s", vulnerable.now_s + 1)]) == stale
}

test_fails_when_nobody_says_how_old_data_is if {
	undated := vulnerable.put("/scans/lock/database_at_s", 0)
	answer([undated]) == stale
	answer([undated, setting("accept_undated", true)]) == passed
	answer([undated, setting("accept_undated", false)]) == stale
	answer([vulnerable.put("/scans/lock/database_at_s", null), setting("accept_undated", true)]) == stale
}

test_data_of_unknown_age_is_of_no_age if {
	long := setting("database_age_s", vulnerable.now_s)
	answer([long, vulnerable.put("/scans/lock/database_at_s", 0)]) == stale
	answer([long, vulnerable.put("/scans/lock/database_at_s", 1)]) == passed
}

test_a_package_is_not_scanned_as_a_whole if {
	answer([vulnerable.put("/scans/lock/files", {".": vulnerable.digests.tree})]) == missing
}

test_one_scan_with_fresh_data_is_enough if {
	answer([vulnerable.put("/scans/again/database_at_s", 0)]) == passed
}

test_fails_when_nobody_takes_it_away if answer(silenced) == finding

test_equal_findings_are_one_reason if {
	[entry] := [found | some found in whole(silenced).violations]
	entry.message == "grype, trivy found CVE-2026-0001, GHSA-aaaa-bbbb-cccc in pkg:deb/debian/zlib1g@1.2.13: critical"
}

test_fails_when_one_of_a_group_is_not_taken_away if answer([vulnerable.remove("/findings/f2/vex")]) == finding

test_fails_when_vex_is_too_old if {
	answer([setting("vex_age_s", vulnerable.day_s)]) == passed
	answer([setting("vex_age_s", 0)]) == finding
	every days in [89, 90] {
		answer(array.concat(last_said(days), [])) == passed
	}
	answer(last_said(91)) == finding
}

test_fails_when_vex_is_a_second_too_old if {
	last := last_said(90)
	late := [vulnerable.put(concat("/", [change.path, vulnerable.digests.security, "at_s"]), vulnerable.now_s - 7776001) |
		some change in last
	]
	answer(array.concat(last, late)) == finding
}

# The word of one author alone, so many days ago.
last_said(days) := [vulnerable.put(concat("/", ["/findings", id, "vex"]), {digest: word}) |
	some id in ["f1", "f2"]
	digest := vulnerable.digests.security
	word := vulnerable.word("security", "fixed", null, days)
]

of_severity(severity, most) := answer(array.concat(silenced, [
	vulnerable.remove("/findings/f2"),
	vulnerable.remove("/findings/f3"),
	vulnerable.put("/findings/f1/severity", severity),
	setting("max_severity", most),
]))

test_fails_above_the_limit if {
	words := ["none", "low", "medium", "high", "critical"]
	every position, most in ["none", "low", "medium", "high"] {
		of_severity(words[position], most) == passed
		of_severity(words[position + 1], most) == finding
		of_severity("critical", most) == finding
		of_severity("of the moon", most) == finding
	}
}

test_an_unknown_limit_is_the_strictest if {
	of_severity("low", "critical") == finding
	of_severity("none", "critical") == passed
	answer([vulnerable.remove("/parameters/scan.vulnerabilities/max_severity")]) == finding
}

test_a_finding_without_severity_is_the_gravest if {
	answer([vulnerable.remove("/findings/f3/severity"), setting("max_severity", "high")]) == finding
}

test_fails_when_a_tool_suppressed_it if {
	suppressed := [vulnerable.put(path, "suppressed") | some path in ["/findings/f1/status", "/findings/f2/status"]]
	answer(array.concat(silenced, suppressed)) == finding
	answer(array.concat(silenced, array.concat(suppressed, [setting("accept_suppressed", true)]))) == passed
	answer(array.concat(silenced, array.concat(suppressed, [setting("accept_not_affected", true)]))) == finding
}

test_fails_when_a_report_excuses_itself if {
	excused := [vulnerable.put(path, "not_affected") | some path in ["/findings/f1/status", "/findings/f2/status"]]
	answer(array.concat(silenced, excused)) == finding
	answer(array.concat(silenced, array.concat(excused, [setting("accept_not_affected", true)]))) == passed
	answer(array.concat(silenced, array.concat(excused, [setting("accept_suppressed", true)]))) == finding
}

test_open_findings_are_never_accepted if {
	answer(array.concat(silenced, [setting("accept_not_affected", true), setting("accept_suppressed", true)])) == finding
}

of_category(category, tool) := answer([
	vulnerable.put("/findings/f3/category", category),
	vulnerable.put("/findings/f3/severity", "high"),
	vulnerable.put("/scans/note", vulnerable.scan(tool, "server", {})),
	vulnerable.put("/findings/f3/scan", "note"),
])

test_fails_for_a_vulnerability_of_any_tool if of_category("vulnerability", "sarif") == finding

test_fails_when_such_a_tool_does_not_say_what_it_found if {
	of_category("other", "trivy") == finding
	of_category(null, "trivy") == finding
	of_category("other", "sarif") == passed
}

test_what_is_no_vulnerability_is_for_other_controls if {
	every category in ["configuration", "secret", "unsafe"] {
		of_category(category, "trivy") == passed
	}
}

test_errors_when_sections_are_malformed if {
	every path in ["/artifacts", "/findings", "/scans", "/attestations", "/context/now_s", "/parameters"] {
		doc := vulnerable.after([vulnerable.put(path, null)])
		vulnerabilities.status == "error" with input as doc
	}
}

test_errors_when_parameters_are_malformed if {
	every name in ["kinds", "tools", "database_age_s", "vex_age_s"] {
		answer([setting(name, null)])[0] == "error"
	}
	every name in ["tools", "database_age_s", "vex_age_s"] {
		answer([setting("kinds", []), setting(name, null)])[0] == "error"
	}
}
