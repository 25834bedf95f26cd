"""Everything at a path that somebody named, whatever it is: nothing is followed, and nothing is left out unseen.

Unlike `files.entries`, which gives up with the first folder that cannot be read: here that is a thing to report.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gate.collect.files import MAX_DEPTH, Entry, opened_folder
from gate.errors import EvidenceError, LimitError
from gate.model.path import path_text
from gate.model.scanned import State

MAX_ENTRIES: Final = 2_000_000
"""Files and folders of one scan."""
_LINK: Final = "a link; links are not followed"
_SPECIAL: Final = "neither a file nor a folder"


@dataclass(frozen=True, slots=True)
class Survey:
    """What lies at a path: regular files to read, and whatever is not read, by path, with its state and the reason.

    `folder` is where the paths begin: the path itself, or the folder of a single file.
    """

    folder: Path
    is_folder: bool
    files: tuple[Entry, ...] = ()
    others: Mapping[str, tuple[State, str]] = field(default_factory=dict)


def survey(path: Path, is_excluded: Callable[[str], bool], limit: int = MAX_ENTRIES) -> Survey:
    """Looks at everything at a path; a folder is entered unless it is excluded, a link never, also the path itself.

    Raises `EvidenceError` when there is nothing at the path or it cannot be read, `LimitError` for too many entries.
    """
    shown = path_text(os.fsencode(path))
    try:
        status = path.lstat()
        if stat.S_ISDIR(status.st_mode):
            walk = _Walk(is_excluded, limit)
            top = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                walk.enter(top, b"", 0)
            finally:
                os.close(top)
            return Survey(path, True, tuple(sorted(walk.files, key=lambda entry: entry.path)), walk.others)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EvidenceError(f"{shown!r} cannot be read: {reason}", hint="name files and folders that exist") from None
    name = os.fsencode(path.name)
    if stat.S_ISREG(status.st_mode) and not is_excluded(path_text(name)):
        return Survey(path.parent, False, (Entry(name, status),))
    return Survey(path.parent, False, (), {path_text(name): _why_not(status, is_excluded(path_text(name)))})


def _why_not(status: os.stat_result, is_excluded: bool) -> tuple[State, str]:
    if is_excluded:
        return State.EXCLUDED, "excluded by a pattern"
    return (State.LINK, _LINK) if stat.S_ISLNK(status.st_mode) else (State.SPECIAL, _SPECIAL)


class _Walk:
    def __init__(self, is_excluded: Callable[[str], bool], limit: int) -> None:
        self.files: list[Entry] = []
        self.others: dict[str, tuple[State, str]] = {}
        self._is_excluded = is_excluded
        self._left = self._limit = limit

    def enter(self, folder: int, prefix: bytes, depth: int) -> None:
        """Looks at what is in a folder; raises `OSError` when it cannot be listed."""
        if depth > MAX_DEPTH:
            raise OSError(None, f"nested more than {MAX_DEPTH} levels deep")
        with os.scandir(folder) as listing:
            names = sorted(os.fsencode(item.name) for item in listing)
        for name in names:
            self._left -= 1
            if self._left < 0:
                raise LimitError(
                    f"there are more than {self._limit} files", hint="scan parts of it one after the other"
                )
            self._look(folder, prefix + name, name, depth)

    def _look(self, folder: int, path: bytes, name: bytes, depth: int) -> None:
        text = path_text(path)
        try:
            status = os.lstat(name, dir_fd=folder)
            if stat.S_ISREG(status.st_mode) and not self._is_excluded(text):
                self.files.append(Entry(path, status))
            elif stat.S_ISDIR(status.st_mode) and not self._is_excluded(text):
                with opened_folder(folder, [name]) as inner:
                    self.enter(inner, path + b"/", depth + 1)
            else:
                self.others[text] = _why_not(status, self._is_excluded(text))
        except OSError as error:
            self.others[text] = State.UNREAD, f"it cannot be read: {error.strerror}"
