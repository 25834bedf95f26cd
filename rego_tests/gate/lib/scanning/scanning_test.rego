package gate.lib.scanning_test

import data.gate.fixtures
import data.gate.lib.scanning
import future.keywords.not

usable(patches) := value if {
	doc := fixtures.after(patches)
	value := scanning.usable("scan.malware") with input as doc
}

covered(patches, ids) := value if {
	doc := fixtures.after(patches)
	value := scanning.covered(ids, "summarizer") with input as doc
}

inspections(patches) := value if {
	doc := fixtures.after(patches)
	value := scanning.inspections with input as doc
}

remote_code(patches) := value if {
	doc := fixtures.after(patches)
	value := scanning.remote_code with input as doc
}

test_all_are_usable if {
	usable([]) == {"inspection", "rows", "tickets"}
}

test_attested_and_inspected_are_usable if {
	usable([fixtures.put("/parameters/scan.malware/observed", false)]) == {"inspection", "rows", "tickets"}
}

test_observed_is_usable_where_accepted if {
	usable([fixtures.put("/scans/tickets/basis", "observed")]) == {"inspection", "rows", "tickets"}
}

test_observed_is_not_usable if {
	usable([fixtures.put("/scans/tickets/basis", "observed"), fixtures.put("/parameters/scan.malware/observed", false)]) == {"inspection", "rows"}
}

test_observed_is_not_usable_by_default if {
	usable([fixtures.put("/scans/tickets/basis", "observed"), fixtures.remove("/parameters/scan.malware/observed")]) == {"inspection", "rows"}
}

test_failed_is_not_usable if {
	usable([fixtures.put("/scans/tickets/status", "failed")]) == {"inspection", "rows"}
}

test_incomplete_is_usable if {
	usable([fixtures.put("/scans/tickets/status", "incomplete")]) == {"inspection", "rows", "tickets"}
}

test_errors_when_parameters_are_broken if {
	not usable([fixtures.put("/parameters", [])])
}

test_errors_when_scans_are_broken if {
	not usable([fixtures.put("/scans", [])])
}

test_covers_all_files if {
	covered([], {"inspection", "tickets"}) == {"config.json", "model.safetensors"}
}

test_covers_nothing_by_another_scan if {
	covered([], {"tickets", "none"}) == set()
}

test_covers_nothing_by_a_failed_scan if {
	covered([fixtures.put("/scans/inspection/status", "failed")], {"inspection"}) == set()
}

test_covers_by_an_incomplete_scan if {
	covered([fixtures.put("/scans/inspection/status", "incomplete")], {"inspection"}) == {"config.json", "model.safetensors"}
}

test_covers_nothing_by_other_bytes if {
	covered([fixtures.put("/scans/inspection/files/config.json", fixtures.digests.rows)], {"inspection"}) == {"model.safetensors"}
}

test_covers_nothing_of_another_artifact if {
	covered([fixtures.put("/scans/inspection/artifact", "tickets")], {"inspection"}) == set()
}

test_inspections_are_those_of_the_gate if {
	inspections([]) == {"inspection", "rows"}
	inspections([fixtures.put("/scans/inspection/status", "failed")]) == {"inspection", "rows"}
}

test_remote_code_needs_an_inspection_and_a_rule if {
	object.keys(remote_code([fixtures.put("/findings/f1/rule", "remote_code.x"), fixtures.put("/findings/f1/scan", "inspection")])) == {"f1"}
	remote_code([fixtures.put("/findings/f1/rule", "remote_code.x")]) == {}
	remote_code([fixtures.put("/findings/f1/scan", "inspection")]) == {}
	remote_code([]) == {}
}

test_findings_are_about_what_they_say if {
	scanning.is_about({"category": "secret"}, {"secret", "unsafe"})
	not scanning.is_about({"category": "other"}, {"secret", "unsafe"})
	not scanning.is_about({}, {"secret", "unsafe"})
}

judging(patches) := value if {
	doc := fixtures.after(patches)
	value := scanning.judging("scan.malware") with input as doc
}

searching(patches, tools) := value if {
	doc := fixtures.after(patches)
	value := scanning.searching("scan.malware", tools) with input as doc
}

test_a_search_for_secrets_judges_nothing if {
	judging([]) == {"inspection", "rows", "tickets"}
	every tool in ["gitleaks", "grype", "in-toto-vulns", "osv-scanner", "pip-audit", "trivy", "trufflehog"] {
		judging([fixtures.put("/scans/tickets/tool", tool)]) == {"inspection", "rows"}
	}
	not judging([fixtures.put("/scans", [])])
}

test_a_search_judges_nothing_however_it_is_spelled_or_joined if {
	every tool in ["Trivy", "OSV-Scanner", "Gitleaks+Grype", "modelscan+Trivy"] {
		judging([fixtures.put("/scans/tickets/tool", tool)]) == {"inspection", "rows"}
	}
	judging([fixtures.put("/scans/tickets/tool", "modelscan+modelaudit")]) == {"inspection", "rows", "tickets"}
	not judging([fixtures.remove("/scans/tickets/tool")])
}

test_says_what_is_wrong_with_a_scan if {
	scanning.why({"problem": "the report is empty"}) == ": the report is empty"
	scanning.why({"problem": null}) == ""
	scanning.why({}) == ""
}

unfinished(patches) := value if {
	doc := fixtures.after(patches)
	value := object.keys(scanning.unfinished(["gitleaks"])) with input as doc
}

test_what_did_not_come_to_its_end if {
	every tool in ["gitleaks", "Gitleaks", "sarif", "semgrep+gitleaks"] {
		every status in ["failed", "incomplete"] {
			unfinished([fixtures.put("/scans/tickets/tool", tool), fixtures.put("/scans/tickets/status", status)]) == {"tickets"}
		}
		unfinished([fixtures.put("/scans/tickets/tool", tool), fixtures.put("/scans/tickets/status", "complete")]) == set()
	}
	unfinished([fixtures.put("/scans/tickets/tool", "grype"), fixtures.put("/scans/tickets/status", "failed")]) == set()
	not scanning.unfinished("gitleaks") with input as fixtures.after([])
}

test_searching_needs_a_complete_scan_of_a_tool if {
	found := fixtures.put("/scans/tickets/tool", "finder")
	searching([found], ["finder"]) == {"tickets"}
	searching([], ["finder"]) == set()
	searching([found, fixtures.put("/scans/tickets/status", "incomplete")], ["finder"]) == set()
	not searching([found], "finder")
	not searching([fixtures.put("/scans", [])], ["finder"])
}
