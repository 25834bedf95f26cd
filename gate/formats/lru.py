"""Memory of what was read, bounded in bytes, in which nothing is believed without being hashed again (SECURITY 41)."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

OVERHEAD_BYTES: Final = 512
"""What an entry takes beside its bytes, about."""
_LENGTH_BYTES: Final = 8
V = TypeVar("V")


def sealed(parts: Iterable[bytes]) -> bytes:
    """The SHA-256 of some byte strings, each with its length, so that none of them can stand for two."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(_LENGTH_BYTES, "big"))
        whole.update(part)
    return whole.digest()


@dataclass(slots=True)
class _Entry(Generic[V]):
    value: V
    size: int


class Lru(Generic[V]):
    """What was used last, by key, up to `limit` bytes. What is larger than all of it is not kept.

    It does not know what its values are: whoever takes one out hashes it, and reports what is broken with `discard`.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry[V]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def bytes(self) -> int:
        """How much is kept, with what it takes to keep it."""
        return self._bytes

    def resize(self, limit: int) -> None:
        """Changes how much is kept at most."""
        with self._lock:
            self._limit = limit
            self._fit()

    def get(self, key: str) -> V | None:
        """What is kept under a key, which is used last now."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry.value

    def put(self, key: str, value: V, size: int) -> None:
        """Keeps a value of so many bytes instead of the one under its key."""
        size += OVERHEAD_BYTES
        with self._lock:
            self._remove(key)
            if size > self._limit:
                return
            self._entries[key] = _Entry(value, size)
            self._bytes += size
            self._fit()

    def discard(self, key: str, value: V | None = None) -> None:
        """Forgets what is under a key; with a value, only if it is still that one."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and (value is None or entry.value is value):
                self._remove(key)

    def _fit(self) -> None:
        while self._bytes > self._limit:
            self._remove(next(iter(self._entries)))

    def _remove(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= entry.size
