"""The difference between two commits: every path, both sides, by the content of blobs (SECURITY 21).

Names, ids and modes come from one `diff-tree` of full ids without rename detection; contents from one
`cat-file --batch` process. Every folder that holds a change is also read as a raw tree and checked: names that no
checkout could have would make one path stand for another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from gate.collect.files import MAX_DEPTH
from gate.collect.git_command import Blob, GitCommand, ObjectReader
from gate.collect.git_tree import TREE_BYTES, TreeEntry, parse_commit, parse_tree
from gate.collect.work_tree import WorkTree, parse_pointer
from gate.errors import HistoryError, LimitError
from gate.model.change import ChangeStatus, FileChange, FileSide
from gate.model.digest import Digest
from gate.model.path import path_bytes, path_text
from gate.model.settings import Limits

_RAW: Final = re.compile(rb":([0-7]{6}) ([0-7]{6}) ([0-9a-f]{40,64}) ([0-9a-f]{40,64}) ([ADMT])")
_LISTED: Final = re.compile(rb"(\d{6}) [a-z]+ ([0-9a-f]{40,64})\t(.+)", re.DOTALL)
_STATUS: Final = {
    b"A": ChangeStatus.ADDED,
    b"D": ChangeStatus.DELETED,
    b"M": ChangeStatus.MODIFIED,
    b"T": ChangeStatus.TYPE_CHANGED,
}
_REGULAR: Final = frozenset({"100644", "100755"})
_NOTHING: Final = "000000"


def listed_tree(command: GitCommand, tree: str) -> Iterator[tuple[bytes, TreeEntry]]:
    """All files, links and submodules of a tree with their paths; raises `HistoryError` when git cannot list them."""
    for line in command.run("ls-tree", "-r", "-z", "--full-tree", tree).output.split(b"\0")[:-1]:
        match = _LISTED.fullmatch(line)
        if match is None:
            raise HistoryError(f"git ls-tree says {path_text(line)!r}")
        yield match[3], TreeEntry(match[1].decode(), match[2].decode())


class Contents:
    """SHA-256 digests of blobs, each computed once. A pointer of Git LFS counts as what the work tree holds for it."""

    def __init__(self, objects: ObjectReader, work_tree: WorkTree) -> None:
        self._objects: Final = objects
        self._work_tree: Final = work_tree
        self._known: Final[dict[str, Blob]] = {}

    def side(self, entry: TreeEntry, path: bytes | None) -> FileSide:
        """One side of a change; `path` is where the work tree holds that side, `None` when it holds another."""
        return FileSide(entry.mode, self.digest(entry, path))

    def digest(self, entry: TreeEntry, path: bytes | None) -> Digest | None:
        """The digest of a regular file's content, `None` for a link or submodule."""
        if entry.mode not in _REGULAR:
            return None
        if entry.id not in self._known:
            self._known[entry.id] = self._objects.blob(entry.id)
        blob = self._known[entry.id]
        pointer = parse_pointer(blob.start)
        if pointer is not None and path is not None:
            disk = self._work_tree.read(path)
            if disk is not None and disk.digest == pointer.digest:
                return pointer.digest
        return blob.digest


class CommitTrees:
    """The folders of one commit by path, each read and checked once."""

    def __init__(self, objects: ObjectReader, commit: str) -> None:
        self._objects: Final = objects
        self._id_bytes: Final = len(commit) // 2
        root = parse_commit(objects.read(commit, "commit", TREE_BYTES))
        self._folders: Final[dict[bytes, Mapping[bytes, TreeEntry] | None]] = {b"": self._read(root)}

    def _read(self, tree: str) -> Mapping[bytes, TreeEntry]:
        return parse_tree(self._objects.read(tree, "tree", TREE_BYTES), self._id_bytes)

    def folder(self, path: bytes) -> Mapping[bytes, TreeEntry] | None:
        """The entries of a folder, `b""` for the root; `None` when no folder is there."""
        if path not in self._folders:
            entry = self.entry(path)
            is_folder = entry is not None and entry.mode == "040000"
            self._folders[path] = self._read(entry.id) if entry is not None and is_folder else None
        return self._folders[path]

    def entry(self, path: bytes) -> TreeEntry | None:
        """What lies at a path that is not the root's."""
        parent, _, name = path.rpartition(b"/")
        return (self.folder(parent) or {}).get(name)

    def leaf(self, path: bytes) -> TreeEntry | None:
        """What lies at a path, unless it is a folder."""
        found = self.entry(path)
        return None if found is None or found.mode == "040000" else found

    def files(self, path: bytes, depth: int = 0) -> Iterator[tuple[bytes, TreeEntry]]:
        """All that is no folder at or below a folder, with paths from the root; raises `LimitError` when too deep."""
        if depth > MAX_DEPTH:
            raise LimitError(f"a tree is nested more than {MAX_DEPTH} levels deep")
        for name, entry in (self.folder(path) or {}).items():
            below = path + b"/" + name if path else name
            if entry.mode == "040000":
                yield from self.files(below, depth + 1)
            else:
                yield below, entry


