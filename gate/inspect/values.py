"""Parsed documents as inspectors look at them: objects of a strict reader and of lenient ones, without recursion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gate.inspect.context import CapError
from gate.inspect.limits import InspectLimits


def check_values(data: bytes, limits: InspectLimits) -> None:
    """Counts the values of a JSON text before they are in memory, where an empty list takes thirty times its bytes.

    Raises `CapError`.
    """
    if data.count(b",") + 4 * (data.count(b"[") + data.count(b"{")) > limits.json_values:
        raise CapError("holds more values than the limit for JSON")


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
