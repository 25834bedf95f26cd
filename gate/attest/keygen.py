"""New signing keys. The private one is readable by its owner alone from the first moment."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from gate.attest.files import create_file
from gate.attest.signers import passphrase_bytes
from gate.attest.signers.file import make_signer
from gate.attest.signers.key import KeySigner
from gate.errors import AttestError

KEY_TYPES: Final = ("p256", "p384", "ed25519")


def generate_key(kind: str, private: Path, public: Path, passphrase: str | None) -> KeySigner:
    """Writes a new key pair and returns its signer; raises `AttestError`. No existing file is ever touched.

    `kind` is one of `KEY_TYPES`. The private key is PKCS#8 PEM with mode 0600, encrypted when there is a passphrase.
    """
    for path in (private, public):
        # Said before a key is made; the creation below is what really prevents it.
        if path.exists() or path.is_symlink():
            raise AttestError(f"{path} exists already and is not overwritten", hint="choose another name")
    key = _generate(kind)
    encryption: KeySerializationEncryption = (
        BestAvailableEncryption(passphrase_bytes(passphrase)) if passphrase else NoEncryption()
    )
    signer = make_signer(key, str(private))
    create_file(private, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption), 0o600)
    try:
        create_file(public, signer.public_key_pem, 0o644)
    except AttestError:
        private.unlink()  # half a pair helps nobody, and it is ours: it was created a moment ago
        raise
    return signer


def _generate(kind: str) -> ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey:
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1() if kind == "p256" else ec.SECP384R1())
