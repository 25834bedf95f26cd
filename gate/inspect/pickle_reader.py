"""Reads the bytes of a pickle forwards through a window, so that a pickle of any size takes little memory."""

from __future__ import annotations

from typing import Final

from gate.inspect.pickle_values import MalformedError
from gate.inspect.source import Source

WINDOW_BYTES: Final = 1 << 18


class PickleReader:
    """A position in a source. Reading past the end raises `MalformedError`: a pickle ends with STOP, never by itself.

    `buffer` and `at` are open to the machine's main loop, which reads single operations out of the window.
    """

    __slots__ = ("_line_bytes", "_source", "_start", "at", "buffer")

    def __init__(self, source: Source, offset: int, line_bytes: int) -> None:
        self._source = source
        self._line_bytes = line_bytes
        self._start = offset
        self.buffer = b""
        self.at = 0

    @property
    def position(self) -> int:
        """The offset of the next byte."""
        return self._start + self.at

    @property
    def source(self) -> Source:
        """What is read."""
        return self._source

    def go_to(self, position: int) -> None:
        """Goes on at an offset, at most that of the end."""
        self._start, self.buffer, self.at = position, b"", 0

    @property
    def remaining(self) -> int:
        """The number of bytes from here to the end of the source."""
        return self._source.size - self.position

    def fill(self, count: int) -> None:
        """Makes at least `count` bytes available in the window."""
        if count > self.remaining:
            raise MalformedError(f"it ends at byte {self._source.size} in the middle of an operation")
        position = self.position
        self.buffer = self._source.read_at(position, max(count, WINDOW_BYTES))
        self._start, self.at = position, 0

    def take(self, count: int) -> bytes:
        """The next bytes."""
        end = self.at + count
        if end > len(self.buffer):
            self.fill(count)
            end = count
        data = self.buffer[self.at : end]
        self.at = end
        return data

    def skip(self, count: int) -> None:
        """Passes over bytes without reading them."""
        if count > self.remaining:
            raise MalformedError(f"it ends at byte {self._source.size} in the middle of an operation")
        if self.at + count <= len(self.buffer):
            self.at += count
        else:
            self.go_to(self.position + count)

    def number(self, width: int) -> int:
        """An unsigned little-endian number of `width` bytes."""
        return int.from_bytes(self.take(width), "little")

    def line(self) -> bytes:
        """The bytes up to the next line feed, without it; of a line beyond the limit only its beginning."""
        head = b""
        end = self.buffer.find(b"\n", self.at)
        while end < 0:
            head += self.buffer[self.at : self.at + self._line_bytes - len(head)]
            self.at = len(self.buffer)
            if not self.remaining:
                raise MalformedError("a line does not end")
            self.fill(1)
            end = self.buffer.find(b"\n")
        line = head + self.buffer[self.at : min(end, self.at + self._line_bytes - len(head))]
        self.at = end + 1
        return line
