"""The statement over a model's files: hashed over all cores, in shards or whole, with a cache as a hint or without."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gate.app.produce import LIMITS, Progress
from gate.attest.files import open_regular, replace_file
from gate.attest.model_signature import model_statement, sharded_statement
from gate.collect.hash_cache import MAX_BYTES, CacheError, HashCache
from gate.collect.hashing import unheard
from gate.collect.listing import Listing, Remembering, collect_listing
from gate.errors import AttestError
from gate.formats.hashes import Recipe
from gate.model.digest import Digest
from gate.model.path import is_plain_relative, path_text


@dataclass(frozen=True, slots=True)
class Hashing:
    """How a model is hashed: in shards of some bytes, or whole files; `cache` is a file of hashes known before."""

    shard_size: int | None = None
    cache: Path | None = None

    def at(self, start: Path) -> Hashing:
        """The same, with paths that were relative to `start`."""
        return self if self.cache is None else replace(self, cache=start / self.cache)


WHOLE_FILES: Final = Hashing()


@dataclass(frozen=True, slots=True)
class Manifest:
    """The statement over a model, its root digest, and what was hashed. `note` is about the cache, for people."""

    payload: bytes
    digest: Digest
    files: int
    size: int
    note: str | None


def make_manifest(path: Path, given: Path, hashing: Hashing, progress: Progress, *, is_folder: bool) -> Manifest:
    """Hashes a model and states what it is; raises `AttestError`, or `EvidenceError` for unreadable files.

    `path` is where it lies, without links on the way, `given` how a person named it.
    """
    name = path_text(os.fsencode(path.name))
    if not is_plain_relative(name):
        raise AttestError(f"{given}: the name {name!r} is not plain UTF-8", hint="rename it")
    remembering, note = _open_cache(hashing.cache, path)
    recipe = Recipe("sha256", hashing.shard_size)
    with progress(f"hashing {given}") as tell:
        heard = tell if callable(tell) else unheard
        found = collect_listing(path.parent, name, recipe, LIMITS, remembering, heard)
    payload, digest = _statement(name, found, hashing.shard_size, is_folder=is_folder)
    if remembering is not None and hashing.cache is not None:
        replace_file(hashing.cache, remembering.cache.dumps())
        note = f"{remembering.cache.found} of {len(found.texts)} digests are from the hash cache"
    return Manifest(payload, digest, len(found.files), sum(file.bytes for file in found.files.values()), note)


def _statement(name: str, found: Listing, shard_size: int | None, *, is_folder: bool) -> tuple[bytes, Digest]:
    if shard_size is None:
        return model_statement(name, found.files, is_folder=is_folder)
    return sharded_statement(name, found.files, found.texts, shard_size, is_folder=is_folder)


def _open_cache(cache: Path | None, signed: Path) -> tuple[Remembering | None, str | None]:
    """The cache, or why it is not used: then it stays as it is, since it may be another file by mistake."""
    if cache is None:
        return None, None
    place = cache.parent.resolve() / cache.name
    if signed in {place, *place.parents}:
        raise AttestError(f"the hash cache {cache} lies inside what is signed", hint="--hash-cache with a file outside")
    now_ns = time.time_ns()
    if not os.path.lexists(cache):
        return Remembering(HashCache(), now_ns), None
    data, status = open_regular(cache, MAX_BYTES + 1)
    problem = "others own or can write it"
    if status.st_uid == os.geteuid() and not status.st_mode & 0o022:
        try:
            return Remembering(HashCache.loads(data), now_ns), None
        except CacheError as error:
            problem = str(error)
    return None, f"the hash cache was ignored and left as it is: {problem}; delete it to begin anew"
