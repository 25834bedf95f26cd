"""Random access to bytes that are never read whole: a file, a part of one, or bytes in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, Protocol

CHUNK_BYTES: Final = 1 << 20


class SourceError(Exception):
    """The bytes could not be read as announced: a file that changed its size, or a read that came up short."""


class Source(Protocol):
    """Bytes of a known size."""

    @property
    def size(self) -> int:
        """The number of bytes."""

    def read_at(self, offset: int, length: int) -> bytes:
        """Exactly the bytes from `offset`, fewer only at the end. Raises `SourceError`."""


@dataclass(frozen=True, slots=True)
class FileSource:
    """A seekable binary file whose size was stated by whoever opened it."""

    file: BinaryIO
    size: int

    def read_at(self, offset: int, length: int) -> bytes:
        """See `Source`. A file that ends before its stated size is an error, never a short answer."""
        wanted = max(0, min(length, self.size - offset))
        self.file.seek(offset)
        parts: list[bytes] = []
        missing = wanted
        while missing:
            part = self.file.read(missing)
            if not part:
                raise SourceError("the file is shorter than its stated size")
            parts.append(part)
            missing -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


@dataclass(frozen=True, slots=True)
class BytesSource:
    """Bytes in memory."""

    data: bytes

    @property
    def size(self) -> int:
        """See `Source`."""
        return len(self.data)

    def read_at(self, offset: int, length: int) -> bytes:
        """See `Source`."""
        return self.data[offset : offset + length]


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of another source; the part lies inside it."""

    whole: Source
    start: int
    size: int

    def read_at(self, offset: int, length: int) -> bytes:
        """See `Source`."""
        wanted = max(0, min(length, self.size - offset))
        return self.whole.read_at(self.start + offset, wanted)


def chunks(source: Source, start: int = 0) -> Iterator[bytes]:
    """The bytes from `start` on, in pieces of at most `CHUNK_BYTES`."""
    for offset in range(start, source.size, CHUNK_BYTES):
        yield source.read_at(offset, CHUNK_BYTES)
