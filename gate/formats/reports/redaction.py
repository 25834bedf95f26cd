"""Values of secrets are taken out of every text before it is kept (SECURITY 35)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_MARK: Final = "[redacted]"


def redacted(text: str, values: Iterable[str]) -> str:
    """The text with each value blotted out, the longest first, whole or by the lines that it has."""
    parts = {part.strip() for value in values for part in (value, *value.splitlines())}
    for part in sorted(parts, key=len, reverse=True):
        if part:
            text = text.replace(part, _MARK)
    return text
