"""The files of a model with what one recipe gives for each: what a signature over it says."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gate.collect.directory import opened_artifact, special_files
from gate.collect.hash_cache import HashCache
from gate.collect.hashing import Tell, hash_recipe, unheard
from gate.formats.hashes import Recipe
from gate.model.artifact import ArtifactFile
from gate.model.digest import Digest
from gate.model.path import path_text
from gate.model.settings import Limits


@dataclass(frozen=True, slots=True)
class Listing:
    """All entries of a model by path; a file's digest is the SHA-256 over its raw digests, of a whole file its own.

    `texts` are what the recipe gave, in hexadecimal.
    """

    files: Mapping[str, ArtifactFile]
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Remembering:
    """A cache of hashes, and the time in nanoseconds since 1970."""

    cache: HashCache
    now_ns: int


def collect_listing(
    root: Path,
    path: str,
    recipe: Recipe,
    limits: Limits,
    remembering: Remembering | None = None,
    tell: Tell = unheard,
) -> Listing:
    """Enumerates a model and hashes its files, those apart that a cache knows; raises `EvidenceError`."""
    texts: dict[str, str] = {}
    with opened_artifact(root, path, path, limits) as place:
        files = special_files(place.entries)
        regular = [entry for entry in place.entries if stat.S_ISREG(entry.status.st_mode)]
        known = {}
        if remembering is not None:
            found = {entry.path: remembering.cache.find(entry.status, recipe) for entry in regular}
            known = {name: text for name, text in found.items() if text is not None}
        unknown = [entry for entry in regular if entry.path not in known]
        for entry, text in zip(unknown, hash_recipe(place.folder, unknown, recipe, place.prefix, tell), strict=True):
            known[entry.path] = text
            if remembering is not None:
                remembering.cache.keep(entry.status, recipe, text, remembering.now_ns)
    for entry in regular:
        text = known[entry.path]
        texts[path_text(entry.path)] = text
        files[path_text(entry.path)] = ArtifactFile(_digest(text, recipe), entry.status.st_size)
    return Listing(dict(sorted(files.items())), texts)


def _digest(text: str, recipe: Recipe) -> Digest:
    hexadecimal = text if recipe == Recipe("sha256") else hashlib.sha256(bytes.fromhex(text)).hexdigest()
    return Digest(f"sha256:{hexadecimal}")
