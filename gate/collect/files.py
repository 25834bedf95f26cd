"""Opening files below a root without ever following a link or waiting for a device (SECURITY 12).

Every folder on the way is opened by itself, relative to its parent, and refused when it is a link. Names come from
`gate.yaml` or from enumerating a folder, never from evidence.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from gate.errors import EvidenceError, LimitError
from gate.model.path import is_plain_relative, path_text

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a FIFO that took a file's place in the last moment must not wait for a writer.
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_READ_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 200
"""Levels of folders below the one that is enumerated."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What lies below an enumerated folder: `path` is relative to it, in bytes; folders are not listed themselves."""

    path: bytes
    status: os.stat_result


def plain_segments(path: str) -> list[bytes]:
    """The segments of a relative path out of `gate.yaml`; raises `EvidenceError` unless it stays below the root."""
    if not is_plain_relative(path):
        raise EvidenceError(
            f"the path {path!r} is not a plain relative path",
            hint="paths are relative to the root, with '/' between segments, and have no '..'",
        )
    try:
        return path.encode("utf-8").split(b"/")
    except UnicodeEncodeError:
        raise EvidenceError(f"the path {path!r} is not text that can be encoded") from None


@contextmanager
def opened_root(root: Path) -> Iterator[int]:
    """A descriptor of the root, which may itself be reached over links: a person named it."""
    try:
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise EvidenceError(f"the folder {str(root)!r} cannot be opened: {error.strerror}") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def opened_folder(base: int, segments: Sequence[bytes]) -> Iterator[int]:
    """A descriptor of a folder below `base`; raises `OSError`, also for a link on the way or at the end."""
    current = os.dup(base)
    try:
        for segment in segments:
            following = os.open(segment, _FOLDER, dir_fd=current)
            os.close(current)
            current = following
        yield current
    finally:
        os.close(current)


@contextmanager
def opened_file(base: int, segments: Sequence[bytes]) -> Iterator[tuple[int, os.stat_result]]:
    """A regular file below `base` with its status; raises `OSError`, or `NotRegularError` for anything else."""
    with opened_folder(base, segments[:-1]) as folder:
        # Looked at first: opening a device can already do something.
        if not stat.S_ISREG(os.lstat(segments[-1], dir_fd=folder).st_mode):
            raise NotRegularError("not a regular file")
        descriptor = os.open(segments[-1], _FILE, dir_fd=folder)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise NotRegularError("not a regular file")
        yield descriptor, status
    finally:
        os.close(descriptor)


class NotRegularError(OSError):
    """A link, folder, device, FIFO or socket where a regular file has to be."""

    def __init__(self, reason: str) -> None:
        super().__init__(None, reason)


def read_at_most(descriptor: int, limit: int) -> bytes | None:
    """The rest of a file; `None` when it has more than `limit` bytes, of which no more are read."""
    blocks: list[bytes] = []
    left = limit + 1
    while left and (block := os.read(descriptor, min(left, _READ_BYTES))):
        blocks.append(block)
        left -= len(block)
    return b"".join(blocks) if left else None


def same_file(before: os.stat_result, after: os.stat_result) -> bool:
    """Whether two looks at a file saw the same, unchanged file."""
    return identity(before) == identity(after)


