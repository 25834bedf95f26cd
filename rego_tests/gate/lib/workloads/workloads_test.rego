package gate.lib.workloads_test

import data.gate.deployed
import data.gate.fixtures
import data.gate.lib.workloads
import future.keywords.not

_entries(patches) := found if {
	doc := deployed.after(patches)
	found := workloads.entries with input as doc
}

_ids(patches) := found if {
	doc := deployed.after(patches)
	found := workloads.ids with input as doc
}

_judged(patches) := found if {
	doc := deployed.after(patches)
	known := workloads.judged with input as doc
	found := object.keys(known)
}

_unreadable(patches) := found if {
	doc := deployed.after(patches)
	found := workloads.unreadable with input as doc
}

_at(path) := concat("/", [deployed.at, path])

_in(path) := concat("/", [deployed.container, path])

test_a_workload_is_read if {
	_entries([]) == deployed.good.workloads
	_ids([]) == {deployed.id}
	_judged([]) == {deployed.id}
	_unreadable([]) == {}
}

test_what_is_not_known_is_told if {
	_judged([fixtures.put(_at("problems"), ["odd"])]) == set()
	_unreadable([fixtures.put(_at("problems"), ["odd"])]) == {deployed.id: "odd; not all of it could be judged"}
	_judged([fixtures.put(_at("pod"), null), fixtures.put(_at("egress"), null)]) == set()
	_judged([fixtures.put(_at("containers"), {})]) == set()
	_unreadable([fixtures.put(_at("containers"), {})]) == {deployed.id: "not all of it could be judged"}
}

test_other_values_fit if {
	every path, value in {
		_at("pod/os"): "linux",
		_at("pod/security/run_as_user"): 1000,
		_in("security/run_as_non_root"): false,
		_in("host_ports"): [80],
		_in("security/capabilities_added"): ["CHOWN"],
		_in("loading/server"): null,
	} {
		_judged([fixtures.put(path, value)]) == {deployed.id}
	}
	_judged([fixtures.put(_in("image"), null), fixtures.put(_in("digest"), null)]) == {deployed.id}
}

test_no_field_has_another_type if {
	every path in {
		"origin", "platform", "problems", "containers", "pod", "egress", "pod/os", "pod/host_namespaces",
		"pod/service_account_token", "pod/sysctls", "pod/volumes", "pod/images", "pod/images/files/image",
		"pod/security/run_as_user", "pod/security/selinux/type", "egress/policies", "egress/peers",
	} {
		not _entries([fixtures.put(_at(path), 1.5)])
		not _entries([fixtures.remove(_at(path))])
	}
	every path in {
		"role", "image", "digest", "security", "security/privileged", "security/allow_privilege_escalation",
		"security/capabilities_added", "security/host_process", "host_ports", "hosts", "limits", "requests",
		"probes", "loading", "loading/unsafe", "loading/server",
	} {
		not _entries([fixtures.put(_in(path), 1.5)])
		not _entries([fixtures.remove(_in(path))])
	}
	not _entries([fixtures.put(_in("host_ports"), [1.5])])
	not _entries([fixtures.put(_in("security/capabilities_added"), [1])])
	not _entries([fixtures.put(_in("image"), null)])
	not _entries([fixtures.put("/workloads", [])])
}

test_a_refusal_is_at_the_manifest if {
	doc := deployed.good
	found := workloads.refusal("a.b.c", deployed.id, "it is odd") with input as doc
	found == {
		"artifact": null,
		"code": "a.b.c",
		"evidence": [],
		"file": "deploy/app.yaml",
		"message": "Deployment/server: it is odd",
	}
}

test_each_place_and_role_is_known if {
	_judged([fixtures.put(_at("platform"), "compose")]) == {deployed.id}
	every role in {"ephemeral", "init"} {
		_judged([fixtures.put(_in("role"), role)]) == {deployed.id}
	}
}

test_a_pod_may_be_unknown_and_is_told if {
	_ids([fixtures.put(_at("pod"), null)]) == {deployed.id}
	_unreadable([fixtures.put(_at("pod"), null)]) == {deployed.id: "not all of it could be judged"}
	not _entries([fixtures.put(_at("pod"), "x")])
}

test_no_other_field_has_another_type if {
	every path in {
		"loading/safe", "loading/unknown", "security/run_as_non_root", "security/seccomp", "security/apparmor",
		"security/selinux/user", "security/selinux/role", "security/read_only_root", "security/capabilities_dropped",
		"security/proc_mount",
	} {
		not _entries([fixtures.put(_in(path), 1.5)])
	}
	not _entries([fixtures.put(_in("image"), 1), fixtures.put(_in("digest"), null)])
}
