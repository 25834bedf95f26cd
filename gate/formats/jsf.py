"""JSON Signature Format (JSF 0.82): signatures inside the JSON object that they are over.

What is signed is the canonical form (RFC 8785) of the object, its `signature` included but for the `value` of the one
that is looked at. There is one signature, several that do not cover each other (`signers`), or a row of which each
covers those before it (`chain`). Members may not be left out of a signature (`excludes`), nor may it mean more than
the format says (`extensions`): what is verified is all that is read.

Keys and certificates that a signature brings are part of what is signed and prove nothing. Its algorithm is compared
with the one that the trusted key has, so a message chooses none.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from gate.formats.canonical_json import CanonicalJsonError, dumps
from gate.model.json import JsonObject, JsonValue

MEMBER: Final = "signature"
MAX_SIGNATURES: Final = 16
_SEVERAL: Final = ("signers", "chain")
_MEMBERS: Final = frozenset({"algorithm", "keyId", "publicKey", "certificatePath", "value"})
_ALGORITHMS: Final = {
    "ES256": "ecdsa-p256-sha256",
    "ES384": "ecdsa-p384-sha384",
    "Ed25519": "ed25519",
    "PS256": "rsa-pss-sha256",
    "RS256": "rsa-pkcs1v15-sha256",
}
"""The algorithms that are read, as trusted keys name them."""
_INTEGER_BYTES: Final = {"ES256": 32, "ES384": 48}
_URL_SAFE: Final = re.compile(r"[A-Za-z0-9_-]+")


class JsfError(ValueError):
    """Not a signed object that the gate reads. `code` is the reason word of the rejection."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class JsfSignature:
    """One signature: the algorithm that a trusted key must have, the signature as keys read it, and what it is over."""

    algorithm: str
    value: bytes
    signed: bytes


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """A well-formed signed object; nothing in it is verified. `content` is its canonical form without the signature."""

    document: JsonObject
    content: bytes
    signatures: tuple[JsfSignature, ...]


def parse_signed(document: JsonObject) -> SignedDocument:
    """The signatures of an object that has the member `signature`; raises `JsfError`."""
    signature = document[MEMBER]
    if not isinstance(signature, Mapping):
        raise JsfError("shape", "signature is not an object")
    several = [name for name in _SEVERAL if name in signature]
    if not several:
        signers, frames = [signature], [dict[str, list[JsonValue]]()]
    elif len(signature) > 1:
        raise JsfError("shape", f"{several[0]} has a member beside it: {min(signature.keys() - {several[0]})[:80]!r}")
    else:
        signers = _signers(signature[several[0]], several[0])
        frames = [{several[0]: _before(several[0], signers, number)} for number in range(len(signers))]
    parsed = [_parse(item, number) for number, item in enumerate(signers)]
    try:
        content = dumps({name: item for name, item in document.items() if name != MEMBER})
        signed = [
            dumps({**document, MEMBER: _framed(frame, _without_value(item))})
            for item, frame in zip(signers, frames, strict=True)
        ]
    except CanonicalJsonError as error:
        raise JsfError("number", f"the document has no canonical form: {error}") from None
    found = zip(parsed, signed, strict=True)
    return SignedDocument(document, content, tuple(JsfSignature(*item, data) for item, data in found))


def _signers(value: JsonValue, name: str) -> list[JsonObject]:
    if not isinstance(value, list) or not value:
        raise JsfError("shape", f"{name} is not a list of signatures")
    if len(value) > MAX_SIGNATURES:
        raise JsfError("too_many_signatures", f"{len(value)} signatures, at most {MAX_SIGNATURES} are read")
    found = [item for item in value if isinstance(item, Mapping)]
    if len(found) < len(value):
        raise JsfError("shape", f"{name} holds what is no object")
    return found


def _before(name: str, signers: list[JsonObject], number: int) -> list[JsonValue]:
    """What stands before a signature while it is made: in a chain the ones before it, else nothing."""
    return [*signers[:number]] if name == "chain" else []


def _framed(frame: Mapping[str, list[JsonValue]], signer: JsonObject) -> JsonObject:
    return {name: [*before, signer] for name, before in frame.items()} or signer


def _without_value(signer: JsonObject) -> JsonObject:
    return {name: item for name, item in signer.items() if name != "value"}


def _parse(signer: JsonObject, number: int) -> tuple[str, bytes]:
    extra = signer.keys() - _MEMBERS
    if extra:
        raise JsfError("shape", f"signature {number} has a member that is not read: {min(extra)[:80]!r}")
    algorithm, value = signer.get("algorithm"), signer.get("value")
    if not isinstance(algorithm, str) or algorithm not in _ALGORITHMS:
        known = ", ".join(_ALGORITHMS)
        raise JsfError("algorithm", f"signature {number} is of the algorithm {str(algorithm)[:80]!r}; read are {known}")
    data = _decode(value, number)
    size = _INTEGER_BYTES.get(algorithm)
    if size is None:
        return _ALGORITHMS[algorithm], data
    if len(data) != 2 * size:
        raise JsfError("signature", f"signature {number} has {len(data)} bytes, {algorithm} has {2 * size}")
    first, second = int.from_bytes(data[:size]), int.from_bytes(data[size:])
    return _ALGORITHMS[algorithm], encode_dss_signature(first, second)


def _decode(value: JsonValue, number: int) -> bytes:
    """The bytes of unpadded base64url, of which there is one text for the same bytes."""
    if not isinstance(value, str) or not _URL_SAFE.fullmatch(value):
        raise JsfError("base64", f"the value of signature {number} is not base64url")
    try:
        data = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except binascii.Error:
        raise JsfError("base64", f"the value of signature {number} is not base64url") from None
    if base64.urlsafe_b64encode(data).rstrip(b"=") != value.encode("ascii"):
        raise JsfError("base64", f"the value of signature {number} is not canonical base64url")
    return data
