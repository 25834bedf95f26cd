"""Facts of a pod and its containers, as Pod Security reads them: what is set is told, what is not set is null.

Where a container inherits from its pod, both are told and the rules put them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.formats.image_reference import image_digest
from gate.formats.workloads.command import Command, expanded
from gate.formats.workloads.fields import Fields, is_amount
from gate.formats.workloads.loading import read_loading
from gate.model.json import JsonObject, JsonValue

_ROLES: Final = {"containers": "container", "initContainers": "init", "ephemeralContainers": "ephemeral"}
_PROBES: Final = {"livenessProbe": "liveness", "readinessProbe": "readiness", "startupProbe": "startup"}
_HOOKS: Final = ("postStart", "preStop")
_NAMESPACES: Final = {"hostIPC": "ipc", "hostNetwork": "network", "hostPID": "pid"}
_APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"
_APPARMOR_WORDS: Final = {"runtime/default": "RuntimeDefault", "unconfined": "Unconfined"}


def read_pod(spec: Fields, annotations: Fields) -> tuple[JsonObject, dict[str, JsonObject]]:
    """The facts of a pod, and of its containers by name; a pod without containers is a problem."""
    containers: dict[str, JsonObject] = {}
    for field, role in _ROLES.items():
        for item in spec.parts(field):
            name = item.text("name") or ""
            if not name or name in containers:
                spec.problems.append(f"{item.place} has no name, or that of another container")
                name = f"{name}#{len(containers)}"
            containers[name] = read_container(item, role, annotations.text(f"{_APPARMOR}{name}"))
    if "container" not in {item["role"] for item in containers.values()}:
        spec.problems.append(f"{spec.place or 'the pod'} has no containers")
    volumes: dict[str, JsonValue] = {}
    images: dict[str, JsonValue] = {}
    tokens = False
    for item in spec.parts("volumes"):
        name = item.text("name") or ""
        if not name or name in volumes:
            spec.problems.append(f"{item.place} has no name, or that of another volume")
            name = f"{name}#{len(volumes)}"
        tokens |= any(source.has("serviceAccountToken") for source in item.part("projected").parts("sources"))
        types = sorted(key for key in item.value if key != "name" and item.has(key))
        volumes[name] = types[0] if len(types) == 1 else "none" if not types else "several"
        if "image" in types:
            images[name] = image_facts(item.part("image").text("reference"))
    context = spec.part("securityContext")
    pod = {
        "os": spec.part("os").text("name") or None,
        "host_namespaces": [word for field, word in _NAMESPACES.items() if spec.flag(field) is True],
        "service_account_token": tokens or spec.flag("automountServiceAccountToken") is not False,
        "sysctls": [item.text("name") or "" for item in context.parts("sysctls")],
        "volumes": volumes,
        "images": images,
        "security": _security(context),
    }
    return pod, containers


def read_container(item: Fields, role: str, apparmor: str | None = None) -> JsonObject:
    """The facts of one container; `apparmor` is what an annotation of the pod says of it."""
    context = item.part("securityContext")
    capabilities = context.part("capabilities")
    security: dict[str, JsonValue] = dict(_security(context))
    if apparmor is not None and security["apparmor"] is None:
        local = "Localhost" if apparmor.startswith("localhost/") else "other"
        security["apparmor"] = _APPARMOR_WORDS.get(apparmor, local)
    resources = item.part("resources")
    return {
        "role": role,
        **image_facts(item.text("image")),
        "security": {
            **security,
            "privileged": context.flag("privileged") is True,
            "allow_privilege_escalation": context.flag("allowPrivilegeEscalation"),
            "read_only_root": context.flag("readOnlyRootFilesystem") is True,
            "capabilities_added": capabilities.texts("add"),
            "capabilities_dropped": capabilities.texts("drop"),
            "proc_mount": context.text("procMount") or None,
        },
        "host_ports": [port for part in item.parts("ports") if (port := part.number("hostPort"))],
        "hosts": _hosts(item),
        "limits": sorted(_set(resources.part("limits"))),
        "requests": sorted(_set(resources.part("requests"))),
        "probes": [word for field, word in _PROBES.items() if item.has(field)],
        "loading": read_loading(_command(item)),
    }


def _command(item: Fields) -> Command:
    """What it runs, as far as the manifest shows it."""
    variables: dict[str, str] = {}
    hidden = []
    for variable in item.parts("env"):
        name = variable.text("name") or ""
        value = None if variable.has("valueFrom") else expanded(variable.text("value") or "", variables)
        if value is None:
            hidden.append(name)
        else:
            variables[name] = value
    unknown = ["variables out of envFrom"] if item.has("envFrom") else []
    model_format = item.part("modelFormat").text("name")
    framework = model_format if item.text("framework") == "model" else item.text("framework")
    put_in = [expanded(word, variables) for word in [*item.texts("command"), *item.texts("args")]]
    words = [word for word in put_in if word is not None]
    if len(words) < len(put_in):
        unknown.append("an argument with variables that is too long")
    others = tuple(tuple(action.part("exec").texts("command")) for action in _actions(item))
    return Command(item.text("image"), words, variables, framework, tuple(unknown), tuple(hidden), others)


def image_facts(reference: str | None) -> JsonObject:
    """The reference of an image and the digest that it pins, null for one that names none."""
    try:
        return {"image": reference, "digest": image_digest(reference) if reference is not None else None}
    except ValueError:
        return {"image": reference, "digest": None}


def _security(context: Fields) -> JsonObject:
    """What pod and container have in common."""
    selinux = context.part("seLinuxOptions")
    windows = context.part("windowsOptions")
    return {
        "run_as_non_root": context.flag("runAsNonRoot"),
        "run_as_user": context.number("runAsUser"),
        "seccomp": _type(context.part("seccompProfile")),
        "apparmor": _type(context.part("appArmorProfile")),
        "selinux": {name: selinux.text(name) or "" for name in ("type", "user", "role")},
        "host_process": windows.flag("hostProcess") is True,
    }


def _type(profile: Fields) -> str | None:
    """The type of a profile; one that is set and has no type is no profile that is known."""
    return (profile.text("type") or "other") if profile.value else None


def _hosts(item: Fields) -> list[JsonValue]:
    """Hosts that probes and hooks of the kubelet reach instead of the pod."""
    found = [action.part(how).text("host") for action in _actions(item) for how in ("httpGet", "tcpSocket")]
    return [host for host in found if host]


def _actions(item: Fields) -> list[Fields]:
    return [
        *(item.part(field) for field in _PROBES),
        *(item.part("lifecycle").part(hook) for hook in _HOOKS),
    ]


def _set(values: Fields) -> Mapping[str, JsonValue]:
    return {name: value for name, value in values.value.items() if is_amount(value)}
