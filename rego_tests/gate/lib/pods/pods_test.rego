package gate.lib.pods_test

import data.gate.deployed
import data.gate.fixtures
import data.gate.lib.pods
import future.keywords.not

_found(patches) := [first, second, third] if {
	doc := deployed.after(patches)
	below := pods.baseline with input as doc
	within := pods.restricted with input as doc
	more := pods.beyond with input as doc
	first := {[reason, message] | some [reason, _, message] in below}
	second := {[reason, message] | some [reason, _, message] in within}
	third := {[reason, name, message] | some [reason, name, _, message] in more}
}

_pod(path, value) := fixtures.put(concat("/", [deployed.at, "pod", path]), value)

_own(path, value) := fixtures.put(concat("/", [deployed.container, path]), value)

_below(reason, message) := [{[reason, message]}, set(), set()]

_within(reason, message) := [set(), {[reason, message]}, set()]

test_nothing_is_wrong_with_the_good_pod if _found([]) == [set(), set(), set()]

test_namespaces_of_the_host if {
	_found([_pod("host_namespaces", ["pid"])]) == _below("host", "it shares the pid namespace of the host")
}

test_processes_of_the_host if {
	_found([_pod("security/host_process", true)]) == _below("host", "the pod is a process of the host")
	message := "container server is a process of the host"
	_found([_own("security/host_process", true)]) == _below("host", message)
}

test_ports_and_hosts if {
	_found([_own("host_ports", [80])]) == _below("host", "container server takes ports of the host")
	message := "a probe or hook of container server reaches the host 203.0.113.1"
	_found([_own("hosts", ["203.0.113.1"])]) == _below("host", message)
}

test_privileges if {
	_found([_own("security/privileged", true)]) == _below("privileged", "container server is privileged")
	message := "container server may gain privileges"
	_found([_own("security/allow_privilege_escalation", true)]) == _within("escalation", message)
	_found([_own("security/allow_privilege_escalation", null)]) == _within("escalation", message)
}

test_capabilities if {
	message := "container server adds the capability SYS_ADMIN"
	_found([_own("security/capabilities_added", ["SYS_ADMIN"])]) == _below("capabilities", message)
	within := "container server adds the capability CHOWN"
	_found([_own("security/capabilities_added", ["CHOWN"])]) == _within("capabilities", within)
	_found([_own("security/capabilities_added", ["NET_BIND_SERVICE"])]) == [set(), set(), set()]
	dropped := "container server does not drop all capabilities"
	_found([_own("security/capabilities_dropped", ["NET_RAW"])]) == _within("capabilities", dropped)
}

test_volumes if {
	_found([_pod("volumes/x", "hostPath")]) == _below("volume", "the volume x is of the host (hostPath)")
	_found([_pod("volumes/x", "nfs")]) == _within("volume", "the volume x has the type nfs")
}

test_profiles if {
	every place, patch in {"the pod": _pod("security/seccomp", "Unconfined")} {
		message := sprintf("%s has the seccomp profile Unconfined", [place])
		_found([patch]) == _below("profile", message)
	}
	message := "container server has the seccomp profile Unconfined"
	_found([_own("security/seccomp", "Unconfined")]) == _below("profile", message)
	none := "container server has no seccomp profile"
	_found([_pod("security/seccomp", null)]) == _within("profile", none)
	_found([_pod("security/seccomp", null), _own("security/seccomp", "Localhost")]) == [set(), set(), set()]
	apparmor := "the pod has the AppArmor profile Unconfined"
	_found([_pod("security/apparmor", "Unconfined")]) == _below("profile", apparmor)
	_found([_pod("security/apparmor", "Localhost")]) == [set(), set(), set()]
}

