"""Keys in the transit engine of Vault: the real client against a service on this machine.

Not run here: a real Vault or OpenBao, and TLS.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gate.verify.keys import load_key
from tests.support.fake_keepers import TOKEN, Private, Vault, VaultKey, serving
from tests.support.keeper_tests import (
    EDWARDS,
    NEWER,
    P256,
    P384,
    P521,
    RSA,
    opened,
    refused,
    refuses,
    signs,
    without_settings,
)


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_settings(monkeypatch, tmp_path)


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    keys = {
        "ed": VaultKey("ed25519", [EDWARDS]),
        "p256": VaultKey("ecdsa-p256", [P256, NEWER]),
        "p384": VaultKey("ecdsa-p384", [P384]),
        "rsa": VaultKey("rsa-2048", [RSA]),
        "p521": VaultKey("ecdsa-p521", [P521]),
        "aes": VaultKey("aes256-gcm96"),
    }
    with serving(Vault(keys, ("transit", "team/transit"))) as service:
        monkeypatch.setenv("VAULT_ADDR", service.url)
        monkeypatch.setenv("VAULT_TOKEN", TOKEN)
        yield service


@pytest.mark.usefixtures("vault")
@pytest.mark.parametrize(
    ("rest", "private", "algorithm"),
    [
        ("ed", EDWARDS, "ed25519"),
        ("p256", NEWER, "ecdsa-p256-sha256"),
        ("//p256/1", P256, "ecdsa-p256-sha256"),
        ("p384?mount=team/transit", P384, "ecdsa-p384-sha384"),
        ("rsa", RSA, "rsa-pss-sha256"),
    ],
)
def test_keys_in_vault_sign(rest: str, private: Private, algorithm: str) -> None:
    signs(f"hashivault:{rest}", private, algorithm)


def test_a_vault_namespace_and_a_token_file_are_used(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("VAULT_TOKEN")
    refused("hashivault:ed", "there is no token")
    (tmp_path / ".vault-token").write_text(f"{TOKEN}\n")
    monkeypatch.setenv("VAULT_NAMESPACE", "team")
    signs("hashivault:ed", EDWARDS, "ed25519")
    assert set(vault.namespaces) == {"team"}


def test_a_vault_key_stays_the_version_it_was(vault: Vault) -> None:
    signer = opened("hashivault:p256")
    vault.keys = {"p256": VaultKey("ecdsa-p256", [P256, NEWER, P256])}
    assert load_key(signer.public_key_pem).verifies(signer.sign(b"x"), b"x")


def test_what_vault_refuses_is_told(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    refused("hashivault:none", "Vault, transit/keys/none: there is no such key or mount")
    refused("hashivault:ed?mount=elsewhere", "there is no such key or mount")
    refused("hashivault:p256/3", "there is no version 3; there are 1, 2")
    refused("hashivault:aes", "a key of the type aes256-gcm96 does not sign")
    refused("hashivault:p521", "curve secp521r1 is not accepted")
    monkeypatch.setenv("VAULT_TOKEN", "another")
    refused("hashivault:ed", "access is denied")
    vault.sealed = True
    refused("hashivault:ed", "the server is sealed")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "the version may be too old"),
        (403, "access is denied"),
        (429, "too many requests"),
        (500, "the server refused (InternalServerError)"),
        (501, "not initialised"),
        (503, "sealed"),
    ],
)
def test_what_vault_refuses_while_signing_is_told(vault: Vault, status: int, words: str) -> None:
    signer = opened("hashivault:p256")
    vault.failures = [(status, {"errors": [f"about {TOKEN}"]}, {})]
    refuses(signer, "Vault, transit/keys/p256, version 2", words)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"data": None},
        {"data": {"keys": {"1": {"public_key": "%"}}, "latest_version": 1, "type": "ed25519"}},
        {"data": {"keys": {"1": {"public_key": "x"}}, "latest_version": 1, "type": "ecdsa-p256"}},
    ],
)
def test_answers_of_vault_that_make_no_sense_are_told(vault: Vault, answer: dict[str, Any]) -> None:
    vault.failures = [(200, answer, {})]
    refused("hashivault:p256", "the server's answer cannot be understood")


@pytest.mark.parametrize("text", ["", "vault:v1:", "vault:v1:a=b", 5])
def test_signatures_of_vault_that_make_no_sense_are_told(vault: Vault, text: object) -> None:
    signer = opened("hashivault:p256")
    vault.failures = [(200, {"data": {"signature": text}}, {})]
    refuses(signer, "the server's answer cannot be understood")


def test_vault_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_TOKEN", TOKEN)
    refused("hashivault:k", "VAULT_ADDR is not the address of a server")
    monkeypatch.setenv("VAULT_ADDR", "http://vault.example.com:8200")
    refused("hashivault:k", "the token would be sent in the clear")
    with serving(Vault({})) as gone:
        pass
    monkeypatch.setenv("VAULT_ADDR", gone.url)
    refused("hashivault:k", "the server cannot be asked (ConnectionError)")


@pytest.mark.parametrize("rest", ["", "a/b", "a/1/2", "k?version=1", "t@host/k"])
def test_references_to_no_vault_key_are_refused(rest: str) -> None:
    refused(f"hashivault:{rest}", "is followed by the name of a key")
