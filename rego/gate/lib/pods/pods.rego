# METADATA
# title: Pods
# description: Where pods go beyond what Pod Security calls `baseline` and `restricted`, and beyond what the gate adds.
# schemas:
#   - input: schema.input
package gate.lib.pods

import data.gate.lib.workloads
import future.keywords.not

_capabilities := {
	"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
	"NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}

_profiles := {"Localhost", "RuntimeDefault"}

_selinux_types := {"", "container_engine_t", "container_init_t", "container_kvm_t", "container_t"}

_sysctls := {
	"kernel.shm_rmid_forced",
	"net.ipv4.ip_local_port_range",
	"net.ipv4.ip_local_reserved_ports",
	"net.ipv4.ip_unprivileged_port_start",
	"net.ipv4.ping_group_range",
	"net.ipv4.tcp_fin_timeout",
	"net.ipv4.tcp_keepalive_intvl",
	"net.ipv4.tcp_keepalive_probes",
	"net.ipv4.tcp_keepalive_time",
	"net.ipv4.tcp_rmem",
	"net.ipv4.tcp_syncookies",
	"net.ipv4.tcp_wmem",
}

_volumes := {
	"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral",
	"image", "persistentVolumeClaim", "projected", "secret",
}

# Every security context, by workload and place: the pod's and those of its containers.
_contexts[[id, "the pod"]] := context if {
	some id, workload in workloads.judged
	context := workload.pod.security
}

_contexts[[id, place]] := context if {
	some [id, place], container in _containers
	context := container.security
}

_containers[[id, place]] := container if {
	some id, workload in workloads.judged
	some name, container in workload.containers
	place := sprintf("container %s", [name])
}

# METADATA
# description: What `baseline` of Pod Security forbids, as reason, workload and message.
# scope: document
baseline contains ["host", id, message] if {
	some id, workload in workloads.judged
	some namespace in workload.pod.host_namespaces
	message := sprintf("it shares the %s namespace of the host", [namespace])
}

baseline contains ["host", id, message] if {
	some [id, place], context in _contexts
	not context.host_process == false
	message := sprintf("%s is a process of the host", [place])
}

baseline contains ["host", id, message] if {
	some [id, place], container in _containers
	count(container.host_ports) > 0
	message := sprintf("%s takes ports of the host", [place])
}

baseline contains ["host", id, message] if {
	some [id, place], container in _containers
	some host in container.hosts
	message := sprintf("a probe or hook of %s reaches the host %s", [place, host])
}

baseline contains ["privileged", id, message] if {
	some [id, place], container in _containers
	not container.security.privileged == false
	message := sprintf("%s is privileged", [place])
}

baseline contains ["capabilities", id, message] if {
	some [id, place], container in _containers
	some name in container.security.capabilities_added
	not name in _capabilities
	message := sprintf("%s adds the capability %s", [place, name])
}

baseline contains ["volume", id, message] if {
	some id, workload in workloads.judged
	some name, kind in workload.pod.volumes
	kind in {"device", "hostPath", "several"}
	message := sprintf("the volume %s is of the host (%s)", [name, kind])
}

baseline contains ["profile", id, message] if {
	some [id, place], context in _contexts
	is_string(context.seccomp)
	not context.seccomp in _profiles
	message := sprintf("%s has the seccomp profile %s", [place, context.seccomp])
}

baseline contains ["profile", id, message] if {
	some [id, place], context in _contexts
	is_string(context.apparmor)
	not context.apparmor in _profiles
	message := sprintf("%s has the AppArmor profile %s", [place, context.apparmor])
}

baseline contains ["profile", id, message] if {
	some [id, place], context in _contexts
	not _is_plain_selinux(context.selinux)
	message := sprintf("%s sets SELinux options that others could confine less", [place])
}

baseline contains ["profile", id, message] if {
	some [id, place], container in _containers
	is_string(container.security.proc_mount)
	not container.security.proc_mount == "Default"
	message := sprintf("%s has the proc mount %s", [place, container.security.proc_mount])
}

baseline contains ["profile", id, message] if {
	some id, workload in workloads.judged
	some name in workload.pod.sysctls
	not name in _sysctls
	message := sprintf("it sets %s, which is not safe for the node", [name])
}

default _is_plain_selinux(_) := false

_is_plain_selinux(options) if {
	options.type in _selinux_types
	options.user == ""
	options.role == ""
}

# METADATA
# description: What `restricted` forbids beyond `baseline`.
# scope: document
restricted contains ["volume", id, message] if {
	some id, workload in workloads.judged
	some name, kind in workload.pod.volumes
	not kind in _volumes
	not kind in {"device", "hostPath", "several"}
	message := sprintf("the volume %s has the type %s", [name, kind])
}

restricted contains ["root", id, message] if {
	some [id, place], container in _containers
	not _is_true(container.security.run_as_non_root, workloads.entries[id].pod.security.run_as_non_root)
	message := sprintf("%s may run as root", [place])
}

restricted contains ["root", id, message] if {
	some [id, place], context in _contexts
	context.run_as_non_root == false
	message := sprintf("%s says that it may run as root", [place])
}

restricted contains ["root", id, message] if {
	some [id, place], context in _contexts
	context.run_as_user == 0
	message := sprintf("%s runs as root", [place])
}

restricted contains ["escalation", id, message] if {
	some [id, place], container in _containers
	id in _on_linux
	not container.security.allow_privilege_escalation == false
	message := sprintf("%s may gain privileges", [place])
}

restricted contains ["capabilities", id, message] if {
	some [id, place], container in _containers
	id in _on_linux
	not "ALL" in container.security.capabilities_dropped
	message := sprintf("%s does not drop all capabilities", [place])
}

restricted contains ["capabilities", id, message] if {
	some [id, place], container in _containers
	id in _on_linux
	some name in container.security.capabilities_added
	name in _capabilities
	not name == "NET_BIND_SERVICE"
	message := sprintf("%s adds the capability %s", [place, name])
}

restricted contains ["profile", id, message] if {
	some [id, place], container in _containers
	id in _on_linux
	is_null(container.security.seccomp)
	not is_string(workloads.entries[id].pod.security.seccomp)
	message := sprintf("%s has no seccomp profile", [place])
}

# Windows has neither capabilities nor seccomp. What does not say that it is of Windows is of Linux.
_on_linux contains id if {
	some id, workload in workloads.judged
	not workload.pod.os == "windows"
}

# What a container says itself counts before what its pod says.
default _is_true(_, _) := false

_is_true(true, _) := true

_is_true(null, true) := true

# METADATA
# description: What the gate asks for besides, by the name that a profile gives it.
# scope: document
beyond contains ["root_filesystem", "read_only_root", id, message] if {
	some [id, place], container in _containers
	not container.security.read_only_root == true
	message := sprintf("%s can write to its root file system", [place])
}

beyond contains ["limits", "limits", id, message] if {
	some [id, place], container in _containers
	not container.role == "ephemeral"
	some resource in ({"cpu", "memory"} - {name | some name in container.limits})
	message := sprintf("%s has no limit of %s", [place, resource])
}

beyond contains ["token", "token", id, message] if {
	some id, workload in workloads.judged
	not workload.pod.service_account_token == false
	message := "the token of its service account is mounted"
}

beyond contains ["probes", "probes", id, message] if {
	some [id, place], container in _containers
	container.role == "container"
	count(container.probes) == 0
	message := sprintf("%s has no probe", [place])
}

beyond contains ["requests", "requests", id, message] if {
	some [id, place], container in _containers
	container.role == "container"
	count(container.requests) == 0
	count(container.limits) == 0
	message := sprintf("%s asks for no resources", [place])
}
