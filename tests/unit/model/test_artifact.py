"""Artifacts and the digest of a folder."""

from __future__ import annotations

import hashlib

from gate.model.artifact import Artifact, ArtifactFile, ArtifactKind, tree_digest
from gate.model.digest import sha256_digest
from gate.model.path import path_text

ONE, TWO = ArtifactFile(sha256_digest(b"1"), 1), ArtifactFile(sha256_digest(b"22"), 2)


def test_the_digest_of_a_folder_is_over_the_lines_of_sha256sum() -> None:
    lines = f"{hashlib.sha256(b'22').hexdigest()}  a\n{hashlib.sha256(b'1').hexdigest()}  b/c\n"
    assert tree_digest({"b/c": ONE, "a": TWO}) == sha256_digest(lines.encode())


def test_the_digest_of_a_folder_does_not_depend_on_the_order() -> None:
    assert tree_digest({"a": ONE, "b": TWO}) == tree_digest({"b": TWO, "a": ONE})
    assert tree_digest({"a": ONE, "b": TWO}) != tree_digest({"a": TWO, "b": ONE})


def test_s12_a_line_feed_in_a_name_cannot_forge_a_second_file() -> None:
    name = f"a\n{hashlib.sha256(b'1').hexdigest()}  b"
    assert tree_digest({name: ONE}) != tree_digest({"a": ONE, "b": ONE})
    assert tree_digest({"a\nb": ONE}) != tree_digest({path_text(b"a\\x0ab"): ONE})


def test_s12_a_folder_with_what_is_no_file_or_with_nothing_has_no_digest() -> None:
    assert tree_digest({}) is None
    assert tree_digest({"a": ONE, "link": ArtifactFile(None, 0, "symlink")}) is None


def test_the_size_of_an_artifact_is_that_of_its_files() -> None:
    artifact = Artifact("m", ArtifactKind.WEIGHTS, "m", None, False, None, None, {"a": ONE, "b": TWO}, is_folder=True)
    assert artifact.bytes == 3
