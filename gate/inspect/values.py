"""Parsed documents as inspectors look at them: objects of a strict reader and of lenient ones, without recursion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pairs:
    """An object of a lenient reader, with all its members, doubled ones too."""

    items: tuple[tuple[str, object], ...]


def members(value: object) -> tuple[tuple[str, object], ...]:
    """The members of an object; of anything else none."""
    if isinstance(value, Pairs):
        return value.items
    return tuple((str(key), item) for key, item in value.items()) if isinstance(value, Mapping) else ()


def objects(root: object) -> Iterator[tuple[tuple[str, object], ...]]:
    """The members of each object, at whatever depth."""
    waiting: list[object] = [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif inside := members(value):
            yield inside
            waiting.extend(item for _, item in inside)


def texts(root: object) -> Iterator[str]:
    """All texts inside a value."""
    waiting = [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            waiting.extend(value)
        else:
            waiting.extend(item for _, item in members(value))
