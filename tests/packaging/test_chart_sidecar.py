"""The chart's sidecar starts from a config map with the very arguments of the chart, and evaluates for the gate."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.acceptance.world import gate
from tests.packaging.test_chart import CONFIGURATION, PROFILE
from tests.support.chart import IMAGE, OPA, OPA_IMAGE, POLICY_IMAGE, one, rendered
from tests.support.compose import TOKEN, Deployment
from tests.support.opa_server import OpaServer, opa_program


def sidecar() -> dict[str, list[str]]:
    """What the chart starts, and what it asks whether it is well."""
    documents = rendered(OPA)
    (opa,) = one(documents, "Deployment")["spec"]["template"]["spec"]["initContainers"]
    commands = [opa[name]["exec"]["command"] for name in ("startupProbe", "livenessProbe")]
    assert commands[0] == commands[1]
    return {"args": opa["args"], "probe": commands[0]}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder behind the links of a config map, with what the chart names."""
    folder = tmp_path_factory.mktemp("sidecar")
    day = folder / "..2026_11_22"
    day.mkdir()
    secrets = tmp_path_factory.mktemp("secrets")
    Deployment.make(secrets)
    for name in ("policy.tar.gz", "policy.pub"):
        (day / name).write_bytes((secrets / name).read_bytes())
        (folder / name).symlink_to(f"..data/{name}")
    (folder / "..data").symlink_to(day.name)
    (folder / "token").write_text(TOKEN)
    # As a secret is mounted for a group.
    (folder / "token").chmod(0o440)
    return folder / "..data"


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[OpaServer]:
    run, serve, *rest = sidecar()["args"]
    assert (run, serve) == ("run", "--server")
    given = [word.replace("/etc/gate/..data", str(root)) for word in rest if not word.startswith("--addr=")]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(root.parent), "GATE_OPA_TOKEN": TOKEN}
    with OpaServer(*given, environment=environment) as running:
        yield running


def probe(port: int) -> int:
    program, *words = sidecar()["probe"]
    assert program == "/opa"
    words = [word.replace("127.0.0.1:8181", f"127.0.0.1:{port}") for word in words]
    return subprocess.run([opa_program(), *words], capture_output=True, check=False, timeout=60).returncode


def test_the_probe_knows_a_server_that_is_well(server: OpaServer) -> None:
    assert probe(server.port) == 0
    with OpaServer() as gone:
        port = gone.port
    assert probe(port) != 0


def test_the_gate_has_it_evaluate(server: OpaServer, root: Path, tmp_path: Path) -> None:
    (tmp_path / "gate.yaml").write_text(CONFIGURATION % (IMAGE, OPA_IMAGE, POLICY_IMAGE))
    (tmp_path / "profile.yaml").write_text(yaml.safe_dump(PROFILE))
    (tmp_path / "rendered.yaml").write_text(yaml.safe_dump_all(rendered()))
    engine = ["--engine", "opa", "--opa-url", server.url, "--opa-token-file", str(root.parent / "token")]
    done = gate("check", "--now", "2026-11-20T12:00:00Z", *engine, cwd=tmp_path)
    assert done.code == 0, done.text
    (tmp_path / "rendered.yaml").write_text(yaml.safe_dump_all(rendered()).replace("1" * 64, "9" * 64))
    done = gate("check", "--now", "2026-11-20T12:00:00Z", *engine, cwd=tmp_path)
    assert done.code == 13, done.text
