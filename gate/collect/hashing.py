"""Hashing many files over all cores, each read exactly once for every use of its bytes (SECURITY 12).

`hashlib` lets go of the interpreter lock for large blocks, so threads are enough.
"""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO, Final, TypeVar, cast

from gate.collect.files import Entry, opened_file, read_at_most, same_file
from gate.collect.tee import Tee
from gate.errors import EvidenceError
from gate.formats.hashes import Recipe, RecipeHasher, parse_recipe
from gate.model.digest import Digest, sha256_digest
from gate.model.path import path_text
from gate.model.scan import FileInspection

READ_BYTES: Final = 1 << 20
_ALONE_BYTES: Final = 8 << 20
"""Files that have no more bytes together are read by one thread: starting others takes longer."""
MEMORY_BYTES: Final = 16 << 20
"""Files up to this size are given to a visitor from memory, larger ones as an open file that is hashed meanwhile."""
_SPAN_BYTES: Final = 64 << 20
"""Shards smaller than this are hashed several at once: opening a file for each would take longer."""

Visit = Callable[[str, BinaryIO, int], FileInspection]
"""Is given a file's path, its bytes and its size; may be called by several threads at once, in any order."""
Wanted = Callable[[str, int], Collection[str]]
"""The words of the recipes to compute beside SHA-256, for a file's path and size."""
Tell = Callable[[int], object]
"""Is told how many bytes were just read; may be called by several threads at once."""
_Job = Callable[[memoryview], None]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Hashed:
    """A file that was read: its SHA-256, its size in bytes, and what the visitor said. `others` are by recipe word."""

    digest: Digest
    size: int
    inspection: FileInspection | None
    others: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unread:
    """A file of which nothing is known, and why."""

    reason: str


def nothing(_: str, __: int) -> Collection[str]:
    """No recipe is wanted."""
    return ()


def unheard(_: int) -> None:
    """Nobody watches."""


def hash_files(
    folder: int,
    files: Sequence[Entry],
    visit: Visit | None,
    prefix: str = "",
    wanted: Wanted = nothing,
    tell: Tell = unheard,
) -> list[Hashed]:
    """Read and hash regular files below an open folder; the results are in the order of `files`.

    `visit` is called once for each file, with the very bytes that are hashed: in memory or, above `MEMORY_BYTES`, as
    they come from the file (`Tee`); that the file did not change since it was listed is checked after that.
    `prefix` stands in front of paths in messages. Raises `EvidenceError` for a file that changed or cannot be read, and
    whatever `visit` raises; with several failures, that of the first file in which one was met.
    """
    reader = Reader(folder, prefix, tell)
    results: dict[int, Hashed] = {}

    def work(index: int, buffer: memoryview) -> None:
        results[index] = reader.hashed(files[index], visit, wanted, buffer)

    # The largest first: one that comes last would leave the other cores idle.
    order = sorted(range(len(files)), key=lambda index: -files[index].status.st_size)
    share([(index, partial(work, index)) for index in order], sum(entry.status.st_size for entry in files))
    return [results[index] for index in range(len(files))]


def hash_recipe(
    folder: int, files: Sequence[Entry], recipe: Recipe, prefix: str = "", tell: Tell = unheard
) -> list[str]:
    """What a recipe gives for each file; the shards of one large file are hashed by several threads at once.

    Raises `EvidenceError` as `hash_files` does.
    """
    reader = Reader(folder, prefix, tell)
    results: dict[tuple[int, int], str] = {}

    def work(index: int, start: int, end: int, buffer: memoryview) -> None:
        results[index, start] = reader.span(files[index], recipe, (start, end), buffer)

    spans = [
        (index, start, end)
        for index, entry in enumerate(files)
        for start, end in _spans(entry.status.st_size, recipe.shard_size)
    ]
    spans.sort(key=lambda span: span[1] - span[2])
    total = sum(entry.status.st_size for entry in files)
    share([(index, partial(work, index, start, end)) for index, start, end in spans], total)
    texts = ["" for _ in files]
    for (index, _), text in sorted(results.items()):
        texts[index] += text
    return texts


