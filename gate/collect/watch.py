"""Whether anything below a root changed since the last look: for authors, who want to see at once what it does.

Only names, sizes and times are compared, so this proves nothing and no decision rests on it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate.collect.files import entries, opened_root
from gate.collect.git import Repository, find_root
from gate.errors import GateError
from gate.model.path import path_text

_FILES: Final = 1_000_000
_SKIP: Final = frozenset({b".git"})
_COMMITS: Final = "what git has committed"


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen: sizes and times by path, and what HEAD and the base stand for. What cannot be seen is a text."""

    files: Mapping[str, tuple[int, ...]]
    commits: str


def look(root: Path, base: str | None) -> Look:
    """One look below a root; git's own folder counts by its commits only."""
    try:
        with opened_root(root) as top:
            found = {path_text(entry.path): _identity(entry.status) for entry in entries(top, _FILES, skip=_SKIP)}
        return Look(found, _commits(root, base))
    except GateError as error:
        return Look({}, str(error))


def changed(before: Look, after: Look) -> tuple[str, ...]:
    """What differs between two looks, sorted, in words."""
    files = (
        path for path in before.files.keys() | after.files.keys() if before.files.get(path) != after.files.get(path)
    )
    return (*sorted(files), *([_COMMITS] if before.commits != after.commits else []))


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _commits(root: Path, base: str | None) -> str:
    if find_root(root) is None:
        return ""
    repository = Repository(root)
    return f"{repository.head()} {None if base is None else repository.resolve(base)}"
