"""S30: credentials are found for exactly one registry, and nothing of them is ever shown."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from gate.collect.registry import credentials
from gate.collect.registry.credentials import Credentials, docker_configuration, find_credentials
from gate.errors import EvidenceError
from tests.support.hostile_registry import docker_config, encode

HOST = "registry.example:5000"


@pytest.fixture(autouse=True)
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "config.json"


def helper(docker: Path, name: str, script: str) -> None:
    program = docker.parent / f"docker-credential-{name}"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.mark.parametrize(
    "key", [HOST, f"https://{HOST}", f"https://{HOST}/", f"https://{HOST}/v1/", f"https://{HOST}/v2"]
)
def test_an_entry_of_exactly_this_registry_counts(docker: Path, key: str) -> None:
    docker.write_bytes(docker_config({"other.example": "x:y", key: "ann:pass:word"}))
    assert find_credentials(HOST) == Credentials("ann", "pass:word")


@pytest.mark.parametrize(
    "key",
    [
        "registry.example",
        "example:5000",
        "*.example:5000",
        f"http://{HOST}",
        f"{HOST}/team",
        f"https://{HOST}/team",
        f"https://{HOST}.evil.example",
        HOST.upper(),
        "",
    ],
)
def test_s30_no_other_entry_counts(docker: Path, key: str) -> None:
    docker.write_bytes(docker_config({key: "ann:password"}))
    assert find_credentials(HOST) is None


def test_without_a_configuration_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_credentials(HOST) is None
    monkeypatch.delenv("DOCKER_CONFIG")
    monkeypatch.setenv("HOME", "/srv/ann")
    assert docker_configuration() == Path("/srv/ann/.docker/config.json")


def test_other_forms_of_entries(docker: Path) -> None:
    docker.write_bytes(encode({"auths": {HOST: {"username": "ann", "password": "secret"}}}))
    assert find_credentials(HOST) == Credentials("ann", "secret")
    docker.write_bytes(encode({"auths": {HOST: {"auth": "", "identitytoken": "t"}}}))
    assert find_credentials(HOST) == Credentials("", "t", is_identity_token=True)
    docker.write_bytes(encode({"auths": {HOST: {}}, "credHelpers": None}))
    assert find_credentials(HOST) is None


def test_s35_nothing_of_them_is_shown() -> None:
    found = Credentials("ann", "secret")
    assert "ann" not in repr(found)
    assert "secret" not in repr(found)
    assert found.basic == "Basic " + base64.b64encode(b"ann:secret").decode()


@pytest.mark.parametrize(
    "data",
    [
        b"{secret",
        b'{"auths":{"registry.example:5000":"secret"}}',
        b'{"auths":{"registry.example:5000":{"auth":1}}}',
        b'{"auths":{"registry.example:5000":{"auth":"secret!"}}}',
        b'{"auths":{"registry.example:5000":{"auth":"/////w=="}}}',
        b'{"credsStore":1}',
        b'{"credsStore":"../secret"}',
        b'{"credsStore":"absent"}',
    ],
)
def test_a_broken_configuration_is_an_error_that_says_nothing_of_it(docker: Path, data: bytes) -> None:
    docker.write_bytes(data)
    with pytest.raises(EvidenceError) as caught:
        find_credentials(HOST)
    assert "secret" not in str(caught.value)


def test_a_configuration_that_cannot_be_read(docker: Path) -> None:
    docker.mkdir()
    with pytest.raises(EvidenceError, match="cannot be read"):
        find_credentials(HOST)


def test_a_helper_is_asked_for_this_registry_only(docker: Path) -> None:
    helper(
        docker, "vault", f"""read host; test "$1 $host" = "get {HOST}" && echo '{{"Username":"bob","Secret":"s"}}'"""
    )
    helper(docker, "common", "exit 7")
    docker.write_bytes(docker_config({HOST: "ann:password"}, credHelpers={HOST: "vault"}, credsStore="common"))
    assert find_credentials(HOST) == Credentials("bob", "s")
    with pytest.raises(EvidenceError, match="failed with exit status 7"):
        find_credentials("other.example")


def test_a_helper_without_an_answer_leaves_it_to_the_file(docker: Path) -> None:
    helper(docker, "vault", "echo credentials not found in native keychain; exit 1")
    docker.write_bytes(docker_config({HOST: "ann:password"}, credsStore="vault"))
    assert find_credentials(HOST) == Credentials("ann", "password")


def test_a_helper_may_give_an_identity_token(docker: Path) -> None:
    helper(docker, "vault", """echo '{"Username":"<token>","Secret":"t"}'""")
    docker.write_bytes(docker_config({}, credsStore="vault"))
    assert find_credentials(HOST) == Credentials("<token>", "t", is_identity_token=True)


@pytest.mark.parametrize("answer", ["", "secret", '{"Username":"ann"}', '{"Username":1,"Secret":"secret"}'])
def test_a_helper_that_answers_something_else(docker: Path, answer: str) -> None:
    helper(docker, "vault", f"echo '{answer}'")
    docker.write_bytes(docker_config({}, credsStore="vault"))
    with pytest.raises(EvidenceError, match="did not answer with a name and a secret") as caught:
        find_credentials(HOST)
    assert '"secret"' not in str(caught.value)


def test_a_helper_that_hangs_or_does_not_run(docker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "_HELPER_S", 0.2)
    helper(docker, "slow", "exec sleep 20")
    docker.write_bytes(docker_config({}, credsStore="slow"))
    with pytest.raises(EvidenceError, match=r"did not answer within 0\.2 seconds"):
        find_credentials(HOST)
    (docker.parent / "docker-credential-slow").write_bytes(b"\x7fELF")
    with pytest.raises(EvidenceError, match="cannot be run"):
        find_credentials(HOST)
