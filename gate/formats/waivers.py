"""`waivers.yaml`: temporary exceptions, each with an owner and an end (DOCUMENTS 5, SECURITY 29).

A file that does not fit is refused as a whole, with the place of the mistake.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final

from gate.formats.rfc3339 import parse_time
from gate.formats.strict_yaml import Node, loads
from gate.model.digest import parse_digest
from gate.model.waiver import MAX_WAIVER_S, Waiver

_FIELDS: Final = (
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


def _waiver(node: Node) -> Waiver:
    fields = node.fields(*_FIELDS)
    for name in _FIELDS:
        if name not in fields and name != "finding":
            raise node.error(f"a waiver needs {name!r}")
    text = {name: field.text() for name, field in fields.items()}
    _check(fields, "id", lambda value: _ID.fullmatch(value) is not None, "letters, digits, '.', '_' and '-'")
    for name in ("control", "finding"):
        if name in fields:
            _check(fields, name, lambda value: "*" not in value, "one name; wildcards are not allowed")
    artifact = parse_digest(text["artifact"])
    if artifact is None:
        raise fields["artifact"].error("artifact must be the sha256:<hex> of the artifact or file that is waived")
    if _person(text["owner"]) == _person(text["approver"]):
        raise fields["approver"].error("the approver must be somebody else than the owner")
    created, expires = (_time(fields[name]) for name in ("created", "expires"))
    if not created < expires <= created + MAX_WAIVER_S:
        raise fields["expires"].error("a waiver ends after it begins, and at most 90 days later")
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


def _check(fields: Mapping[str, Node], name: str, holds: Callable[[str], bool], expected: str) -> None:
    if not holds(fields[name].text()):
        raise fields[name].error(f"{name} must be {expected}")


def _person(name: str) -> str:
    """A name as people compare it: without case, white space, width and characters that cannot be seen."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in folded if not c.isspace() and unicodedata.category(c) != "Cf")


def _time(node: Node) -> int:
    text = node.text()
    seconds = parse_time(text if "T" in text else f"{text}T00:00:00Z")
    if seconds is None:
        raise node.error("expected a date (2026-12-31) or an RFC 3339 time")
    return seconds
