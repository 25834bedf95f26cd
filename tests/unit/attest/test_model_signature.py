"""The OMS manifest, against digests worked out by hand and against the gate's own reader."""

from __future__ import annotations

import hashlib
import json

import pytest

from gate.attest.model_signature import model_statement
from gate.errors import AttestError
from gate.formats.intoto import parse_statement
from gate.formats.predicates import read_statement
from gate.model.artifact import ArtifactFile
from gate.model.digest import sha256_digest

A, B = b"alpha\n", b"beta\n"
FILES = {"sub/b.bin": ArtifactFile(sha256_digest(B), len(B)), "a.txt": ArtifactFile(sha256_digest(A), len(A))}


def test_the_manifest_of_a_folder() -> None:
    payload, root = model_statement("tiny", FILES, is_folder=True)
    raw = hashlib.sha256(A).digest() + hashlib.sha256(B).digest()
    assert root == "sha256:" + hashlib.sha256(raw).hexdigest()
    # The same, written down: sha256(sha256("alpha\n") || sha256("beta\n")) by `sha256sum` and `xxd -r -p`.
    assert root == "sha256:24d116e0411b3a4a8d3d5c9c88c150bc4d4603a490294bd4b23d3ef549e1f1a0"
    assert json.loads(payload) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "tiny", "digest": {"sha256": root[7:]}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {
            "resources": [
                {"name": "a.txt", "digest": hashlib.sha256(A).hexdigest(), "algorithm": "sha256"},
                {"name": "sub/b.bin", "digest": hashlib.sha256(B).hexdigest(), "algorithm": "sha256"},
            ],
            "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False},
        },
    }


def test_the_manifest_of_a_single_file_names_it_by_a_dot() -> None:
    payload, root = model_statement("a.txt", {"a.txt": FILES["a.txt"]}, is_folder=False)
    assert root == "sha256:" + hashlib.sha256(hashlib.sha256(A).digest()).hexdigest()
    assert [item["name"] for item in json.loads(payload)["predicate"]["resources"]] == ["."]


def test_verification_reads_every_file_of_it() -> None:
    payload, _ = model_statement("tiny", FILES, is_folder=True)
    statement = read_statement(parse_statement(payload, limit=len(payload)))
    assert statement.claim == "artifact.signature"
    assert statement.exhaustive
    assert {item.name: item.digest for item in statement.resources} == {k: v.digest for k, v in FILES.items()}


def test_an_empty_folder_has_no_manifest() -> None:
    with pytest.raises(AttestError, match="no files"):
        model_statement("tiny", {}, is_folder=True)
