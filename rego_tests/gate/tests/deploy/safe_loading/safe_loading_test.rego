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
