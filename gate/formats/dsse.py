"""DSSE envelopes: parsing, and the bytes that are signed (DSSE v1.0, protocol.md and envelope.md)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gate.model.json import JsonValue

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
MAX_SIGNATURES: Final = 16
_ENVELOPE_MEMBERS: Final = frozenset({"payload", "payloadType", "signatures"})
_SIGNATURE_MEMBERS: Final = frozenset({"sig", "keyid"})
_STANDARD: Final = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_URL_SAFE: Final = re.compile(r"[A-Za-z0-9_-]*={0,2}")
_TO_STANDARD: Final = str.maketrans("-_", "+/")


class DsseError(ValueError):
    """Not an envelope. `code` is the reason word of the rejection."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Envelope:
    """A well-formed envelope; nothing in it is verified. There is deliberately no key id: it is unauthenticated."""

    payload_type: str
    payload: bytes
    signatures: tuple[bytes, ...]

    @property
    def signed_bytes(self) -> bytes:
        """What the signatures are over."""
        return pae(self.payload_type, self.payload)


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding: `DSSEv1 <len> <type> <len> <payload>`, lengths in bytes."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def parse_envelope(value: JsonValue) -> Envelope:
    """The envelope a strict JSON value holds; raises `DsseError`.

    Members other than those of the specification refuse, canonical base64 (standard or URL-safe) is required,
    and the payload type is exactly the in-toto one, which is printable ASCII (SECURITY 1, 5).
    """
    if not isinstance(value, Mapping):
        raise DsseError("shape", "a DSSE envelope is a JSON object")
    _exact_members(value, _ENVELOPE_MEMBERS, _ENVELOPE_MEMBERS, "envelope")
    payload_type = value["payloadType"]
    if payload_type != PAYLOAD_TYPE:
        raise DsseError("payload_type", f"payloadType is {_short(payload_type)}, expected {PAYLOAD_TYPE!r}")
    payload = decode_base64(value["payload"], "payload")
    return Envelope(PAYLOAD_TYPE, payload, _signatures(value["signatures"]))


def _signatures(value: JsonValue) -> tuple[bytes, ...]:
    if not isinstance(value, list):
        raise DsseError("shape", "signatures is not a list")
    if len(value) > MAX_SIGNATURES:
        raise DsseError("too_many_signatures", f"{len(value)} signatures, at most {MAX_SIGNATURES} are read")
    found = []
    for number, item in enumerate(value):
        if not isinstance(item, Mapping):
            raise DsseError("shape", f"signature {number} is not an object")
        _exact_members(item, {"sig"}, _SIGNATURE_MEMBERS, f"signature {number}")
        if not isinstance(item.get("keyid", ""), str | None):
            raise DsseError("shape", f"keyid of signature {number} is not a string")
        found.append(decode_base64(item["sig"], f"signature {number}"))
    return tuple(found)


def _exact_members(
    value: Mapping[str, JsonValue], required: frozenset[str] | set[str], allowed: frozenset[str], what: str
) -> None:
    missing, extra = required - value.keys(), value.keys() - allowed
    if missing:
        raise DsseError("shape", f"{what} lacks {', '.join(sorted(missing))}")
    if extra:
        raise DsseError("shape", f"{what} has a member that no DSSE envelope has: {_short(min(extra))}")


def decode_base64(value: JsonValue, what: str) -> bytes:
    """The bytes of canonical, padded base64 in one alphabet; raises `DsseError`.

    Re-encoding must give the same text: nothing is skipped and no two texts stand for the same bytes.
    """
    if not isinstance(value, str):
        raise DsseError("base64", f"{what} is not a string")
    try:
        data = binascii.a2b_base64(value)
        if binascii.b2a_base64(data, newline=False) == value.encode("ascii"):
            return data  # what gives itself again is canonical, whatever the reader skips
    except ValueError:
        pass  # told below
    if not (_STANDARD.fullmatch(value) or _URL_SAFE.fullmatch(value)):
        raise DsseError("base64", f"{what} is not base64")
    standard = value.translate(_TO_STANDARD)
    try:
        data = base64.b64decode(standard)
    except binascii.Error:
        raise DsseError("base64", f"{what} is not base64: wrong length or padding") from None
    if base64.b64encode(data) != standard.encode("ascii"):
        raise DsseError("base64", f"{what} is not canonical base64")
    return data


def _short(value: JsonValue) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
