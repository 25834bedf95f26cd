"""An open file that is hashed while it is read, so that one pass is enough (SECURITY 12)."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from typing import Protocol


class Hasher(Protocol):
    """What takes bytes in their order."""

    def update(self, data: memoryview, /) -> object:
        """Takes the next bytes."""


class Tee(io.RawIOBase):
    """The bytes of a descriptor, read in any order; `hashed` of them, from the start on, went to the hashers too.

    Each byte goes to them once, in order, with the read that first reaches it. What a reader jumps over has to be read
    by somebody else after that. The descriptor's own position does not matter and is left alone. `tell` is told how
    many bytes more are hashed.
    """

    def __init__(self, descriptor: int, hashers: Sequence[Hasher], told: Callable[[int], object]) -> None:
        super().__init__()
        self.hashed = 0
        self._descriptor = descriptor
        self._hashers = hashers
        self._told = told
        self._position = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """The next position; the end is the one that the file has now."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position}.get(whence)
        if base is None:
            base = os.fstat(self._descriptor).st_size
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """The position."""
        return self._position

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]  # all that readers give
        """As many bytes as one read gives; hashed, as far as they are the next ones."""
        space = memoryview(buffer).cast("B")
        count = os.preadv(self._descriptor, [space], self._position)
        start = self.hashed - self._position
        if 0 <= start < count:
            for hasher in self._hashers:
                hasher.update(space[start:count])
            self.hashed = self._position + count
            self._told(count - start)
        self._position += count
        return count
