"""Tree objects, read strictly: git itself accepts names that no checkout could hold (SECURITY 21, GIT-15)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gate.errors import HistoryError
from gate.model.path import path_text

TREE_BYTES: Final = 64 << 20
"""The largest commit or tree object that is read."""
# 100664 is found in the history of old repositories; git shows it as 100644.
_MODES: Final = {
    b"100644": "100644",
    b"100664": "100644",
    b"100755": "100755",
    b"120000": "120000",
    b"160000": "160000",
    b"40000": "040000",
}
_COMMIT: Final = re.compile(rb"tree ([0-9a-f]{40}|[0-9a-f]{64})\n")
_FORBIDDEN: Final = frozenset({b"", b".", b"..", b".git"})


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One name in a tree: git's six octal digits and the object's id."""

    mode: str
    id: str


def parse_tree(data: bytes, id_bytes: int) -> Mapping[bytes, TreeEntry]:
    """The entries of a tree object by name; `id_bytes` is 20 or 32.

    Raises `HistoryError` for names that are empty, `.`, `..`, `.git` in any case, carry a slash or occur twice,
    for an order that is not git's, and for modes that git does not write.
    """
    found: dict[bytes, TreeEntry] = {}
    before = b""
    at = 0
    while at < len(data):
        space, end = data.find(b" ", at), data.find(b"\0", at)
        if not at < space < end or end + 1 + id_bytes > len(data):
            raise HistoryError("a tree object is damaged")
        mode, name = _MODES.get(data[at:space]), data[space + 1 : end]
        if mode is None:
            raise HistoryError(f"a tree holds {path_text(name)!r} with mode {path_text(data[at:space])!r}")
        check_name(name)
        # Git sorts folders as if their names ended in a slash.
        order = name + b"/" if mode == "040000" else name
        if name in found or order <= before:
            raise HistoryError(f"a tree holds {path_text(name)!r} twice or out of order")
        before = order
        at = end + 1 + id_bytes
        found[name] = TreeEntry(mode, data[end + 1 : at].hex())
    return found


def parse_commit(data: bytes) -> str:
    """The id of a commit's tree; raises `HistoryError` when it does not begin with one."""
    found = _COMMIT.match(data)
    if found is None:
        raise HistoryError("a commit object does not begin with its tree")
    return found[1].decode()


def check_name(name: bytes) -> None:
    """Raise `HistoryError` for a name that cannot be the name of one file or folder."""
    if b"/" in name or name.lower() in _FORBIDDEN:
        raise HistoryError(f"a tree holds the name {path_text(name)!r}, which no checkout can have")
