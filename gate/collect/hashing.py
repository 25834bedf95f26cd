"""Hashing many files over all cores, each read exactly once for every use of its bytes (SECURITY 12).

`hashlib` lets go of the interpreter lock for large blocks, so threads are enough.
"""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from gate.collect.files import Entry, opened_file, read_at_most, same_file
from gate.errors import EvidenceError
from gate.model.digest import Digest, sha256_digest
from gate.model.path import path_text
from gate.model.scan import FileInspection

READ_BYTES: Final = 1 << 20
_ALONE_BYTES: Final = 8 << 20
"""Files that have no more bytes together are read by one thread: starting others takes longer."""
MEMORY_BYTES: Final = 32 << 20
"""Files up to this size are given to a visitor from memory, larger ones as an open file."""

Visit = Callable[[str, BinaryIO, int], FileInspection]
"""Is given a file's path, its bytes and its size; may be called by several threads at once, in any order."""


@dataclass(frozen=True, slots=True)
class Hashed:
    """A file that was read: its SHA-256, its size in bytes, and what the visitor said."""

    digest: Digest
    size: int
    inspection: FileInspection | None


def hash_files(folder: int, files: Sequence[Entry], visit: Visit | None, prefix: str = "") -> list[Hashed]:
    """Read and hash regular files below an open folder; the results are in the order of `files`.

    `visit` is called once for each file, with the very bytes that were hashed or, above `MEMORY_BYTES`, with the
    file that is still open; that the file did not change since it was listed is checked after that. `prefix` stands
    in front of paths in messages. Raises `EvidenceError` for a file that changed or cannot be read, and whatever
    `visit` raises; with several failures, that of the first file in which one was met.
    """
    # The largest first: one that comes last would leave the other cores idle.
    order = sorted(range(len(files)), key=lambda index: -files[index].status.st_size)
    work = _Work(folder, files, visit, prefix, order)
    total = sum(entry.status.st_size for entry in files)
    count = 1 if total <= _ALONE_BYTES else min(len(files), len(os.sched_getaffinity(0)))
    if count <= 1:
        work.run()
    else:
        threads = [threading.Thread(target=work.run) for _ in range(count)]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        finally:
            work.stop()
            for thread in threads:
                thread.join()
    if work.failures:
        raise work.failures[min(work.failures)]
    return [work.results[index] for index in range(len(files))]


class _Work:
    """Files to hash, taken one by one by any number of threads."""

    def __init__(
        self, folder: int, files: Sequence[Entry], visit: Visit | None, prefix: str, order: Sequence[int]
    ) -> None:
        self.results: dict[int, Hashed] = {}
        self.failures: dict[int, BaseException] = {}
        self._folder = folder
        self._files = files
        self._visit = visit
        self._prefix = prefix
        self._order = iter(order)
        self._lock = threading.Lock()

    def _next(self) -> int | None:
        with self._lock:
            return None if self.failures else next(self._order, None)

    def stop(self) -> None:
        with self._lock:
            self._order = iter(())

    def run(self) -> None:
        buffer = memoryview(bytearray(READ_BYTES))
        while (index := self._next()) is not None:
            try:
                self.results[index] = self._hash(self._files[index], buffer)
            except BaseException as error:  # noqa: BLE001 - told by the thread that waits for all
                self.failures[index] = error

    def _hash(self, entry: Entry, buffer: memoryview) -> Hashed:
        path = path_text(entry.path)
        try:
            with opened_file(self._folder, entry.path.split(b"/")) as (descriptor, before):
                if not same_file(entry.status, before):
                    raise self._changed(path)
                found = self._read(path, descriptor, before.st_size, buffer)
                if not same_file(before, os.fstat(descriptor)):
                    raise self._changed(path)
        except OSError as error:
            raise EvidenceError(f"{self._prefix + path!r} cannot be read: {error.strerror}") from error
        return found

    def _read(self, path: str, descriptor: int, size: int, buffer: memoryview) -> Hashed:
        if self._visit is not None and size <= MEMORY_BYTES:
            data = read_at_most(descriptor, size)
            if data is None or len(data) != size:
                raise self._changed(path)
            return Hashed(sha256_digest(data), size, self._visit(path, io.BytesIO(data), size))
        digest = hashlib.sha256()
        seen = 0
        while count := os.readv(descriptor, [buffer]):
            digest.update(buffer[:count])
            seen += count
            if seen > size:
                break
        if seen != size:
            raise self._changed(path)
        inspection = None
        if self._visit is not None:
            os.lseek(descriptor, 0, os.SEEK_SET)
            with open(descriptor, "rb", closefd=False) as file:
                inspection = self._visit(path, file, size)
        return Hashed(Digest("sha256:" + digest.hexdigest()), size, inspection)

    def _changed(self, path: str) -> EvidenceError:
        return EvidenceError(
            f"{self._prefix + path!r} changed while it was read", hint="nothing may write while the gate judges"
        )
