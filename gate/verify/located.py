"""Statements whose subjects are paths below the root, against what is there (SECURITY 12).

Every path such a statement names must be there, with the digest it gives; below a folder that it attests whole,
nothing else may be. So an edited, added, removed or renamed file is seen, and two files that changed places too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from gate.model.digest import Digest
from gate.model.evidence import Statement
from gate.model.path import is_plain_relative

# The name of a subject that is a digest, such as that of a statement which is approved.
_NO_PATH: Final = "sha256:"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something at stake lies: `folder` is its path when it is one, `files` are what is there, by full path.

    `path` is where it lies, or lay: what was deleted has no files.
    """

    path: str
    folder: bool
    files: Mapping[str, Digest | None]


class Places:
    """Everything at stake by where it lies, so that a statement is compared with what it names alone."""

    def __init__(self, places: Mapping[str, Place], named: Mapping[str, Place] | None = None) -> None:
        """`named` are places that only statements name: nothing else is at stake there."""
        self._named = named or {}
        self._places = {**places, **self._named}
        places = self._places
        self._at: dict[str, set[str]] = {}
        self._below: dict[str, set[str]] = {}
        for key, place in places.items():
            self._at.setdefault(place.path, set()).add(key)
            for parent in _parents(place.path):
                self._below.setdefault(parent, set()).add(key)

    def relate(self, statement: Statement) -> tuple[list[str], dict[str, tuple[str, ...]]]:
        """The keys that a statement covers, and by key everything that does not fit what it is about."""
        said = {item.name: item.digest for item in statement.subjects}
        keys = set[str]().union(*(self._at.get(path, set()) for name in said for path in (name, *_parents(name))))
        for folder in statement.folders:
            keys |= self._at.get(folder, set()) | self._below.get(folder, set())
            keys = keys.union(*(self._at.get(path, set()) for path in _parents(folder)))
        if not any(name in self._places[key].files for key in keys for name in said):
            keys -= self._named.keys()  # nothing that it names is here: it is about another tree
        covers, mismatches = [], {}
        for key in sorted(keys):
            place = self._places[key]
            problems = tuple(_problems(place, said, statement.folders))
            if problems:
                mismatches[key] = problems
            elif place.files and all(path in said for path in place.files):
                covers.append(key)
        return covers, mismatches


def named_paths(statements: Iterable[Statement], held: AbstractSet[str]) -> tuple[set[str], set[str]]:
    """The files and folders that statements name by path, but for those at or below the paths in `held`."""
    files: set[str] = set()
    folders: set[str] = set()
    for statement in statements:
        if statement.located:
            files.update(item.name for item in statement.subjects if not item.name.startswith(_NO_PATH))
            folders.update(statement.folders)
    return _outside(files, held), _outside(folders, held)


def _outside(paths: Iterable[str], held: AbstractSet[str]) -> set[str]:
    return {path for path in paths if path not in held and held.isdisjoint(_parents(path))}


def named_places(files: Iterable[str], folders: Iterable[str], there: Mapping[str, Digest | None]) -> dict[str, Place]:
    """The places that statements name, by key, with what `there` says is there."""
    found = {f"path:{path}": Place(path, False, {path: there[path]} if path in there else {}) for path in files}
    for folder in folders:
        below = {path: digest for path, digest in there.items() if path.startswith(f"{folder}/")}
        found[f"path:{folder}/"] = Place(folder, True, below)
    return found


def misplaced(statement: Statement) -> str | None:
    """A path that does not stay below the root, or is not one; `None` when all do."""
    names = [*(item.name for item in statement.subjects), *statement.folders]
    return next((name for name in names if not is_plain_relative(name)), None)


def _problems(place: Place, said: Mapping[str, Digest | None], folders: Sequence[str]) -> Iterator[str]:
    for path in sorted(said) if place.folder else [place.path]:
        if path in said and (path == place.path or path.startswith(f"{place.path}/")):
            if path not in place.files:
                yield f"{path!r} is attested, but it is not there"
            elif place.files[path] is None:
                yield f"{path!r} is a link or a device, not a file"
            elif place.files[path] != said[path]:
                yield f"{path!r} is {place.files[path]}, attested was {said[path]}"
    for path in sorted(place.files):
        if path not in said and any(path.startswith(f"{folder}/") for folder in folders):
            yield f"{path!r} is there, but it is not attested, and its folder was attested whole"


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
