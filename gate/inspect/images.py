"""Pictures beside a model: they are whole, and nothing hides behind their end. What they show is not looked at."""

from __future__ import annotations

from typing import Final

from gate.inspect.context import Context, Findings
from gate.inspect.cursor import Cursor, CursorError
from gate.inspect.source import Source
from gate.model.scan import FileInspection, Severity

_PARTS: Final = 100_000
_BROKEN: Final = "breaks off, or is not made as such pictures are"
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_SCAN: Final = 0xDA
_END: Final = 0xD9


def inspect_png(_path: str, source: Source, context: Context) -> FileInspection:
    """Chunks up to the last one, `IEND`."""
    cursor = Cursor(source, 8)
    try:
        for _ in range(_PARTS):
            length = cursor.number(4, "big")
            kind = cursor.take(4)
            cursor.skip(length + 4)
            if kind == b"IEND":
                return _judged("png", cursor.at, source, context)
    except CursorError:
        pass
    return _not_inspected("png")


def inspect_jpeg(_path: str, source: Source, context: Context) -> FileInspection:
    """Segments, and the coded picture behind some of them, up to the end mark."""
    cursor = Cursor(source, 2)
    try:
        for _ in range(_PARTS):
            mark = cursor.take(2)
            if mark[0] != 0xFF:
                break
            if mark[1] == _END:
                return _judged("jpeg", cursor.at, source, context)
            if mark[1] == 0xFF:
                cursor.at -= 1
            elif mark[1] not in _ALONE:
                cursor.skip(max(cursor.number(2, "big") - 2, 0))
            if mark[1] == _SCAN:
                _skip_scan(cursor)
    except CursorError:
        pass
    return _not_inspected("jpeg")


def _skip_scan(cursor: Cursor) -> None:
    """Passes over coded bytes: in them a mark is followed by a zero, or restarts the picture."""
    while True:
        block = cursor.take(min(cursor.left, 1 << 15) or 1)
        start = cursor.at - len(block)
        at = block.find(0xFF)
        while 0 <= at < len(block) - 1:
            if block[at + 1] != 0 and block[at + 1] not in _ALONE:
                cursor.at = start + at
                return
            at = block.find(0xFF, at + 2)
        if at == len(block) - 1 and cursor.left:
            cursor.at -= 1


def inspect_gif(_path: str, source: Source, context: Context) -> FileInspection:
    """Blocks up to the trailer."""
    cursor = Cursor(source, 10)
    try:
        _skip_palette(cursor, cursor.number(1), 2)
        for _ in range(_PARTS):
            kind = cursor.take(1)
            if kind == b";":
                return _judged("gif", cursor.at, source, context)
            if kind == b",":
                cursor.skip(8)
                _skip_palette(cursor, cursor.number(1), 1)
            elif kind != b"!":
                break
            cursor.skip(1)
            for _ in range(_PARTS):
                size = cursor.number(1)
                cursor.skip(size)
                if not size:
                    break
    except CursorError:
        pass
    return _not_inspected("gif")


def _skip_palette(cursor: Cursor, flags: int, behind: int) -> None:
    if behind == 2:
        cursor.skip(2)
    if flags & 0x80:
        cursor.skip(3 << ((flags & 7) + 1))


def inspect_webp(_path: str, source: Source, context: Context) -> FileInspection:
    """One RIFF container that says how long it is."""
    end = int.from_bytes(source.read_at(4, 4), "little") + 8
    if source.read_at(0, 4) != b"RIFF" or end > source.size:
        return _not_inspected("webp")
    return _judged("webp", end, source, context)


def _judged(name: str, end: int, source: Source, context: Context) -> FileInspection:
    found = Findings(context.limits.findings)
    if end != source.size:
        found.add("file.trailing_data", Severity.HIGH, f"{source.size - end} bytes follow the end of the picture")
    return FileInspection(name, inspected=True, findings=found.done())


def _not_inspected(name: str) -> FileInspection:
    return FileInspection(name, inspected=False, reason=_BROKEN)
