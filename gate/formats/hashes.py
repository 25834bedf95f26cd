"""Hashes over whole files and over shards of them, as OpenSSF model signing v1.0 names them.

A recipe is a word: the algorithm, and for shards `-sharded-<bytes>`, as in `sha256-sharded-1000000000`. What it gives
is one text: the hexadecimal digests of the shards from the start of the file to its end, one after another. A file
without bytes has no shards.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

MAX_SHARDS: Final = 1 << 20
"""Shards of one file: a manifest of more would be larger than any evidence."""
_WORD: Final = re.compile(r"([a-z0-9]+)(?:-sharded-([1-9][0-9]{0,15}))?")


class Hash(Protocol):
    """What `hashlib` gives."""

    def update(self, data: bytes | memoryview, /) -> object:
        """Takes the next bytes."""

    def hexdigest(self) -> str:
        """The digest of all bytes so far."""


HEX_LENGTH: Final = {"sha256": 64, "sha384": 96, "sha512": 128, "blake2b": 128, "blake3": 64}
"""The algorithms, with the hexadecimal digits of their digests."""


class UnknownRecipeError(ValueError):
    """No recipe, or one whose library is not installed."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a file becomes digests: an algorithm, over the whole file or over each shard of `shard_size` bytes."""

    algorithm: str
    shard_size: int | None = None

    @property
    def word(self) -> str:
        """The recipe as text."""
        return self.algorithm if self.shard_size is None else f"{self.algorithm}-sharded-{self.shard_size}"

    def shards(self, size: int) -> int:
        """The number of digests that a file of this size has."""
        return 1 if self.shard_size is None else -(-size // self.shard_size)


def parse_recipe(word: str) -> Recipe:
    """The recipe of a word; raises `UnknownRecipeError`."""
    match = _WORD.fullmatch(word)
    if match is None or match[1] not in HEX_LENGTH:
        raise UnknownRecipeError(f"{word[:80]!r} is no way to hash a file")
    return Recipe(match[1], int(match[2]) if match[2] else None)


def is_available(algorithm: str) -> bool:
    """Whether an algorithm can be computed here: BLAKE3 needs a library of its own."""
    return algorithm in HEX_LENGTH and (algorithm != "blake3" or importlib.util.find_spec("blake3") is not None)


def new_hash(algorithm: str) -> Hash:
    """An empty hash; raises `UnknownRecipeError` where its library is not installed."""
    if algorithm != "blake3":
        return hashlib.new(algorithm, usedforsecurity=True)
    if not is_available(algorithm):
        raise UnknownRecipeError("BLAKE3 needs its library (pip install blake3)")
    make: Callable[[], Hash] = importlib.import_module("blake3").blake3
    return make()


class RecipeHasher:
    """Takes the bytes of one file in their order, and gives the text of a recipe."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._done: list[str] = []
        self._hash = new_hash(recipe.algorithm)
        self._seen = 0

    def update(self, data: bytes | memoryview) -> None:
        """Takes the next bytes."""
        size = self._recipe.shard_size
        if size is None:
            self._hash.update(data)
            return
        view = memoryview(data)
        while view:
            if self._seen == size:
                self._done.append(self._hash.hexdigest())
                self._hash, self._seen = new_hash(self._recipe.algorithm), 0
            part = view[: size - self._seen]
            self._hash.update(part)
            self._seen += len(part)
            view = view[len(part) :]

    def text(self) -> str:
        """The digests of all bytes so far."""
        is_open = self._recipe.shard_size is None or self._seen > 0
        return "".join([*self._done, self._hash.hexdigest()] if is_open else self._done)
