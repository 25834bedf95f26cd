package gate.tests.deploy.safe_loading_test

import data.gate.controls.deploy.safe_loading
import data.gate.deployed
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and what it found where.
answer(patches) := [status, {[entry.code, entry.file] | some entry in found}] if {
	doc := deployed.after(patches)
	status := safe_loading.status with input as doc
	found := safe_loading.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := deployed.after(patches)
	evidence := safe_loading.evidence with input as doc
	reason := safe_loading.reason with input as doc
	found := safe_loading.violations with input as doc
}

said(patches) := {entry.message | some entry in whole(patches).violations}

refused(code) := ["fail", {[code, "deploy/app.yaml"]}]

message(text) := {concat(": ", ["Deployment/server", text])}

own(path, value) := fixtures.put(concat("/", [deployed.container, path]), value)

problem := fixtures.put(concat("/", [deployed.at, "problems"]), ["it is odd"])

test_fails_when_it_cannot_be_judged if {
	answer([problem]) == refused("deploy.safe_loading.unreadable")
	said([problem]) == message("it is odd; not all of it could be judged")
}

test_errors_when_there_are_no_workloads if {
	doc := json.patch(deployed.good, [fixtures.remove("/workloads")])
	status := safe_loading.status with input as doc
	status == "error"
}

test_passes_when_formats_are_safe if {
	answer([]) == ["pass", set()]
	whole([]) == {"evidence": set(), "reason": "containers that load safely: 1", "violations": set()}
}

test_is_not_applicable_without_a_server if {
	answer([own("loading/server", null)]) == ["not_applicable", set()]
	reason := "no container of a manifest runs serving software that is known"
	whole([own("loading/server", null)]).reason == reason
}

test_fails_when_a_flag_is_unsafe if {
	patches := [own("loading/unsafe", ["--trust-remote-code"])]
	answer(patches) == refused("deploy.safe_loading.unsafe")
	said(patches) == message("container server: --trust-remote-code")
}

test_fails_when_an_unknown_server_has_an_unsafe_flag if {
	answer([own("loading/server", null), own("loading/unsafe", ["--trust-remote-code"])]) == refused("deploy.safe_loading.unsafe")
}

test_fails_when_nothing_keeps_it_to_safe_formats if {
	answer([own("loading/safe", [])]) == refused("deploy.safe_loading.unbound")
	said([own("loading/safe", [])]) == message("container server: nothing keeps its server to safe formats")
	answer([own("loading/safe", []), own("loading/unsafe", ["x"])]) == refused("deploy.safe_loading.unsafe")
}

test_fails_when_something_cannot_be_seen if {
	patches := [own("loading/unknown", ["the value of X"])]
	answer(patches) == refused("deploy.safe_loading.hidden")
	said(patches) == message("container server: the value of X cannot be seen")
}

test_no_server_hides_nothing if {
	patches := [own("loading/server", null), own("loading/safe", []), own("loading/unknown", ["x"])]
	answer(patches) == ["not_applicable", set()]
}

proven(patches) := found if {
	doc := deployed.after(patches)
	found := safe_loading.proved with input as doc
}

test_proves_only_what_is_good if {
	proven([]) == {deployed.id}
	proven([own("loading/safe", [])]) == set()
	proven([problem]) == set()
	proven([own("loading/unsafe", ["x"])]) == set()
	proven([own("loading/unknown", ["x"])]) == set()
	whole([own("loading/unknown", ["x"])]).reason == "containers that load safely: 0"
}

torch(version) := deployed.part("torch", version, sprintf("pkg:pypi/torch@%s", [version]))

# A server whose image has `components`, where torch has to be 2.10 or newer.
having(components) := array.concat(
	deployed.asking({"pkg:pypi/torch": "2.10"}),
	deployed.billed({"bill": [["server"], deployed.bill(components)]}),
)

test_passes_when_the_image_has_new_versions if {
	every version in ["2.10", "2.10.0", "2.11", "2.100.3", "3"] {
		answer(having({"torch": torch(version)})) == ["pass", set()]
	}
	whole(having({"torch": torch("2.10")})) == {
		"evidence": {deployed.digests.bill},
		"reason": "containers that load safely: 1",
		"violations": set(),
	}
}

