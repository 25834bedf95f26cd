"""All members of a JSON value, however deep they lie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def members(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key, item
            yield from members(item)
    elif isinstance(value, list):
        for item in value:
            yield from members(item)
