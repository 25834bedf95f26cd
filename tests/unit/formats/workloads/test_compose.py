"""Compose files in the words of Pod Security."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gate.formats.workloads.interface import read_workloads
from gate.model.workload import Manifest, Workload

DIGEST = "sha256:" + "a" * 64
GOOD = {
    "image": f"registry.example/server@{DIGEST}",
    "user": "1000:1000",
    "read_only": True,
    "cap_drop": ["all"],
    "security_opt": ["no-new-privileges:true"],
    "mem_limit": "1g",
    "cpus": 2,
    "healthcheck": {"test": "true"},
    "network_mode": "none",
}


def service(change: dict[str, Any] | None = None, **file: Any) -> Workload:
    value = {key: item for key, item in {**GOOD, **(change or {})}.items() if item is not None}
    data = json.dumps({"services": {"server": value}, **file}).encode()
    (found,) = read_workloads([Manifest("compose.yaml", data)]).values()
    return found


def own(change: dict[str, Any]) -> Any:
    return service(change).containers["server"]


def pod(change: dict[str, Any], **file: Any) -> Any:
    return service(change, **file).pod


def test_a_confined_service() -> None:
    found = service()
    assert (found.platform, found.kind, found.id) == ("compose", "service", "compose.yaml:service/server")
    assert not found.problems
    container: Any = found.containers["server"]
    assert container["digest"] == DIGEST
    assert container["limits"] == ["cpu", "memory"]
    assert container["probes"] == ["liveness"]
    security = container["security"]
    assert security["run_as_non_root"] is True
    assert security["run_as_user"] == 1000
    assert security["seccomp"] == "RuntimeDefault"
    assert security["allow_privilege_escalation"] is False
    assert security["capabilities_dropped"] == ["ALL"]
    assert found.egress == {"policies": ["network_mode: none"], "peers": []}


def test_what_is_not_set_is_what_docker_does() -> None:
    bare = service(dict.fromkeys(GOOD, None) | {"image": "x"})
    container: Any = bare.containers["server"]
    assert container["digest"] is None
    assert container["limits"] == []
    assert container["security"]["run_as_non_root"] is None
    assert container["security"]["allow_privilege_escalation"] is True
    assert bare.egress == {"policies": [], "peers": ["any"]}


@pytest.mark.parametrize(
    ("user", "number"), [("0", 0), (0, 0), ("root", None), ("${UID}", None), (1000, 1000), (["x"], None)]
)
def test_users(user: Any, number: int | None) -> None:
    security = own({"user": user})["security"]
    assert security["run_as_user"] == number
    assert security["run_as_non_root"] == (None if number is None else number != 0)


@pytest.mark.parametrize(
    ("option", "field", "value"),
    [
        ("seccomp:unconfined", "seccomp", "Unconfined"),
        ("seccomp=unconfined", "seccomp", "Unconfined"),
        ("seccomp:own.json", "seccomp", "Localhost"),
        ("apparmor:unconfined", "apparmor", "Unconfined"),
        ("systempaths=unconfined", "proc_mount", "Unmasked"),
        ("label:type:spc_t", "selinux", {"type": "spc_t", "user": "", "role": ""}),
        ("label:disable", "selinux", {"type": "disable", "user": "", "role": ""}),
    ],
)
def test_security_options(option: str, field: str, value: Any) -> None:
    assert own({"security_opt": [option]})["security"][field] == value


@pytest.mark.parametrize(
    ("change", "namespaces"),
    [
        ({"network_mode": "host"}, ["network"]),
        ({"network_mode": "service:other"}, ["network"]),
        ({"pid": "host", "ipc": "host"}, ["ipc", "pid"]),
        ({"uts": "host", "userns_mode": "host"}, ["user", "uts"]),
        ({"ipc": "private"}, []),
        ({"network_mode": "bridge"}, []),
    ],
)
def test_namespaces(change: dict[str, Any], namespaces: list[str]) -> None:
    assert pod(change)["host_namespaces"] == namespaces


@pytest.mark.parametrize(
    ("volume", "kind"),
    [
        ("data:/data", "persistentVolumeClaim"),
        ("odd:/data", "hostPath"),
        ("./data:/data", "hostPath"),
        ("/:/host", "hostPath"),
        ("~/x:/data", "hostPath"),
        ("${X}:/data", "hostPath"),
        ("/data", "emptyDir"),
        ({"type": "bind", "source": "/", "target": "/h"}, "hostPath"),
        ({"type": "volume", "source": "data", "target": "/h"}, "persistentVolumeClaim"),
        ({"type": "volume", "target": "/h"}, "persistentVolumeClaim"),
        ({"type": "volume", "source": 1}, "hostPath"),
        ({"type": "tmpfs", "target": "/h"}, "emptyDir"),
        ({"type": 1}, "hostPath"),
        (1, "hostPath"),
    ],
)
def test_volumes(volume: Any, kind: str) -> None:
    volumes = {"data": {"name": "x"}, "odd": {"driver_opts": {"device": "/"}}}
    assert pod({"volumes": [volume]}, volumes=volumes)["volumes"] == {"#0": kind}


def test_images_and_devices_are_volumes() -> None:
    volumes = [{"type": "image", "source": f"registry.example/x@{DIGEST}"}, {"type": "image"}]
    found = pod({"volumes": volumes, "devices": ["/dev/fuse"]})
    assert found["volumes"] == {"#0": "image", "#1": "image", "device 0": "device"}
    assert [image["digest"] for image in found["images"].values()] == [DIGEST, None]


def test_what_is_built_has_no_digest() -> None:
    assert own({"build": "."})["image"] is None


@pytest.mark.parametrize("sysctls", [["a=1"], {"a": 1}])
def test_sysctls(sysctls: Any) -> None:
    assert pod({"sysctls": sysctls})["sysctls"] == ["a"]


@pytest.mark.parametrize(
    ("networks", "egress"),
    [
        (["inner"], {"policies": ["network inner"], "peers": []}),
        ({"inner": None}, {"policies": ["network inner"], "peers": []}),
        (["inner", "outer"], {"policies": [], "peers": ["any"]}),
        (None, {"policies": [], "peers": ["any"]}),
    ],
)
def test_networks(networks: Any, egress: Any) -> None:
    change = {"network_mode": None, "networks": networks}
    assert service(change, networks={"inner": {"internal": True}, "outer": {}}).egress == egress


@pytest.mark.parametrize(
    ("change", "unsafe"),
    [
        ({"command": "vllm serve x --trust-remote-code"}, ["--trust-remote-code"]),
        ({"command": ["vllm", "--trust-remote-code"]}, ["--trust-remote-code"]),
        ({"entrypoint": "vllm", "environment": ["TRUST_REMOTE_CODE=1"]}, ["TRUST_REMOTE_CODE"]),
        ({"entrypoint": "vllm", "environment": {"TRUST_REMOTE_CODE": True, "X": None}}, ["TRUST_REMOTE_CODE"]),
    ],
)
def test_flags(change: dict[str, Any], unsafe: list[str]) -> None:
    assert own(change)["loading"]["unsafe"] == unsafe


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"extends": {"service": "x"}}, "extends is not read"),
        ({"volumes_from": ["x"]}, "volumes_from is not read"),
        ({"privileged": "${P}"}, "privileged is not true or false"),
        ({"command": "a 'b"}, "a quote without an end"),
        ({"volumes": {}}, "volumes is not a list"),
    ],
)
def test_what_cannot_be_judged_is_a_problem(change: dict[str, Any], problem: str) -> None:
    assert problem in "; ".join(service(change).problems)


@pytest.mark.parametrize(
    ("options", "field", "value"),
    [
        (["label:disable", "label:type:container_t"], "selinux", {"type": "disable", "user": "", "role": ""}),
        (["no-new-privileges:true", "no-new-privileges:false"], "allow_privilege_escalation", True),
        (["no-new-privileges=true"], "allow_privilege_escalation", False),
        (["seccomp:unconfined", "seccomp:own.json"], "seccomp", "Unconfined"),
    ],
)
def test_one_option_does_not_hide_another(options: list[str], field: str, value: Any) -> None:
    assert own({"security_opt": options})["security"][field] == value


@pytest.mark.parametrize("option", ["writable-cgroups=true", "no-new-privileges:maybe", "x", "systempaths:x"])
def test_an_option_that_nobody_knows_is_a_problem(option: str) -> None:
    assert service({"security_opt": [option]}).problems == (
        f"services.server.security_opt: {option.replace('=', ':')} is not known",
    )


@pytest.mark.parametrize("text", ["${X}", "$X", "$$$X", "a ${X:-b}"])
@pytest.mark.parametrize("place", ["security_opt", "cap_add", "command", "labels"])
def test_a_variable_that_compose_would_put_in_is_a_problem(place: str, text: str) -> None:
    (problem,) = (text for text in service({place: [text]}).problems if "variables" in text)
    assert problem == "variables such as $X are not followed; write it out with docker compose config"


def test_two_dollars_are_one_and_no_variable() -> None:
    found = service({"command": ["sh", "-c", "vllm serve $$M"]})
    assert not found.problems
    assert found.containers["server"]["loading"]["unknown"] == ["what a shell puts for $M"]  # type: ignore[index,call-overload]


def test_documents_and_files_that_compose_puts_together_are_a_problem() -> None:
    data = json.dumps({"services": {"server": GOOD}}).encode()
    for manifests in (
        [Manifest("compose.yaml", data + b"\n---\n" + data)],
        [Manifest("compose.yaml", data), Manifest("compose.override.yaml", data)],
        [Manifest("x/docker-compose.yml", data), Manifest("x/docker-compose.override.yml", data)],
    ):
        found = read_workloads(manifests).values()
        assert any("docker compose config" in text for item in found for text in item.problems)
    apart = read_workloads([Manifest("a/compose.yaml", data), Manifest("b/compose.yaml", data)])
    assert not any(item.problems for item in apart.values())


@pytest.mark.parametrize("key", ["configs", "secrets"])
@pytest.mark.parametrize(
    ("used", "defined", "kinds"),
    [
        ("a", {"file": "/var/run/docker.sock"}, {"hostPath"}),
        ({"source": "a", "target": "/x"}, {"file": "./x"}, {"hostPath"}),
        ({"source": "b"}, {"file": "./x"}, {"hostPath"}),
        ("a", {"environment": "X"}, {"secret"}),
        ("a", {"content": "x"}, {"secret"}),
        ("a", {"external": True}, {"secret"}),
    ],
)
def test_files_of_the_host_are_mounted_as_configs_and_secrets(
    key: str, used: Any, defined: Any, kinds: set[str]
) -> None:
    assert set(pod({key: [used]}, **{key: {"a": defined}})["volumes"].values()) == kinds


@pytest.mark.parametrize("volume", ["C:\\:/host", "c:/x:/host", "x:/host"])
def test_a_drive_is_no_volume(volume: str) -> None:
    assert pod({"volumes": [volume]})["volumes"] == {"#0": "hostPath"}


@pytest.mark.parametrize(
    "more", [{"external": True}, {"driver": "host"}, {"driver": "macvlan"}, {"driver_opts": {"a": "b"}}]
)
def test_a_network_that_the_file_does_not_make_is_not_internal(more: Any) -> None:
    change = {"network_mode": None, "networks": ["inner"]}
    assert service(change, networks={"inner": {"internal": True, **more}}).egress == {"policies": [], "peers": ["any"]}


@pytest.mark.parametrize("none", [0, "0", "0m", "0.0"])
def test_a_limit_of_nothing_is_no_limit(none: Any) -> None:
    assert own({"mem_limit": none, "cpus": none})["limits"] == []
    limits = {"resources": {"limits": {"cpus": none, "memory": "1g"}}}
    assert own({"mem_limit": None, "cpus": None, "deploy": limits})["limits"] == ["memory"]


@pytest.mark.parametrize("check", [{"disable": True}, {"test": ["NONE"]}, {"disable": True, "test": "true"}, None])
def test_a_check_that_is_switched_off_is_no_probe(check: Any) -> None:
    assert own({"healthcheck": check})["probes"] == []


@pytest.mark.parametrize("environment", [["TRUST_REMOTE_CODE"], {"TRUST_REMOTE_CODE": None}])
def test_a_variable_without_a_value_is_that_of_whoever_starts_it(environment: Any) -> None:
    loading = own({"entrypoint": "vllm", "environment": environment})["loading"]
    assert loading["unknown"] == ["the value of TRUST_REMOTE_CODE"]


def test_what_a_file_includes_is_a_problem_and_so_is_one_without_services() -> None:
    assert "include is not followed" in service(include=["x"]).problems[0]
    (found,) = read_workloads([Manifest("compose.yaml", b"services: {}")]).values()
    assert found.problems == ("it has no services",)
