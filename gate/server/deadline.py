"""How long an answer may take: what the configuration gives, unless the API server gives less (SECURITY 42)."""

from __future__ import annotations

import re
from typing import Final

MARGIN_S: Final = 0.5
"""What is left of the API server's own time for the way there and back."""
_LEAST_S: Final = 0.1
# A duration as Go writes it, as far as an API server may ask for it: 1 to 30 seconds.
_DURATION: Final = re.compile(rb"(?:(\d{1,3})m)?(?:(\d{1,4}(?:\.\d{1,9})?)s)?|(\d{1,6})ms")


def allowed_s(query: bytes, configured_s: float) -> float:
    """Seconds for an answer, by the parameter `timeout` of the request; what is no duration is as if it was not there.

    Of several the least holds.
    """
    given = [_seconds(part.removeprefix(b"timeout=")) for part in query.split(b"&") if part.startswith(b"timeout=")]
    return max(min([configured_s, *(seconds - MARGIN_S for seconds in given if seconds is not None)]), _LEAST_S)


def _seconds(text: bytes) -> float | None:
    match = _DURATION.fullmatch(text)
    if match is None or not text:
        return None
    minutes, seconds, milliseconds = match.groups()
    return float(minutes or 0) * 60 + float(seconds or 0) + float(milliseconds or 0) / 1000
