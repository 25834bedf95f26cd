"""What all signers share: extras that say their names, and the algorithm that fits the key."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from gate.attest.signer import open_any_signer, open_signer
from gate.attest.signers.key import key_signer
from gate.errors import AttestError
from tests.support.keeper_tests import P256, WEAK, never, opened


@pytest.mark.parametrize(
    ("uri", "library", "extra"),
    [
        ("awskms:k", "boto3", "kms-aws"),
        ("gcpkms:projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1", "google.cloud.kms", "kms-gcp"),
        ("azurekms://team.vault.azure.net/keys/k", "azure.identity", "kms-azure"),
        ("hashivault:k", "hvac", "kms-vault"),
        ("pkcs11:object=k", "pkcs11", "kms-pkcs11"),
    ],
)
def test_a_missing_extra_says_its_name(uri: str, library: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(AttestError, match=f"needs the extra {extra} ") as caught:
        opened(uri)
    assert caught.value.hint == f"pip install 'gate[{extra}]'"


def test_a_keeper_that_signs_with_another_algorithm_is_refused() -> None:
    with pytest.raises(AttestError, match="it signs with rsa-pkcs1v15-sha256, and for this key only ecdsa-p256-sha256"):
        key_signer(P256.public_key(), "x", bytes, "rsa-pkcs1v15-sha256")


def test_weak_keys_of_services_are_refused() -> None:
    with pytest.raises(AttestError, match="1024 bits"):
        key_signer(WEAK.public_key(), "x", bytes)


def test_keyless_signing_has_a_module_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    identity = SimpleNamespace(sign_statement=bytes)
    asked: list[object] = []

    def load(name: str) -> object:
        def open_keyless(*given: object) -> object:
            asked.append((name, *given))
            return identity

        return SimpleNamespace(open_keyless=open_keyless)

    monkeypatch.setattr("gate.attest.signer.import_module", load)
    assert open_any_signer("sigstore:x", tmp_path, never) is identity
    assert asked == [("gate.attest.signers.sigstore", "x", tmp_path)]


def test_an_identity_is_no_key(tmp_path: Path) -> None:
    with pytest.raises(AttestError, match="here a key is needed"):
        open_signer("sigstore:", tmp_path, never)


def test_any_signer_may_be_a_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NONE", raising=False)
    with pytest.raises(AttestError, match="NONE is not set"):
        open_any_signer("env:NONE", tmp_path, never)
