"""OpenSSF model signing beside the library of the same name, whole files and shards; ignored paths; compositions.

The library is the oracle, and where it is wrong or lets something through, a test says so.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from model_signing import hashing, signing, verifying

from gate.collect import hashing as own_hashing
from tests.acceptance.world import Done, inside

CONFIG = """\
version: 1
target: deployment
profile: baseline
artifacts:
  tiny: {kind: weights, path: models/tiny%s}
evidence:
  - directory: .gate/attestations
trust:
  signers:
    release: {key: keys/release.pub, claims: [artifact.signature]}
"""
MODEL = {"config.json": b"{}\n", "sub/tokenizer.json": b'{"a": 1}\n', "weights.bin": bytes(range(256)) * 20}
SIGNATURE = ".gate/attestations/models-tiny.sigstore.json"


def plain() -> Any:
    """How the library hashes unless it is told otherwise."""
    return hashing.Config()  # type: ignore[no-untyped-call]


class Project:
    """A folder with a model, a key pair and a gate.yaml; in no repository."""

    def __init__(self, root: Path, model: Mapping[str, bytes] = MODEL) -> None:
        self.root = root
        for name, data in model.items():
            self.write(f"models/tiny/{name}", data)
        self.run("keygen", "--out", "keys/release", "--no-passphrase")
        self.configure()

    @property
    def model(self) -> Path:
        return self.root / "models" / "tiny"

    def write(self, path: str, data: bytes) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def configure(self, more: str = "") -> None:
        self.write("gate.yaml", (CONFIG % more).encode())

    def run(self, *arguments: str, code: int = 0) -> Done:
        assert Path.cwd() == self.root
        done = inside(*arguments)
        assert done.code == code, done.text
        return done

    def sign(self, *more: str, code: int = 0) -> Done:
        return self.run("sign", "models/tiny", "--key", "keys/release.key", *more, code=code)

    def verify(self, code: int = 0) -> dict[str, Any]:
        """The input document, after a verification of the evidence with this exit code."""
        self.run("verify", code=code)
        value: dict[str, Any] = json.loads(self.run("input").out)
        return value

    def check(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(inside("check", "--format", "json").out)
        return value

    def refusal(self) -> str:
        (found,) = self.verify(code=12)["rejected"].values()
        assert found["code"] == "subject.mismatch"
        return str(found["detail"])

    def predicate(self, path: str = SIGNATURE) -> dict[str, Any]:
        bundle = json.loads((self.root / path).read_bytes())
        value: dict[str, Any] = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))["predicate"]
        return value

    # The library.

    def library_signs(self, config: Any = None) -> None:
        """With its defaults it leaves out .git, .gitignore, .gitattributes and .github, and says so."""
        self.library_signs_at(self.model, config or plain())

    def library_signs_at(self, path: Path, config: Any) -> None:
        target = self.root / SIGNATURE
        target.parent.mkdir(parents=True, exist_ok=True)
        signer = signing.Config()  # type: ignore[no-untyped-call]
        signer.use_elliptic_key_signer(private_key=self.root / "keys/release.key")
        signer.set_hashing_config(config).sign(path, target)

    def library_verifies(self) -> None:
        verifier = verifying.Config()  # type: ignore[no-untyped-call]
        verifier.use_elliptic_key_verifier(public_key=self.root / "keys/release.pub")
        verifier.verify(self.model, self.root / SIGNATURE)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    root = tmp_path.resolve() / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    return Project(root)


# --- beside the library ---


def test_the_library_verifies_our_signature(project: Project) -> None:
    project.sign()
    project.library_verifies()
    (project.model / "config.json").write_bytes(b"[]\n")
    with pytest.raises(ValueError, match="Hash mismatch"):
        project.library_verifies()


def test_our_signature_of_shards_is_that_of_the_specification(project: Project) -> None:
    project.sign("--shards", "1000")
    predicate = project.predicate()
    assert predicate["serialization"] == {
        "allow_symlinks": False,
        "hash_type": "sha256",
        "method": "shards",
        "shard_size": 1000,
    }
    manifest = plain().use_shard_serialization(shard_size=1000).hash(project.model)
    theirs = [(item.identifier, item.digest.digest_hex) for item in manifest.resource_descriptors()]
    assert [(item["name"], item["digest"]) for item in predicate["resources"]] == theirs
    assert {item["algorithm"] for item in predicate["resources"]} == {"sha256"}


def test_the_library_cannot_verify_shards_of_the_specification_nor_its_own(project: Project) -> None:
    """It compares the name that it gives the algorithm of a shard, and trips over its own `shard_size: 1000.0`."""
    project.sign("--shards", "1000")
    with pytest.raises(ValueError, match="sha256-sharded-1000"):
        project.library_verifies()
    project.library_signs(plain().use_shard_serialization(shard_size=1000))
    with pytest.raises(TypeError, match="float"):
        project.library_verifies()


def test_the_library_cannot_verify_its_own_blake2(project: Project) -> None:
    project.library_signs(plain().use_file_serialization(hashing_algorithm="blake2"))
    with pytest.raises(ValueError, match="Unsupported hashing method blake2b"):
        project.library_verifies()


@pytest.mark.parametrize(
    ("method", "algorithm"),
    [("files", "sha256"), ("files", "blake2"), ("files", "blake3"), ("shards", "sha256"), ("shards", "blake2")],
)
def test_we_verify_what_the_library_signs(project: Project, method: str, algorithm: Any) -> None:
    config = plain().use_file_serialization(hashing_algorithm=algorithm)
    if method == "shards":
        config = plain().use_shard_serialization(hashing_algorithm=algorithm, shard_size=1000)
    project.library_signs(config)
    (found,) = project.verify()["attestations"].values()
    assert (found["artifacts"], found["facts"]["method"]) == (["tiny"], method)
    assert set(found["facts"]["files"]) == set(MODEL)
    decision = project.check()
    assert decision["controls"]["artifact.integrity"]["status"] == "pass"
    assert decision["controls"]["artifact.signed"]["status"] == "pass"
    (project.model / "weights.bin").write_bytes(bytes(5120))
    assert "'weights.bin'" in project.refusal()


def test_one_file_signed_by_the_library(project: Project) -> None:
    project.configure("/weights.bin")
    for config in (plain(), plain().use_shard_serialization(shard_size=1000)):
        project.library_signs_at(project.model / "weights.bin", config)
        (found,) = project.verify()["attestations"].values()
        assert found["artifacts"] == ["tiny"]
        decision = project.check()
        assert decision["controls"]["artifact.integrity"]["status"] == "pass"


# --- what lies beside the signed files ---

PLANTED = [".git/evil.py", ".gitattributes", ".gitignore", ".github/evil.py", "modeling_evil.py"]


@pytest.mark.parametrize("path", PLANTED)
@pytest.mark.parametrize("shards", [False, True])
def test_s12_planted_files_are_refused_whatever_the_signer_ignored(project: Project, path: str, shards: bool) -> None:
    config = plain().use_shard_serialization(shard_size=1000) if shards else plain()
    project.library_signs(config)
    assert ".git" in project.predicate()["serialization"]["ignore_paths"]
    project.write(f"models/tiny/{path}", b"evil")
    if path != "modeling_evil.py" and not shards:
        project.library_verifies()  # it lets them through: the signer's own list decides there
    assert f"'{path}' is there, but it is not signed" in project.refusal()


def test_s12_a_name_that_the_signer_ignored_is_refused(project: Project) -> None:
    config = plain().set_ignored_paths(paths=["notes.txt"])
    project.library_signs(config)
    project.write("models/tiny/notes.txt", b"evil")
    project.library_verifies()
    assert "'notes.txt' is there, but it is not signed" in project.refusal()


def test_an_empty_file_that_was_added_is_noticed(project: Project) -> None:
    """The specification leaves empty files out of shards, so the library does not see it."""
    project.library_signs(plain().use_shard_serialization(shard_size=1000))
    project.write("models/tiny/__init__.py", b"")
    manifest = plain().use_shard_serialization(shard_size=1000).hash(project.model)
    assert not any("__init__" in item.identifier for item in manifest.resource_descriptors())
    assert "'__init__.py' is there and empty, but it is not signed" in project.refusal()


def test_empty_folders_and_modes_say_nothing(project: Project) -> None:
    """A folder without files and the mode of a file are in no manifest; neither changes what is loaded."""
    project.sign()
    (project.model / "nothing" / "below").mkdir(parents=True)
    (project.model / "config.json").chmod(0o755)
    assert len(project.verify()["attestations"]) == 1


def test_a_renamed_model_is_the_same_model_and_a_renamed_file_is_not(project: Project) -> None:
    project.sign("--shards", "1000")
    project.model.rename(project.root / "models" / "other")
    project.write("gate.yaml", (CONFIG.replace("models/tiny", "models/other") % "").encode())
    assert len(project.verify()["attestations"]) == 1
    (project.root / "models/other/config.json").rename(project.root / "models/other/Config.json")
    assert "is there, but it is not signed" in project.refusal()


@pytest.mark.parametrize("shards", [[], ["--shards", "1000"]])
def test_s12_files_that_changed_places_are_refused(project: Project, shards: list[str]) -> None:
    project.sign(*shards)
    (project.model / "config.json").rename(project.model / "x")
    (project.model / "sub/tokenizer.json").rename(project.model / "config.json")
    (project.model / "x").rename(project.model / "sub/tokenizer.json")
    assert "'config.json'" in project.refusal()


# --- paths that the verifier ignores ---


def test_the_verifier_says_what_is_ignored_and_the_document_lists_it(project: Project) -> None:
    project.library_signs()
    project.write("models/tiny/.gitattributes", b"*.bin filter=lfs\n")
    project.write("models/tiny/.git/config", b"[core]\n")
    project.refusal()
    project.configure(", ignore: [.git, .gitattributes]")
    assert len(project.verify()["attestations"]) == 1
    document = json.loads(project.run("input").out)
    assert set(document["artifacts"]["tiny"]["files"]) == set(MODEL)
    for path in (".git/config", ".gitattributes"):
        assert "no evidence covers it" in document["skipped"][f"artifact tiny: {path}"]
    decision = project.check()
    assert decision["controls"]["artifact.integrity"]["status"] == "pass"
    assert "artifact tiny: .gitattributes" in decision["skipped"]
    project.write("models/tiny/sub/.gitattributes", b"x")
    assert "'sub/.gitattributes'" in project.refusal()


def test_a_signed_file_that_is_ignored_is_a_mismatch(project: Project) -> None:
    project.sign()
    project.configure(", ignore: [config.json]")
    assert "'config.json' is signed, but it is not there" in project.refusal()


# --- signing in shards ---


def test_shards_have_a_default_size_and_take_units(project: Project) -> None:
    project.sign("--shards")
    assert project.predicate()["serialization"]["shard_size"] == 1_000_000_000
    project.sign("--shards", "4KiB")
    assert project.predicate()["serialization"]["shard_size"] == 4096
    assert [item["name"] for item in project.predicate()["resources"]][-2:] == [
        "weights.bin:0:4096",
        "weights.bin:4096:5120",
    ]
    assert len(project.verify()["attestations"]) == 1


@pytest.mark.parametrize("size", ["0", "", "x", "1.5", "1TB", "99999999GiB"])
def test_a_size_that_is_none(project: Project, size: str) -> None:
    assert "--shards" in project.sign("--shards", size, code=2).err


def test_an_empty_file_cannot_be_in_a_signature_of_shards(project: Project) -> None:
    project.write("models/tiny/empty", b"")
    done = project.sign("--shards", code=5)
    assert "'empty' is empty" in done.err
    assert "sign without --shards" in done.err
    project.sign()


def test_shards_without_number_are_refused(project: Project) -> None:
    project.write("models/tiny/large", bytes(200_000))
    done = project.sign("--shards", "1", code=5)
    assert "more than 100000 shards" in done.err


@pytest.mark.parametrize("option", [["--shards"], ["--hash-cache", "cache.json"]])
def test_statements_are_not_hashed(project: Project, option: list[str]) -> None:
    project.write("prompt.json", b"{}")
    create = ["attest", "create", "--claim", "prompt", "--predicate", "prompt.json", "--subject", "gate.yaml"]
    project.run(*create, "--out", "s/prompt.statement.json")
    for path, code in (("s/prompt.statement.json", 5), ("s", 2)):
        done = project.run("sign", path, "--key", "keys/release.key", *option, code=code)
        assert "models" in done.err


def test_a_file_too_large_for_memory_is_read_once_for_its_digest_and_its_shards(project: Project) -> None:
    project.write("models/tiny/weights.bin", bytes(own_hashing.MEMORY_BYTES + 1))
    project.sign("--shards", "16MiB")
    assert len(project.verify()["attestations"]) == 1


# --- the cache of hashes ---


def test_the_cache_is_a_hint_for_signing_only(project: Project) -> None:
    for path in project.model.rglob("*"):
        os.utime(path, ns=(10**18, 10**18))
    project.sign()
    first = project.predicate()
    done = project.sign("--hash-cache", "cache.json")
    assert "0 of 3 digests are from the hash cache" in done.out
    assert project.predicate() == first
    assert json.loads((project.root / "cache.json").read_bytes())["version"] == 1
    assert "--hash-cache" not in project.run("check", "--help").out
    assert "--hash-cache" not in project.run("verify", "--help").out


def test_a_cache_that_lies_makes_a_signature_that_no_verification_accepts(project: Project) -> None:
    status = (project.model / "config.json").stat()
    state = f"{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}"
    lie = {f"{status.st_dev}:{status.st_ino}": {"state": state, "digests": {"sha256": "0" * 64}}}
    project.write("cache.json", json.dumps({"version": 1, "files": lie}).encode())
    done = project.sign("--hash-cache", "cache.json")
    assert "1 of 3 digests are from the hash cache" in done.out
    assert "'config.json'" in project.refusal()


def test_a_cache_that_cannot_be_believed_is_ignored_and_said(project: Project) -> None:
    project.write("cache.json", b"{")
    done = project.sign("--hash-cache", "cache.json")
    assert "the hash cache was ignored and left as it is" in done.out
    assert (project.root / "cache.json").read_bytes() == b"{"
    assert len(project.verify()["attestations"]) == 1
    project.write("cache.json", b'{"version":1,"files":{}}')
    (project.root / "cache.json").chmod(0o666)
    assert "others own or can write it" in project.sign("--hash-cache", "cache.json").out


@pytest.mark.parametrize("place", ["models/tiny/cache.json", "models/tiny"])
def test_a_cache_inside_the_model_is_refused(project: Project, place: str) -> None:
    done = project.sign("--hash-cache", place, code=2 if place == "models/tiny" else 5)
    assert "--hash-cache" in done.err


def test_a_model_whose_name_is_no_text_is_refused(project: Project) -> None:
    (project.root / "models" / "a\\b").mkdir()
    assert "not plain UTF-8" in project.run("sign", "models/a\\b", "--key", "keys/release.key", code=5).err


# --- compositions ---

PARTIES = """\
version: 1
target: deployment
profile: baseline
artifacts:
  base: {kind: weights, path: models/tiny}
  style: {kind: adapter, path: models/style, base: base}
