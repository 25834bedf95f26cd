"""Whether the work tree differs from the head, found out without running what a repository can configure.

`git status`, and `diff-files` for a file that changed within the clock's tick, hand files to filters. So git only
lists here what is in its index and in the head. This module compares status information itself, and hashes every
file for which it proves nothing. The index's own claims (assume unchanged, skip) count for nothing (SECURITY 23).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gate.collect.git import Repository
from gate.collect.git_command import ObjectReader
from gate.collect.git_diff import listed_tree
from gate.collect.git_tree import TreeEntry
from gate.collect.work_tree import WorkTree, parse_pointer
from gate.errors import HistoryError
from gate.model.change import FileSide
from gate.model.digest import Digest
from gate.model.path import path_bytes, path_text

PathFilter = Callable[[str], bool]
"""Says whether a path, relative to the outermost root, is meant."""
NamedFilter = Callable[[str, bool], bool]
"""Says whether a gate or an artifact names a path; the second argument is false for a link."""

_INDEX: Final = re.compile(rb"(\d{6}) ([0-9a-f]{40,64}) (\d)\t([^\0]+)\0")
_STATUS: Final = re.compile(
    rb"  ctime: (\d+):(\d+)\n  mtime: (\d+):(\d+)\n  dev: \d+\tino: (\d+)\n  uid: (\d+)\tgid: (\d+)\n"
    rb"  size: (\d+)\tflags: [0-9a-f]+\n"
)
# The index keeps 32 bits of each number.
_MASK: Final = 0xFFFFFFFF
# Files change without a new time stamp within one tick of the kernel's clock, which is at most 10 ms.
_TICK_NS: Final = 50_000_000
_SUBMODULE: Final = "160000"
_LINK: Final = "120000"
# What the gate's own commands write besides evidence. It counts for nothing, and may hold a private key: ignored, it
# stays where it is even below a gate.
_OWN: Final = (".gate/.gitignore", ".gate/keys/", ".gate/statements/")


@dataclass(frozen=True, slots=True)
class Judged:
    """What counts when a work tree is compared.

    `new` are the head's sides of changed files, by path. Their bytes, and those of files that are `named`, are
    compared whatever the index says of them: anybody can write an index. Files that git does not track count when
    `named`, whatever ignore files say; nothing counts that is `excluded`. `limit` is the number of files that are
    looked at below an untracked repository.
    """

    new: Mapping[str, FileSide | None]
    named: NamedFilter
    excluded: PathFilter
    limit: int


@dataclass(frozen=True, slots=True)
class _Tracked:
    entry: TreeEntry
    merged: bool
    status: tuple[int, ...] | None
    """As the index has it: ctime, mtime (both seconds, nanoseconds), inode, uid, gid, size."""


def is_dirty(repository: Repository, work_tree: WorkTree, tree: str, judged: Judged) -> bool:
    """Whether tracked files, or untracked ones that are named, differ from a tree (the head's).

    A file counts as the tree's when it has its bytes and mode, is what a Git LFS pointer there stands for, or
    differs only in having line ends CR LF for LF. A file missing on disk and a submodule at another commit differ.
    Raises `HistoryError` when git cannot list them, `EvidenceError` for files that cannot be read.
    """
    return _Comparison(repository, work_tree, judged, b"").differs(tree)


class _Comparison:
    """One repository; submodules are compared by one of their own with `prefix`, their path and a slash."""

    def __init__(self, repository: Repository, work_tree: WorkTree, judged: Judged, prefix: bytes) -> None:
        self._repository: Final = repository
        self._work_tree: Final = work_tree
        self._judged: Final = judged
        self._prefix: Final = prefix

    def differs(self, tree: str) -> bool:
        # Taken before the index is read: an index written later only makes fewer files provably unchanged.
        written_ns = _modified_ns(self._repository)
        index = self._index()
        if self._head(tree) != {path: tracked.entry for path, tracked in index.items()}:
            return True
        with self._repository.command.objects() as objects:
            if any(self._tracked_differs(path, entry, written_ns, objects) for path, entry in index.items()):
                return True
        return self._deleted_is_there(index) or self._untracked_is_named()

    def _text(self, path: bytes) -> str:
        return path_text(self._prefix + path)

    def _head(self, tree: str) -> dict[bytes, TreeEntry]:
        listed = listed_tree(self._repository.command, tree)
        return {path: entry for path, entry in listed if not self._judged.excluded(self._text(path))}

    def _index(self) -> dict[bytes, _Tracked]:
        command = self._repository.command
        found = self._parsed(command.run("ls-files", "-z", "--stage", "--debug").output, with_status=True)
        if found is None:
            # `--debug` may look otherwise in another version of git: then every file is hashed.
            found = self._parsed(command.run("ls-files", "-z", "--stage").output, with_status=False)
        if found is None:
            raise HistoryError("git ls-files gave an answer that cannot be read")
        return found

    def _parsed(self, answer: bytes, *, with_status: bool) -> dict[bytes, _Tracked] | None:
        found: dict[bytes, _Tracked] = {}
        at = 0
        while at < len(answer):
            match = _INDEX.match(answer, at)
            if match is None:
                return None
            at = match.end()
            numbers: tuple[int, ...] | None = None
            if with_status:
                status = _STATUS.match(answer, at)
                if status is None:
                    return None
                at = status.end()
                numbers = tuple(int(number) for number in status.groups())
            if not self._judged.excluded(self._text(match[4])):
                entry = TreeEntry(match[1].decode(), match[2].decode())
                found[match[4]] = _Tracked(entry, match[3] == b"0", numbers)
        return found

    def _tracked_differs(self, path: bytes, tracked: _Tracked, written_ns: int, objects: ObjectReader) -> bool:
        if not tracked.merged:
            return True
        if tracked.entry.mode == _SUBMODULE:
            return self._submodule_differs(path, tracked.entry.id)
        text = self._text(path)
        if text not in self._judged.new and not self._judged.named(text, tracked.entry.mode != _LINK):
            status = self._work_tree.status(path)
            if status is None:
                return True
            if tracked.status is not None and _proves(tracked, status, written_ns):
                return False
        return self._content_differs(path, tracked.entry, self._judged.new.get(text), objects)

    def _content_differs(self, path: bytes, entry: TreeEntry, side: FileSide | None, objects: ObjectReader) -> bool:
        disk = self._work_tree.read(path)
        if disk is None or disk.mode != entry.mode:
            return True
        if disk.text_id == entry.id:
            return False
        if side is not None and side.digest is not None:
            return disk.digest != side.digest
        if disk.id == entry.id:
            return False
        return disk.digest is None or disk.digest != self._pointed_at(entry.id, objects)

    @staticmethod
    def _pointed_at(name: str, objects: ObjectReader) -> Digest | None:
        pointer = parse_pointer(objects.blob(name).start)
        return None if pointer is None else pointer.digest

    def _submodule_differs(self, path: bytes, commit: str) -> bool:
        """A submodule that is not checked out is an empty folder, or none, and no difference."""
        if self._work_tree.status(path + b"/.git") is None:
            # Everything below it is unknown to git, which does not list it either.
            return bool(self._work_tree.entries(path, self._judged.limit, lambda _: True))
        inner = Repository(self._repository.root / os.fsdecode(path))
        head = inner.head()
        if head is None or head[0] != commit:
            return True
        with WorkTree(inner.root, inner.object_format) as work_tree:
            return _Comparison(inner, work_tree, self._judged, self._prefix + path + b"/").differs(head[1])

    def _deleted_is_there(self, index: Mapping[bytes, _Tracked]) -> bool:
        """Whether a file that the change deletes still lies on disk, be it ignored by git or not."""
        if self._prefix:
            return False
        known = {self._text(path) for path in index}
        return any(
            side is None and path not in known and not self._judged.excluded(path) and self._is_file(path)
            for path, side in self._judged.new.items()
        )

    def _is_file(self, path: str) -> bool:
        status = self._work_tree.status(path_bytes(path))
        return status is not None and not stat.S_ISDIR(status.st_mode)

    def _untracked_is_named(self) -> bool:
        own: set[bytes] = set()
        for path in self._untracked():
            for found in self._below(path):
                text = self._text(found)
                if not self._judged.excluded(text) and self._judged.named(text, not self._work_tree.is_link(found)):
                    if not text.startswith(_OWN):
                        return True
                    own.add(path)
        return bool(own) and not own.isdisjoint(self._untracked("--exclude-per-directory=.gitignore"))

    def _untracked(self, *options: str) -> list[bytes]:
        return self._repository.command.run("ls-files", "-z", "--others", *options).output.split(b"\0")[:-1]

    def _below(self, path: bytes) -> Iterable[bytes]:
        """The path itself, or the files of a repository within, which git lists as a folder."""
        if not path.endswith(b"/"):
            return [path]
        return self._work_tree.entries(path.removesuffix(b"/"), self._judged.limit, lambda _: True)


def _modified_ns(repository: Repository) -> int:
    try:
        return repository.index.stat().st_mtime_ns
    except OSError:
        return 0


def _proves(tracked: _Tracked, status: os.stat_result, written_ns: int) -> bool:
    """Whether a file's status shows that it is as git last wrote or read it, long enough before the index."""
    is_link = stat.S_ISLNK(status.st_mode)
    if not is_link and not stat.S_ISREG(status.st_mode):
        return False
    mode = _LINK if is_link else "100755" if status.st_mode & stat.S_IXUSR else "100644"
    changed, modified = divmod(status.st_ctime_ns, 10**9), divmod(status.st_mtime_ns, 10**9)
    numbers = (*changed, *modified, status.st_ino, status.st_uid, status.st_gid, status.st_size)
    return (
        mode == tracked.entry.mode
        and tracked.status == tuple(number & _MASK for number in numbers)
        and max(status.st_mtime_ns, status.st_ctime_ns) + _TICK_NS < written_ns
    )