def _spans(size: int, shard_size: int | None) -> Iterable[tuple[int, int]]:
    step = size if shard_size is None else max(1, _SPAN_BYTES // shard_size) * shard_size
    starts = range(0, size, step) if size else (0,)
    return [(start, min(start + step, size)) for start in starts]


def share(jobs: Sequence[tuple[int, _Job]], total: int) -> None:
    """Does all jobs, by several threads when there is enough to read; raises the failure of the lowest number."""
    work = _Work(jobs)
    count = 1 if total <= _ALONE_BYTES else min(len(jobs), len(os.sched_getaffinity(0)))
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


class _Work:
    """Numbered jobs, taken one by one by any number of threads until one fails."""

    def __init__(self, jobs: Iterable[tuple[int, _Job]]) -> None:
        self.failures: dict[int, BaseException] = {}
        self._jobs = iter(jobs)
        self._lock = threading.Lock()

    def _next(self) -> tuple[int, _Job] | None:
        with self._lock:
            return None if self.failures else next(self._jobs, None)

    def stop(self) -> None:
        with self._lock:
            self._jobs = iter(())

    def run(self) -> None:
        buffer = memoryview(bytearray(READ_BYTES))
        while (following := self._next()) is not None:
            number, job = following
            try:
                job(buffer)
            except BaseException as error:  # noqa: BLE001 - told by the thread that waits for all
                self.failures[number] = error


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads files below an open folder; says so when one is not what was listed, or changes meanwhile."""

    folder: int
    prefix: str
    tell: Tell

    def hashed(self, entry: Entry, visit: Visit | None, wanted: Wanted, buffer: memoryview) -> Hashed:
        """Reads a file once for its SHA-256, the visitor, and all that is wanted."""
        path = path_text(entry.path)
        recipes = [parse_recipe(word) for word in sorted(wanted(path, entry.status.st_size))]

        def read(descriptor: int, size: int) -> Hashed:
            return self._read(descriptor, (path, size), visit, recipes, buffer)

        return self._opened(entry, read)

    def span(self, entry: Entry, recipe: Recipe, bounds: tuple[int, int], buffer: memoryview) -> str:
        """What a recipe gives for a part of a file that begins and ends with a shard."""

        def read(descriptor: int, _: int) -> str:
            hasher = RecipeHasher(recipe)
            position, end = bounds
            while position < end:
                count = os.preadv(descriptor, [buffer[: end - position]], position)
                if not count:
                    raise self._changed(path_text(entry.path))
                hasher.update(buffer[:count])
                position += count
                self.tell(count)
            return hasher.text()

        return self._opened(entry, read)

    def _opened(self, entry: Entry, read: Callable[[int, int], _T]) -> _T:
        path = path_text(entry.path)
        try:
            with opened_file(self.folder, entry.path.split(b"/")) as (descriptor, before):
                if not same_file(entry.status, before):
                    raise self._changed(path)
                found = read(descriptor, before.st_size)
                if not same_file(before, os.fstat(descriptor)):
                    raise self._changed(path)
        except OSError as error:
            raise EvidenceError(f"{self.prefix + path!r} cannot be read: {error.strerror}") from error
        return found

    def _read(
        self,
        descriptor: int,
        named: tuple[str, int],
        visit: Visit | None,
        recipes: Sequence[Recipe],
        buffer: memoryview,
    ) -> Hashed:
        path, size = named
        hashers = [RecipeHasher(recipe) for recipe in recipes]
        if visit is not None and size <= MEMORY_BYTES:
            data = read_at_most(descriptor, size)
            if data is None or len(data) != size:
                raise self._changed(path)
            self.tell(size)
            for hasher in hashers:
                hasher.update(data)
            return Hashed(sha256_digest(data), size, visit(path, io.BytesIO(data), size), _texts(recipes, hashers))
        digest = hashlib.sha256()
        tee = Tee(descriptor, [digest, *hashers], self.tell)
        inspection = None if visit is None else visit(path, cast("BinaryIO", tee), size)
        seen = tee.hashed
        blocks = self._blocks if size <= MEMORY_BYTES or not hashers else self._blocks_beside
        os.lseek(descriptor, seen, os.SEEK_SET)
        for block in blocks(descriptor, hashers, buffer):
            digest.update(block)
            self.tell(len(block))
            seen += len(block)
            if seen > size:
                break
        if seen != size:
            raise self._changed(path)
        return Hashed(Digest("sha256:" + digest.hexdigest()), size, inspection, _texts(recipes, hashers))

    @staticmethod
    def _blocks(descriptor: int, hashers: Sequence[RecipeHasher], buffer: memoryview) -> Iterable[memoryview]:
        while count := os.readv(descriptor, [buffer]):
            block = buffer[:count]
            for hasher in hashers:
                hasher.update(block)
            yield block

    @staticmethod
    def _blocks_beside(descriptor: int, hashers: Sequence[RecipeHasher], buffer: memoryview) -> Iterable[memoryview]:
        """The same, with the hashers in a thread of their own: one huge file then uses a second core."""
        from concurrent.futures import ThreadPoolExecutor

        def update(block: memoryview) -> None:
            for hasher in hashers:
                hasher.update(block)

        space, other = buffer, memoryview(bytearray(READ_BYTES))
        with ThreadPoolExecutor(1) as beside:
            before = beside.submit(update, space[:0])
            # One block is read while the one before is still being hashed.
            while count := os.readv(descriptor, [space]):
                before.result()
                before = beside.submit(update, space[:count])
                yield space[:count]
                space, other = other, space
            before.result()

    def _changed(self, path: str) -> EvidenceError:
        return EvidenceError(
            f"{self.prefix + path!r} changed while it was read", hint="nothing may write while the gate judges"
        )


def _texts(recipes: Sequence[Recipe], hashers: Sequence[RecipeHasher]) -> Mapping[str, str]:
    return {recipe.word: hasher.text() for recipe, hasher in zip(recipes, hashers, strict=True)}
