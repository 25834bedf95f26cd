"""Which code lies in a folder: its repository, the commit that is checked out, and whether files differ from it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gate.collect.dirty import Judged, is_dirty
from gate.collect.git import Repository, find_root
from gate.collect.work_tree import WorkTree
from gate.model.path import path_text
from gate.model.settings import Limits

_SCHEMES: Final = frozenset({"git", "http", "https", "ssh"})
_SCP: Final = re.compile(r"(?:[^@/:]+@)?([A-Za-z0-9.-]+):(?![/:])(.+)")
_URL_CHARACTERS: Final = 1024


@dataclass(frozen=True, slots=True)
class CodeState:
    """What git says. `commit` is `None` in a folder that is no repository and before the first commit.

    `dirty` tells that tracked files differ from the commit, or that there are others that no `.gitignore` names; it
    is `None` where there is no commit. `repository` is the address of the remote `origin`, without user and password;
    `None` where there is none, or where it is a path of this machine.
    """

    repository: str | None
    commit: str | None
    dirty: bool | None


def code_state(folder: Path, written: Sequence[Path] = (), *, untracked: bool = True) -> CodeState:
    """The code in a folder and in the whole repository around it; raises `HistoryError` when git cannot say.

    What lies at or below `written` is not code: results of the program, and data that is digested by itself. Without
    `untracked` only tracked files count.
    """
    top = find_root(folder)
    if top is None:
        return CodeState(None, None, None)
    repository = Repository(top)
    address = _public_address(repository)
    head = repository.head()
    if head is None:
        return CodeState(address, None, None)
    others = _untracked(repository) if untracked else frozenset()
    excluded = [
        path_text(bytes(path.relative_to(repository.root))) for path in written if repository.root in path.parents
    ]

    def is_excluded(path: str) -> bool:
        return any(path == end or path.startswith(f"{end}/") for end in (".gate", *excluded))

    def is_named(path: str, _: bool) -> bool:
        return any(path == other or (other.endswith("/") and path.startswith(other)) for other in others)

    judged = Judged({}, is_named, is_excluded, Limits().files)
    with WorkTree(repository.root, repository.object_format) as work_tree:
        return CodeState(address, head[0], is_dirty(repository, work_tree, head[1], judged))


def _untracked(repository: Repository) -> frozenset[str]:
    """Paths that git does not track and no `.gitignore` names; a repository within ends in a slash."""
    listed = repository.command.run("ls-files", "-z", "--others", "--exclude-per-directory=.gitignore").output
    return frozenset(path_text(path) for path in listed.split(b"\0")[:-1])


def _public_address(repository: Repository) -> str | None:
    done = repository.command.run("config", "--no-includes", "--get", "remote.origin.url", allowed=(0, 1))
    return public_address(done.output.decode("utf-8", "replace").strip())


def public_address(url: str) -> str | None:
    """The address of a remote without user, password, query and fragment; `None` for what names no other machine."""
    if len(url) > _URL_CHARACTERS or not url.isprintable():
        return None
    short = _SCP.fullmatch(url)
    if short is not None and "://" not in url:
        return f"ssh://{short[1]}/{short[2]}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in _SCHEMES or not host:
        return None
    return f"{parts.scheme}://{host}{f':{port}' if port is not None else ''}{parts.path}"
