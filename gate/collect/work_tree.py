"""What the files of a work tree hold now, read without git, so that no filter can run (SECURITY 21, 23)."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from gate.collect.files import entries, opened_file, opened_folder, opened_root, same_file
from gate.errors import EvidenceError
from gate.model.digest import Digest
from gate.model.path import path_text

_READ_BYTES: Final = 1 << 20
_LINES_BYTES: Final = 32 << 20
_POINTER: Final = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\noid sha256:([0-9a-f]{64})\nsize (0|[1-9][0-9]{0,17})\n"
)
GIT: Final = b".git"


@dataclass(frozen=True, slots=True)
class DiskFile:
    """What lies at a path: git's mode, the SHA-256 of a regular file, and the id git would give its bytes.

    `text_id` is that id once line ends CR LF are made LF, `None` when there are none. `digest` is `None` for a link.
    """

    mode: str
    digest: Digest | None
    id: str
    text_id: str | None


@dataclass(frozen=True, slots=True)
class Pointer:
    """A Git LFS pointer: the digest and size of the content that it stands for."""

    digest: Digest
    size: int


def parse_pointer(data: bytes) -> Pointer | None:
    """The Git LFS pointer that a blob is, `None` when it is something else."""
    found = _POINTER.fullmatch(data)
    return Pointer(Digest("sha256:" + found[1].decode()), int(found[2])) if found else None


class WorkTree:
    """The files below a root, each hashed once. Links are never followed. To be used as a context.

    `object_format` is `sha1` or `sha256`. Methods take paths as bytes relative to the root and raise
    `EvidenceError` for what cannot be read or changes meanwhile.
    """

    def __init__(self, root: Path, object_format: str = "sha1") -> None:
        self._root: Final = root
        self._format: Final = object_format
        self._known: Final[dict[bytes, DiskFile | None]] = {}
        self._folders: Final[dict[bytes, bool]] = {}
        self._stack: Final = ExitStack()
        self._base = -1

    def __enter__(self) -> Self:
        self._base = self._stack.enter_context(opened_root(self._root))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def status(self, path: bytes) -> os.stat_result | None:
        """The status of what lies at a path; `None` when nothing does, also where a link takes a folder's place."""
        parent = path.rpartition(b"/")[0]
        if not self.is_folder(parent):
            return None
        try:
            return os.lstat(path, dir_fd=self._base)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise EvidenceError(f"{path_text(path)!r} cannot be read: {error.strerror}") from error

    def is_folder(self, path: bytes) -> bool:
        """Whether a folder, and no link to one, lies at a path; `b""` is the root."""
        if not path:
            return True
        if path not in self._folders:
            status = self.status(path)
            self._folders[path] = status is not None and stat.S_ISDIR(status.st_mode)
        return self._folders[path]

    def read(self, path: bytes) -> DiskFile | None:
        """The content at a path: a regular file or link; `None` for a folder, a device or nothing at all."""
        if path not in self._known:
            self._known[path] = self._read(path)
        return self._known[path]

    def _read(self, path: bytes) -> DiskFile | None:
        status = self.status(path)
        if status is None:
            return None
        try:
            if stat.S_ISLNK(status.st_mode):
                target = os.readlink(path, dir_fd=self._base)
                return DiskFile("120000", None, self._hasher(len(target), target).hexdigest(), None)
            if not stat.S_ISREG(status.st_mode):
                return None
            with opened_file(self._base, path.split(b"/")) as (descriptor, before):
                found = self._hashed(descriptor, before)
                if not same_file(before, os.fstat(descriptor)):
                    raise EvidenceError(f"{path_text(path)!r} changed while it was read")
        except OSError as error:
            raise EvidenceError(f"{path_text(path)!r} cannot be read: {error.strerror}") from error
        return found

    def _hashed(self, descriptor: int, status: os.stat_result) -> DiskFile:
        digest, own = hashlib.sha256(), self._hasher(status.st_size)
        kept = bytearray()
        buffer = memoryview(bytearray(_READ_BYTES))
        left = status.st_size
        # Not further than it was long: a file that grows would have no end.
        while left >= 0 and (count := os.readv(descriptor, [buffer])):
            left -= count
            digest.update(buffer[:count])
            own.update(buffer[:count])
            if status.st_size <= _LINES_BYTES:
                kept += buffer[:count]
        text_id = None
        if b"\r\n" in kept:
            text = bytes(kept).replace(b"\r\n", b"\n")
            text_id = self._hasher(len(text), text).hexdigest()
        mode = "100755" if status.st_mode & stat.S_IXUSR else "100644"
        return DiskFile(mode, Digest("sha256:" + digest.hexdigest()), own.hexdigest(), text_id)

    def _hasher(self, size: int, data: bytes = b"") -> hashlib._Hash:
        return hashlib.new(self._format, b"blob %d\0" % size + data, usedforsecurity=False)

    def is_link(self, path: bytes) -> bool:
        """Whether a link lies at a path."""
        status = self.status(path)
        return status is not None and stat.S_ISLNK(status.st_mode)

    def names(self, path: bytes) -> list[bytes]:
        """The names of all that lies directly in a folder, sorted, but for git's own."""
        try:
            with opened_folder(self._base, path.split(b"/") if path else []) as folder, os.scandir(folder) as listing:
                return sorted({os.fsencode(item.name) for item in listing} - {GIT})
        except OSError as error:
            raise EvidenceError(f"{path_text(path) or '.'!r} cannot be read: {error.strerror}") from error

    def entries(self, prefix: bytes, limit: int, wanted: Callable[[bytes], bool]) -> list[bytes]:
        """The wanted paths below a folder, sorted; those of git's own folders are left out.

        `prefix` itself is among them when it is no folder. Folders and links on the way are not followed. Raises
        `LimitError` when there are more than `limit` entries to look at.
        """
        status = self.status(prefix) if prefix else None
        if prefix and (status is None or not stat.S_ISDIR(status.st_mode)):
            return [prefix] if status is not None and wanted(prefix) else []
        start = prefix + b"/" if prefix else b""
        try:
            with opened_folder(self._base, prefix.split(b"/") if prefix else []) as folder:
                found = entries(folder, limit, skip=frozenset({GIT}), wanted=lambda path: wanted(start + path))
        except OSError as error:
            raise EvidenceError(f"{path_text(prefix)!r} cannot be read: {error.strerror}") from error
        return [start + entry.path for entry in found]
