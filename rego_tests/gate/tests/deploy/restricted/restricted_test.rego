package gate.tests.deploy.restricted_test

import data.gate.controls.deploy.restricted
import data.gate.deployed
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and what it found where.
answer(patches) := [status, {[entry.code, entry.file] | some entry in found}] if {
	doc := deployed.after(patches)
	status := restricted.status with input as doc
	found := restricted.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := deployed.after(patches)
	evidence := restricted.evidence with input as doc
	reason := restricted.reason with input as doc
	found := restricted.violations with input as doc
}

said(patches) := {entry.message | some entry in whole(patches).violations}

refused(code) := ["fail", {[code, "deploy/app.yaml"]}]

message(text) := {concat(": ", ["Deployment/server", text])}

pod(path, value) := fixtures.put(concat("/", [deployed.at, "pod", path]), value)

own(path, value) := fixtures.put(concat("/", [deployed.container, path]), value)

problem := fixtures.put(concat("/", [deployed.at, "problems"]), ["it is odd"])

test_fails_when_it_cannot_be_judged if {
	answer([problem]) == refused("deploy.restricted.unreadable")
	said([problem]) == message("it is odd; not all of it could be judged")
}

test_errors_when_there_are_no_workloads if {
	doc := json.patch(deployed.good, [fixtures.remove("/workloads")])
	status := restricted.status with input as doc
	status == "error"
}

test_passes_when_all_is_restricted if {
	answer([]) == ["pass", set()]
	whole([]) == {"evidence": set(), "reason": "workloads within the level: 1", "violations": set()}
}

test_passes_by_default_without_what_is_not_asked if {
	patches := [fixtures.remove("/parameters/deploy.restricted"), pod("service_account_token", true)]
	answer(patches) == ["pass", set()]
	again := array.concat(patches, [own("security/read_only_root", false)])
	answer(again) == refused("deploy.restricted.root_filesystem")
	answer([fixtures.remove("/parameters/deploy.restricted"), own("limits", [])]) == refused("deploy.restricted.limits")
}

test_is_not_applicable_without_manifests if {
	answer([fixtures.put("/workloads", {})]) == ["not_applicable", set()]
	whole([fixtures.put("/workloads", {})]).reason == "no manifest is configured"
}

test_fails_with_the_code_of_each_reason if {
	every code, patch in {
		"deploy.restricted.capabilities": own("security/capabilities_dropped", []),
		"deploy.restricted.escalation": own("security/allow_privilege_escalation", null),
		"deploy.restricted.host": pod("host_namespaces", ["pid"]),
		"deploy.restricted.limits": own("limits", ["cpu"]),
		"deploy.restricted.privileged": own("security/privileged", true),
		"deploy.restricted.probes": own("probes", []),
		"deploy.restricted.profile": pod("security/seccomp", "Unconfined"),
		"deploy.restricted.root": pod("security/run_as_non_root", null),
		"deploy.restricted.root_filesystem": own("security/read_only_root", false),
		"deploy.restricted.token": pod("service_account_token", true),
		"deploy.restricted.volume": pod("volumes/x", "hostPath"),
	} {
		answer([patch]) == refused(code)
	}
}

test_fails_when_it_asks_for_no_resources if {
	asked := fixtures.put("/parameters/deploy.restricted/besides", ["requests"])
	answer([asked, own("requests", []), own("limits", [])]) == refused("deploy.restricted.requests")
}

test_passes_when_less_is_asked if {
	patches := [own("limits", []), pod("security/run_as_non_root", null)]
	less := [
		fixtures.put("/parameters/deploy.restricted/besides", []),
		fixtures.put("/parameters/deploy.restricted/level", "baseline"),
	]
	answer(array.concat(patches, less)) == ["pass", set()]
	answer(array.concat(less, [own("security/privileged", true)])) == refused("deploy.restricted.privileged")
}

test_errors_when_parameters_are_odd if {
	every path, value in {"level": "none", "besides": "limits"} {
		[status, _] := answer([fixtures.put(concat("/", ["/parameters/deploy.restricted", path]), value)])
		status == "error"
	}
}

test_one_bad_workload_is_enough if {
	other := json.patch(deployed.good.workloads[deployed.id], [{"op": "replace", "path": "/problems", "value": ["x"]}])
	answer([fixtures.put("/workloads/x", other)]) == refused("deploy.restricted.unreadable")
	whole([fixtures.put("/workloads/x", other)]).reason == "workloads within the level: 1"
}

proven(patches) := found if {
	doc := deployed.after(patches)
	found := restricted.proved with input as doc
}

test_proves_only_what_is_good if {
	proven([]) == {deployed.id}
	proven([own("security/privileged", true)]) == set()
	proven([problem]) == set()
}
