"""Public keys of trusted signers. The key fixes algorithm, curve and hash; a message never does (SECURITY 4).

| key | signature |
|---|---|
| Ed25519 | Ed25519 |
| EC P-256 | ECDSA with SHA-256, DER |
| EC P-384 | ECDSA with SHA-384, DER |
| RSA, 2048 bits or more | PSS with SHA-256; PKCS#1 v1.5 with SHA-256 where the signer's `scheme` says so |
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from gate.model.digest import Digest, sha256_digest

_PEM: Final = re.compile(rb"-----BEGIN PUBLIC KEY-----\s[A-Za-z0-9+/=\s]++-----END PUBLIC KEY-----")
_MIN_RSA_BITS: Final = 2048
# The y coordinates of the points of small order of Ed25519: for such a "key" anybody can make signatures.
_ED25519_PRIME: Final = (1 << 255) - 19
_ED25519_ORDER_8: Final = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_ED25519_WEAK: Final = frozenset(
    {0, 1, _ED25519_PRIME - 1, _ED25519_ORDER_8, _ED25519_PRIME - _ED25519_ORDER_8},
)
_PKCS1: Final = "rsa-pkcs1v15-sha256"
_PSS: Final = "rsa-pss-sha256"
SCHEMES: Final = (_PSS, _PKCS1)
_Check = Callable[[bytes, bytes], None]


class KeyFormatError(ValueError):
    """The text is not a public key that the gate can trust."""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key with its one way of verifying. `spki` is the SHA-256 of its SubjectPublicKeyInfo in DER."""

    spki: Digest
    algorithm: str
    _check: _Check
    hash: str | None = None
    """The hash under its signatures; `None` where the signature is over the message itself."""
    _check_digest: _Check | None = None

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether the signature is this key's over exactly these bytes."""
        return _holds(self._check, signature, data)

    def verifies_digest(self, signature: bytes, algorithm: str, digest: bytes) -> bool:
        """Whether the signature is this key's over a message with this digest, by the key's own hash."""
        return (
            self._check_digest is not None and algorithm == self.hash and _holds(self._check_digest, signature, digest)
        )


def _holds(check: _Check, signature: bytes, data: bytes) -> bool:
    try:
        check(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def load_key(pem: bytes, scheme: str | None = None) -> TrustedKey:
    """The one public key in a PEM text (SubjectPublicKeyInfo); raises `KeyFormatError`."""
    if b"PRIVATE KEY" in pem:
        raise KeyFormatError("this is a private key; the configuration names public keys")
    if not _PEM.fullmatch(pem.strip()):
        raise KeyFormatError("expected exactly one PEM block 'PUBLIC KEY' and nothing else")
    try:
        key = load_pem_public_key(pem.strip())
        spki = sha256_digest(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    except Exception as error:  # the library documents no closed set; whatever it raises, there is no key
        raise KeyFormatError(f"not a public key: {error}") from error
    if isinstance(key, rsa.RSAPublicKey):
        return _rsa(key, spki, scheme or _PSS)
    if scheme is not None:
        raise KeyFormatError("a scheme is given for RSA keys only")
    if isinstance(key, ed25519.Ed25519PublicKey):
        return _ed25519(key, spki)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _ec(key, spki)
    raise KeyFormatError("the key is neither Ed25519, ECDSA P-256 or P-384, nor RSA")


def _ed25519(key: ed25519.Ed25519PublicKey, spki: Digest) -> TrustedKey:
    y = int.from_bytes(key.public_bytes_raw(), "little") & ((1 << 255) - 1)
    if y % _ED25519_PRIME in _ED25519_WEAK:
        raise KeyFormatError("the key is a point of small order, for which anybody can sign")
    return TrustedKey(spki, "ed25519", key.verify)


def _rsa(key: rsa.RSAPublicKey, spki: Digest, scheme: str) -> TrustedKey:
    if key.key_size < _MIN_RSA_BITS:
        raise KeyFormatError(f"an RSA key of {key.key_size} bits; at least {_MIN_RSA_BITS} are needed")
    if scheme not in SCHEMES:
        raise KeyFormatError(f"unknown scheme {scheme!r}; known are {', '.join(SCHEMES)}")
    hashed = hashes.SHA256()
    pss = padding.PSS(mgf=padding.MGF1(hashed), salt_length=padding.PSS.AUTO)
    pad: padding.AsymmetricPadding = padding.PKCS1v15() if scheme == _PKCS1 else pss
    size = (key.key_size + 7) // 8

    def check(algorithm: hashes.HashAlgorithm | Prehashed) -> _Check:
        def checked(signature: bytes, data: bytes) -> None:
            # RFC 8017, 8.1.2 and 8.2.2: one length only. OpenSSL takes a PSS signature without its leading zeros, too.
            if len(signature) != size:
                raise InvalidSignature
            key.verify(signature, data, pad, algorithm)

        return checked

    return TrustedKey(spki, scheme, check(hashed), hashed.name, check(Prehashed(hashed)))


def _ec(key: ec.EllipticCurvePublicKey, spki: Digest) -> TrustedKey:
    curves: dict[str, tuple[str, hashes.HashAlgorithm]] = {
        "secp256r1": ("ecdsa-p256-sha256", hashes.SHA256()),
        "secp384r1": ("ecdsa-p384-sha384", hashes.SHA384()),
    }
    if key.curve.name not in curves:
        raise KeyFormatError(f"curve {key.curve.name} is not trusted; use P-256 or P-384")
    name, hashed = curves[key.curve.name]
    algorithm, of_digest = ec.ECDSA(hashed), ec.ECDSA(Prehashed(hashed))
    return TrustedKey(
        spki,
        name,
        lambda signature, data: key.verify(signature, data, algorithm),
        hashed.name,
        lambda signature, digest: key.verify(signature, digest, of_digest),
    )
