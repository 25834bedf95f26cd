"""What the tests of all keepers of keys ask: that signatures are verified, and that refusals say what to do."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from gate.attest.signer import Signer, open_signer
from gate.errors import AttestError
from gate.verify.keys import load_key
from tests.support.fake_keepers import TOKEN, Private, spki

P256 = ec.generate_private_key(ec.SECP256R1())
NEWER = ec.generate_private_key(ec.SECP256R1())
P384 = ec.generate_private_key(ec.SECP384R1())
P521 = ec.generate_private_key(ec.SECP521R1())
K1 = ec.generate_private_key(ec.SECP256K1())
RSA = rsa.generate_private_key(65537, 2048)
WEAK = rsa.generate_private_key(65537, 1024)
EDWARDS = ed25519.Ed25519PrivateKey.generate()


def never(_: str) -> str:
    raise AssertionError("nobody is to be asked")


def opened(uri: str) -> Signer:
    return open_signer(uri, Path(), never)


def signs(uri: str, private: Private, algorithm: str) -> Signer:
    """The signer's key is that one, and what it signs is what verification accepts for it."""
    signer = opened(uri)
    scheme = "rsa-pkcs1v15-sha256" if algorithm == "rsa-pkcs1v15-sha256" else None
    key = load_key(signer.public_key_pem, scheme)
    assert (key.spki, key.algorithm) == (signer.spki, signer.algorithm)
    assert signer.algorithm == algorithm
    pem = "".join(signer.public_key_pem.decode().splitlines()[1:-1])
    assert base64.b64decode(pem) == spki(private)
    for data in (b"", b"a message", b"x" * 100_000):
        assert key.verifies(signer.sign(data), data)
    assert TOKEN not in repr(signer)
    return signer


def refused(uri: str, *words: str) -> AttestError:
    with pytest.raises(AttestError) as caught:
        opened(uri)
    _check(caught.value, *words)
    return caught.value


def refuses(signer: Signer, *words: str) -> None:
    with pytest.raises(AttestError) as caught:
        signer.sign(b"x")
    _check(caught.value, *words)


def _check(error: AttestError, *words: str) -> None:
    assert error.hint
    assert TOKEN not in f"{error} {error.hint}"
    for word in words:
        assert word in str(error)


def without_settings(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Nothing of this machine's or the caller's settings gets in, and nothing asks beyond this machine."""
    for name in ("AWS_PROFILE", "AWS_REGION", "VAULT_ADDR", "VAULT_TOKEN", "VAULT_NAMESPACE", "VAULT_CACERT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "HOME": str(home),
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": TOKEN,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(home / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / "none"),
        "NO_PROXY": "*",
    }.items():
        monkeypatch.setenv(name, value)
