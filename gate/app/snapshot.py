"""The files that a configuration is read from, as they were when each was first looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ParamSpec, TypeVar

from gate.app.workspace import WorkTree
from gate.collect.files import entries, identity, opened_folder, opened_root, plain_segments, unreadable
from gate.errors import GateError
from gate.formats.canonical_json import dumps
from gate.model.digest import Digest, sha256_digest
from gate.model.json import JsonValue

Wanted = Callable[[str], bool]
_Asked = ParamSpec("_Asked")
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
        self._others: list[tuple[Callable[[], object], object]] = []

    @property
    def root(self) -> Path:
        """The folder that all paths are below."""
        return self._tree.root

    def read(self, path: str) -> bytes | None:
        """See `Source.read`."""
        if path not in self._files:
            self._files[path] = _tried(self._tree.read, path)
        return _given(self._files[path])

    def folder(self, path: str, wanted: Wanted) -> Mapping[str, bytes] | None:
        """See `Source.folder`."""
        if (path, wanted) not in self._folders:
            self._folders[path, wanted] = _tried(self._tree.folder, path, wanted)
        return _given(self._folders[path, wanted])

    def look(self, look: Callable[[], _Read]) -> _Read:
        """What something else gives, a read of other files for one; raises what that does."""
        found = _tried(look)
        self._others.append((look, found))
        return _given(found)

    def is_current(self) -> bool:
        """Whether looking at everything again gives the same."""
        return (
            all(_same(found, _tried(self._tree.read, path)) for path, found in self._files.items())
            and all(_same(found, _tried(self._tree.folder, *asked)) for asked, found in self._folders.items())
            and all(_same(found, _tried(look)) for look, found in self._others)
        )

    @property
    def digest(self) -> Digest:
        """Over the paths and contents of all that was read."""
        files: dict[str, JsonValue] = {path: _digest(data) for path, data in self._files.items()}
        for (path, _), found in self._folders.items():
            held = found if isinstance(found, Mapping) else {}
            files |= {f"{path}/{name}": _digest(data) for name, data in held.items()}
        return sha256_digest(dumps(files))


def listing(root: Path, path: str, limit: int) -> tuple[tuple[bytes, tuple[int, ...]], ...] | None:
    """The entries below a folder, each with what changes when it does; raises `EvidenceError`."""
    try:
        with opened_root(root) as base, opened_folder(base, plain_segments(path)) as folder:
            return tuple((entry.path, identity(entry.status)) for entry in entries(folder, limit))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable(path, error) from None


def _tried(read: Callable[_Asked, _Read], *args: _Asked.args, **more: _Asked.kwargs) -> _Read | GateError:
    try:
        return read(*args, **more)
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