def diff_trees(
    command: GitCommand, objects: ObjectReader, contents: Contents, span: tuple[str, str], limits: Limits
) -> Mapping[str, FileChange]:
    """The changed paths from the first commit of `span` to the second, with both sides; sorted by path.

    Raises `HistoryError` for trees that are damaged, contradict themselves or hold impossible names, `LimitError`
    for more than `limits.files` changes.
    """
    records = _raw_records(command, span)
    if len(records) > limits.files:
        raise LimitError(f"more than {limits.files} files changed", hint="raise limits.files in gate.yaml")
    before, after = (CommitTrees(objects, commit) for commit in span)
    found: dict[str, FileChange] = {}
    for path, (status, old, new) in records.items():
        if before.leaf(path) != old or after.leaf(path) != new:
            raise HistoryError(f"the trees contradict themselves about {path_text(path)!r}")
        found[path_text(path)] = FileChange(
            _STATUS[status],
            None if old is None else contents.side(old, None),
            None if new is None else contents.side(new, path),
        )
    return dict(sorted(found.items()))


_Record = tuple[bytes, TreeEntry | None, TreeEntry | None]


def _raw_records(command: GitCommand, span: tuple[str, str]) -> Mapping[bytes, _Record]:
    options = ("-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--no-ext-diff", "--no-textconv")
    answer = command.run("diff-tree", *options, "--ignore-submodules=none", *span).output
    fields = answer.split(b"\0")
    if fields.pop() != b"" or len(fields) % 2:
        raise HistoryError("git diff-tree gave an answer that cannot be read")
    found: dict[bytes, _Record] = {}
    for head, path in zip(fields[::2], fields[1::2], strict=True):
        match = _RAW.fullmatch(head)
        if match is None or path in found:
            raise HistoryError(f"git diff-tree says {path_text(head)!r} about {path_text(path)!r}")
        found[path] = (match[5], _side(match[1], match[3]), _side(match[2], match[4]))
    return found


def _side(mode: bytes, name: bytes) -> TreeEntry | None:
    return None if mode.decode() == _NOTHING else TreeEntry(mode.decode(), name.decode())


def remaining_folders(
    objects: ObjectReader, contents: Contents, head: str, deleted: Iterable[str], limits: Limits
) -> Mapping[str, frozenset[Digest]]:
    """For each deleted path, the digests of the files that its nearest remaining folder holds at the head.

    Links and submodules have none. The root stands in only for files that lay in it: a folder of which nothing is
    left gives the empty set. Raises `LimitError` when such folders hold more than `limits.files` files.
    """
    trees = CommitTrees(objects, head)
    known: dict[bytes, frozenset[Digest]] = {}
    found: dict[str, frozenset[Digest]] = {}
    for path in deleted:
        folder = path_bytes(path).rpartition(b"/")[0]
        in_root = folder == b""
        while folder and trees.folder(folder) is None:
            folder = folder.rpartition(b"/")[0]
        if not folder and not in_root:
            found[path] = frozenset()
            continue
        if folder not in known:
            known[folder] = _digests(trees, contents, folder, limits)
        found[path] = known[folder]
    return found


def _digests(trees: CommitTrees, contents: Contents, folder: bytes, limits: Limits) -> frozenset[Digest]:
    found: set[Digest] = set()
    for count, (path, entry) in enumerate(trees.files(folder), 1):
        if count > limits.files:
            raise LimitError(f"{path_text(folder) or '.'!r} holds more than {limits.files} files")
        digest = contents.digest(entry, path)
        if digest is not None:
            found.add(digest)
    return frozenset(found)
