"""Break glass: somebody lets images into one namespace for a short time, although a webhook would refuse them.

Facts: those of every collected statement, and the fields. The images are its subjects, by digest. It counts only where
an object carries it to a webhook, as `gate.app.admission_glass` says, and for nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.formats.intoto import RawStatement, StatementError
from gate.formats.predicates.collected import reader
from gate.formats.rfc3339 import parse_time
from gate.model.digest import Digest
from gate.model.json import JsonObject, JsonValue

CLAIM: Final = "admission.break_glass"
FIELDS: Final = ("namespace", "reason", "ticket", "approver", "created", "expires")


class BreakGlassError(ValueError):
    """A field does not hold what it has to."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def span_of(created: JsonValue, expires: JsonValue) -> tuple[int, int]:
    """From when to when it holds, in seconds since 1970; raises `BreakGlassError`."""
    begins, ends = _time("created", created), _time("expires", expires)
    if not begins < ends:
        raise BreakGlassError("expires", "it ends after it begins")
    return begins, ends


def _time(field: str, value: JsonValue) -> int:
    seconds = parse_time(value) if isinstance(value, str) else None
    if seconds is None:
        raise BreakGlassError(field, f"{field} must be an RFC 3339 time, such as 2026-12-31T18:00:00Z")
    return seconds


def _facts(raw: RawStatement, subjects: Mapping[str, Digest]) -> JsonObject:
    if any(name != digest for name, digest in subjects.items()):
        raise StatementError("subject", "the subjects are the digests of the images, each as name and sha256")
    try:
        created_s, expires_s = span_of(raw.predicate["created"], raw.predicate["expires"])
    except BreakGlassError as error:
        raise StatementError("break_glass", str(error)) from None
    fields = {name: raw.predicate[name] for name in FIELDS}
    return {**fields, "created_s": created_s, "expires_s": expires_s}


READERS = reader(CLAIM, _facts)
