"""The trusted root of a Sigstore instance: its authorities and logs, each with the time in which it is trusted.

Source: sigstore/protobuf-specs, sigstore_trustroot.proto in its JSON form. Read here is what says when something is
trusted; certificates and keys are read by what verifies with them.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gate.formats.rfc3339 import parse_time
from gate.formats.strict_json import StrictJsonError, loads
from gate.model.json import JsonObject, JsonValue

_MEDIA_TYPES: Final = (
    "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    "application/vnd.dev.sigstore.trustedroot+json;version=0.2",
    "application/vnd.dev.sigstore.trustedroot.v0.1+json",
    "application/vnd.dev.sigstore.trustedroot.v0.2+json",
)
_AUTHORITIES: Final = ("certificateAuthorities", "timestampAuthorities")
_LOGS: Final = ("tlogs", "ctlogs")
_ALWAYS: Final = (0, 1 << 62)


class TrustedRootError(ValueError):
    """Not a trusted root. The text says what was found instead."""


@dataclass(frozen=True, slots=True)
class Span:
    """When something is trusted, in seconds; both ends belong to it (sigstore_common.proto, TimeRange)."""

    begins_s: int
    ends_s: int

    def holds(self, at_s: int) -> bool:
        """Whether it was trusted then."""
        return self.begins_s <= at_s <= self.ends_s


@dataclass(frozen=True, slots=True)
class RootAuthority:
    """An authority: its certificates in DER, from the one that issues, or signs, to the one that is trusted."""

    chain: tuple[bytes, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class RootLog:
    """A log: its id in base64, its key in DER, what the root says the key is, and the ids that may mark its notes."""

    id: str
    key: bytes
    details: str
    note_ids: tuple[bytes, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class TrustedRoot:
    """A trusted root whose members have their times, and are otherwise unread. `data` are its bytes."""

    document: Mapping[str, Any]
    data: bytes

    @property
    def logs(self) -> frozenset[str]:
        """The ids of its transparency logs, in base64."""
        ids = [item.get("logId") for item in self.document["tlogs"]]
        return frozenset(str(item.get("keyId")) for item in ids if isinstance(item, Mapping))

    def authorities(self, name: str) -> Iterator[RootAuthority]:
        """The members of `certificateAuthorities` or `timestampAuthorities`; raises what a malformed one gives."""
        for item in self.document[name]:
            chain = tuple(_bytes(one["rawBytes"]) for one in item["certChain"]["certificates"])
            yield RootAuthority(chain, _span(item, name))

    def members(self, name: str) -> Iterator[RootLog]:
        """The members of `tlogs` or `ctlogs`; raises what a malformed one gives."""
        for item in self.document[name]:
            key, ids = item["publicKey"], [item.get("logId"), item.get("checkpointKeyId")]
            yield RootLog(
                id=str(item["logId"]["keyId"]),
                key=_bytes(key["rawBytes"]),
                details=str(key.get("keyDetails")),
                note_ids=tuple(_bytes(one["keyId"]) for one in ids if one),
                span=_span(item, name),
            )

    def without_stamp_ends(self, during: JsonObject) -> dict[str, Any]:
        """A part of the root without the ends of its timestamp authorities, and those without any certificate.

        Its version is the first, by its first name, which is the one that every reader knows.
        """
        listed: Any = during["timestampAuthorities"]
        members = [item for item in listed if item["certChain"]["certificates"]]
        opened = [{**item, "validFor": {"start": item["validFor"]["start"]}} for item in members]
        return {**during, "mediaType": _MEDIA_TYPES[0], "timestampAuthorities": opened}

    def during(self, begins_s: int, ends_s: int) -> JsonObject:
        """What of it was trusted at some moment of a span: the same document without the rest."""
        found = dict(self.document)
        for name in (*_LOGS, *_AUTHORITIES):
            members = self.document[name]
            found[name] = [item for item in members if _overlaps(span_of(item, name), begins_s, ends_s)]
        return found

    def weaknesses(self, now_s: int, max_age_s: int | None) -> Iterator[str]:
        """What of it is over at a time: kinds of members of which none is valid any more, and its age.

        A root does not say when it was made; it is as old as the member that was added last.
        """
        spans = {
            name: [span_of(item, name) or (0, 0) for item in self.document[name]] for name in (*_AUTHORITIES, *_LOGS)
        }
        if not any(spans.values()):
            yield "it has neither an authority nor a log"
        for name, found in spans.items():
            if found and not any(begins <= now_s <= ends for begins, ends in found):
                yield f"none of its {name} is valid now"
        newest_s = max((begins for found in spans.values() for begins, _ in found if begins <= now_s), default=now_s)
        if max_age_s is not None and now_s - newest_s > max_age_s:
            yield f"its newest member is {(now_s - newest_s) // 86400} days old, more than max_age allows"


def parse_trusted_root(data: bytes) -> TrustedRoot:
    """The trusted root in some bytes; raises `TrustedRootError`.

    A list that is absent is empty: a root of logs alone, of timestamp authorities alone, or of nothing at all serves
    managed keys. Whatever needs a member that is not there is refused.
    """
    try:
        value = loads(data)
    except StrictJsonError as error:
        raise TrustedRootError(str(error)) from None
    if not isinstance(value, Mapping) or value.get("mediaType") not in _MEDIA_TYPES:
        raise TrustedRootError(f"not a trusted root of Sigstore: its mediaType is not {_MEDIA_TYPES[0]!r}")
    document: dict[str, Any] = {**value, **{name: value.get(name, []) for name in (*_LOGS, *_AUTHORITIES)}}
    for name in (*_LOGS, *_AUTHORITIES):
        if not isinstance(document[name], list):
            raise TrustedRootError(f"{name} is not a list")
        for number, item in enumerate(document[name]):
            if span_of(item, name) is None:
                raise TrustedRootError(f"{name}[{number}] does not say when it is valid")
    return TrustedRoot(document, data)


def span_of(item: JsonValue, name: str) -> tuple[int, int] | None:
    """When a member of a list is trusted, from and to, in seconds; `None` when it does not say so."""
    holder = item.get("publicKey") if isinstance(item, Mapping) and name in _LOGS else item
    valid = holder.get("validFor") if isinstance(holder, Mapping) else None
    if not isinstance(valid, Mapping) or not isinstance(valid.get("start"), str):
        return None
    times = [valid["start"], valid.get("end")]
    found = [parse_time(text) if isinstance(text, str) else _ALWAYS[1] for text in times]
    return None if None in found else (found[0] or 0, found[1] or 0)


def _span(item: JsonValue, name: str) -> Span:
    begins_s, ends_s = span_of(item, name) or (1, 0)
    return Span(begins_s, ends_s)


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _overlaps(span: tuple[int, int] | None, begins_s: int, ends_s: int) -> bool:
    return span is not None and span[0] <= ends_s and begins_s <= span[1]
