"""The members of a trusted root, ready to verify with: authorities, logs, timestamp authorities, each with its time."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gate.formats.trusted_root import RootAuthority, RootLog, Span, parse_trusted_root
from gate.verify.certificate import quiet
from gate.verify.keys import KeyFormatError, TrustedKey, load_key

if TYPE_CHECKING:
    from cryptography import x509
    from rfc3161_client import Verifier

_PKCS1: Final = "rsa-pkcs1v15-sha256"
# The algorithm of a log's key is what the root says of it, and it has to fit the key.
_DETAILS: Final = {
    "PKIX_ECDSA_P256_SHA_256": "ecdsa-p256-sha256",
    "PKIX_ECDSA_P384_SHA_384": "ecdsa-p384-sha384",
    "PKIX_ED25519": "ed25519",
    "PKCS1_RSA_PKCS1V5": _PKCS1,
    "PKIX_RSA_PKCS1V5": _PKCS1,
    "PKIX_RSA_PKCS1V15_2048_SHA256": _PKCS1,
    "PKIX_RSA_PKCS1V15_3072_SHA256": _PKCS1,
    "PKIX_RSA_PKCS1V15_4096_SHA256": _PKCS1,
}


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority: its certificates from the one that issues to the one that is trusted."""

    chain: tuple[x509.Certificate, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Log:
    """A log. `hints` are the four bytes by which its signatures of a checkpoint may be marked.

    `key` is `None` where the gate does not verify with a key of that kind.
    """

    key: TrustedKey | None
    hints: frozenset[bytes]
    span: Span


@dataclass(frozen=True, slots=True)
class Stamper:
    """A timestamp authority."""

    verifier: Verifier
    span: Span


@dataclass(frozen=True, slots=True)
class Root:
    """What is trusted. Logs are known by their id in base64; an id may stand for several keys, one after the other."""

    authorities: tuple[Authority, ...]
    logs: Mapping[str, tuple[Log, ...]]
    certificate_logs: Mapping[str, tuple[Log, ...]]
    stampers: tuple[Stamper, ...]


@functools.lru_cache(maxsize=16)
@quiet()
def read_root(data: bytes) -> Root:
    """The members of a trusted root that parses; raises whatever a library does about a certificate."""
    root = parse_trusted_root(data)
    return Root(
        tuple(Authority(_chain(item), item.span) for item in root.authorities("certificateAuthorities")),
        _logs(root.members("tlogs")),
        _logs(root.members("ctlogs")),
        tuple(_stampers(root.authorities("timestampAuthorities"))),
    )


def _chain(item: RootAuthority) -> tuple[x509.Certificate, ...]:
    from cryptography import x509

    return tuple(x509.load_der_x509_certificate(one) for one in item.chain)


def _stampers(members: Iterator[RootAuthority]) -> Iterator[Stamper]:
    from rfc3161_client import VerifierBuilder

    for item in members:
        chain = _chain(item)
        if len(chain) > 1:  # without a certificate above its own nothing says that it is one
            first, *others = chain
            verifier = VerifierBuilder(tsa_certificate=first, intermediates=others[:-1], roots=others[-1:]).build()
            yield Stamper(verifier, item.span)


def _logs(members: Iterator[RootLog]) -> Mapping[str, tuple[Log, ...]]:
    found: dict[str, list[Log]] = {}
    for item in members:
        hints = {one[:4] for one in item.note_ids} | {hashlib.sha256(item.key).digest()[:4]}
        found.setdefault(item.id, []).append(Log(_key(item), frozenset(hints), item.span))
    return {key: tuple(logs) for key, logs in found.items()}


def _key(item: RootLog) -> TrustedKey | None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

    algorithm = _DETAILS.get(item.details)
    try:
        pem = load_der_public_key(item.key).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        key = load_key(pem, _PKCS1 if algorithm == _PKCS1 else None)
    except (KeyFormatError, ValueError):
        return None
    return key if key.algorithm == algorithm else None