test_other_profiles if {
	selinux := "the pod sets SELinux options that others could confine less"
	_found([_pod("security/selinux/type", "spc_t")]) == _below("profile", selinux)
	_found([_pod("security/selinux/user", "x")]) == _below("profile", selinux)
	_found([_pod("security/selinux/role", "x")]) == _below("profile", selinux)
	_found([_pod("security/selinux/type", "container_t")]) == [set(), set(), set()]
	_found([_own("security/proc_mount", "Unmasked")]) == _below("profile", "container server has the proc mount Unmasked")
	_found([_own("security/proc_mount", "Default")]) == [set(), set(), set()]
	_found([_pod("sysctls", ["x"])]) == _below("profile", "it sets x, which is not safe for the node")
	_found([_pod("sysctls", ["net.ipv4.tcp_rmem"])]) == [set(), set(), set()]
}

test_root if {
	may := "container server may run as root"
	_found([_pod("security/run_as_non_root", null)]) == _within("root", may)
	own := _own("security/run_as_non_root", true)
	_found([_pod("security/run_as_non_root", null), own]) == [set(), set(), set()]
	says := "the pod says that it may run as root"
	_found([_pod("security/run_as_non_root", false), own]) == _within("root", says)
	_found([_pod("security/run_as_user", 0)]) == _within("root", "the pod runs as root")
	_found([_pod("security/run_as_user", 1)]) == [set(), set(), set()]
}

test_windows_has_no_profiles if {
	patches := [
		_pod("os", "windows"),
		_pod("security/seccomp", null),
		_own("security/allow_privilege_escalation", null),
		_own("security/capabilities_dropped", []),
		_own("security/capabilities_added", ["CHOWN"]),
	]
	_found(patches) == [set(), set(), set()]
}

test_what_is_asked_besides if {
	root := ["root_filesystem", "read_only_root", "container server can write to its root file system"]
	_found([_own("security/read_only_root", false)]) == [set(), set(), {root}]
	limit := ["limits", "limits", "container server has no limit of memory"]
	_found([_own("limits", ["cpu"])]) == [set(), set(), {limit}]
	_found([_own("limits", ["cpu"]), _own("role", "ephemeral")]) == [set(), set(), set()]
	token := ["token", "token", "the token of its service account is mounted"]
	_found([_pod("service_account_token", true)]) == [set(), set(), {token}]
	probe := ["probes", "probes", "container server has no probe"]
	_found([_own("probes", [])]) == [set(), set(), {probe}]
	_found([_own("probes", []), _own("role", "init")]) == [set(), set(), set()]
	_found([_own("requests", [])]) == [set(), set(), set()]
}

test_what_asks_for_no_resources if {
	[_, _, more] := _found([_own("requests", []), _own("limits", [])])
	{name | some [_, name, _] in more} == {"limits", "requests"}
	["requests", "requests", "container server asks for no resources"] in more
	[_, _, init] := _found([_own("requests", []), _own("limits", []), _own("role", "init")])
	{name | some [_, name, _] in init} == {"limits"}
}

test_every_word_of_the_lists_is_known if {
	every name in {
		"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
		"SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
	} {
		_found([_own("security/capabilities_added", [name])])[0] == set()
	}
	every kind in {"container_engine_t", "container_init_t", "container_kvm_t"} {
		_found([_pod("security/selinux/type", kind)])[0] == set()
	}
	every name in {
		"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports",
		"net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range", "net.ipv4.tcp_fin_timeout",
		"net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_keepalive_time",
		"net.ipv4.tcp_syncookies", "net.ipv4.tcp_wmem",
	} {
		_found([_pod("sysctls", [name])])[0] == set()
	}
	every kind in {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "projected", "secret"} {
		_found([_pod("volumes/x", kind)]) == [set(), set(), set()]
	}
	every kind in {"device", "several"} {
		message := sprintf("the volume x is of the host (%s)", [kind])
		_found([_pod("volumes/x", kind)]) == _below("volume", message)
	}
	cpu := ["limits", "limits", "container server has no limit of cpu"]
	_found([_own("limits", ["memory"])]) == [set(), set(), {cpu}]
	_found([_own("limits", ["memory"]), _own("requests", ["cpu"])]) == [set(), set(), {cpu}]
}

test_requests_are_enough_without_limits if {
	[_, _, more] := _found([_own("limits", [])])
	{name | some [_, name, _] in more} == {"limits"}
}
