"""Manifests of model signatures."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from gate.formats.intoto import StatementError
from gate.formats.predicates import model_signature
from gate.formats.predicates.model_signature import PREDICATE_TYPE as MODEL_SIGNATURE
from gate.formats.predicates.model_signature import root_digest, wanted_digests
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


def hashed(name: str, algorithm: str = "sha256") -> str:
    return hashlib.new(algorithm, name.encode()).hexdigest()


def shards(*names: str, size: Any = 10, kind: str = "sha256", algorithm: str = "sha256") -> dict[str, Any]:
    found = manifest(
        *(resource(name, hashed(name, {"blake2": "blake2b"}.get(kind, kind)), algorithm) for name in names),
        method="shards",
        kind=kind,
    )
    found["serialization"]["shard_size"] = size
    return found


SHARDS = ("a:0:10", "a:10:20", "a:20:25", "bb:c:0:3")


class TestShards:
    def test_the_shards_of_a_file_are_one_resource(self) -> None:
        found = read(MODEL_SIGNATURE, shards(*SHARDS), subject_of(shards(*SHARDS)))
        word = "sha256-sharded-10"
        assert found.resources == (
            Subject("a", None, {word: "".join(map(hashed, SHARDS[:3]))}),
            Subject("bb:c", None, {word: hashed("bb:c:0:3")}),
        )
        assert found.facts == {"files": {}, "method": "shards"}
        assert list(wanted_digests(found)) == [("a", 25, word), ("bb:c", 3, word)]

    @pytest.mark.parametrize(
        ("kind", "algorithm", "size"),
        [("sha256", "sha256-sharded-10", 10.0), ("blake2", "blake2b-sharded-10", 10), ("blake2b", "blake2", 10.0)],
    )
    def test_the_words_of_the_reference_are_read(self, kind: str, algorithm: str, size: float) -> None:
        predicate = shards(*SHARDS, size=size, kind=kind, algorithm=algorithm)
        found = read(MODEL_SIGNATURE, predicate, subject_of(predicate))
        word = "sha256-sharded-10" if kind == "sha256" else "blake2b-sharded-10"
        assert set(found.resources[0].other_digests) == {word}

    def test_the_order_of_shards_does_not_matter(self) -> None:
        turned = shards(*reversed(SHARDS))
        found = {item.name: item for item in read(MODEL_SIGNATURE, turned, subject_of(turned)).resources}
        straight = shards(*SHARDS)
        assert found == {item.name: item for item in read(MODEL_SIGNATURE, straight, subject_of(straight)).resources}

    @pytest.mark.parametrize(
        "names",
        [
            ("a:10:20",),
            ("a:0:10", "a:20:30"),
            ("a:0:10", "a:5:15"),
            ("a:0:10", "a:0:10"),
            ("a:0:5", "a:5:15"),
            ("a:0:11",),
            ("a:0:0",),
            ("a:5:3",),
            ("a:0:3", "a:3:13"),
            ("a",),
            ("a:0",),
            ("a:00:10",),
            ("a:-1:9",),
            ("a:0:1e1",),
            ("a:0:10 ",),
        ],
    )
    def test_s12_shards_make_up_the_file_from_its_start(self, names: tuple[str, ...]) -> None:
        predicate = shards(*names)
        assert code_of(MODEL_SIGNATURE, predicate, subject_of(predicate)) == "manifest"

    @pytest.mark.parametrize("name", ["../a:0:1", "/a:0:1", ":0:1", "a//b:0:1"])
    def test_s12_shards_stay_below_the_model(self, name: str) -> None:
        assert code_of(MODEL_SIGNATURE, shards(name), subject_of(shards(name))) == "path"

    @pytest.mark.parametrize("size", [0, -1, 1.5, True, "10", None, 1e300, (1 << 53) + 2])
    def test_a_shard_size_is_a_number_of_bytes(self, size: Any) -> None:
        predicate = shards(*SHARDS, size=size)
        if not isinstance(size, int | float):
            assert code_of(MODEL_SIGNATURE, predicate, subject_of(predicate)) == "predicate"
        else:
            assert code_of(MODEL_SIGNATURE, predicate, subject_of(predicate)) in {"serialization", "predicate"}

    def test_a_shard_size_is_needed(self) -> None:
        predicate = shards(*SHARDS)
        del predicate["serialization"]["shard_size"]
        assert code_of(MODEL_SIGNATURE, predicate, subject_of(predicate)) == "serialization"

    @pytest.mark.parametrize("algorithm", ["sha256-sharded-11", "blake2b", "sha256-sharded", "sha512"])
    def test_the_algorithm_of_a_shard_is_that_of_the_manifest(self, algorithm: str) -> None:
        predicate = shards(*SHARDS, algorithm=algorithm)
        assert code_of(MODEL_SIGNATURE, predicate, subject_of(predicate)) == "manifest"

    def test_more_shards_than_a_file_can_have(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(model_signature, "MAX_SHARDS", 2)
        assert code_of(MODEL_SIGNATURE, shards(*SHARDS), subject_of(shards(*SHARDS))) == "manifest"


class TestOtherHashes:
    def test_blake2_is_blake2b_with_512_bits(self) -> None:
        text = hashed("a", "blake2b")
        for kind in ("blake2", "blake2b"):
            predicate = manifest(resource("a", text, kind), kind=kind)
            found = read(MODEL_SIGNATURE, predicate, subject_of(predicate))
            assert found.resources == (Subject("a", None, {"blake2b": text}),)
            assert list(wanted_digests(found)) == [("a", None, "blake2b")]

    def test_a_digest_has_the_length_of_its_algorithm(self) -> None:
        predicate = manifest(resource("a", hashed("a"), "blake2b"), kind="blake2b")
        assert code_of(MODEL_SIGNATURE, predicate, subject_of(predicate)) == "manifest"

    def test_blake3_is_read_only_where_it_can_be_computed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        predicate = manifest(resource("a", hashed("a"), "blake3"), kind="blake3")
        assert read(MODEL_SIGNATURE, predicate, subject_of(predicate)).resources[0].other_digests
        monkeypatch.setattr(model_signature, "is_available", lambda _: False)
        with pytest.raises(StatementError, match="pip install blake3"):
            read(MODEL_SIGNATURE, predicate, subject_of(predicate))

    def test_nothing_is_wanted_for_whole_files_in_sha256(self) -> None:
        assert list(wanted_digests(read(MODEL_SIGNATURE, GOOD, subject_of(GOOD)))) == []
