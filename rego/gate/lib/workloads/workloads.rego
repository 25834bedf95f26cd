# METADATA
# title: Workloads
# description: What deployment manifests run. Undefined unless every field that some rule reads has its type.
# schemas:
#   - input: schema.input
package gate.lib.workloads

import data.gate.lib.result
import data.gate.lib.shape
import future.keywords.not

# METADATA
# description: Workloads by id, as the gate read them, judged or not.
entries := value if {
	value := input.workloads
	is_object(value)
	every workload in value {
		shape.is_text(workload.origin)
		workload.platform in {"compose", "kubernetes"}
		shape.is_texts(workload.problems)
		is_object(workload.containers)
		_is_pod(workload.pod)
		_is_egress(workload.egress)
		every container in workload.containers {
			_is_container(container)
		}
	}
}

default _is_pod(_) := false

_is_pod(pod) if is_null(pod)

_is_pod(pod) if {
	shape.is_optional_text(pod.os)
	shape.is_texts(pod.host_namespaces)
	is_boolean(pod.service_account_token)
	_are_strings(pod.sysctls)
	shape.is_object_of_texts(pod.volumes)
	_are_images(pod.images)
	_is_security(pod.security)
}

default _are_images(_) := false

_are_images(images) if {
	is_object(images)
	every image in images {
		_is_image(image)
	}
}

default _is_image(_) := false

_is_image(image) if {
	is_string(image.image)
	shape.is_optional_digest(image.digest)
}

_is_image(image) if {
	is_null(image.image)
	is_null(image.digest)
}

default _is_egress(_) := false

_is_egress(egress) if is_null(egress)

_is_egress(egress) if {
	shape.is_texts(egress.policies)
	shape.is_texts(egress.peers)
}

default _is_container(_) := false

_is_container(container) if {
	container.role in {"container", "ephemeral", "init"}
	_is_image(container)
	_is_security(container.security)
	_is_own_security(container.security)
	_are_ports(container.host_ports)
	shape.is_texts(container.hosts)
	shape.is_texts(container.limits)
	shape.is_texts(container.requests)
	shape.is_texts(container.probes)
	_is_loading(container.loading)
}

default _is_loading(_) := false

_is_loading(loading) if {
	shape.is_optional_text(loading.server)
	shape.is_texts(loading.unsafe)
	shape.is_texts(loading.safe)
	shape.is_texts(loading.unknown)
}

default _is_security(_) := false

_is_security(security) if {
	_is_optional_boolean(security.run_as_non_root)
	_is_optional_whole(security.run_as_user)
	shape.is_optional_text(security.seccomp)
	shape.is_optional_text(security.apparmor)
	is_string(security.selinux.type)
	is_string(security.selinux.user)
	is_string(security.selinux.role)
	is_boolean(security.host_process)
}

default _is_own_security(_) := false

_is_own_security(security) if {
	is_boolean(security.privileged)
	_is_optional_boolean(security.allow_privilege_escalation)
	is_boolean(security.read_only_root)
	_are_strings(security.capabilities_added)
	_are_strings(security.capabilities_dropped)
	shape.is_optional_text(security.proc_mount)
}

default _is_optional_boolean(_) := false

_is_optional_boolean(value) if is_null(value)

_is_optional_boolean(value) if is_boolean(value)

default _is_optional_whole(_) := false

_is_optional_whole(value) if is_null(value)

_is_optional_whole(value) if shape.is_whole(value)

default _are_strings(_) := false

_are_strings(values) if {
	is_array(values)
	every value in values {
		is_string(value)
	}
}

default _are_ports(_) := false

_are_ports(values) if {
	is_array(values)
	every value in values {
		shape.is_whole(value)
	}
}

# METADATA
# description: Workloads of which everything is known, by id. No other is ever fine.
judged[id] := workload if {
	some id, workload in entries
	count(workload.problems) == 0
	is_object(workload.pod)
	count(workload.containers) > 0
}

# METADATA
# description: The ids of all workloads.
ids := object.keys(entries)

# METADATA
# description: Those of which something could not be judged, with the reasons.
unreadable[id] := message if {
	some id, workload in entries
	not id in object.keys(judged)
	message := concat("; ", array.concat(workload.problems, ["not all of it could be judged"]))
}

# METADATA
# description: A violation of a control, at a workload.
refusal(code, id, message) := result.violation(code, text, {"file": origin}) if {
	origin := entries[id].origin
	text := sprintf("%s: %s", [trim_prefix(id, concat("", [origin, ":"])), message])
}
