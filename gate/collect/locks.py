"""The lock files of artifacts that are packages: which there are, and what they lock."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from gate.collect.files import read_regular
from gate.errors import EvidenceError, LimitError
from gate.formats.locks import is_lock, read_lock, unlocked
from gate.model.artifact import Artifact, ArtifactFile
from gate.model.dependencies import Dependency, Lock
from gate.model.digest import sha256_digest

LOCK_BYTES: Final = 16 << 20
"""The most bytes of one lock file."""
_EMPTY: Final = "it locks no package"
_MAY_LOCK_NOTHING: Final = frozenset({"go.mod", "go.work", "go.work.sum"})


def collect_locks(root: Path, artifact: Artifact) -> Mapping[str, Lock]:
    """The lock files of an artifact, by path below it; a single file is one, whatever its name.

    The bytes are those that were hashed. What asks for packages and has no lock is told with a problem, as is all
    that cannot be read. A folder inside of the artifact is part of it, and no dependency. An empty file of
    requirements is left out where something else is locked: it asks for nothing. Never raises.
    """
    if artifact.path is None:
        return {}
    found = {}
    empty = set()
    for path, file in sorted(artifact.files.items()):
        if is_lock(path) or not artifact.is_folder:
            read = _read(root, artifact, path, file)
            lock = _without_own(read, artifact, path)
            if read == Lock("requirements", {}):
                empty.add(path)
            if lock.packages or lock.problems or posixpath.basename(path).lower() not in _MAY_LOCK_NOTHING:
                found[path] = lock if lock.packages or lock.problems else replace(lock, problems=(_EMPTY,))
    if any(lock.packages for lock in found.values()):
        found = {path: lock for path, lock in found.items() if path not in empty}
    others = {path: file for path, file in artifact.files.items() if path not in empty}
    for path in others if artifact.is_folder else ():
        if unlocked(path, others):
            found[path] = Lock(None, {}, ("it asks for packages, and no lock file lies beside or above it",))
    return {path: _with_modules(found[path], path, found) for path in sorted(found)}


def _with_modules(lock: Lock, path: str, found: Mapping[str, Lock]) -> Lock:
    """The lock with the hashes of modules that a `go.mod` puts in the place of others: `go.sum` has them."""
    if lock.format != "go.mod":
        return lock
    sums = [found[name].packages for end in ("go.sum", "go.work.sum") if (name := _beside(path, end)) in found]
    packages = dict(lock.packages)
    for key, item in packages.items():
        hashes = [known[f"{item.source}@{item.version}"] for known in sums if f"{item.source}@{item.version}" in known]
        if hashes and len({known.digests for known in hashes}) == 1:
            packages[key] = replace(item, digests=hashes[0].digests, is_complete=all(one.is_complete for one in hashes))
    return replace(lock, packages=packages)


def _beside(path: str, name: str) -> str:
    return posixpath.join(posixpath.dirname(path), name)


def _read(root: Path, artifact: Artifact, path: str, file: ArtifactFile) -> Lock:
    if file.digest is None:
        return Lock(None, {}, ("it is not a regular file",))
    try:
        data = read_regular(root, f"{artifact.path}/{path}" if artifact.is_folder else artifact.path or "", LOCK_BYTES)
    except (EvidenceError, LimitError) as error:
        return Lock(None, {}, (str(error),))
    if sha256_digest(data) != file.digest:
        return Lock(None, {}, ("it changed while it was read",))
    return read_lock(path, data)


def _without_own(lock: Lock, artifact: Artifact, path: str) -> Lock:
    """The lock without the folders that are the artifact's own."""
    kept = {key: item for key, item in lock.packages.items() if not _is_own(item, artifact, path)}
    return replace(lock, packages=kept)


def _is_own(item: Dependency, artifact: Artifact, path: str) -> bool:
    if item.folder is None or "\\" in item.folder or ":" in item.folder:
        return False
    place = posixpath.normpath(posixpath.join(posixpath.dirname(path), item.folder))
    if place == (posixpath.dirname(path) or "."):
        return True  # the project that the file is the lock of
    if not artifact.is_folder or place.startswith(("/", "../")) or place == "..":
        return False
    return place == "." or any(file.startswith(f"{place}/") for file in artifact.files)
