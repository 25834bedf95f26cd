"""Reads messages of Protocol Buffers by their wire format, as far as a table of shapes says what is in them.

No message is built and nothing is read that the shapes do not name: a field of gigabytes is passed over. A field that
no shape knows is told, because some loader may know it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from gate.inspect.context import CapError
from gate.inspect.cursor import Cursor, CursorError
from gate.inspect.source import Source

_VARINT: Final = 0
_FIXED64: Final = 1
_BYTES: Final = 2
_FIXED32: Final = 5
_VARINT_BYTES: Final = 10
_TEXT_BYTES: Final = 4096
_WAITING: Final = 500_000


class ProtobufError(Exception):
    """The bytes are not a message of the shape; the text says why."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of one kind of message: its fields by number.

    `messages` gives the kind of message in a field, `texts` a name for a text that is read; `others` are known and
    passed over, and so is what has a name in `spans`, but where its bytes are is told.
    """

    messages: Mapping[int, str] = field(default_factory=dict)
    texts: Mapping[int, str] = field(default_factory=dict)
    others: frozenset[int] = frozenset()
    spans: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its kind, the texts in it by name, fields nobody knows, and where the bytes of others are."""

    kind: str
    texts: Mapping[str, str]
    unknown: tuple[int, ...]
    spans: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """The text of a field, empty if it is not there."""
        return self.texts.get(name, "")


def read_messages(
    source: Source, root: str, shapes: Mapping[str, Shape], limit: int, text_bytes: int = _TEXT_BYTES
) -> Iterator[Message]:
    """All messages from the root down, a message before those inside it, without recursion.

    A text has at most `text_bytes`. Raises `ProtobufError` for bytes that are no message, `CapError` beyond `limit`
    fields.
    """
    cursor = Cursor(source)
    waiting = [(root, 0, source.size)]
    while waiting:
        kind, start, end = waiting.pop()
        cursor.at, cursor.end = start, end
        inside: list[tuple[str, int, int]] = []
        texts: dict[str, str] = {}
        unknown: list[int] = []
        spans: dict[str, tuple[int, int]] = {}
        shape = shapes[kind]
        while cursor.left:
            limit -= 1
            if limit < 0 or len(waiting) + len(inside) > _WAITING:
                raise CapError("has more fields than the limit")
            number, first, last = _field(cursor)
            if number in shape.messages or number in shape.texts:
                if first is None:
                    raise ProtobufError(f"field {number} of {kind} is not of its type")
                if number in shape.messages:
                    inside.append((shape.messages[number], first, last))
                elif shape.texts[number] in texts:
                    raise ProtobufError(f"field {number} of {kind} is there twice")
                else:
                    texts[shape.texts[number]] = _text(cursor, first, last, text_bytes)
            elif number in shape.spans and first is not None:
                spans[shape.spans[number]] = first, last
            elif number not in shape.others and number not in unknown and len(unknown) < 8:
                unknown.append(number)
        yield Message(kind, texts, tuple(unknown), spans)
        waiting.extend(reversed(inside))


def _field(cursor: Cursor) -> tuple[int, int | None, int]:
    """One field: its number, and where its bytes begin and end (a beginning of `None` for a number)."""
    try:
        tag = _varint(cursor)
        number, wire = tag >> 3, tag & 7
        if number == 0 or tag >> 32:
            raise ProtobufError(f"a field has the number {number}")
        if wire == _BYTES:
            length = _varint(cursor)
            first = cursor.at
            cursor.skip(length)
            return number, first, cursor.at
        if wire == _VARINT:
            _varint(cursor)
        elif wire in {_FIXED32, _FIXED64}:
            cursor.skip(4 if wire == _FIXED32 else 8)
        else:
            raise ProtobufError(f"field {number} is of wire type {wire}, which is not in use")
    except CursorError as problem:
        raise ProtobufError(f"a field reaches past its message: {problem}") from None
    return number, None, cursor.at


def _varint(cursor: Cursor) -> int:
    value = 0
    for shift in range(0, 7 * _VARINT_BYTES, 7):
        byte = cursor.take(1)[0]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
    raise ProtobufError("a number has more than ten bytes")


def _text(cursor: Cursor, first: int, last: int, limit: int) -> str:
    if last - first > limit:
        raise ProtobufError(f"a name of {last - first} bytes is longer than any that is read")
    cursor.at = first
    return cursor.take(last - first).decode("utf-8", "backslashreplace")