evidence:
  - directory: .gate/attestations
trust:
  signers:
    release: {key: keys/release.pub, claims: [composition]}
    team: {key: keys/team.pub, claims: [composition]}
    stranger: {key: keys/stranger.pub, claims: [prompt]}
  thresholds: {composition: 2}
"""
COMPOSITION = ".gate/statements/assistant.composition.json"


@pytest.fixture
def composed(project: Project) -> Project:
    project.write("models/style/adapter.bin", b"style")
    project.write("gate.yaml", PARTIES.encode())
    for name in ("team", "stranger"):
        project.run("keygen", "--out", f"keys/{name}", "--no-passphrase")
    project.run("attest", "compose", "--base", "models/tiny", "--adapter", "models/style", "--name", "assistant")
    return project


def signs(project: Project, name: str, *more: str) -> Done:
    return project.run("sign", COMPOSITION, "--key", f"keys/{name}.key", *more)


def test_a_composition_counts_when_both_parties_signed_it(composed: Project) -> None:
    signs(composed, "release")
    (short,) = composed.verify(code=11)["rejected"].values()
    assert short["code"] == "signature.threshold"
    done = signs(composed, "team")
    second = re.search(r"^written   (\S+)$", done.out, re.MULTILINE)
    assert second is not None
    assert re.fullmatch(r"\.gate/attestations/assistant\.composition\.[0-9a-f]{12}\.sigstore\.json", second[1])
    (found,) = composed.verify()["attestations"].values()
    assert found["artifacts"] == ["base", "style"]
    assert [signer["name"] for signer in found["signers"]] == ["release", "team"]
    facts = found["facts"]
    assert set(facts["files"]) == {"models/style/adapter.bin", *(f"models/tiny/{name}" for name in MODEL)}
    assert list(facts["base"]) == ["models/tiny"]
    assert list(facts["adapters"]) == ["models/style"]
    assert facts["collected"] is True


def test_the_digests_are_those_of_model_signatures(composed: Project) -> None:
    signs(composed, "release")
    signs(composed, "team", "--out", ".gate/attestations/team.sigstore.json")
    (found,) = composed.verify()["attestations"].values()
    done = composed.run("sign", "models/tiny", "--key", "keys/release.key", "--out", "elsewhere.sigstore.json")
    assert f"digest    {found['facts']['base']['models/tiny']}" in done.out


def test_the_same_signer_twice_and_a_signer_without_the_claim_do_not_count(composed: Project) -> None:
    signs(composed, "release")
    signs(composed, "release", "--out", ".gate/attestations/again.json")
    assert composed.verify(code=14 if same_bytes(composed) else 11)["attestations"] == {}
    (composed.root / ".gate/attestations/again.json").unlink()
    signs(composed, "stranger")
    assert composed.verify(code=11)["attestations"] == {}


def same_bytes(project: Project) -> bool:
    """Where ECDSA is deterministic, signing again gives the same evidence, which must not be there twice."""
    found = [path.read_bytes() for path in (project.root / ".gate/attestations").iterdir()]
    return len(set(found)) < len(found)


def test_signing_again_with_the_same_key_replaces_the_own_signature(composed: Project) -> None:
    signs(composed, "release")
    signs(composed, "team")
    assert "replaced" in signs(composed, "release").out
    assert "replaced" in signs(composed, "team").out
    assert len(list((composed.root / ".gate/attestations").iterdir())) == 2


@pytest.mark.parametrize("part", ["models/tiny/config.json", "models/style/adapter.bin", "models/style/added.bin"])
def test_no_part_of_a_composition_changes_alone(composed: Project, part: str) -> None:
    signs(composed, "release")
    signs(composed, "team")
    composed.write(part, b"other")
    found = composed.verify(code=12)["rejected"].values()
    assert {item["code"] for item in found} == {"subject.mismatch"}
    assert all(part in item["detail"] for item in found)


def test_the_same_parts_give_the_same_statement(composed: Project) -> None:
    first = (composed.root / COMPOSITION).read_bytes()
    compose = ["attest", "compose", "--base", "models/tiny", "--adapter", "models/style", "--name", "assistant"]
    assert "replaced" in composed.run(*compose).out
    assert (composed.root / COMPOSITION).read_bytes() == first
    composed.run(*compose, "--created-at", "2026-11-20T10:00:00Z", "--depends-on", COMPOSITION, "--out", "b.json")
    predicate = json.loads((composed.root / "b.json").read_bytes())["predicate"]
    assert predicate["created_at"] == "2026-11-20T10:00:00Z"
    assert len(predicate["depends_on"]) == 1


def test_a_composition_of_single_files_is_named_after_its_adapters(composed: Project) -> None:
    files = ["--base", "models/tiny/weights.bin", "--adapter", "models/style/adapter.bin"]
    done = composed.run("attest", "compose", *files, "--adapter", "models/tiny/config.json")
    assert "models-tiny-config.json+1.composition.json" in done.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--base", "models", "--adapter", "models/style"), "models/style lies in models"),
        (("--base", "models/tiny", "--adapter", "models/tiny"), "lies in models/tiny"),
        (("--base", "models/tiny", "--adapter", "none"), "cannot read none"),
        (("--base", "models/tiny", "--adapter", "/etc/hostname"), "does not lie below"),
        (("--base", "models/tiny", "--adapter", "models/style", "--name", "a/b"), "no plain name"),
        (("--base", "models/tiny", "--adapter", "models/style", "--name", ".."), "no plain name"),
        (("--base", "models/tiny", "--adapter", "models/style", "--out", "models/tiny/x.json"), "lies inside"),
    ],
)
def test_what_is_no_composition(composed: Project, arguments: tuple[str, ...], words: str) -> None:
    assert words in composed.run("attest", "compose", *arguments, code=5).err


# --- the guide ---


def test_the_guide_works_as_written(project: Project) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "how-to" / "sign-a-model.md").read_text()
    project.model.rename(project.root / "models" / "summarizer")
    project.write("models/house-style/adapter.bin", b"style")
    project.run("keygen", "--out", "keys/team", "--no-passphrase")
    for path in (project.root / "keys").glob("release.*"):
        path.unlink()
    lines = [line for block in re.findall(r"```sh\n(.*?)```", guide, re.DOTALL) for line in block.splitlines()]
    assert len(lines) >= 6
    for line in lines:
        program, *arguments = shlex.split(line)
        assert program == "gate"
        project.run(*arguments)
    assert len(list((project.root / ".gate/attestations").iterdir())) == 3
