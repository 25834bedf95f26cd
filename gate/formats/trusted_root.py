"""The trusted root of a Sigstore instance: its authorities and logs, each with the time in which it is trusted.

Source: sigstore/protobuf-specs, sigstore_trustroot.proto in its JSON form. Read here is what says when something is
trusted; certificates and keys are read by what verifies with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gate.formats.rfc3339 import parse_time
from gate.formats.strict_json import StrictJsonError, loads
from gate.model.json import JsonObject, JsonValue

_MEDIA_TYPES: Final = (
    "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    "application/vnd.dev.sigstore.trustedroot.v0.2+json",
)
_AUTHORITIES: Final = ("certificateAuthorities", "timestampAuthorities")
_LOGS: Final = ("tlogs", "ctlogs")
_ALWAYS: Final = (0, 1 << 62)


class TrustedRootError(ValueError):
    """Not a trusted root. The text says what was found instead."""


@dataclass(frozen=True, slots=True)
class TrustedRoot:
    """A trusted root whose members have their times, and are otherwise unread."""

    document: Mapping[str, Any]

    @property
    def logs(self) -> frozenset[str]:
        """The ids of its transparency logs, in base64."""
        ids = [item.get("logId") for item in self.document["tlogs"]]
        return frozenset(str(item.get("keyId")) for item in ids if isinstance(item, Mapping))

    def during(self, begins_s: int, ends_s: int) -> JsonObject:
        """What of it was trusted at some moment of a span: the same document without the rest."""
        found = dict(self.document)
        for name in (*_LOGS, *_AUTHORITIES):
            members = self.document.get(name, [])
            found[name] = [item for item in members if _overlaps(_span(item, name), begins_s, ends_s)]
        return found


def parse_trusted_root(data: bytes) -> TrustedRoot:
    """The trusted root in some bytes; raises `TrustedRootError`."""
    try:
        value = loads(data)
    except StrictJsonError as error:
        raise TrustedRootError(str(error)) from None
    if not isinstance(value, Mapping) or value.get("mediaType") not in _MEDIA_TYPES:
        raise TrustedRootError(f"not a trusted root of Sigstore: its mediaType is not {_MEDIA_TYPES[0]!r}")
    for name in (*_LOGS, *_AUTHORITIES):
        members = value.get(name, [])
        if not isinstance(members, list) or not (members or name == "timestampAuthorities"):
            raise TrustedRootError(f"{name} is not a list with at least one member")
        for number, item in enumerate(members):
            if _span(item, name) is None:
                raise TrustedRootError(f"{name}[{number}] does not say when it is valid")
    return TrustedRoot(value)


def _span(item: JsonValue, name: str) -> tuple[int, int] | None:
    """When a member is trusted, in seconds; `None` when it does not say so."""
    holder = item.get("publicKey") if isinstance(item, Mapping) and name in _LOGS else item
    valid = holder.get("validFor") if isinstance(holder, Mapping) else None
    if not isinstance(valid, Mapping) or not isinstance(valid.get("start"), str):
        return None
    times = [valid["start"], valid.get("end")]
    found = [parse_time(text) if isinstance(text, str) else _ALWAYS[1] for text in times]
    return None if None in found else (found[0] or 0, found[1] or 0)


def _overlaps(span: tuple[int, int] | None, begins_s: int, ends_s: int) -> bool:
    return span is not None and span[0] <= ends_s and begins_s <= span[1]
