"""`gate scan`: what is inside files and folders that somebody names, without a configuration.

Each file is read once, by processes of their own, and nothing is loaded or run. A file that nobody could judge is never
taken for a harmless one, and neither is a folder in which there is nothing to judge.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from gate import __version__
from gate.app.gather import BYTES, Counting, silent
from gate.app.workspace import WorkTree
from gate.collect.crew import CrewLimits, read_files
from gate.collect.crew_worker import Folder, Item, Task
from gate.collect.hashing import Hashed, Unread, nothing, unheard
from gate.collect.survey import Survey, survey
from gate.config.settings import load_allowed_globals
from gate.errors import ConfigError
from gate.formats.glob import compile_glob
from gate.inspect.interface import inspect_file
from gate.model.artifact import ArtifactFile, tree_digest
from gate.model.digest import Digest
from gate.model.path import path_text
from gate.model.scan import Severity
from gate.model.scanned import Scanned, ScannedFile, State, Target


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """What somebody asked for: paths, patterns of what is left out below them, and what counts.

    `config` is a `gate.yaml`, of which only the section `inspection` is used.
    """

    paths: Sequence[Path]
    exclude: Sequence[str] = ()
    config: Path | None = None
    fail_on: Severity = Severity.LOW
    limits: CrewLimits = field(default_factory=CrewLimits)


def scan(request: ScanRequest, progress: Counting = silent) -> Scanned:
    """Looks at everything; raises `ConfigError` for a bad pattern, `EvidenceError` for a path that is not there."""
    is_excluded, allowed = _excluding(request.exclude), _allowed(request.config)
    surveys = [survey(path, is_excluded) for path in request.paths]
    items = [Item(Folder(found.folder, f"{_text(found.folder)}/"), entry) for found in surveys for entry in found.files]
    task = Task(items, partial(inspect_file, allowed=allowed), nothing)
    with progress(f"scanning {len(items)} file{'' if len(items) == 1 else 's'}", BYTES) as tell:
        read = iter(read_files(task, request.limits, tell or unheard) if items else ())
    targets = []
    for path, found in zip(request.paths, surveys, strict=True):
        files = {path_text(entry.path): _scanned(next(read), entry.status) for entry in found.files}
        targets.append(_target(path, found, files))
    return Scanned(__version__, tuple(targets), request.fail_on, tuple(request.exclude), tuple(sorted(allowed)))


def _excluding(patterns: Sequence[str]) -> Callable[[str], bool]:
    try:
        globs = [compile_glob(pattern) for pattern in patterns]
    except ValueError as error:
        raise ConfigError(f"--exclude: {error}") from None
    return lambda path: any(glob.matches(path) for glob in globs)


def _allowed(config: Path | None) -> frozenset[str]:
    return frozenset() if config is None else load_allowed_globals(config.name, WorkTree(config.parent))


def _scanned(found: Hashed | Unread, status: os.stat_result) -> ScannedFile:
    if isinstance(found, Unread):
        return ScannedFile(State.UNREAD, bytes=status.st_size, reason=found.reason)
    seen = found.inspection
    if seen is None:
        return ScannedFile(State.UNINSPECTED, found.digest, found.size, reason="it was not looked at")
    reason = None if seen.inspected else seen.reason or "no reason was given"
    state = State.JUDGED if seen.inspected else State.UNINSPECTED
    return ScannedFile(
        state, found.digest, found.size, seen.format, reason, seen.findings, dict(seen.templates), seen.base
    )


def _target(path: Path, found: Survey, files: Mapping[str, ScannedFile]) -> Target:
    others = {name: ScannedFile(state, reason=reason) for name, (state, reason) in found.others.items()}
    every = dict(sorted({**files, **others}.items()))
    return Target(_text(path), found.is_folder, _digest(found, every), every)


def _digest(found: Survey, files: Mapping[str, ScannedFile]) -> Digest | None:
    if found.is_folder:
        return tree_digest({name: ArtifactFile(file.digest, file.bytes) for name, file in files.items()})
    return next(iter(files.values())).digest


def _text(path: Path) -> str:
    return path_text(os.fsencode(path))
