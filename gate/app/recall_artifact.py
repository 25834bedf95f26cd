"""The artifact that a recall is about: all digests by which something may name it or a whole that it belongs to.

A whole is a folder: what was made from it was made from each of its files. That a file belongs to one needs nobody's
word, because the digest of a folder is made from those of its files. An empty file takes no whole with it unless it is
all that is recalled.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate.app.recall_reading import Said
from gate.collect.directory import Reading, collect_artifact
from gate.errors import ConfigError, EvidenceError, LimitError
from gate.formats.image_reference import image_digest
from gate.formats.predicates.model_signature import root_digest, wanted_digests
from gate.formats.strict_yaml import suggestion
from gate.model.artifact import Artifact, ArtifactKind
from gate.model.digest import Digest, sha256_digest
from gate.model.recall import Target
from gate.model.settings import ArtifactSettings, Limits, Settings
from gate.normalize.origins import COMMIT, known_digests, words

MAX_RECIPES: Final = 64
"""Ways to hash one file: of more, evidence that nobody checked could make the reading of a file endless."""
MAX_STEPS: Final = 16
"""Wholes in wholes."""
_OTHERS: Final = ("sha384", "sha512")
_EMPTY: Final = frozenset(
    {root_digest([sha256_digest(b"")]), *(f"{name}:{hashlib.new(name).hexdigest()}" for name in ("sha256", *_OTHERS))}
)
_ALONE: Final = (
    "nothing but this digest is known: statements that name it by a digest of another kind, or a manifest of shards, "
    "cannot be compared; name the file itself"
)

Recipes = Mapping[tuple[str, str], Digest]
"""SHA-256 of files by recipe and what it gives."""
_Place = tuple[Path, ArtifactSettings]


@dataclass(frozen=True, slots=True)
class Recalled:
    """What is looked for, what is to be said about it, and what could not be read."""

    target: Target
    recipes: Recipes
    notes: tuple[str, ...]
    unread: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Hashed:
    """An artifact that was read. `others` are further digests of its files, by SHA-256 and recipe word."""

    artifact: Artifact
    others: Mapping[tuple[Digest, str], str]

    def files(self) -> list[Digest]:
        return [file.digest for _, file in sorted(self.artifact.files.items()) if file.digest is not None]

    def of(self, digest: Digest) -> set[str]:
        """All digests of a file."""
        return {digest, *(f"{word}:{self.others[digest, word]}" for word in _OTHERS)}

    def whole(self) -> set[str]:
        """What the artifact itself is called by."""
        files, own = self.files(), self.artifact.digest
        return {*([root_digest(files)] if files else []), *([own] if own is not None else [])}

    def words(self) -> set[str]:
        return self.whole().union(*map(self.of, self.files()))


def recalled_artifact(
    given: str, settings: Settings | None, root: Path | None, said: Callable[[], Iterable[Said]]
) -> Recalled:
    """The digests of a file, a folder, an artifact of gate.yaml or a digest; `said` is what all evidence says.

    Raises `ConfigError` for what is none of them, `EvidenceError` for what cannot be read.
    """
    artifacts = settings.artifacts if settings is not None else {}
    limits = settings.limits if settings is not None else Limits()
    signed = {(size, word) for item in said() if item.statement for _, size, word in wanted_digests(item.statement)}
    own = artifacts.get(given)
    found, places = _named(given, own, root, list(artifacts))
    label, notes, unread = given, [], dict[str, str]()
    everything: dict[tuple[Digest, str], str] = {}
    for place in places:
        hashed = _hashed(place, limits, signed)
        everything |= hashed.others
        found |= hashed.words()
        label = f"{given} ({hashed.artifact.digest or 'a folder that holds links'})"
    if not found:
        raise ConfigError(f"--artifact: below {given[:200]!r} is no file")
    is_here = bool(places)
    # An empty file is in too many folders.
    mute = _EMPTY if found - _EMPTY else frozenset[str]()
    done = {(top / (item.path or "")).resolve() for top, item in places}
    for item in artifacts.values():
        if root is None or item.path is None or (root / item.path).resolve() in done:
            continue
        try:
            hashed = _hashed((root, item), limits, signed)
        except EvidenceError as error:
            if (root / item.path).exists():
                unread[item.path] = str(error)
            continue
        more = _belonging(hashed, found - mute)
        is_here = is_here or bool(more)
        everything |= hashed.others if more else {}
        found |= more
    recipes = {(word, text): digest for (digest, word), text in everything.items() if digest in found}
    _add_wholes(found, mute, recipes, said)
    notes += [] if is_here else [_ALONE]
    return Recalled(Target("artifact", label, frozenset(found)), recipes, tuple(notes), unread)


def _named(
    given: str, own: ArtifactSettings | None, root: Path | None, names: list[str]
) -> tuple[set[str], list[_Place]]:
    """The digest that was given, or where the bytes lie; a name of gate.yaml may be that of a file too."""
    algorithm, _, value = given.partition(":")
    digests = words(known_digests("", {algorithm: value})) if algorithm != COMMIT else ()
    if digests:
        return set(digests), []
    found, places = set[str](), list[_Place]()
    if own is not None and own.image is not None:
        digest = image_digest(own.image)
        if digest is None:
            raise ConfigError(f"--artifact: the image of {given!r} has no digest", hint="give sha256:<hex> of it")
        found.add(digest)
    elif own is not None and root is not None:
        places.append((root, own))
    path = Path(os.path.realpath(given))
    if path.exists() and (own is None or own.path is None or root is None or path != (root / own.path).resolve()):
        places.append((path.parent, ArtifactSettings(given, ArtifactKind.WEIGHTS, path.name, None, None)))
    if not found and not places:
        raise ConfigError(
            f"--artifact: {given[:200]!r} is no artifact in gate.yaml{suggestion(given, names)}, no file, no folder, "
            "and no digest: sha256:, sha384: or sha512: with its lower-case hex digits"
        )
    return found, places


def _hashed(place: _Place, limits: Limits, signed: Collection[tuple[int | None, str]]) -> _Hashed:
    """Reads an artifact once, for every digest that a statement may have of its files."""
    root, settings = place

    def wanted(path: str, size: int) -> Collection[str]:
        found = {word for expected, word in signed if expected in {None, size}}
        if len(found) > MAX_RECIPES:
            raise LimitError(
                f"the evidence asks for more than {MAX_RECIPES} ways to hash {path!r}",
                hint="recall folder by folder: --directory",
            )
        return {*_OTHERS, *found}

    reading = Reading(wanted=wanted)
    return _Hashed(collect_artifact(root, settings, limits, reading=reading), reading.others)


def _belonging(hashed: _Hashed, found: set[str]) -> set[str]:
    """What is recalled of an artifact: all of it, or files with the whole; nothing of most."""
    if not found.isdisjoint(hashed.whole()):
        return hashed.words()
    files = [hashed.of(digest) for digest in hashed.files() if not found.isdisjoint(hashed.of(digest))]
    return hashed.whole().union(*files) if files else set()


def _add_wholes(found: set[str], mute: frozenset[str], recipes: Recipes, said: Callable[[], Iterable[Said]]) -> None:
    """Adds the folders that statements cover and that hold something that is recalled, and those that hold these."""
    for _ in range(MAX_STEPS):
        more = set(_wholes(found - mute, recipes, said())) - found
        if not more:
            return
        found |= more
    raise LimitError(f"the evidence names more than {MAX_STEPS} wholes one in another", hint="--directory")


def _wholes(found: set[str], recipes: Recipes, said: Iterable[Said]) -> Iterator[str]:
    for item in said:
        yield from item.wholes(found)
        if item.is_manifest and (item.resource_words(recipes) & found):
            yield from item.subject_words()
