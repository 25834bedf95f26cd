"""Compose files: each service is a pod of one container, told in the words of Pod Security.

What Docker does by itself counts as set: its default seccomp profile. `extends`, `include` and variables are not
followed: `docker compose config` writes the file out, and that one can be judged.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Final

from gate.formats.workloads.command import Command
from gate.formats.workloads.fields import Fields
from gate.formats.workloads.loading import read_loading
from gate.formats.workloads.pod import image_facts
from gate.model.json import JsonObject, JsonValue
from gate.model.workload import Workload, broken

_NAMED: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_TYPES: Final = {"volume": "persistentVolumeClaim", "tmpfs": "emptyDir", "image": "image"}
_NAMESPACES: Final = {"network_mode": "network", "pid": "pid", "ipc": "ipc", "uts": "uts", "userns_mode": "user"}
_NOT_READ: Final = (
    "cgroup",
    "device_cgroup_rules",
    "env_file",
    "extends",
    "post_start",
    "pre_stop",
    "provider",
    "use_api_socket",
    "volumes_from",
)


def is_compose(document: JsonValue) -> bool:
    """Whether a document is a Compose file and no object of Kubernetes."""
    return isinstance(document, Mapping) and "services" in document and "apiVersion" not in document


def read_compose(document: JsonValue, origin: str) -> list[Workload]:
    """The services of a Compose file; one without any is a problem."""
    problems: list[str] = []
    file = Fields(document, "", problems)
    if file.has("include"):
        problems.append("include is not followed; write it out with docker compose config")
    services = file.part("services")
    if not services.value:
        return [broken(origin, "; ".join([*problems, "it has no services"]))]
    found = []
    for name in services.value:
        own: list[str] = []
        service = Fields(services.value[name], f"services.{name}", own)
        own += [f"services.{name}: {key} is not read, and says what runs" for key in _NOT_READ if service.has(key)]
        pod, container = _pod(service, file), _container(service)
        found.append(
            Workload(
                f"{origin}:service/{name}",
                origin,
                "service",
                None,
                name,
                platform="compose",
                pod=pod,
                containers={name: container},
                egress=_egress(service, file),
                problems=(*problems, *own),
            )
        )
    return found


def _pod(service: Fields, file: Fields) -> JsonObject:
    volumes: dict[str, JsonValue] = {}
    images: dict[str, JsonValue] = {}
    for number, volume in enumerate(_items(service, "volumes")):
        volumes[f"#{number}"] = kind = _volume(volume, file)
        if kind == "image" and isinstance(volume, Mapping):
            source = volume.get("source")
            images[f"#{number}"] = image_facts(source if isinstance(source, str) else None)
    volumes |= {f"device {number}": "device" for number, _ in enumerate(_items(service, "devices"))}
    return {
        "os": None,
        "host_namespaces": sorted(word for key, word in _NAMESPACES.items() if _of_others(service, key)),
        "service_account_token": False,
        "sysctls": _names(service, "sysctls"),
        "volumes": volumes,
        "images": images,
        "security": _unset(),
    }


def _unset() -> dict[str, JsonValue]:
    return {
        "run_as_non_root": None,
        "run_as_user": None,
        "seccomp": None,
        "apparmor": None,
        "selinux": {"type": "", "user": "", "role": ""},
        "host_process": False,
    }


def _container(service: Fields) -> JsonObject:
    options = [option.replace("=", ":", 1) for option in service.texts("security_opt")]
    user = _user(service)
    limits = service.part("deploy").part("resources").part("limits").value
    set_limits = {"memory": service.has("mem_limit") or "memory" in limits, "cpu": "cpus" in limits}
    set_limits["cpu"] = set_limits["cpu"] or service.has("cpus")
    words = [word for key in ("entrypoint", "command") for word in _words(service, key)]
    command = Command(service.text("image"), words, _environment(service))
    return {
        "role": "container",
        **image_facts(None if service.has("build") else service.text("image")),
        "security": {
            **_unset(),
            "run_as_non_root": None if user is None else user != 0,
            "run_as_user": user,
            "seccomp": _profile(options, "seccomp", "RuntimeDefault"),
            "apparmor": _profile(options, "apparmor", None),
            "selinux": {"type": _label(options), "user": "", "role": ""},
            "privileged": service.flag("privileged") is True,
            "allow_privilege_escalation": not {"no-new-privileges", "no-new-privileges:true"} & set(options),
            "read_only_root": service.flag("read_only") is True,
            "capabilities_added": [_capability(name) for name in service.texts("cap_add")],
            "capabilities_dropped": [_capability(name) for name in service.texts("cap_drop")],
            "proc_mount": "Unmasked" if "systempaths:unconfined" in options else None,
        },
        "host_ports": [],
        "hosts": [],
        "limits": sorted(name for name, there in set_limits.items() if there),
        "requests": [],
        "probes": ["liveness"] if service.part("healthcheck").value else [],
        "loading": read_loading(command),
    }


def _profile(options: list[str], name: str, default: str | None) -> str | None:
    """The profile that the last of the options names, and what Docker does without one."""
    found = default
    for option in options:
        key, _, value = option.partition(":")
        if key == name:
            found = "Unconfined" if value == "unconfined" else "Localhost"
    return found


def _label(options: list[str]) -> str:
    labels = [option.removeprefix("label:") for option in options if option.startswith("label:")]
    return labels[-1].removeprefix("type:") if labels else ""


def _capability(name: str) -> str:
    return name.upper().removeprefix("CAP_")


def _user(service: Fields) -> int | None:
    """The number of the user; a name could be anybody."""
    value = service.value.get("user")
    first = str(value).partition(":")[0] if isinstance(value, str | int) else ""
    return int(first) if first.isascii() and first.isdigit() and len(first) < 16 else None


def _of_others(service: Fields, key: str) -> bool:
    """Whether a namespace is the host's or that of another container; all but a few words say so."""
    value = service.text(key)
    return value not in {None, "", "none", "bridge", "private", "shareable"}


