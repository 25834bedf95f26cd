package gate.lib.findings_test

import data.gate.lib.findings
import data.gate.vulnerable
import future.keywords.not

reasons(patches, ids) := value if {
	doc := vulnerable.after(patches)
	value := findings.reasons(ids) with input as doc
}

test_ranks if {
	[findings.rank("none"), findings.rank("low"), findings.rank("medium")] == [0, 1, 2]
	[findings.rank("high"), findings.rank("critical"), findings.rank("extreme"), findings.rank(null)] == [3, 4, 4, 4]
}

test_a_group_is_one_reason if {
	reasons([], {"f1", "f2", "f3"}) == {
		{
			"artifact": "server",
			"file": null,
			"message": "grype, trivy found CVE-2026-0001, GHSA-aaaa-bbbb-cccc in pkg:deb/debian/zlib1g@1.2.13: critical",
		},
		{
			"artifact": "server",
			"file": null,
			"message": "grype found CVE-2026-0002 in pkg:deb/debian/zlib1g@1.2.13: low",
		},
	}
}

test_only_what_is_asked_for if {
	reasons([], {"f2"}) == {{
		"artifact": "server",
		"file": null,
		"message": "trivy found GHSA-aaaa-bbbb-cccc in pkg:deb/debian/zlib1g@1.2.13: high",
	}}
}

test_a_place_is_told_where_there_is_one if {
	[reason] := [found | some found in reasons([vulnerable.put("/findings/f1/file", "a")], {"f1"})]
	reason.file == "a"
	[apart] := [found | some found in reasons([vulnerable.put("/findings/f1/file", "a")], {"f1", "f2"})]
	apart.file == null
}

test_without_component_or_severity if {
	patches := [vulnerable.put("/findings/f1/component/purl", null), vulnerable.remove("/findings/f1/severity")]
	[reason] := [found | some found in reasons(patches, {"f1"})]
	reason.message == "grype found CVE-2026-0001: critical"
}

test_scanners_may_write_a_component_in_several_ways if {
	purl := "pkg:deb/debian/zlib1g@1.2.13?arch=amd64"
	[found] := [reason | some reason in reasons([vulnerable.put("/findings/f2/component/purl", purl)], {"f1", "f2"})]
	endswith(found.message, " in pkg:deb/debian/zlib1g@1.2.13 in pkg:deb/debian/zlib1g@1.2.13?arch=amd64: critical")
}

test_nothing_is_no_reason if reasons([], set()) == set()
