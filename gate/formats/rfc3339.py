"""Times: RFC 3339 text on the outside, whole seconds since 1970 (UTC) on the inside."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
_LAST_S: Final = 253402300799  # the end of the year 9999, the last that RFC 3339 can write
_DURATION: Final = re.compile(r"([0-9]{1,6})([smhdw])")
_UNIT_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def parse_time(text: str) -> int | None:
    """Seconds since 1970, rounded down; `None` unless the text is a complete RFC 3339 time after 1970."""
    if not _TIME.fullmatch(text):
        return None
    try:
        seconds = int(datetime.fromisoformat(text).replace(microsecond=0).timestamp())
    except ValueError:
        return None
    return seconds if 0 <= seconds <= _LAST_S else None


def format_time(seconds: int) -> str:
    """`YYYY-MM-DDTHH:MM:SSZ` for seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_duration(text: str) -> int | None:
    """Seconds of a duration such as `30d`, `12h`, `90m`; `None` for anything else."""
    match = _DURATION.fullmatch(text)
    return int(match[1]) * _UNIT_S[match[2]] if match else None
