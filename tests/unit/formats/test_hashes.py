"""Hashes of whole files and of shards, in whatever blocks the bytes come."""

from __future__ import annotations

import hashlib
import importlib.util

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.formats.hashes import (
    Recipe,
    RecipeHasher,
    UnknownRecipeError,
    is_available,
    new_hash,
    parse_recipe,
)


def text_of(recipe: Recipe, *blocks: bytes) -> str:
    hasher = RecipeHasher(recipe)
    for block in blocks:
        hasher.update(block)
    return hasher.text()


@given(st.binary(max_size=300), st.integers(1, 40), st.integers(1, 64))
def test_shards_do_not_depend_on_the_blocks(data: bytes, shard: int, block: int) -> None:
    expected = "".join(hashlib.sha256(data[start : start + shard]).hexdigest() for start in range(0, len(data), shard))
    blocks = [data[start : start + block] for start in range(0, len(data), block)]
    recipe = Recipe("sha256", shard)
    assert text_of(recipe, *blocks) == expected
    assert len(expected) == 64 * recipe.shards(len(data))


def test_a_whole_file_has_one_digest_and_an_empty_one_no_shards() -> None:
    assert text_of(Recipe("sha256")) == hashlib.sha256().hexdigest()
    assert text_of(Recipe("blake2b"), b"ab", b"c") == hashlib.blake2b(b"abc").hexdigest()
    assert text_of(Recipe("sha256", 10)) == ""
    assert Recipe("sha256").shards(0) == Recipe("sha256").shards(1 << 40) == 1


@pytest.mark.parametrize("word", ["sha256", "sha512", "blake2b", "sha256-sharded-1", "blake2b-sharded-1000000000"])
def test_a_word_is_a_recipe(word: str) -> None:
    assert parse_recipe(word).word == word


@pytest.mark.parametrize(
    "word",
    [
        "",
        "md5",
        "SHA256",
        "sha256 ",
        "sha256-sharded-",
        "sha256-sharded-0",
        "sha256-sharded-01",
        "sha256-sharded-1.0",
        "sha256-sharded-1\n",
        "sha256-sharded-99999999999999999",
    ],
)
def test_anything_else_is_none(word: str) -> None:
    with pytest.raises(UnknownRecipeError):
        parse_recipe(word)


def test_blake3_is_there_where_its_library_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_available("blake3")
    assert new_hash("blake3").hexdigest().startswith("af1349b9f5f9a1a6")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert not is_available("blake3")
    assert is_available("sha256")
    with pytest.raises(UnknownRecipeError, match="pip install blake3"):
        new_hash("blake3")
