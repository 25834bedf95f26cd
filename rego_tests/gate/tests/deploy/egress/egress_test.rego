package gate.tests.deploy.egress_test

import data.gate.controls.deploy.egress
import data.gate.deployed
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and what it found where.
answer(patches) := [status, {[entry.code, entry.file] | some entry in found}] if {
	doc := deployed.after(patches)
	status := egress.status with input as doc
	found := egress.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := deployed.after(patches)
	evidence := egress.evidence with input as doc
	reason := egress.reason with input as doc
	found := egress.violations with input as doc
}

said(patches) := {entry.message | some entry in whole(patches).violations}

refused(code) := ["fail", {[code, "deploy/app.yaml"]}]

message(text) := {concat(": ", ["Deployment/server", text])}

pod(path, value) := fixtures.put(concat("/", [deployed.at, "pod", path]), value)

problem := fixtures.put(concat("/", [deployed.at, "problems"]), ["it is odd"])

test_fails_when_it_cannot_be_judged if {
	answer([problem]) == refused("deploy.egress.unreadable")
	said([problem]) == message("it is odd; not all of it could be judged")
}

test_errors_when_there_are_no_workloads if {
	doc := json.patch(deployed.good, [fixtures.remove("/workloads")])
	status := egress.status with input as doc
	status == "error"
}

peers(values) := fixtures.put(concat("/", [deployed.at, "egress/peers"]), values)

allowed(values) := fixtures.put("/parameters/deploy.egress/allowed", values)

test_passes_when_all_peers_are_listed if {
	answer([]) == ["pass", set()]
	whole([]) == {"evidence": set(), "reason": "workloads whose egress is limited: 1", "violations": set()}
}

test_passes_when_nothing_may_be_reached if {
	answer([peers([]), fixtures.remove("/parameters/deploy.egress")]) == ["pass", set()]
}

test_is_not_applicable_without_manifests if {
	answer([fixtures.put("/workloads", {})]) == ["not_applicable", set()]
	whole([fixtures.put("/workloads", {})]).reason == "no manifest is configured"
}

test_fails_when_a_peer_is_not_listed if {
	answer([allowed([])]) == refused("deploy.egress.peer")
	said([allowed([])]) == message("it may connect to pods, which is not on the list")
}

test_fails_when_everything_is_reached_whatever_is_listed if {
	every peer in {"any", "unknown", "0.0.0.0/0", "::/0"} {
		answer([peers([peer]), allowed([peer])]) == refused("deploy.egress.peer")
	}
}

test_fails_when_no_policy_selects_it if {
	open := fixtures.put(concat("/", [deployed.at, "egress/policies"]), [])
	answer([open]) == refused("deploy.egress.open")
	said([open]) == message("no network policy limits where it connects to")
	answer([fixtures.put(concat("/", [deployed.at, "egress"]), null)]) == refused("deploy.egress.open")
}

test_fails_in_the_network_of_the_host if answer([pod("host_namespaces", ["network"])]) == refused("deploy.egress.open")

test_passes_in_another_namespace_of_the_host if answer([pod("host_namespaces", ["pid"])]) == ["pass", set()]

test_errors_when_the_list_is_none if {
	[status, _] := answer([allowed("pods")])
	status == "error"
}

proven(patches) := found if {
	doc := deployed.after(patches)
	found := egress.proved with input as doc
}

test_proves_only_what_is_good if {
	proven([]) == {deployed.id}
	proven([pod("host_namespaces", ["network"])]) == set()
	proven([problem]) == set()
	proven([peers(["any"])]) == set()
}
