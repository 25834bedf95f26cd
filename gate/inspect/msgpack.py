"""MessagePack as Flax writes weights: maps, texts, numbers and arrays, and nothing that is looked up by a name.

A reader that follows the format builds nothing else. Types that an application defines are those of Flax, or refused.
"""

from __future__ import annotations

from typing import Final

from gate.inspect.context import CapError, Context, Findings
from gate.inspect.cursor import Cursor, CursorError
from gate.inspect.source import Source
from gate.model.scan import FileInspection, Severity

_FLAX: Final = frozenset({1, 2, 3})
"""Arrays, complex numbers and scalars, as `flax.serialization` marks them."""
_FIXED: Final = {
    0xC0: 0,
    0xC2: 0,
    0xC3: 0,
    0xCA: 4,
    0xCB: 8,
    **{0xCC + i: 1 << i for i in range(4)},
    **{0xD0 + i: 1 << i for i in range(4)},
}
_SIZED: Final = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_EXTENDED: Final = {0xC7: 1, 0xC8: 2, 0xC9: 4}
_MARKS: Final = frozenset({b"nd", b"kind", b"typ"})
_MARK_LENGTHS: Final = frozenset({2, 3, 4})
_ITEMS: Final = 500_000


class _BrokenError(Exception):
    """The bytes are not MessagePack; the text says why."""


def inspect_msgpack(_path: str, source: Source, context: Context) -> FileInspection:
    """Judges the structure of one value, and that it is the whole file."""
    found = Findings(context.limits.findings)
    cursor = Cursor(source)
    waiting, read = 1, 0
    try:
        if cursor.number(1) & 0xF0 != 0x80 and source.read_at(0, 1)[0] not in {0xDE, 0xDF}:
            raise _BrokenError("it does not begin with a map")  # noqa: TRY301
        cursor.at = 0
        while waiting:
            read += 1
            if read > _ITEMS:
                raise CapError("it holds more values than the limit")  # noqa: TRY301
            waiting += _value(cursor, found) - 1
    except (_BrokenError, CursorError, CapError) as problem:
        reason = f"not MessagePack that is read: {problem}"
        return FileInspection("msgpack", inspected=False, reason=reason, findings=found.done())
    if cursor.left:
        found.add("file.trailing_data", Severity.HIGH, f"{cursor.left} bytes follow the weights")
    return FileInspection("msgpack", inspected=True, findings=found.done())


def _value(cursor: Cursor, found: Findings) -> int:
    """Passes over one value; says how many values inside it follow."""
    head = cursor.number(1)
    if head <= 0x7F or head >= 0xE0:
        return 0
    if head <= 0x8F:
        return 2 * (head & 0x0F)
    if head <= 0x9F:
        return head & 0x0F
    if head <= 0xBF:
        _text(cursor, head & 0x1F, found)
    elif head in _FIXED:
        cursor.skip(_FIXED[head])
    elif head in _SIZED:
        _text(cursor, cursor.number(_SIZED[head], "big"), found)
    elif head in {0xDC, 0xDD}:
        return cursor.number(2 << (head - 0xDC), "big")
    elif head in {0xDE, 0xDF}:
        return 2 * cursor.number(2 << (head - 0xDE), "big")
    elif head == 0xC1:
        raise _BrokenError("a byte that is not in use")
    else:
        size = cursor.number(_EXTENDED[head], "big") if head in _EXTENDED else 1 << (head - 0xD4)
        if cursor.number(1) not in _FLAX:
            found.add("msgpack.extension", Severity.HIGH, "holds a type of an application that is not Flax")
        cursor.skip(size)
    return 0


def _text(cursor: Cursor, length: int, found: Findings) -> None:
    """Passes over a text. Some are marks by which other readers know arrays that hold a pickle."""
    if length in _MARK_LENGTHS:
        if cursor.take(length) in _MARKS:
            found.add("msgpack.extension", Severity.HIGH, "holds marks of msgpack-numpy or pandas, which unpickle")
    else:
        cursor.skip(length)
