"""The files that a configuration is read from, as they were when each was first looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from gate.app.workspace import WorkTree
from gate.errors import GateError
from gate.formats.canonical_json import dumps
from gate.model.digest import Digest, sha256_digest
from gate.model.json import JsonValue

Wanted = Callable[[str], bool]
_Read = TypeVar("_Read")


class Snapshot:
    """A source that reads each file once, and can tell whether all of them are still the same.

    What could not be read counts as well: that it can be now is a change.
    """

    name = "worktree"

    def __init__(self, root: Path) -> None:
        self._tree = WorkTree(root)
        self._files: dict[str, bytes | GateError | None] = {}
        self._folders: dict[tuple[str, Wanted], Mapping[str, bytes] | GateError | None] = {}

    @property
    def root(self) -> Path:
        """The folder that all paths are below."""
        return self._tree.root

    def read(self, path: str) -> bytes | None:
        """See `Source.read`."""
        if path not in self._files:
            self._files[path] = _tried(lambda: self._tree.read(path))
        return _given(self._files[path])

    def folder(self, path: str, wanted: Wanted) -> Mapping[str, bytes] | None:
        """See `Source.folder`."""
        if (path, wanted) not in self._folders:
            self._folders[path, wanted] = _tried(lambda: self._tree.folder(path, wanted))
        return _given(self._folders[path, wanted])

    def is_current(self) -> bool:
        """Whether reading everything again gives the same."""
        files = all(_same(found, _tried(lambda: self._tree.read(path))) for path, found in self._files.items())
        return files and all(
            _same(found, _tried(lambda: self._tree.folder(path, wanted)))
            for (path, wanted), found in self._folders.items()
        )

    @property
    def digest(self) -> Digest:
        """Over the paths and contents of all that was read."""
        files: dict[str, JsonValue] = {path: _digest(data) for path, data in self._files.items()}
        for (path, _), found in self._folders.items():
            held = found if isinstance(found, Mapping) else {}
            files |= {f"{path}/{name}": _digest(data) for name, data in held.items()}
        return sha256_digest(dumps(files))


def _tried(read: Callable[[], _Read]) -> _Read | GateError:
    try:
        return read()
    except GateError as error:
        return error.with_traceback(None)


def _given(found: _Read | GateError) -> _Read:
    if isinstance(found, GateError):
        raise found
    return found


def _same(one: object, other: object) -> bool:
    if isinstance(one, GateError):
        return isinstance(other, GateError) and (type(one), str(one)) == (type(other), str(other))
    return one == other


def _digest(data: bytes | GateError | None) -> str | None:
    return sha256_digest(data) if isinstance(data, bytes) else None
