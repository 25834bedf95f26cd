"""`gate attest create --changed-only`: which statements a change makes out of date, and those made anew.

A configuration is affected when it changed itself, when a file that its statement is about did, or when something
changed below a folder that it attests. The change is what was committed since the merge base and what is not
committed yet; a git error is an error, never "nothing changed".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate.app.attest_create import TypedRequest, collect, create_typed, find_collector
from gate.app.collect_files import subjects_of
from gate.app.produce import Made, Place, Progress, root_of
from gate.attest.collector import Collected
from gate.attest.predicates import collectors
from gate.collect.changes import collect_changes
from gate.collect.git import Repository, find_root
from gate.errors import ConfigError, LimitError
from gate.model.claim import EDGES
from gate.model.digest import sha256_digest
from gate.model.settings import Limits

CONFIGS: Final = Path("attest")
_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})
_COMPARED_BYTES: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class ChangedRequest:
    """Statements to make anew: of the configurations in `configs`, those that a change since `base` affects."""

    place: Place
    base: str
    configs: Path = CONFIGS
    out: Path | None = None
    created_s: int | None = None
    checks: int = 1


@dataclass(frozen=True, slots=True)
class ChangedMade:
    """What was made, the configurations that nothing changed for, and those that only build on something new.

    `stale` names for each of the latter the claims that it builds on and that are new or stale themselves. Whether such
    a statement still holds is for a person, or for another evaluation, to say: it is not made anew unasked.
    """

    made: tuple[Made, ...]
    unchanged: tuple[str, ...]
    stale: Mapping[str, tuple[str, ...]]


def create_changed(request: ChangedRequest, progress: Progress = nullcontext) -> ChangedMade:
    """Makes the statements that are out of date, predecessors first; raises a `GateError` when git cannot tell."""
    root = root_of(request.place)
    if find_root(root) != root:
        raise ConfigError("--changed-only needs a git repository, and its top as the root")
    repository = Repository(root)
    found = sorted(_configurations(request, root), key=_order)
    if not found:
        raise ConfigError(
            f"there is no configuration TYPE.yaml in {request.configs}",
            hint=f"types: {', '.join(sorted(collectors()))}; --configs names another folder",
        )
    base = repository.resolve(request.base)
    collected = {}
    for word, config in found:
        with progress(f"collecting {config}"):
            collected[config] = collect(find_collector(word), root, config)[0]
    change = _Change.since(repository, base, collected)
    affected = [(word, config) for word, config in found if change.affects(config, collected[config])]
    made = [
        create_typed(
            TypedRequest(
                Place(root, root), word, Path(config), _absolute(request), (), request.created_s, request.checks
            ),
            progress,
        )
        for word, config in affected
    ]
    stale = _stale(found, affected)
    unchanged = [item[1] for item in found if item not in affected and item[1] not in stale]
    return ChangedMade(tuple(made), tuple(unchanged), stale)


def _stale(found: Sequence[tuple[str, str]], affected: Sequence[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """What nothing changed for, but that builds on what is made anew; predecessors come first in `found`."""
    stale: dict[str, tuple[str, ...]] = {}
    new: set[str] = set()
    for item in found:
        collector = find_collector(item[0])
        older = tuple(claim for claim in collector.predecessors if claim in new)
        if older and item not in affected:
            stale[item[1]] = older
        if older or item in affected:
            new.add(collector.claim)
    return stale


def _absolute(request: ChangedRequest) -> Path | None:
    return None if request.out is None else (request.place.start / request.out).resolve()


def _configurations(request: ChangedRequest, root: Path) -> Iterator[tuple[str, str]]:
    """The type and the path below the root of each configuration: `TYPE.yaml` or `NAME.TYPE.yaml`."""
    folder = root / request.configs
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        word = path.stem.rpartition(".")[2]
        if path.suffix in _SUFFIXES and word in collectors():
            yield word, (request.configs / path.name).as_posix()


def _order(item: tuple[str, str]) -> tuple[int, str]:
    """What others build on comes first."""
    word, config = item
    return _depth(find_collector(word).claim), config


def _depth(claim: str, seen: frozenset[str] = frozenset()) -> int:
    before = EDGES.get(claim, frozenset()) - seen - {claim}
    return max((1 + _depth(item, seen | {claim}) for item in before), default=0)


@dataclass(frozen=True, slots=True)
class _Change:
    """What differs from the merge base: the committed paths, and a way to compare what is not committed."""

    repository: Repository
    head: str
    paths: frozenset[str]
    is_dirty: bool

    @classmethod
    def since(cls, repository: Repository, base: str, collected: Mapping[str, Collected]) -> _Change:
        """The change since the commit `base`. What is collected counts even where git is told to ignore it."""
        head = repository.head()
        if head is None:
            raise ConfigError("--base: the repository has no commit yet")
        span = (repository.merge_base(base, head[0]), head[0], base)
        named = {path for item in collected.values() for path in (*subjects_of(item.roles), *item.folders)}
        found = collect_changes(
            repository, repository.root, span, (), artifacts=sorted({*named, *collected}), limits=Limits()
        )
        return cls(repository, head[0], frozenset(found.files), found.dirty)

    def affects(self, config: str, collected: Collected) -> bool:
        files = subjects_of(collected.roles)
        if config in self.paths or not self.paths.isdisjoint(files):
            return True
        if any(path.startswith(f"{folder}/") for folder in collected.folders for path in self.paths):
            return True
        return self.is_dirty and self._differs_on_disk(config, collected)

    def _differs_on_disk(self, config: str, collected: Collected) -> bool:
        """Whether the head holds other bytes for one of these files, or other files below one of these folders."""
        files: Mapping[str, object] = {path: found.digest for path, found in subjects_of(collected.roles).items()}
        files = {**files, config: sha256_digest((self.repository.root / config).read_bytes())}
        if any(self._digest(path) != digest for path, digest in files.items()):
            return True
        return any(self._names(folder) != _below(folder, list(files)) for folder in collected.folders)

    def _digest(self, path: str) -> object:
        try:
            data = self.repository.read_file(self.head, path, _COMPARED_BYTES)
        except (LimitError, ConfigError):
            return None  # too large to compare, or a link then: collected again rather than left out
        return None if data is None else sha256_digest(data)

    def _names(self, folder: str) -> frozenset[str]:
        names: set[str] = set()

        def note(name: str) -> bool:
            names.add(name)
            return False

        self.repository.read_folder(self.head, folder, note, Limits().files, 0)
        return frozenset(names)


def _below(folder: str, paths: Sequence[str]) -> frozenset[str]:
    return frozenset(path.removeprefix(f"{folder}/") for path in paths if path.startswith(f"{folder}/"))
