"""Model signatures over shards or other hashes: as exact as those over whole files (SECURITY 11, 12)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import pytest

from gate.formats.hashes import RecipeHasher, parse_recipe
from gate.formats.predicates.model_signature import PREDICATE_TYPE, SINGLE_FILE, wanted_digests
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import Concern, Evidence, VerifiedSet
from gate.verify.pipeline import admit_evidence
from tests.support.evidence import (
    LIMIT,
    bundle,
    digest_of,
    digests,
    folder,
    model_signature,
    only_rejected,
    only_verified,
    single_file,
    statement,
    trust,
    verify,
)

FILES = {"config.json": "{}", "model.safetensors": "weights, and more of them", "sub/tokenizer.json": "[]"}
MODEL = folder("summarizer", FILES)


def manifest(files: Mapping[str, str], name: str = "summarizer", size: int = 10, kind: str = "sha256") -> bytes:
    """A manifest of shards as the reference writes it."""
    resources = []
    for path, content in sorted(files.items()):
        data = content.encode()
        for start in range(0, len(data), size):
            end = min(start + size, len(data))
            digest = hashlib.new(kind, data[start:end]).hexdigest()
            resources.append({"name": f"{path}:{start}:{end}", "digest": digest, "algorithm": f"{kind}-sharded-{size}"})
    return signed(resources, {"method": "shards", "hash_type": kind, "shard_size": float(size)}, name)


def whole(files: Mapping[str, str], kind: str = "blake2b") -> bytes:
    resources = [
        {"name": path, "digest": hashlib.new(kind, content.encode()).hexdigest(), "algorithm": kind}
        for path, content in sorted(files.items())
    ]
    return signed(resources, {"method": "files", "hash_type": kind}, "summarizer")


def signed(resources: list[dict[str, str]], serialization: dict[str, Any], name: str) -> bytes:
    root = sha256_digest(b"".join(bytes.fromhex(item["digest"]) for item in resources))
    predicate = {"resources": resources, "serialization": serialization}
    return statement(subjects={name: root}, kind=PREDICATE_TYPE, predicate=predicate)


def computed(*contents: str) -> Any:
    known = {digest_of(item): item.encode() for item in contents}

    def other(digest: Digest, word: str) -> str | None:
        if digest not in known:
            return None
        hasher = RecipeHasher(parse_recipe(word))
        hasher.update(known[digest])
        return hasher.text()

    return other


def judged(*payloads: bytes, files: Mapping[str, str] = FILES, **more: Any) -> VerifiedSet:
    artifact = more.pop("artifact", None) or folder("summarizer", files)
    contents = [*FILES.values(), *files.values()]
    items = [bundle(payload) for payload in payloads]
    return verify(*items, artifacts=[artifact], other_digest=computed(*contents), **more)


@pytest.mark.parametrize("payload", [manifest(FILES), manifest(FILES, kind="blake2b"), whole(FILES)])
def test_a_manifest_of_exactly_these_files_covers_the_artifact_and_names_their_sha256(payload: bytes) -> None:
    found = only_verified(judged(payload))
    assert found.artifacts == ("summarizer",)
    assert found.statement.facts["files"] == digests(MODEL)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({**FILES, "config.json": "[]"}, "'config.json' has other sha256-sharded-10 digests than were signed"),
        ({**FILES, "evil.py": "x"}, "'evil.py' is there, but it is not signed"),
        ({**FILES, "evil.py": ""}, "'evil.py' is there and empty"),
        ({"config.json": "{}", "model.safetensors": FILES["model.safetensors"]}, "'sub/tokenizer.json' is signed"),
        ({**{k: v for k, v in FILES.items() if k != "config.json"}, "Config.json": "{}"}, "'Config.json' is there"),
        ({**FILES, "config.json": "[]", "sub/tokenizer.json": "{}"}, "'config.json' has other"),
        ({**FILES, "model.safetensors": FILES["model.safetensors"] + "!"}, "'model.safetensors' has other"),
        ({**FILES, "model.safetensors": FILES["model.safetensors"][:20]}, "'model.safetensors' has other"),
    ],
)
def test_s12_any_other_state_of_the_model_is_refused(files: Mapping[str, str], words: str) -> None:
    found = only_rejected(judged(manifest(FILES), files=files))
    assert (found.code, found.concern) == ("subject.mismatch", Concern.AT_STAKE)
    assert words in found.detail


def test_s12_a_link_in_the_place_of_a_signed_file_is_refused() -> None:
    entries = {**MODEL.files, "config.json": type(MODEL.files["config.json"])(None, 0, "symlink")}
    artifact = type(MODEL)(**{name: getattr(MODEL, name) for name in type(MODEL).__slots__} | {"files": entries})
    found = only_rejected(judged(manifest(FILES), artifact=artifact))
    assert "'config.json' is a link or a device, not a file" in found.detail


def test_a_changed_file_is_no_model() -> None:
    found = only_verified(judged(manifest(FILES), changed={"config.json": digest_of("{}"), "gone": None}))
    assert found.artifacts == ("summarizer",)


def test_a_signature_that_fits_makes_last_months_harmless() -> None:
    old = manifest({**FILES, "config.json": "old"})
    found = judged(old, model_signature(digests(MODEL), name="summarizer"))
    assert [item.artifacts for item in found.verified if item.artifacts] == [("summarizer",)]
    assert found.rejected == ()


def test_a_manifest_of_the_same_name_with_nothing_in_common_is_about_other_bytes() -> None:
    found = only_rejected(judged(manifest({"other.bin": "x"})))
    assert found.detail == "its files are not those that were signed"
    assert judged(manifest({"other.bin": "x"}, name="elsewhere")).rejected == ()


def test_a_model_that_is_one_file() -> None:
    artifact = single_file("prompt", "models/m.bin", "weights, and more")
    files = {SINGLE_FILE: "weights, and more"}
    found = only_verified(judged(manifest(files, name="m.bin"), files=files, artifact=artifact))
    assert found.artifacts == ("prompt",)
    assert found.statement.facts["files"] == {SINGLE_FILE: digest_of("weights, and more")}
    other = {SINGLE_FILE: "weights, and less"}
    assert only_rejected(judged(manifest(other, name="m.bin"), files=files, artifact=artifact)).stage.exit_code == 12


def test_digests_that_nobody_can_compute_cover_nothing() -> None:
    found = verify(bundle(manifest(FILES, name="x")), artifacts=[MODEL])
    assert only_verified(found).artifacts == ()


def test_only_statements_of_trusted_signers_say_what_is_computed() -> None:
    admission = admit_evidence([Evidence("a", bundle(manifest(FILES)))], trust(), limit=LIMIT)
    (found,) = admission.statements()
    assert {path: size for path, size, _ in wanted_digests(found)} == {k: len(v) for k, v in FILES.items()}
    stranger = trust(revoked_keys=("release",))
    assert list(admit_evidence([Evidence("a", bundle(manifest(FILES)))], stranger, limit=LIMIT).statements()) == []
