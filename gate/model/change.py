"""What changed: the facts git (or a plain folder) gives about the files below the root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from gate.model.digest import Digest


class ChangeStatus(Enum):
    """How a path differs between the merge base and the head; renames are a deletion and an addition."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"
    TYPE_CHANGED = "type_changed"


class ChangeSource(Enum):
    """How the change set came about."""

    COLLECTED = "collected"
    """A diff from the merge base to the head."""
    EVERYTHING = "everything"
    """No base was given: every file below the root that a gate names counts as added."""


@dataclass(frozen=True, slots=True)
class FileSide:
    """One side of a changed path.

    `mode` is git's six octal digits. `digest` is the SHA-256 of the content, `None` for what has no content of
    its own (a symbolic link, a submodule).
    """

    mode: str
    digest: Digest | None


@dataclass(frozen=True, slots=True)
class FileChange:
    """One changed path; `old` is `None` for an addition, `new` for a deletion."""

    status: ChangeStatus
    old: FileSide | None
    new: FileSide | None


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """The change being judged. Ids are full lower-case hexadecimal object ids, `None` where there is no repository.

    `dirty` tells that tracked files, or untracked ones that a gate or an artifact names, differ from the head.
    `folders` gives, for each deleted path, the digests of the files that its nearest remaining folder holds now.
    """

    source: ChangeSource
    base: str | None
    merge_base: str | None
    head: str | None
    tree: str | None
    dirty: bool
    files: Mapping[str, FileChange]
    folders: Mapping[str, frozenset[Digest]]
