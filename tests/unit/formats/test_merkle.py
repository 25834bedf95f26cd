"""Merkle roots against the recursive definition of RFC 6962, section 2.1, and its published vectors."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.formats.merkle import Tail, extend, files_root, leaf_hash, root, root_by_inclusion, root_of
from gate.model.digest import Digest, hex_of, sha256_digest

LEAVES = (*("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"),)
# Of the test vectors that implementations of Certificate Transparency share: the roots of the first n leaves.
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def reference(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + reference(leaves[:split]) + reference(leaves[split:])).digest()


def test_the_published_vectors() -> None:
    leaves = [bytes.fromhex(leaf) for leaf in LEAVES]
    assert [root(leaves[:count]) for count in range(9)] == [f"sha256:{text}" for text in ROOTS]


@given(st.lists(st.binary(max_size=4), max_size=70))
def test_the_root_is_that_of_the_recursive_definition(leaves: list[bytes]) -> None:
    assert root(leaves) == "sha256:" + reference(leaves).hex()


@given(st.dictionaries(st.text(min_size=1, max_size=5).filter(str.isprintable), st.binary(max_size=3), max_size=8))
def test_files_are_sorted_by_the_bytes_of_their_paths(files: dict[str, bytes]) -> None:
    digests = {path: sha256_digest(data) for path, data in files.items()}
    leaves = sorted((path.encode(), hashlib.sha256(data).digest()) for path, data in files.items())
    expected = reference([path + b"\x00" + digest for path, digest in leaves])
    assert files_root(digests) == files_root(dict(reversed(digests.items()))) == "sha256:" + expected.hex()


def test_a_name_and_a_digest_are_kept_apart() -> None:
    one, two = sha256_digest(b"1"), sha256_digest(b"2")
    assert len({files_root({"a": one, "b": two}), files_root({"a": two, "b": one}), files_root({"a": one})}) == 3
    assert files_root({}) == Digest("sha256:" + ROOTS[0])


def hashed(data: bytes) -> bytes:
    return bytes.fromhex(hex_of(root([data])))


def grown(leaves: list[bytes]) -> list[bytes]:
    peaks: list[bytes] = []
    for number, leaf in enumerate(leaves):
        extend(number, peaks, leaf_hash(leaf))
    return peaks


@given(st.lists(st.binary(max_size=3), max_size=40))
def test_peaks_give_the_root_and_say_how_many_leaves_there_are(leaves: list[bytes]) -> None:
    peaks = grown(leaves)
    assert root_of(peaks) == reference(leaves)
    assert len(peaks) == len(leaves).bit_count()


@given(st.lists(st.binary(max_size=3), min_size=1, max_size=40), st.data())
def test_every_leaf_behind_any_start_can_be_proved(leaves: list[bytes], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(leaves)))
    tail = Tail(start, grown(leaves[:start]), [leaf_hash(leaf) for leaf in leaves[start:]])
    assert tail.size == len(leaves)
    for index, leaf in enumerate(leaves):
        if index < start:
            with pytest.raises(ValueError, match="no such leaf"):
                tail.inclusion(index)
            continue
        proof = tail.inclusion(index)
        found = root_by_inclusion(leaf_hash(leaf), index, len(leaves), proof)
        assert found == reference(leaves)
        other = data.draw(st.integers(0, len(leaves)))
        if other != index:
            assert root_by_inclusion(leaf_hash(leaf), other, len(leaves), proof) != found or leaves[other] == leaf
        assert root_by_inclusion(leaf_hash(leaf), index, len(leaves), [*proof, bytes(32)]) is None
        if proof:
            assert root_by_inclusion(leaf_hash(leaf), index, len(leaves), proof[:-1]) != found
    with pytest.raises(ValueError, match="no such leaf"):
        tail.inclusion(len(leaves))


def test_peaks_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="another number of peaks"):
        Tail(3, [bytes(32)], [])
    assert leaf_hash(b"x") == hashed(b"x")
    assert root_by_inclusion(bytes(32), 0, 0, []) is None
