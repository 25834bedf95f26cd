"""Members of JSON objects that may or may not be there."""

from __future__ import annotations

from collections.abc import Mapping

from gate.formats.intoto import StatementError
from gate.formats.rfc3339 import parse_time
from gate.model.json import JsonValue


def member(value: JsonValue, *keys: str) -> JsonValue:
    """The value below nested objects; `None` where a member is absent."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def text(value: JsonValue, *keys: str) -> str | None:
    """Like `member`, for a string."""
    found = member(value, *keys)
    return found if isinstance(found, str) else None


def time(value: JsonValue, *keys: str) -> int | None:
    """Seconds since 1970 of an RFC 3339 member, `None` if absent; raises `StatementError` for any other text."""
    found = member(value, *keys)
    if found is None:
        return None
    seconds = parse_time(found) if isinstance(found, str) else None
    if seconds is None:
        raise StatementError("time", f"{'.'.join(keys)} is not an RFC 3339 time")
    return seconds
