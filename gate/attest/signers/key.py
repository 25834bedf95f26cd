"""What a private key is to the gate wherever it is kept: its public half, its one algorithm, a function that signs.

The algorithm follows from the key exactly as in `gate.verify.keys`: Ed25519; ECDSA P-256 with SHA-256 and P-384
with SHA-384, in DER; RSA of 2048 bits or more as PSS with SHA-256, or as PKCS#1 v1.5 with SHA-256 where the key's
keeper allows nothing else.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gate.errors import AttestError
from gate.model.digest import Digest, sha256_digest

MIN_RSA_BITS: Final = 2048
ED25519: Final = "ed25519"
P256: Final = "ecdsa-p256-sha256"
P384: Final = "ecdsa-p384-sha384"
PSS: Final = "rsa-pss-sha256"
PKCS1: Final = "rsa-pkcs1v15-sha256"
_CURVES: Final = {"secp256r1": P256, "secp384r1": P384}
# No longer than names are: a secret in Base64 may have letters and digits alone.
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
Sign = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class KeySigner:
    """A signer. Its text form shows nothing of the private key, nor of how it is reached."""

    algorithm: str
    public_key_pem: bytes
    spki: Digest
    _sign: Sign = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """The signature over exactly these bytes; raises `AttestError` where the key's keeper does not make one."""
        return self._sign(data)


def key_signer(key: PublicKeyTypes, origin: str, sign: Sign, algorithm: str | None = None) -> KeySigner:
    """The signer for a public key; raises `AttestError` for a kind that verification does not accept.

    `algorithm` is what the keeper signs with; it has to be the key's own, or PKCS#1 v1.5 for an RSA key.
    """
    own = algorithm_of(key, origin)
    if algorithm not in {None, own} and (own, algorithm) != (PSS, PKCS1):
        raise AttestError(f"{origin}: it signs with {algorithm}, and for this key only {own} is accepted")
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    spki = sha256_digest(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    return KeySigner(algorithm or own, pem, spki, sign)


def algorithm_of(key: PublicKeyTypes, origin: str) -> str:
    """The one algorithm of a key; raises `AttestError` for a kind that verification does not accept."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        return ED25519
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name not in _CURVES:
            raise AttestError(f"{origin}: curve {key.curve.name} is not accepted", hint="use P-256 or P-384")
        return _CURVES[key.curve.name]
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < MIN_RSA_BITS:
            raise AttestError(
                f"{origin}: an RSA key of {key.key_size} bits; at least {MIN_RSA_BITS} are needed",
                hint="use ECDSA P-256",
            )
        return PSS
    raise AttestError(f"{origin}: the key is neither Ed25519, ECDSA P-256 or P-384, nor RSA", hint="gate keygen")


def hashed(algorithm: str, data: bytes) -> bytes:
    """What a keeper that takes digests is given, for every algorithm but Ed25519."""
    return (hashlib.sha384(data) if algorithm == P384 else hashlib.sha256(data)).digest()


def environment_value(name: str, what: str) -> str:
    """A secret from the environment; raises `AttestError` without repeating what was given in place of a name."""
    if not _VARIABLE.fullmatch(name):
        raise AttestError(
            f"{what} this is not the name of an environment variable; the secret itself never belongs here",
            hint="env:NAME, with the secret in the variable NAME",
        )
    value = os.environ.get(name)
    if not value:
        raise AttestError(
            f"{what} the environment variable {name} is not set, or is empty", hint=f"export {name}, with the secret"
        )
    return value
