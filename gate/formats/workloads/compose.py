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
from gate.formats.workloads.fields import Fields, is_amount
from gate.formats.workloads.loading import read_loading
from gate.formats.workloads.pod import image_facts
from gate.model.json import JsonObject, JsonValue
from gate.model.workload import Workload, broken

_NAMED: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]+")
"""A name of a volume; one letter is a drive of Windows."""
_OVERRIDE: Final = re.compile(r"(docker-)?compose\.override\.ya?ml")
_VARIABLE: Final = re.compile(r"(?<!\$)(?:\$\$)*\$(?!\$)")
_WRITE_OUT: Final = "write it out with docker compose config"
_OPTION: Final = re.compile(
    r"(?:apparmor|credentialspec|label|seccomp):.+|no-new-privileges(?::true|:false)?|systempaths:unconfined"
)
_OWN_NETWORK: Final = frozenset(
    {"attachable", "driver", "enable_ipv4", "enable_ipv6", "external", "internal", "ipam", "labels", "name"}
)
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


def read_compose(document: JsonValue, origin: str, documents: int = 1) -> list[Workload]:
    """The services of a Compose file; one without any is a problem. `documents` are in the same file."""
    problems: list[str] = []
    file = Fields(_unescaped(document, problems), "", problems)
    if file.has("include"):
        problems.append(f"include is not followed; {_WRITE_OUT}")
    if documents > 1:
        problems.append(f"Compose puts the documents of a file together; {_WRITE_OUT}")
    if _OVERRIDE.fullmatch(origin.rpartition("/")[2]):
        problems.append(f"Compose puts it on top of another file; {_WRITE_OUT}")
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


def _unescaped(value: JsonValue, problems: list[str]) -> JsonValue:
    """A document in which two dollars are one, as Compose reads them; one alone would be the start of a variable."""
    if isinstance(value, str):
        if _VARIABLE.search(value):
            text = f"variables such as $X are not followed; {_WRITE_OUT}"
            problems += [text] if text not in problems else []
        return value.replace("$$", "$")
    if isinstance(value, Mapping):
        return {name: _unescaped(item, problems) for name, item in value.items()}
    return [_unescaped(item, problems) for item in value] if isinstance(value, list) else value


def _pod(service: Fields, file: Fields) -> JsonObject:
    volumes: dict[str, JsonValue] = {}
    images: dict[str, JsonValue] = {}
    for number, volume in enumerate(_items(service, "volumes")):
        volumes[f"#{number}"] = kind = _volume(volume, file)
        if kind == "image" and isinstance(volume, Mapping):
            source = volume.get("source")
            images[f"#{number}"] = image_facts(source if isinstance(source, str) else None)
    volumes |= {f"device {number}": "device" for number, _ in enumerate(_items(service, "devices"))}
    for key in ("configs", "secrets"):
        for number, item in enumerate(_items(service, key)):
            name = item.get("source") if isinstance(item, Mapping) else item
            defined = file.part(key).part(name).value if isinstance(name, str) else {}
            volumes[f"{key} {number}"] = "secret" if defined and "file" not in defined else "hostPath"
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
    options = _options(service)
    user = _user(service)
    limits = service.part("deploy").part("resources").part("limits").value
    amounts = {
        "memory": [service.value.get("mem_limit"), limits.get("memory")],
        "cpu": [service.value.get("cpus"), limits.get("cpus")],
    }
    words = [word for key in ("entrypoint", "command") for word in _words(service, key)]
    variables, hidden = _environment(service)
    command = Command(service.text("image"), words, variables, hidden=hidden)
    return {
        "role": "container",
        **image_facts(None if service.has("build") else service.text("image")),
        "security": {
            **_unset(),
            "run_as_non_root": None if user is None else user != 0,
            "run_as_user": user,
            "seccomp": _profile(options, "seccomp", "RuntimeDefault"),
            "apparmor": _profile(options, "apparmor", None),
            "selinux": _labels(options),
            "privileged": service.flag("privileged") is True,
            "allow_privilege_escalation": _may_escalate(options),
            "read_only_root": service.flag("read_only") is True,
            "capabilities_added": [_capability(name) for name in service.texts("cap_add")],
            "capabilities_dropped": [_capability(name) for name in service.texts("cap_drop")],
            "proc_mount": "Unmasked" if "systempaths:unconfined" in options else None,
        },
        "host_ports": [],
        "hosts": [],
        "limits": sorted(name for name, found in amounts.items() if any(is_amount(amount) for amount in found)),
        "requests": [],
        "probes": ["liveness"] if _is_checked(service.part("healthcheck")) else [],
        "loading": read_loading(command),
    }


def _profile(options: list[str], name: str, default: str | None) -> str | None:
    """The profile that the options name, none if one of them says so, and what Docker does without one."""
    values = [option.partition(":")[2] for option in options if option.startswith(f"{name}:")]
    return default if not values else "Unconfined" if "unconfined" in values else "Localhost"


def _options(service: Fields) -> list[str]:
    """Options of security, with a colon before the value; one that is not known could undo the others."""
    options = [option.replace("=", ":", 1) for option in service.texts("security_opt")]
    unknown = [option for option in options if not _OPTION.fullmatch(option)]
    service.problems += [f"{service.place}.security_opt: {option} is not known" for option in unknown]
    return options


def _may_escalate(options: list[str]) -> bool:
    said = {option for option in options if option.startswith("no-new-privileges")}
    return not said or "no-new-privileges:false" in said


def _labels(options: list[str]) -> JsonObject:
    """SELinux labels; what is none of them, such as `disable`, counts as a type that nobody knows."""
    found: dict[str, JsonValue] = {"type": "", "user": "", "role": ""}
    odd = ""
    for option in options:
        kind, _, label = option.partition(":")
        name, _, value = label.partition(":")
        if kind == "label" and name in found:
            found[name] = value
        elif kind == "label" and name != "level":
            odd = label
    return {**found, "type": odd or found["type"]}


def _is_checked(health: Fields) -> bool:
    test = health.value.get("test")
    return bool(health.value) and health.flag("disable") is not True and test not in ("NONE", ["NONE"])


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
    internal = [name for name in names if _is_internal(networks.part(name))]
    if service.has("network_mode") or len(internal) < len(names):
        return {"policies": [], "peers": ["any"]}
    return {"policies": [f"network {name}" for name in sorted(internal)], "peers": []}


def _is_internal(network: Fields) -> bool:
    """Whether Compose makes it itself, without a way out."""
    is_own = network.value.keys() <= _OWN_NETWORK and network.flag("external") is not True
    return is_own and network.flag("internal") is True and network.text("driver") in {None, "bridge", "overlay"}


def _environment(service: Fields) -> tuple[dict[str, str], tuple[str, ...]]:
    """Variables, and the names of those that have the value they have where Compose is started."""
    value = service.value.get("environment")
    if isinstance(value, Mapping):
        given = {name: str(item).lower() for name, item in value.items() if item is not None}
        return given, tuple(name for name in value if name not in given)
    pairs = [text.partition("=") for text in service.texts("environment")]
    return {name: item for name, equals, item in pairs if equals}, tuple(
        name for name, equals, _ in pairs if not equals
    )


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
