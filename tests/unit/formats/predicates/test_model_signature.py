"""Manifests of model signatures."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from gate.formats.predicates.model_signature import PREDICATE_TYPE as MODEL_SIGNATURE
from gate.formats.predicates.model_signature import root_digest
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import Subject
from tests.unit.formats.predicates.reading import SUBJECTS, changed, code_of, read

HEX = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("a.bin", "b.bin", "sub/c.json")}


def resource(name: Any, digest: Any = ..., algorithm: Any = "sha256") -> dict[str, Any]:
    found = HEX.get(name, "0" * 64) if digest is ... else digest
    return {"name": name, "digest": found, "algorithm": algorithm}


def manifest(*resources: Any, method: str = "files", kind: str = "sha256") -> dict[str, Any]:
    return {"resources": list(resources), "serialization": {"method": method, "hash_type": kind}}


def subject_of(predicate: dict[str, Any]) -> tuple[Subject, ...]:
    """The subject that a signer of this manifest would write."""
    raw = b"".join(bytes.fromhex(item["digest"]) for item in predicate["resources"])
    return (Subject("model", sha256_digest(raw)),)


GOOD = manifest(*map(resource, HEX))


class TestModelSignature:
    def test_the_resources_are_the_files_and_there_are_no_others(self) -> None:
        found = read(MODEL_SIGNATURE, GOOD, subject_of(GOOD))
        expected = tuple(Subject(name, Digest(f"sha256:{text}")) for name, text in HEX.items())
        assert (found.claim, found.resources, found.exhaustive) == ("artifact.signature", expected, True)
        assert found.subjects == subject_of(GOOD)
        assert found.facts == {"files": {name: f"sha256:{text}" for name, text in HEX.items()}, "method": "files"}

    def test_the_root_digest_is_over_the_raw_digests_in_their_order(self) -> None:
        one, two = sha256_digest(b"1"), sha256_digest(b"2")
        expected = hashlib.sha256(hashlib.sha256(b"1").digest() + hashlib.sha256(b"2").digest()).hexdigest()
        assert root_digest([one, two]) == f"sha256:{expected}"
        assert root_digest([two, one]) != root_digest([one, two])

    def test_a_model_that_is_one_file_is_a_dot(self) -> None:
        single = manifest(resource(".", HEX["a.bin"]))
        assert read(MODEL_SIGNATURE, single, subject_of(single)).resources[0].name == "."

    def test_s12_a_dot_beside_other_files_is_refused(self) -> None:
        both = manifest(resource("."), resource("a.bin"))
        assert code_of(MODEL_SIGNATURE, both, subject_of(both)) == "manifest"

    @pytest.mark.parametrize(
        "name",
        [
            "..",
            "../a",
            "a/..",
            "a/../b",
            "a/../../b",
            "/a",
            "/",
            "//a",
            "a//b",
            "a/",
            "./a",
            "a/.",
            "a/./b",
            "\\a",
            "a\\b",
            "..\\a",
            "C:/a",
            "c:a",
            "C:",
            "a\x00",
            "\x00",
            "a\nb",
            "a\rb",
            "a\x1bb",
            "\x7f",
            "a/\x01",
            "\\\\host\\share",
        ],
        ids=ascii,
    )
    def test_s12_a_name_that_leaves_the_model_is_refused(self, name: str) -> None:
        predicate = manifest(resource("a.bin"), resource(name))
        assert code_of(MODEL_SIGNATURE, predicate, subject_of(predicate)) == "path"

    @pytest.mark.parametrize("digest", [None, "same", "other"])
    def test_s12_a_name_that_occurs_twice_is_refused(self, digest: str | None) -> None:
        twice = resource("a.bin", "1" * 64) if digest == "other" else resource("a.bin")
        predicate = manifest(resource("a.bin"), resource("b.bin"), twice)
        assert code_of(MODEL_SIGNATURE, predicate, subject_of(predicate)) == "manifest"

    @pytest.mark.parametrize(
        ("digest", "algorithm"),
        [
            (HEX["a.bin"].upper(), "sha256"),
            ("sha256:" + HEX["a.bin"], "sha256"),
            (HEX["a.bin"][:-1], "sha256"),
            ("g" * 64, "sha256"),
            (HEX["a.bin"] + "\n", "sha256"),
            ("0" * 128, "sha256"),
            (HEX["a.bin"], "blake2b"),
            ("0" * 128, "blake2b"),
            ("0" * 128, "sha512"),
            (HEX["a.bin"], "SHA256"),
            (HEX["a.bin"], "sha-256"),
            (HEX["a.bin"], "blake3"),
            ("0" * 40, "sha1"),
        ],
    )
    def test_s11_a_resource_has_a_sha256_and_nothing_else(self, digest: str, algorithm: str) -> None:
        predicate = manifest(resource("a.bin", digest, algorithm))
        assert code_of(MODEL_SIGNATURE, predicate, (Subject("model", sha256_digest(b"")),)) == "manifest"

    def test_s11_the_subject_is_the_root_digest_alone(self) -> None:
        (good,) = subject_of(GOOD)
        swapped = manifest(*map(resource, reversed(HEX)))
        for wrong in (
            (),
            SUBJECTS,
            (good, good),
            (good, *SUBJECTS),
            subject_of(swapped),
            (Subject("model", None, {"sha512": "0" * 128}),),
            (Subject("model", good.digest, {"sha512": "0" * 128}),),
        ):
            assert code_of(MODEL_SIGNATURE, GOOD, wrong) == "manifest"

    @pytest.mark.parametrize(
        ("method", "kind"),
        [
            ("shards", "sha256"),
            ("files", "blake2s"),
            ("files", "sha384"),
            ("files", "sha512"),
            ("Files", "sha256"),
            ("files", "SHA256"),
            ("x", "x"),
        ],
    )
    def test_s10_other_ways_of_hashing_are_refused(self, method: str, kind: str) -> None:
        predicate = manifest(*map(resource, HEX), method=method, kind=kind)
        assert code_of(MODEL_SIGNATURE, predicate, subject_of(predicate)) == "serialization"

    @pytest.mark.parametrize(
        ("path", "new"),
        [
            ("resources", ...),
            ("resources", []),
            ("resources", None),
            ("resources", {}),
            ("resources", [None]),
            ("resources.0.name", ...),
            ("resources.0.name", ""),
            ("resources.0.name", 1),
            ("resources.0.digest", None),
            ("resources.0.digest", ...),
            ("resources.0.algorithm", ...),
            ("resources.0.algorithm", None),
            ("serialization", ...),
            ("serialization", []),
            ("serialization.method", ...),
            ("serialization.hash_type", ...),
            ("serialization.method", None),
            ("serialization.allow_symlinks", "yes"),
            ("serialization.ignore_paths", "a"),
            ("serialization.ignore_paths", [1]),
        ],
        ids=str,
    )
    def test_a_malformed_manifest_is_refused(self, path: str, new: Any) -> None:
        good = changed(manifest(resource("a.bin")), "serialization.ignore_paths", [])
        predicate = changed(good, path, new)
        assert code_of(MODEL_SIGNATURE, predicate) == "predicate"

    def test_s12_what_the_signer_ignored_does_not_shrink_the_manifest(self) -> None:
        predicate = changed(GOOD, "serialization.ignore_paths", ["b.bin", "."])
        assert [item.name for item in read(MODEL_SIGNATURE, predicate, subject_of(GOOD)).resources] == list(HEX)
