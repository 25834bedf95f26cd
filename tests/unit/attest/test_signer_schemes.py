"""What all signers share: extras that say their names, and the algorithm that fits the key."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from gate.attest.signer import Signer
from gate.attest.signers.key import key_signer
from gate.errors import AttestError
from tests.support.keeper_tests import P256, WEAK, opened


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


def test_keyless_signing_has_a_module_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def open_keyless(uri: str) -> Signer:
        asked.append(uri)
        return opened_file

    opened_file = key_signer(P256.public_key(), "x", bytes)
    loaded: Callable[[str], object] = lambda name: SimpleNamespace(name=name, open_keyless=open_keyless)  # noqa: E731
    monkeypatch.setattr("gate.attest.signer.import_module", loaded)
    assert opened("sigstore:") is opened_file
    assert asked == ["sigstore:"]
