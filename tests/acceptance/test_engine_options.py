"""Which engine evaluates: what the command line may say, and the secrets that belong to an OPA server."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gate.app.engines import EngineOptions, open_engine, overridden, token_of
from gate.errors import ConfigError
from gate.evaluate.bundle import packaged_bundle
from gate.model.settings import EngineSettings
from tests.acceptance.world import NOW, World, inside

TOKEN = "0123456789abcdef" * 4
HERE = "http://127.0.0.1:8181"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--engine", "opa"], "needs the address of the server"),
        (["--opa-url", HERE], "--opa-url is for an OPA server"),
        (["--engine", "regorus", "--opa-ca", "x"], "--opa-ca is for an OPA server"),
        (["--opa-token-file", "x"], "--opa-token-file is for an OPA server"),
        (["--engine", "opa", "--opa-url", HERE, "--isolation", "process"], "--isolation is for the embedded engine"),
        (["--engine", "opa", "--opa-url", "http://opa.example"], "http is for this machine only"),
        (["--engine", "opa", "--opa-url", "https://opa.example/v1"], "scheme, host and port only"),
        (["--engine", "opa", "--opa-url", "https://opa.example"], "needs a ca"),
        (["--engine", "opa", "--opa-url", HERE, "--opa-ca", "no-such-file"], "--opa-ca no-such-file cannot be read"),
        (["--engine", "opa", "--opa-url", HERE, "--opa-ca", "/dev/null"], "is empty, no file, or longer"),
        (["--engine", "opa", "--opa-url", HERE, "--opa-token-file", "no-such"], "token file no-such cannot be read"),
        (["--engine", "cedar"], "'cedar' is not one of"),
    ],
)
def test_options_that_do_not_go_together_are_exit_2(world: World, arguments: list[str], message: str) -> None:
    done = inside("check", "--base", "main", "--now", NOW, "--root", str(world.root), *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_authority_and_token_belong_to_their_address() -> None:
    """A token of `gate.yaml` is not shown to the server that a command line names."""
    start = EngineSettings("opa", url=HERE, ca_path="a", ca=b"x", token_file="secret", timeout_s=3)
    assert overridden(start, EngineOptions()) == start
    assert overridden(start, EngineOptions(url=HERE + "/")) == start
    other = overridden(start, EngineOptions(url="http://127.0.0.1:9"))
    assert other == EngineSettings("opa", url="http://127.0.0.1:9", timeout_s=3)
    assert overridden(start, EngineOptions(name="regorus")) == EngineSettings(timeout_s=3)
    isolated = EngineSettings(isolated=True)
    assert overridden(isolated, EngineOptions()) == isolated
    assert overridden(isolated, EngineOptions(isolation="none")) == EngineSettings(isolated=False)


@pytest.mark.parametrize(
    ("text", "mode", "message"),
    [
        (TOKEN, 0o604, "others can read or change it"),
        (TOKEN, 0o620, "others can read or change it"),
        ("short", 0o600, "holds no token"),
        (TOKEN + "\n\n", 0o600, "holds no token"),
        ("with space " * 5, 0o600, "holds no token"),
        ("", 0o600, "is empty"),
        ("x" * 9000, 0o600, "longer than"),
    ],
)
def test_a_token_that_is_no_secret_is_exit_2(tmp_path: Path, text: str, mode: int, message: str) -> None:
    path = tmp_path / "token"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(ConfigError, match=message) as caught:
        token_of(EngineSettings("opa", token_file=str(path)))
    assert caught.value.exit_code == 2
    assert text.strip() not in str(caught.value) or not text


@pytest.mark.parametrize(("end", "mode"), [("", 0o600), ("\n", 0o400), ("\r\n", 0o440)])
def test_a_token_is_the_line_of_its_file(tmp_path: Path, end: str, mode: int) -> None:
    path = tmp_path / "token"
    path.write_bytes((TOKEN + end).encode())
    path.chmod(mode)
    assert token_of(EngineSettings("opa", token_file=str(path))) == TOKEN
    assert token_of(EngineSettings("opa")) is None


def test_a_token_file_without_a_possible_name_is_exit_2() -> None:
    with pytest.raises(ConfigError, match="not a path"):
        token_of(EngineSettings("opa", token_file="a\0b"))


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "gate.evaluate.opa", raising=False)
    monkeypatch.setitem(sys.modules, "opa_client", None)
    with pytest.raises(ConfigError, match="needs the package opa_client") as caught:
        open_engine(EngineSettings("opa", url=HERE), packaged_bundle())
    assert "pip install 'gate[opa]'" in caught.value.hint


def test_nobody_pays_for_the_client_who_does_not_use_it() -> None:
    imports = "import sys, gate.cli.check_command, gate.cli.doctor_command"
    code = f"{imports}; print({{'requests', 'opa_client'}} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


@pytest.mark.parametrize(
    ("isolated", "own", "serial", "expected"),
    [
        (None, (), None, "RegorusEngine"),
        (None, ("custom.a.b",), None, "IsolatedEngine"),
        (None, ("custom.a.b",), 3, "RegorusEngine"),
        (False, ("custom.a.b",), None, "RegorusEngine"),
        (True, (), None, "IsolatedEngine"),
    ],
)
def test_own_controls_that_nobody_signed_are_isolated(
    isolated: bool | None, own: tuple[str, ...], serial: int | None, expected: str
) -> None:
    bundle = replace(packaged_bundle(), own=own, serial=serial)
    assert type(open_engine(EngineSettings(isolated=isolated), bundle)).__name__ == expected
