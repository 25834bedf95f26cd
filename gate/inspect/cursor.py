"""Reads a source from front to back through a small window: fields, never the whole."""

from __future__ import annotations

from typing import Final

from gate.inspect.source import Source

_WINDOW_BYTES: Final = 64 << 10


class CursorError(Exception):
    """A field reaches past the end; the text says what was read."""


class Cursor:
    """A place in a source, from `at` to `end`. What lies outside is never read."""

    def __init__(self, source: Source, at: int = 0, end: int | None = None) -> None:
        self._source = source
        self._window = b""
        self._start = 0
        self.at = at
        self.end = source.size if end is None else end

    @property
    def left(self) -> int:
        """The number of bytes up to the end."""
        return self.end - self.at

    def skip(self, count: int) -> None:
        """Passes over bytes without reading them; raises `CursorError`."""
        if count > self.left:
            raise CursorError(f"{count} bytes are announced at byte {self.at}, {self.left} are left")
        self.at += count

    def take(self, count: int) -> bytes:
        """Exactly `count` bytes; raises `CursorError`. The caller bounds the count."""
        start = self.at
        self.skip(count)
        if start < self._start or self.at > self._start + len(self._window):
            self._window = self._source.read_at(start, max(count, min(_WINDOW_BYTES, self.end - start)))
            self._start = start
        return self._window[start - self._start : self.at - self._start]

    def number(self, width: int, order: str = "little") -> int:
        """An unsigned integer of some bytes; raises `CursorError`."""
        return int.from_bytes(self.take(width), "big" if order == "big" else "little")
