"""Private keys in PEM (PKCS#8, RFC 5958), encrypted or not, in files and wherever else such a text is kept.

No message names key material, nor what a library said about it.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Final, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gate.attest.files import open_regular
from gate.attest.signers import Passphrase, passphrase_bytes
from gate.attest.signers.key import P384, KeySigner, Sign, algorithm_of, key_signer
from gate.errors import AttestError

_KEY_BYTES: Final = 64 << 10
_SALT_BYTES: Final = 32
_PLAIN: Final = b"-----BEGIN PRIVATE KEY-----"
_ENCRYPTED: Final = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"


def load_file_signer(path: Path, passphrase: Passphrase) -> KeySigner:
    """Reads a private key; raises `AttestError`.

    Refuses what others may read, anything but one PKCS#8 block, and keys that verification would not accept.
    """
    data = read_secret(path, _KEY_BYTES, public=b"-----BEGIN PUBLIC KEY-----")
    return parse_private_key(data, str(path), passphrase, f"openssl pkcs8 -topk8 -in {path} -out NEW.key")


def read_secret(path: Path, limit: int, public: bytes | None = None) -> bytes:
    """The bytes of a file that its owner alone can read; raises `AttestError`, first for what is public anyway."""
    data, status = open_regular(path, limit)
    if public is not None and public in data:
        raise AttestError(f"{path} is a public key; signing needs the private one", hint="name the .key file")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise AttestError(
            f"{path} can be read by others (mode {stat.S_IMODE(status.st_mode):03o})", hint=f"chmod 600 {path}"
        )
    return data


def parse_private_key(data: bytes, origin: str, passphrase: Passphrase, convert: str = "") -> KeySigner:
    """The signer of a PEM text; raises `AttestError`, which says where the text is from and nothing of it."""
    pem = data.strip()
    if pem.count(b"-----BEGIN ") != 1 or not pem.startswith((_PLAIN, _ENCRYPTED)):
        raise AttestError(f"{origin} is not one private key in PKCS#8 PEM", hint=convert or "openssl pkcs8 -topk8")
    secret = passphrase_bytes(passphrase(f"Passphrase of {origin}")) if pem.startswith(_ENCRYPTED) else None
    return make_signer(_load(origin, pem, secret), origin)


def _load(origin: str, pem: bytes, secret: bytes | None) -> PrivateKeyTypes:
    if secret == b"":
        raise AttestError(f"{origin} is encrypted and needs its passphrase")
    try:
        return load_pem_private_key(pem, secret)
    except Exception:  # noqa: BLE001 - the library documents no closed set, and its text may quote its input
        problem = "cannot be decrypted: wrong passphrase, or damaged" if secret else "cannot be read as a private key"
        raise AttestError(f"{origin} {problem}") from None


def make_signer(key: PrivateKeyTypes, origin: str) -> KeySigner:
    """The signer of a private key; raises `AttestError` for a kind that verification does not accept."""
    public = key.public_key()
    return key_signer(public, origin, _signing(key, algorithm_of(public, origin)))


def _signing(key: PrivateKeyTypes, algorithm: str) -> Sign:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign
    if isinstance(key, ec.EllipticCurvePrivateKey):
        ecdsa = _ecdsa(hashes.SHA384() if algorithm == P384 else hashes.SHA256())
        return lambda data: key.sign(data, ecdsa)
    rsa_key = cast("rsa.RSAPrivateKey", key)  # the algorithm is known, and the others are above
    hashed = hashes.SHA256()
    pss = padding.PSS(mgf=padding.MGF1(hashed), salt_length=_SALT_BYTES)
    return lambda data: rsa_key.sign(data, pss, hashed)


def _ecdsa(hashed: hashes.HashAlgorithm) -> ec.ECDSA:
    """With nonces of RFC 6979 where OpenSSL has them: signing the same bytes again gives the same file."""
    try:
        return ec.ECDSA(hashed, deterministic_signing=True)
    except UnsupportedAlgorithm:
        return ec.ECDSA(hashed)
