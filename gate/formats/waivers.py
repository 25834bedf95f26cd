"""Waivers: temporary exceptions, each with an owner and an end, as in `waivers.yaml` (DOCUMENTS 5, SECURITY 29).

A file that does not fit is refused as a whole, with the place of the mistake.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from gate.formats.rfc3339 import parse_time
from gate.formats.strict_yaml import Node, loads
from gate.model.digest import parse_digest
from gate.model.waiver import MAX_WAIVER_S, Waiver, can_be_told_apart, is_same_person

FIELDS: Final = (
    "id",
    "control",
    "artifact",
    "finding",
    "reason",
    "ticket",
    "owner",
    "approver",
    "created",
    "expires",
)
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def parse_waivers(data: bytes) -> Mapping[str, Waiver]:
    """The waivers of a file by id; raises `YamlError`.

    Whether a control exists and may be waived is not known here; `decide` asks the catalogue.
    """
    document = loads(data)
    root = document.fields("version", "waivers")
    version = root.get("version", document)
    if not version.is_integer(1):
        raise version.error("version must be 1")
    found: dict[str, Waiver] = {}
    for node in root["waivers"].items() if "waivers" in root else ():
        waiver = _waiver(node)
        if waiver.id in found:
            raise node.error(f"waiver id {waiver.id!r} occurs twice")
        found[waiver.id] = waiver
    return found


class WaiverError(ValueError):
    """A field does not hold what it has to."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def make_waiver(text: Mapping[str, str]) -> Waiver:
    """The waiver of fields that are there, all but `finding`; raises `WaiverError`."""
    _check(text, "id", lambda value: _ID.fullmatch(value) is not None, "letters, digits, '.', '_' and '-'")
    for name in ("control", "finding"):
        if name in text:
            _check(text, name, lambda value: "*" not in value, "one name; wildcards are not allowed")
    artifact = parse_digest(text["artifact"])
    if artifact is None:
        raise WaiverError("artifact", "artifact must be the sha256:<hex> of the artifact or file that is waived")
    if is_same_person(text["owner"], text["approver"]):
        raise WaiverError("approver", "the approver must be somebody else than the owner")
    if not can_be_told_apart(text["owner"], text["approver"]):
        raise WaiverError(
            "approver", "owner and approver must be written in the letters of one script, to tell them apart"
        )
    created, expires = (_time(text, name) for name in ("created", "expires"))
    if not created < expires <= created + MAX_WAIVER_S:
        raise WaiverError("expires", "a waiver ends after it begins, and at most 90 days later")
    return Waiver(
        text["id"],
        text["control"],
        artifact,
        text.get("finding"),
        text["reason"],
        text["ticket"],
        text["owner"],
        text["approver"],
        created,
        expires,
    )


def _waiver(node: Node) -> Waiver:
    fields = node.fields(*FIELDS)
    for name in FIELDS:
        if name not in fields and name != "finding":
            raise node.error(f"a waiver needs {name!r}")
    try:
        return make_waiver({name: field.text() for name, field in fields.items()})
    except WaiverError as error:
        raise fields[error.field].error(str(error)) from None


def _check(text: Mapping[str, str], name: str, holds: Callable[[str], bool], expected: str) -> None:
    if not holds(text[name]):
        raise WaiverError(name, f"{name} must be {expected}")


def _time(text: Mapping[str, str], name: str) -> int:
    value = text[name]
    seconds = parse_time(value if "T" in value else f"{value}T00:00:00Z")
    if seconds is None:
        raise WaiverError(name, "expected a date (2026-12-31) or an RFC 3339 time")
    return seconds
