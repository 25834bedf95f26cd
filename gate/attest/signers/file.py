"""Private keys in PEM files (PKCS#8, RFC 5958), encrypted or not.

The algorithm follows from the key exactly as in `gate.verify.keys`: Ed25519; ECDSA P-256 with SHA-256 and P-384
with SHA-384, in DER; RSA of 2048 bits or more as PSS with SHA-256. No message names key material, nor what a
library said about it.
"""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from gate.attest.files import open_regular
from gate.attest.signers import Passphrase, passphrase_bytes
from gate.errors import AttestError
from gate.model.digest import Digest, sha256_digest

_KEY_BYTES: Final = 64 << 10
_MIN_RSA_BITS: Final = 2048
_SALT_BYTES: Final = 32
_PLAIN: Final = b"-----BEGIN PRIVATE KEY-----"
_ENCRYPTED: Final = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"
_Sign = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class FileSigner:
    """A signer whose private key was read from a file. Its text form shows nothing of the key."""

    algorithm: str
    public_key_pem: bytes
    spki: Digest
    _sign: _Sign = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """The signature over exactly these bytes."""
        return self._sign(data)


def load_file_signer(path: Path, passphrase: Passphrase) -> FileSigner:
    """Reads a private key; raises `AttestError`.

    Refuses what others may read, anything but one PKCS#8 block, and keys that verification would not accept.
    """
    data, status = open_regular(path, _KEY_BYTES)
    pem = data.strip()
    if b"-----BEGIN PUBLIC KEY-----" in pem:
        raise AttestError(f"{path} is a public key; signing needs the private one", hint="name the .key file")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise AttestError(
            f"{path} can be read by others (mode {stat.S_IMODE(status.st_mode):03o})", hint=f"chmod 600 {path}"
        )
    if pem.count(b"-----BEGIN ") != 1 or not pem.startswith((_PLAIN, _ENCRYPTED)):
        raise AttestError(
            f"{path} is not one private key in PKCS#8 PEM", hint=f"openssl pkcs8 -topk8 -in {path} -out NEW.key"
        )
    secret = passphrase_bytes(passphrase(f"Passphrase of {path}")) if pem.startswith(_ENCRYPTED) else None
    return make_signer(_load(path, pem, secret), str(path))


def _load(path: Path, pem: bytes, secret: bytes | None) -> PrivateKeyTypes:
    if secret == b"":
        raise AttestError(f"{path} is encrypted and needs its passphrase")
    try:
        return load_pem_private_key(pem, secret)
    except Exception:  # noqa: BLE001 - the library documents no closed set, and its text may quote its input
        problem = "cannot be decrypted: wrong passphrase, or damaged" if secret else "cannot be read as a private key"
        raise AttestError(f"{path} {problem}") from None


def make_signer(key: PrivateKeyTypes, origin: str) -> FileSigner:
    """The signer of a private key; raises `AttestError` for a kind that verification does not accept."""
    algorithm, sign = _signing(key, origin)
    public = key.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    spki = sha256_digest(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    return FileSigner(algorithm, pem, spki, sign)


def _signing(key: PrivateKeyTypes, origin: str) -> tuple[str, _Sign]:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519", key.sign
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return _ec(key, origin)
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < _MIN_RSA_BITS:
            raise AttestError(f"{origin}: an RSA key of {key.key_size} bits; at least {_MIN_RSA_BITS} are needed")
        hashed = hashes.SHA256()
        pad = padding.PSS(mgf=padding.MGF1(hashed), salt_length=_SALT_BYTES)
        return "rsa-pss-sha256", lambda data: key.sign(data, pad, hashed)
    raise AttestError(f"{origin}: the key is neither Ed25519, ECDSA P-256 or P-384, nor RSA", hint="gate keygen")


def _ec(key: ec.EllipticCurvePrivateKey, origin: str) -> tuple[str, _Sign]:
    curves: dict[str, tuple[str, hashes.HashAlgorithm]] = {
        "secp256r1": ("ecdsa-p256-sha256", hashes.SHA256()),
        "secp384r1": ("ecdsa-p384-sha384", hashes.SHA384()),
    }
    if key.curve.name not in curves:
        raise AttestError(f"{origin}: curve {key.curve.name} is not accepted; use P-256 or P-384", hint="gate keygen")
    name, hashed = curves[key.curve.name]
    algorithm = _ecdsa(hashed)
    return name, lambda data: key.sign(data, algorithm)


def _ecdsa(hashed: hashes.HashAlgorithm) -> ec.ECDSA:
    """With nonces of RFC 6979 where OpenSSL has them: signing the same bytes again gives the same file."""
    try:
        return ec.ECDSA(hashed, deterministic_signing=True)
    except UnsupportedAlgorithm:
        return ec.ECDSA(hashed)
