"""The compose file is one that compose would run, with as few rights as possible; what is wrong in one is found."""

from __future__ import annotations

import functools
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gate.evaluate.opa_answer import VERSION_FLOOR
from gate.formats.opa_signatures import KEY_ID, SCOPE
from tests.support.compose import COMPOSE, PLACES, Deployment
from tests.support.opa_server import ROOT

HOW_TO = ROOT / "docs" / "how-to" / "run-a-sidecar.md"


@functools.cache
def composecheck() -> str:
    command = [sys.executable, str(ROOT / "tools/build.py"), "composecheck"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def checked(path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **variables}
    return subprocess.run(
        [composecheck(), str(path)], env=environment, capture_output=True, text=True, check=False, timeout=60
    )


@functools.cache
def project() -> dict[str, Any]:
    done = checked(COMPOSE, GATE_OPA_TOKEN="x")  # no token of anything
    assert done.returncode == 0, done.stderr
    value: dict[str, Any] = json.loads(done.stdout)
    return value


def test_it_is_accepted_and_asks_for_the_token() -> None:
    assert set(project()["services"]) == {"gate", "opa"}
    done = checked(COMPOSE)
    assert done.returncode != 0
    assert "GATE_OPA_TOKEN is missing a value: the text of secrets/opa.token" in done.stderr


Change = Callable[[dict[str, Any]], object]
MISTAKES: dict[str, tuple[Change, str]] = {
    "unknown key": (lambda d: d["services"]["opa"].update(read_onyl=True), "read_onyl"),
    "unknown section": (lambda d: d.update(servcies={}), "servcies"),
    "undefined service": (lambda d: d["services"]["gate"].update(depends_on=["oap"]), "oap"),
    "undefined secret": (lambda d: d["services"]["opa"]["secrets"].append("nobody"), "nobody"),
    "undefined network": (lambda d: d["services"]["opa"].update(networks=["other"]), "other"),
    "wrong type": (lambda d: d["services"]["opa"].update(read_only="perhaps"), "read_only"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found(tmp_path: Path, name: str) -> None:
    change, word = MISTAKES[name]
    document = yaml.safe_load(COMPOSE.read_text("utf-8"))
    change(document)
    path = tmp_path / "docker-compose.yml"
    path.write_text(yaml.safe_dump(document))
    done = checked(path, GATE_OPA_TOKEN="x")
    assert done.returncode != 0
    assert word in done.stderr


@pytest.mark.parametrize("name", ["gate", "opa"])
def test_services_have_as_few_rights_as_possible(name: str) -> None:
    service = project()["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert "ports" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    user, group = service["user"].split(":")
    assert int(user) > 0
    assert int(group) > 0
    assert int(service["mem_limit"]) > 0
    assert service["pids_limit"] > 0
    assert all(volume["read_only"] for volume in service["volumes"])
    assert set(service["networks"]) == {"policy"}
    assert project()["networks"]["policy"]["internal"] is True


def test_the_gate_waits_for_a_healthy_server() -> None:
    assert project()["services"]["gate"]["depends_on"]["opa"]["condition"] == "service_healthy"
    assert project()["services"]["opa"]["healthcheck"]["test"][:3] == ["CMD", "/opa", "eval"]


def test_opa_is_pinned_verifies_its_bundle_and_asks_for_the_token() -> None:
    service = project()["services"]["opa"]
    tag = re.fullmatch(r"openpolicyagent/opa:(\d+)\.(\d+)\.(\d+)-static", service["image"])
    assert tag is not None
    assert tuple(map(int, tag.groups())) >= VERSION_FLOOR
    tool = re.search(r"open-policy-agent/opa v(\S+)", (ROOT / "tools/opa/go.mod").read_text())
    assert tool is not None
    assert tool[1] == ".".join(tag.groups()), "the tests run what the compose file names"
    for argument in (
        f"--verification-key-id={KEY_ID}",
        f"--scope={SCOPE}",
        "--authentication=token",
        "--authorization=basic",
        "--min-tls-version=1.2",
    ):
        assert argument in service["command"]
    assert not [text for text in service["command"] if "skip-verify" in text]


def test_no_secret_is_in_the_image_and_each_has_a_file() -> None:
    assert set(project()["secrets"]) == set(PLACES)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[1] == "*"
    assert not [line for line in ignored if line.startswith("!secrets")]
    assert "/secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def test_the_image_is_not_run_as_root_and_copies_what_there_is() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert text.rindex("\nUSER 10001:10001\n") > text.rindex("\nFROM ")
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line.startswith("!"):
            assert (ROOT / line[1:]).exists(), line
    for lock in re.findall(r"requirements/(\w+\.lock)", text):
        assert (ROOT / "requirements" / lock).is_file()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the page uses openssl")
def test_the_page_prepares_what_the_server_needs(tmp_path: Path) -> None:
    """Its blocks are run one after the other, and then OPA starts with what they made."""
    program = tmp_path / "bin" / "gate"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gate "$@"\n')
    program.chmod(0o755)
    folder = tmp_path / "here"
    folder.mkdir()
    for block in re.findall(r"```sh\n(.*?)```", HOW_TO.read_text(), re.DOTALL):
        environment = {"PATH": f"{program.parent}:/usr/bin:/bin:/usr/local/bin", "HOME": str(tmp_path)}
        done = subprocess.run(
            ["sh", "-euc", block], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr
    secrets = folder / "secrets"
    (folder / "policy.tar.gz").rename(secrets / "policy.tar.gz")
    with Deployment(secrets).start():
        pass