def identity(status: os.stat_result) -> tuple[int, ...]:
    """What tells a file from another, and from itself after a change."""
    return (status.st_dev, status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def everything(_: bytes) -> bool:
    """A filter for `entries` that leaves nothing out."""
    return True


def entries(
    folder: int, limit: int, *, skip: frozenset[bytes] = frozenset(), wanted: Callable[[bytes], bool] = everything
) -> list[Entry]:
    """What is `wanted` of everything below a folder that is no folder, sorted by path; links are never followed.

    `skip` are names that are left out at every level. Raises `LimitError` for more than `limit` entries (folders
    and unwanted ones count) or more than `MAX_DEPTH` levels, `EvidenceError` for a folder that cannot be read.
    """
    walk = _Walk(limit, skip, wanted)
    walk.enter(folder, b"", 0)
    return sorted(walk.found, key=lambda entry: entry.path)


class _Walk:
    __slots__ = ("found", "left", "limit", "skip", "wanted")

    def __init__(self, limit: int, skip: frozenset[bytes], wanted: Callable[[bytes], bool]) -> None:
        self.found: list[Entry] = []
        self.limit = self.left = limit
        self.skip = skip
        self.wanted = wanted

    def enter(self, folder: int, prefix: bytes, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise LimitError(f"folders are nested more than {MAX_DEPTH} levels deep")
        try:
            with os.scandir(folder) as listing:
                names = [os.fsencode(item.name) for item in listing]
            for name in names:
                if name not in self.skip:
                    self._look(folder, prefix + name, name, depth)
        except OSError as error:
            raise EvidenceError(f"{path_text(prefix) or '.'!r} cannot be read: {error.strerror}") from error

    def _look(self, folder: int, path: bytes, name: bytes, depth: int) -> None:
        self.left -= 1
        if self.left < 0:
            raise LimitError(f"there are more than {self.limit} files", hint="raise limits.files in gate.yaml")
        status = os.lstat(name, dir_fd=folder)
        if stat.S_ISDIR(status.st_mode):
            with opened_folder(folder, [name]) as inner:
                self.enter(inner, path + b"/", depth + 1)
        elif self.wanted(path):
            self.found.append(Entry(path, status))


def file_exists(root: Path, path: str) -> bool:
    """Whether something lies at a path below the root, be it readable or not, a file or not.

    Raises `EvidenceError` for a path that is not plain and for one that crosses a link.
    """
    segments = plain_segments(path)
    with opened_root(root) as base:
        try:
            with opened_folder(base, segments[:-1]) as folder:
                os.lstat(segments[-1], dir_fd=folder)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise unreadable(path, error) from error
    return True


def read_regular(root: Path, path: str, limit: int) -> bytes:
    """The bytes of one regular file below the root, at most `limit`.

    Raises `EvidenceError` when it is absent, no regular file, reached over a link, changed meanwhile or cannot be
    read, `LimitError` when it is larger.
    """
    with open_regular(root, path) as file:
        data = read_at_most(file.fileno(), limit)
        if data is None:
            raise LimitError(f"{path!r} has more than the {limit} bytes that are read")
    return data


@contextmanager
def open_regular(root: Path, path: str) -> Iterator[BinaryIO]:
    """One regular file below the root, open for unbuffered reading.

    Raises `EvidenceError` as `read_regular` does; that it changed meanwhile is said when the context ends.
    """
    segments = plain_segments(path)
    with opened_root(root) as base:
        try:
            with opened_file(base, segments) as (descriptor, before):
                with open(descriptor, "rb", buffering=0, closefd=False) as file:
                    yield file
                if not same_file(before, os.fstat(descriptor)):
                    raise EvidenceError(f"{path!r} changed while it was read")
        except OSError as error:
            raise unreadable(path, error) from error


def read_folder(root: Path, folder: str, wanted: Callable[[str], bool], count: int, limit: int) -> Mapping[str, bytes]:
    """The wanted files below a folder by path below it: at most `count` files looked at, of at most `limit` bytes.

    Raises `EvidenceError` as `read_regular` does, also for what is wanted and no regular file, and for any link:
    behind it a wanted file could be. Raises `LimitError` for more files or bytes.
    """
    try:
        with opened_root(root) as base, opened_folder(base, plain_segments(folder)) as top:
            listed = entries(top, count)
    except OSError as error:
        raise unreadable(folder, error) from error
    paths = [path_text(entry.path) for entry in listed]
    for path, entry in zip(paths, listed, strict=True):
        if stat.S_ISLNK(entry.status.st_mode):
            raise EvidenceError(f"{f'{folder}/{path}'!r} is a link", hint="links are not followed: put the file there")
    return {path: read_regular(root, f"{folder}/{path}", limit) for path in paths if wanted(path)}


def unreadable(path: str, error: OSError) -> EvidenceError:
    """The error that says why a path below the root could not be read."""
    if isinstance(error, FileNotFoundError):
        return EvidenceError(
            f"{path!r} does not exist", hint="check the path in gate.yaml; paths are relative to the root"
        )
    if error.errno in {errno.ENOTDIR, errno.ELOOP}:
        return EvidenceError(
            f"{path!r} cannot be reached: a part of it is a link or a file", hint="links are not followed"
        )
    return EvidenceError(f"{path!r} cannot be read: {error.strerror}")