test_passes_when_a_complete_bill_does_not_list_it if {
	answer(having({"x": deployed.part("x", "1", "pkg:pypi/x@1")})) == ["pass", set()]
}

test_fails_when_the_image_has_an_old_version if {
	every version in ["2.9", "2.9.1", "1.999", "0"] {
		answer(having({"torch": torch(version)})) == refused("deploy.safe_loading.old")
		answer(having({"torch": torch("2.10"), "a/vendored": torch(version)})) == refused("deploy.safe_loading.old")
	}
	said(having({"torch": torch("2.9")})) == message("container server: its image has pkg:pypi/torch 2.9, older than 2.10")
	answer(having({"torch": deployed.part("torch", "2.10", "pkg:pypi/torch@2.9")})) == refused("deploy.safe_loading.old")
}

test_fails_when_a_version_cannot_be_compared if {
	every version in ["2.10.0rc1", "02.10", "2.10.post1", "v2.10", "", "2.10%2Bcu128", "99999999999999999999", "1!2.10"] {
		answer(having({"torch": torch(version)})) == refused("deploy.safe_loading.unversioned")
	}
	text := "container server: its image has pkg:pypi/torch 2.10rc1, which cannot be compared with 2.10"
	said(having({"torch": torch("2.10rc1")})) == message(text)
}

test_fails_when_no_bill_says_it if {
	text := "container server: no complete SBOM of its image says which pkg:pypi/torch it has"
	every patches in [
		deployed.asking({"pkg:pypi/torch": "2.10"}),
		array.concat(having({"torch": torch("2.10")}), [fixtures.put("/artifacts/server/digest", deployed.digests.other)]),
		array.concat(having({"torch": torch("2.10")}), [own("digest", deployed.digests.other)]),
		array.concat(having({"torch": torch("2.10")}), [own("digest", null)]),
		array.concat(having({"torch": torch("2.10")}), [fixtures.remove("/artifacts/server")]),
	] {
		answer(patches) == refused("deploy.safe_loading.unversioned")
		said(patches) == message(text)
		proven(patches) == set()
	}
}

test_says_each_thing_that_is_wrong if {
	minimums := {"pkg:pypi/torch": "2.10", "pkg:pypi/vllm": "0.18"}
	bill := object.union(deployed.bill({"torch": torch("2.9")}), {"completeness": "incomplete"})
	patches := array.concat(deployed.asking(minimums), deployed.billed({"bill": [["server"], bill]}))
	count(whole(patches).violations) == 3
	whole(patches).evidence == {deployed.digests.bill}
	proven(patches) == set()
}

test_asks_nothing_of_images_without_minimums if {
	patches := array.concat(having({"torch": torch("0.1")}), deployed.asking({}))
	answer(patches) == ["pass", set()]
	whole(patches).evidence == set()
	answer(array.concat(having({}), [fixtures.put("/parameters/deploy.safe_loading", {})])) == ["pass", set()]
}

test_asks_nothing_of_other_containers if {
	patches := array.concat(having({"torch": torch("0.1")}), [own("loading/server", null)])
	answer(patches) == ["not_applicable", set()]
	whole(patches).evidence == set()
}

test_evidence_is_about_the_image if {
	tool := object.union(deployed.good.artifacts.server, {"digest": deployed.digests.other})
	bills := deployed.billed({
		"bill": [["server"], deployed.bill({"torch": torch("2.10")})],
		"second": [["tool"], deployed.bill({"torch": torch("0.1")})],
	})
	patches := array.concat(array.concat(deployed.asking({"pkg:pypi/torch": "2.10"}), bills), [fixtures.put("/artifacts/tool", tool)])
	answer(patches) == ["pass", set()]
	whole(patches).evidence == {deployed.digests.bill}
}

test_errors_when_minimums_are_malformed if {
	every minimums in [null, [], "2.10", {"torch": "2.10"}, {"pkg:pypi/torch": "2.10rc1"}, {"pkg:pypi/torch": 2.1}, {"pkg:pypi/torch": ""}] {
		answer(array.concat(having({"torch": torch("3")}), deployed.asking(minimums))) == ["error", set()]
	}
	answer([fixtures.put("/parameters", [])]) == ["error", set()]
	answer(array.concat([own("loading/server", null)], deployed.asking({"torch": "2.10"}))) == ["error", set()]
}