def _volume(volume: JsonValue, file: Fields) -> str:
    if isinstance(volume, Mapping):
        source, kind = volume.get("source"), volume.get("type")
        if kind == "volume" and source is not None:
            return _source(source, file)
        return _TYPES.get(kind, "hostPath") if isinstance(kind, str) else "hostPath"
    if not isinstance(volume, str):
        return "hostPath"
    source, colon, _ = volume.partition(":")
    return _source(source, file) if colon else "emptyDir"


def _source(source: JsonValue, file: Fields) -> str:
    """A named volume that its driver does not bind to anything else, or a path of the host."""
    if not isinstance(source, str) or not _NAMED.fullmatch(source):
        return "hostPath"
    return "hostPath" if file.part("volumes").part(source).value.keys() - {"name", "labels"} else _TYPES["volume"]


def _egress(service: Fields, file: Fields) -> JsonObject:
    """All its networks are internal, or it reaches whatever the host does."""
    if service.text("network_mode") == "none":
        return {"policies": ["network_mode: none"], "peers": []}
    names = _names(service, "networks") or ["default"]
    networks = file.part("networks")
    internal = [name for name in names if networks.part(name).flag("internal") is True]
    if service.has("network_mode") or len(internal) < len(names):
        return {"policies": [], "peers": ["any"]}
    return {"policies": [f"network {name}" for name in sorted(internal)], "peers": []}


def _environment(service: Fields) -> dict[str, str]:
    value = service.value.get("environment")
    if isinstance(value, Mapping):
        return {name: "" if item is None else str(item).lower() for name, item in value.items()}
    pairs = (text.partition("=") for text in service.texts("environment"))
    return {name: item for name, _, item in pairs}


def _words(service: Fields, key: str) -> list[str]:
    value = service.value.get(key)
    if not isinstance(value, str):
        return service.texts(key)
    try:
        return shlex.split(value)
    except ValueError:
        service.problems.append(f"{service.place}.{key} has a quote without an end")
        return []


def _names(service: Fields, key: str) -> list[str]:
    """Names as a list or as keys of a mapping; `name=value` in a list is a name."""
    value = service.value.get(key)
    names = list(value) if isinstance(value, Mapping) else service.texts(key)
    return [name.partition("=")[0] for name in names]


def _items(service: Fields, key: str) -> list[JsonValue]:
    value = service.value.get(key)
    if isinstance(value, list):
        return value
    if value is not None:
        service.problems.append(f"{service.place}.{key} is not a list")
    return []
