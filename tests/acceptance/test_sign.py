"""`gate keygen`, `gate sign` and `gate attest create`, and that the gate's own verification accepts what they make."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pty
import re
import select
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import click
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gate.app import model, produce
from gate.app.produce import Made, Place
from gate.app.sign import SignRequest, sign
from gate.attest.signers.key import KeySigner
from gate.cli import main as shell
from gate.cli import signing
from gate.collect.directory import collect_artifact
from gate.errors import EvidenceError
from gate.model.artifact import ArtifactKind
from gate.model.claim import CLAIMS
from gate.model.digest import sha256_digest
from gate.model.evidence import Evidence, VerifiedSet
from gate.model.settings import ArtifactSettings, Limits, Revocations, SignerSettings, TrustSettings
from gate.verify.pipeline import verify_evidence
from gate.verify.trust import build_trust_store

SLSA = {
    "buildDefinition": {"buildType": "https://example.com/t/v1", "externalParameters": {}},
    "runDetails": {"builder": {"id": "https://example.com/b"}},
}
MODEL = {"config.json": b"{}\n", "model.safetensors": b"\x02" * 4096, "tokenizer/vocab.txt": b"a\nb\n", "empty": b""}


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model in which commands run; in no repository, without anything from our environment."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    place = tmp_path / "place"
    for name, data in MODEL.items():
        path = place / "models" / "tiny" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def gate(root: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    assert root == Path.cwd()

    def run(*arguments: str | Path) -> Done:
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            shell.run([str(item) for item in arguments])
        text = capfd.readouterr()
        assert "Traceback" not in text.err
        assert isinstance(left.value.code, int)
        return Done(left.value.code, text.out, text.err)

    return run


@pytest.fixture
def key(gate: Run) -> Path:
    assert gate("keygen", "--no-passphrase").code == 0
    return Path("keys/release.key")


def verified(root: Path, bundle: Path, public: Path, path: str = "models/tiny") -> VerifiedSet:
    signer = SignerSettings("release", tuple(CLAIMS), "k", public.read_bytes(), None, None, None, None)
    trust = TrustSettings({"release": signer}, {}, Revocations(*[frozenset()] * 3), None, None, sha256_digest(b""))
    settings = ArtifactSettings("tiny", ArtifactKind.WEIGHTS, path, None, None)
    artifacts = {"tiny": collect_artifact(root, settings, Limits(), visit=None)}
    return verify_evidence(
        [Evidence(bundle.name, bundle.read_bytes())],
        build_trust_store(trust, 0),
        artifacts,
        {},
        limit=1 << 20,
        other_digest=lambda *_: None,
    )


def payload(bundle: Path) -> bytes:
    return base64.b64decode(json.loads(bundle.read_bytes())["dsseEnvelope"]["payload"])


def write_json(path: str, value: object) -> Path:
    Path(path).write_text(json.dumps(value))
    return Path(path)


def refused(done: Done, *words: str, code: int = 5) -> None:
    assert (done.code, done.out) == (code, "")
    for word in words:
        assert word in done.err


SIGNATURE = Path(".gate/attestations/models-tiny.sigstore.json")


@pytest.mark.parametrize("kind", ["p256", "p384", "ed25519"])
def test_a_signed_model_verifies(kind: str, gate: Run, root: Path) -> None:
    made = gate("keygen", "--type", kind, "--out", "keys/me", "--no-passphrase")
    assert made.code == 0
    done = gate("sign", "models/tiny", "--key", "keys/me.key")
    assert done.code == 0
    assert done.err == ""
    assert "signed    models/tiny: artifact.signature, 4 files, 4.0 KiB\n" in done.out
    assert re.search(r"^written   \.gate/attestations/models-tiny\.sigstore\.json$", done.out, re.MULTILINE)
    assert done.out.endswith("next      gate verify\n")
    spki = re.search(r"^key       (\S+ sha256:[0-9a-f]{64})$", made.out, re.MULTILINE)
    assert spki is not None
    assert spki[0] in done.out
    (item,) = verified(root, SIGNATURE, Path("keys/me.pub")).verified
    assert (item.statement.claim, item.artifacts) == ("artifact.signature", ("tiny",))
    (root / "models/tiny/extra.bin").write_bytes(b"")
    (other,) = verified(root, SIGNATURE, Path("keys/me.pub")).rejected
    assert other.code == "subject.mismatch"


def test_a_model_signed_with_rsa_verifies(gate: Run, root: Path) -> None:
    private = rsa.generate_private_key(65537, 3072)
    path = root / "rsa.key"
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    Path("rsa.pub").write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert gate("sign", "models/tiny", "--key", f"file:{path}").code == 0
    assert len(verified(root, SIGNATURE, Path("rsa.pub")).verified) == 1


def test_the_bundle_is_that_of_model_signing(gate: Run, key: Path) -> None:
    assert gate("sign", "models/tiny/", "--key", key).code == 0
    bundle = json.loads(SIGNATURE.read_bytes())
    assert bundle["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    hint = hashlib.sha256(Path("keys/release.pub").read_bytes()).hexdigest()
    assert bundle["verificationMaterial"] == {"publicKey": {"hint": hint}, "tlogEntries": []}
    statement = json.loads(payload(SIGNATURE))
    names = sorted(MODEL)
    raw = b"".join(hashlib.sha256(MODEL[name]).digest() for name in names)
    assert statement["subject"] == [{"name": "tiny", "digest": {"sha256": hashlib.sha256(raw).hexdigest()}}]
    assert statement["predicate"]["resources"] == [
        {"name": name, "digest": hashlib.sha256(MODEL[name]).hexdigest(), "algorithm": "sha256"} for name in names
    ]


def test_a_single_file_is_signed_as_a_model_of_one_file(gate: Run, key: Path, root: Path) -> None:
    file = "models/tiny/model.safetensors"
    done = gate("sign", file, "--key", key, "--out", "out/m.json")
    assert "1 file, 4.0 KiB" in done.out
    found = verified(root, Path("out/m.json"), Path("keys/release.pub"), file)
    assert [item.artifacts for item in found.verified] == [("tiny",)]


def test_signing_again_replaces_the_own_bundle_and_nothing_else(gate: Run, key: Path, root: Path) -> None:
    assert "written " in gate("sign", "models/tiny", "--key", key).out
    first = SIGNATURE.read_bytes()
    assert "replaced " in gate("sign", "models/tiny", "--key", key).out
    assert SIGNATURE.read_bytes() == first
    (root / "models/tiny/config.json").write_bytes(b"[]")
    assert gate("sign", "models/tiny", "--key", key).code == 0
    assert len(verified(root, SIGNATURE, Path("keys/release.pub")).verified) == 1
    envelope = json.dumps(json.loads(first)["dsseEnvelope"]).encode()
    for data in (b"notes", b"{}", b"", envelope):
        Path("notes.json").write_bytes(data)
        refused(gate("sign", "models/tiny", "--key", key, "--out", "notes.json"), "exists and is not overwritten")
        assert Path("notes.json").read_bytes() == data
    Path("link.json").symlink_to(SIGNATURE)
    refused(gate("sign", "models/tiny", "--key", key, "--out", "link.json"), "not overwritten")
    refused(gate("sign", "models/tiny", "--key", key, "--out", "keys"), "not overwritten")


def test_two_models_of_one_name_keep_two_signatures(gate: Run, key: Path, root: Path) -> None:
    (root / "other" / "tiny").mkdir(parents=True)
    (root / "other" / "tiny" / "f").write_bytes(b"")
    for folder in ("models/tiny", "other/tiny"):
        assert gate("sign", folder, "--key", key).code == 0
    assert len(list(SIGNATURE.parent.iterdir())) == 2


def test_nothing_is_written_into_what_is_signed(
    gate: Run, key: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted((root / "models").rglob("*"))
    (root / "alias").symlink_to(root / "models")
    for out in (
        "models/tiny/s.json",
        "models/tiny/new/s.json",
        "alias/tiny/s.json",
        "models/tiny",
        "models/x/../tiny/s",
    ):
        refused(gate("sign", "models/tiny", "--key", key, "--out", out), "inside what it is about")
    refused(gate("sign", "models/tiny/empty", "--key", key, "--out", "models/tiny/empty"), "inside what it is about")
    monkeypatch.chdir(root / "models" / "tiny")
    refused(gate("sign", ".", "--key", f"../../{key}"), "inside what it is about", "--out")
    assert sorted((root / "models").rglob("*")) == before
    assert gate("sign", ".", "--key", f"../../{key}", "--out", "../../s.json").code == 0
    assert json.loads(payload(root / "s.json"))["subject"][0]["name"] == "tiny"


def test_s35_a_key_inside_the_model_is_not_published_with_it(gate: Run, key: Path, root: Path) -> None:
    key.rename(root / "models/tiny/release.key")
    refused(gate("sign", "models/tiny", "--key", "models/tiny/release.key"), "the private key", "lies inside")
    Path("k").symlink_to(root / "models/tiny/release.key")
    refused(gate("sign", "models/tiny", "--key", "k"), "lies inside")
    assert not SIGNATURE.exists()


def test_s12_what_is_no_regular_file_refuses(gate: Run, key: Path, root: Path) -> None:
    model = root / "models" / "tiny"
    (model / "link").symlink_to("config.json")
    refused(gate("sign", model, "--key", key), "'link' is a symbolic link")
    refused(gate("sign", model / "link", "--key", key), "is a link")
    (model / "link").unlink()
    (model / "folder").symlink_to(root)
    refused(gate("sign", model, "--key", key), "'folder' is a symbolic link")
    (model / "folder").unlink()
    os.mkfifo(model / "fifo")
    refused(gate("sign", model, "--key", key), "'fifo' is a device")
    refused(gate("sign", model / "fifo", "--key", key), "is a link, device")
    refused(gate("sign", "none", "--key", key), "No such file")
    assert not SIGNATURE.exists()


def test_an_empty_folder_refuses(gate: Run, key: Path, root: Path) -> None:
    (root / "void" / "deeper").mkdir(parents=True)
    refused(gate("sign", "void", "--key", key), "there are no files")


def test_names_that_are_not_plain_refuse(gate: Run, key: Path, root: Path) -> None:
    for name in (b"\xff.bin", b"a\\b", b"a\nb"):
        odd = os.fsencode(root / "models" / "tiny") + b"/" + name
        Path(os.fsdecode(odd)).write_bytes(b"")
        refused(gate("sign", "models/tiny", "--key", key), "not plain UTF-8", "rename")
        refused(gate("sign", os.fsdecode(odd), "--key", key), "not plain UTF-8", "rename")
        Path(os.fsdecode(odd)).unlink()


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_an_error(gate: Run, key: Path, root: Path) -> None:
    (root / "models/tiny/config.json").chmod(0)
    refused(gate("sign", "models/tiny", "--key", key), "config.json", code=3)


def test_a_file_that_cannot_be_read_is_an_error(gate: Run, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise EvidenceError("cannot read config.json")

    monkeypatch.setattr(model, "collect_listing", fail)
    refused(gate("sign", "models/tiny", "--key", key), "config.json", code=3)
    assert not SIGNATURE.exists()


def test_s35_keys_that_cannot_be_used_are_named_with_their_remedy(gate: Run, key: Path) -> None:
    sign = ("sign", "models/tiny", "--key")
    refused(gate(*sign, "keys/release.pub"), "is a public key")
    key.chmod(0o644)
    refused(gate(*sign, key), "can be read by others", "chmod 600")
    refused(gate(*sign, "hsm:x"), "no such kind of key")
    refused(gate(*sign, "none.key"), "No such file")
    refused(gate("sign", "models/tiny"), "--key", code=2)


def test_a_large_manifest_says_which_limit_it_needs(gate: Run, key: Path, root: Path) -> None:
    for number in range(3000):
        (root / "models/tiny" / f"{'a-long-name' * 20}-{number:05}").write_bytes(b"")
    done = gate("sign", "models/tiny", "--key", key)
    assert done.code == 0
    needed = -(-SIGNATURE.stat().st_size // (1 << 20))
    assert needed > 1
    assert f"note      this bundle needs limits: {{evidence_bytes: {needed}MiB}} in gate.yaml\n" in done.out


def statement(gate: Run, *more: str | Path, claim: str = "prompt", predicate: object = None) -> Done:
    path = write_json("predicate.json", {} if predicate is None else predicate)
    return gate("attest", "create", "--claim", claim, "--predicate", path, *more)


def test_a_statement_is_made_then_signed_and_verifies(gate: Run, key: Path, root: Path) -> None:
    done = statement(gate, "--subject", "models/tiny")
    made = Path(".gate/statements/models-tiny.prompt.json")
    assert done.code == 0
    assert done.out.startswith("made      models/tiny: prompt, 4 files, 4.0 KiB\ndigest    sha256:")
    assert f"next      gate sign {made} --key KEY" in done.out
    assert [item["name"] for item in json.loads(made.read_bytes())["subject"]] == [
        f"models/tiny/{name}" for name in sorted(MODEL)
    ]
    signed = gate("sign", made, "--key", key)
    bundle = Path(".gate/attestations/models-tiny.prompt.sigstore.json")
    assert signed.code == 0
    assert payload(bundle) == made.read_bytes()
    (item,) = verified(root, bundle, Path("keys/release.pub")).verified
    assert (item.statement.claim, item.artifacts) == ("prompt", ("tiny",))
    again = statement(gate, "--subject", "models/tiny", "--key", key)
    assert "replaced  .gate/attestations/models-tiny.prompt.sigstore.json" in again.out
    assert payload(bundle) == made.read_bytes()
    assert "replaced " in statement(gate, "--subject", "models/tiny").out


def test_provenance_of_several_subjects(gate: Run, key: Path) -> None:
    subjects = ("--subject", "models/tiny/config.json", "--subject", "models/tiny")
    done = statement(gate, *subjects, "--key", key, claim="build.provenance", predicate=SLSA)
    assert done.code == 0
    assert ": build.provenance, 4 files" in done.out
    made = json.loads(payload(Path(".gate/attestations/models-tiny-config.json+1.build.provenance.sigstore.json")))
    assert made["predicateType"] == "https://slsa.dev/provenance/v1"
    assert made["subject"][0]["name"] == "models/tiny/config.json"
    old = {"builder": {"id": "https://example.com/b"}, "buildType": "https://example.com/t"}
    kind = "https://slsa.dev/provenance/v0.2"
    more = ("--predicate-type", kind, "--out", "v02.json")
    assert statement(gate, *subjects, *more, claim="build.provenance", predicate=old).code == 0
    assert json.loads(Path("v02.json").read_bytes())["predicateType"] == kind


def test_dependencies_are_the_payloads_of_statements_and_bundles(gate: Run, key: Path) -> None:
    assert statement(gate, "--subject", "models/tiny", "--out", "one.json").code == 0
    assert gate("sign", "one.json", "--key", key, "--out", "one.sigstore.json").code == 0
    for file in ("one.json", "one.sigstore.json"):
        done = statement(gate, "--subject", "models/tiny", "--depends-on", file, "--out", "two.json", claim="eval")
        assert done.code == 0
        expected = "sha256:" + hashlib.sha256(Path("one.json").read_bytes()).hexdigest()
        assert json.loads(Path("two.json").read_bytes())["predicate"] == {"depends_on": [expected]}
    refused(statement(gate, "--subject", "models/tiny", "--depends-on", "keys/release.pub"), "neither a statement")


def test_the_time_comes_from_options_never_from_the_clock(gate: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def made(*more: str) -> object:
        assert statement(gate, "--subject", "models/tiny", "--out", "s.json", *more).code == 0
        return json.loads(Path("s.json").read_bytes())["predicate"]

    assert made() == {}
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert made() == {"created_at": "1970-01-02T00:00:00Z"}
    assert made("--created-at", "2026-01-01T00:00:00Z") == {"created_at": "2026-01-01T00:00:00Z"}
    for text in ("now", "-1", "1" * 12, "\u0663"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", text)
        refused(statement(gate, "--subject", "models/tiny"), "SOURCE_DATE_EPOCH", code=2)
    refused(statement(gate, "--subject", "models/tiny", "--created-at", "noon"), "RFC 3339", code=2)


@pytest.mark.parametrize(
    ("predicate", "problem"),
    [
        (b"{", "not JSON"),
        (b'{"a": 1, "a": 2}', "duplicate key"),
        (b'{"a": NaN}', "NaN"),
        (b"[1]", "not a JSON object"),
        (b'{"created_at": "noon"}', "RFC 3339"),
        (b" " * (1 << 20) + b"{}", "more than"),
    ],
)
def test_s17_a_bad_predicate_refuses_and_nothing_is_written(
    predicate: bytes, problem: str, gate: Run, key: Path
) -> None:
    Path("p.json").write_bytes(predicate)
    create = ("attest", "create", "--claim", "prompt", "--predicate", "p.json", "--subject", "models/tiny")
    refused(gate(*create), problem)
    refused(gate(*create, "--key", key), problem)
    assert not Path(".gate").exists()


def test_statements_are_only_made_for_claims_that_have_them(gate: Run) -> None:
    refused(statement(gate, "--subject", "models/tiny", claim="artifact.signature"), "gate sign")
    refused(statement(gate, "--subject", "models/tiny", claim="sbom"), "would refuse")
    refused(statement(gate, "--subject", "models/tiny", claim="promt"), "promt", code=2)
    refused(statement(gate, "--subject", "models/tiny", claim="build.provenance"), "would refuse")


def test_subjects_lie_below_the_root_and_are_files(gate: Run, root: Path) -> None:
    (root.parent / "outside").write_bytes(b"")
    refused(statement(gate, "--subject", "../outside"), "does not lie below")
    refused(statement(gate, "--subject", "."), "inside what it is about")
    refused(statement(gate, "--subject", ".", "--out", "../s.json"), "does not lie below")
    refused(statement(gate, "--subject", "none"), "No such file")
    Path("link").symlink_to("models")
    refused(statement(gate, "--subject", "link"), "is a link")
    assert statement(gate, "--subject", "../outside", "--root", "..", "--out", "s.json").code == 0
    assert json.loads(Path("s.json").read_bytes())["subject"][0]["name"] == "outside"
    assert statement(gate, "--subject", "link/tiny", "--out", "s.json").code == 0
    assert json.loads(Path("s.json").read_bytes())["subject"][0]["name"] == "models/tiny/config.json"


def test_names_are_relative_to_the_top_of_the_repository(
    gate: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "--quiet", root], check=True)
    monkeypatch.chdir(root / "models")
    Path("p.json").write_bytes(b"{}")
    done = gate("attest", "create", "--claim", "prompt", "--predicate", "p.json", "--subject", "tiny/config.json")
    assert done.code == 0
    made = root / ".gate/statements/models-tiny-config.json.prompt.json"
    assert f"written   {made}\n" in done.out
    assert json.loads(made.read_bytes())["subject"][0]["name"] == "models/tiny/config.json"
    done = gate("keygen", "--out", "me", "--no-passphrase")
    assert "{key: models/me.pub, claims: [artifact.signature]}" in done.out


def test_a_broken_statement_is_not_signed(gate: Run, key: Path) -> None:
    assert statement(gate, "--subject", "models/tiny", "--out", "s.json").code == 0
    good = Path("s.json").read_bytes()
    for bad, problem in (
        (good.replace(b"Statement/v1", b"Statement/v0.2"), "would refuse"),
        (good.replace(b'"predicateType":"urn', b'"predicateType":"urn:promotion-gate:x'), "would refuse"),
        (good[:-1], "looks like an in-toto statement"),
        (good[:-1] + b',"_type":1}', "duplicate key"),
        (good + b" " * (17 << 20), "looks like an in-toto statement"),
    ):
        Path("s.json").write_bytes(bad)
        refused(gate("sign", "s.json", "--key", key), problem)
    Path("s.json").write_bytes(good)
    assert gate("sign", "s.json", "--key", key, "--out", "b.json").code == 0
    refused(gate("sign", "b.json", "--key", key), "signed already")


def test_a_signature_that_does_not_verify_is_not_written(gate: Run, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = KeySigner.sign
    monkeypatch.setattr(KeySigner, "sign", lambda self, data: real(self, data + b"!"))
    refused(gate("sign", "models/tiny", "--key", key), "does not verify; nothing was written")
    monkeypatch.setattr(KeySigner, "sign", real)
    monkeypatch.setattr(produce, "signed_bundle", lambda *_: b"{}")
    refused(gate("sign", "models/tiny", "--key", key), "cannot be verified")
    assert not SIGNATURE.exists()


@pytest.mark.parametrize("out", ["keys/new", "name", "deep/er/x.y"])
def test_keygen_says_how_to_trust_the_key(out: str, gate: Run) -> None:
    done = gate("keygen", "--out", out, "--no-passphrase")
    assert done.code == 0
    assert Path(f"{out}.key").stat().st_mode & 0o777 == 0o600
    name = Path(out).name
    assert f"trust:\n  signers:\n    {name}: {{key: {out}.pub, claims: [artifact.signature]}}\n" in done.out
    assert "not encrypted, mode 600; never commit it" in done.out
    refused(gate("keygen", "--out", out, "--no-passphrase"), "not overwritten")


def test_keygen_puts_the_two_keys_where_it_is_told(gate: Run, root: Path) -> None:
    outside = root.parent / "me.key"
    assert gate("keygen", "--private", outside, "--public", "keys/a, b.pub").code == 0
    done = gate("keygen", "--private", "x.key", "--public", root.parent / "me.pub")
    assert "once the public key is copied into the repository" in done.out
    assert "me: {key: keys/me.pub," in done.out
    done = gate("keygen", "--private", "y.key", "--public", "keys/a: b.pub")
    assert 'release: {key: "keys/a: b.pub", claims' in done.out
    for wrong in (("--private", "z"), ("--public", "z"), ("--out", "z", "--private", "z", "--public", "z2")):
        refused(gate("keygen", *wrong), "--private FILE and --public FILE", code=2)


def test_s35_no_output_shows_a_secret(gate: Run, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = [line for line in key.read_text().splitlines() if not line.startswith("-")]
    answers = typing(monkeypatch, "hunter2 hunter2", "hunter2 hunter2", "wrong guess", "hunter2 hunter2", "")
    done = [
        gate("sign", "models/tiny", "--key", key),
        gate("keygen", "--out", "e", "--passphrase"),
        gate("sign", "models/tiny", "--key", "e.key"),
        gate("sign", "models/tiny", "--key", "e.key"),
        gate("sign", "models/tiny", "--key", "e.key"),
        gate("keygen", "--out", "e"),
    ]
    assert [item.code for item in done] == [0, 0, 5, 0, 5, 5]
    assert not answers
    text = "".join(item.out + item.err for item in done) + SIGNATURE.read_text()
    for secret in (*secrets, "hunter2", "wrong guess"):
        assert secret not in text


def typing(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Somebody sits at a terminal and types these."""
    waiting = list(answers)

    def prompt(_: str, **options: object) -> str:
        assert options["hide_input"] is True
        return waiting.pop(0)

    monkeypatch.setattr(signing, "has_terminal", lambda: True)
    monkeypatch.setattr("gate.cli.keygen_command.has_terminal", lambda: bool(waiting))
    monkeypatch.setattr(click, "prompt", prompt)
    return waiting


def test_a_new_passphrase_is_typed_twice_and_may_be_left_out(gate: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    typing(monkeypatch, "a", "b")
    refused(gate("keygen", "--out", "k"), "differ")
    typing(monkeypatch, "", "")
    refused(gate("keygen", "--out", "k", "--passphrase"), "the passphrase is empty")
    typing(monkeypatch, "", "")
    assert "not encrypted" in gate("keygen", "--out", "k").out
    typing(monkeypatch, "a", "a")
    assert "(encrypted, mode 600" in gate("keygen", "--out", "e").out


def test_s38_without_a_terminal_nobody_is_asked(gate: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        typing(patched, "a", "a")
        assert gate("keygen", "--out", "e").code == 0
    monkeypatch.setenv("GATE_PASSPHRASE", "a")
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        refused(gate("sign", "models/tiny", "--key", "e.key"), "no terminal")
        refused(gate("keygen", "--out", "f", "--passphrase"), "no terminal")


def environment(**more: str) -> Mapping[str, str]:
    return {**{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}, **more}


def in_process(*arguments: str | Path, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gate", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment(**env), capture_output=True, text=True, check=False)


def test_the_same_input_gives_the_same_bytes_everywhere(root: Path, key: Path) -> None:
    (root / "models/tiny/ä").write_bytes(b"")
    write_json("predicate.json", {"z": [1, 2.5], "ä": {"b": None, "a": "é\u2028"}})
    seen = set()
    for number, (cwd, env) in enumerate(
        (
            (root, {"LC_ALL": "C", "PYTHONHASHSEED": "0"}),
            (root / "models", {"LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo"}),
            (root.parent, {"PYTHONHASHSEED": "random", "PYTHONUTF8": "0", "LC_ALL": "POSIX"}),
        )
    ):
        create = ("attest", "create", "--root", root, "--claim", "prompt", "--predicate", root / "predicate.json")
        subject = ("--subject", os.path.relpath(root / "models/tiny", cwd))
        done = in_process(*create, *subject, "--out", root / f"{number}.json", cwd=cwd, **env)
        assert (done.returncode, done.stderr) == (0, "")
        more = ("--key", root / key, "--out", root / f"{number}.sigstore.json")
        assert in_process(*create, *subject, *more, cwd=cwd, **env).returncode == 0
        sign = ("sign", subject[1], "--key", root / key, "--out", root / f"{number}.oms.json")
        assert in_process(*sign, cwd=cwd, **env).returncode == 0
        seen.add(tuple((root / f"{number}.{kind}").read_bytes() for kind in ("json", "sigstore.json", "oms.json")))
    assert len(seen) == 1


def test_a_person_types_a_passphrase_that_is_not_shown(root: Path) -> None:
    def at_a_terminal(*arguments: str, answers: tuple[bytes, ...]) -> tuple[int, bytes]:
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "gate", *arguments]
        program = subprocess.Popen(
            command, cwd=root, env=environment(), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        seen = b""
        waiting = list(answers)
        while select.select([ours], [], [], 60)[0]:
            try:
                block = os.read(ours, 4096)
            except OSError:  # this is how the end looks on a terminal
                break
            if not block:
                break
            seen += block
            # The blank is printed when typing is no longer shown; what was typed before that is thrown away.
            if waiting and seen.endswith(b": "):
                os.write(ours, waiting.pop(0) + b"\n")
        else:
            program.kill()
        os.close(ours)
        return program.wait(), seen

    code, seen = at_a_terminal("keygen", "--out", "k", answers=(b"open sesame", b"open sesame"))
    assert (code, b"(encrypted, mode 600" in seen) == (0, True)
    code, more = at_a_terminal("sign", "models/tiny", "--key", "k.key", answers=(b"open sesame",))
    assert (code, b"Passphrase of k.key" in more) == (0, True)
    assert b"sesame" not in seen + more


@pytest.mark.parametrize("command", [("sign",), ("keygen",), ("attest",), ("attest", "create")])
def test_help_shows_examples(command: tuple[str, ...], gate: Run) -> None:
    done = gate(*command, "--help")
    assert (done.code, done.err) == (0, "")
    assert command == ("attest",) or f"  gate {' '.join(command)} " in done.out


def test_progress_is_told_while_hashing(key: Path) -> None:
    said: list[str] = []

    class Progress:
        def __init__(self, what: str) -> None:
            said.append(what)

        def __enter__(self) -> None:
            said.append("begin")

        def __exit__(self, *_: object) -> None:
            said.append("end")

    sign(SignRequest(Place(Path()), Path("models/tiny"), str(key)), str, Progress)
    assert said == ["hashing models/tiny", "begin", "end"]


def test_sizes_are_told_in_the_unit_that_fits() -> None:
    made = Made("c", "s", 2, 0, sha256_digest(b""), Path("out"), False)
    sizes = {
        size: signing.result_text(replace(made, size=size), "n").splitlines()[0].rpartition(", ")[2]
        for size in (1023, 1024, 1 << 20, 3 << 29, 5 << 40, 5000 << 40)
    }
    assert list(sizes.values()) == ["1023 B", "1.0 KiB", "1.0 MiB", "1.5 GiB", "5.0 TiB", "5000.0 TiB"]
    assert "s: c, 2 files\n" in signing.result_text(made, "n")


def test_the_guide_works_as_written(gate: Run, root: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "how-to" / "sign.md").read_text()
    (root / "models" / "tiny").rename(root / "models" / "summarizer")
    (root / "app").mkdir()
    (root / "app" / "system.txt").write_bytes(b"Be brief.\n")
    for name, value in (("slsa", SLSA), ("prompt", {}), ("eval", {})):
        write_json(f"{name}.json", value)
    lines = [line for block in re.findall(r"```sh\n(.*?)```", guide, re.DOTALL) for line in block.splitlines()]
    assert len(lines) > 5
    told = ""
    for line in lines:
        program, *arguments = shlex.split(line)
        done = gate(*arguments)
        assert (program, done.code, done.err) == ("gate", 0, "")
        told += done.out
    for snippet in re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL):
        assert snippet in told
    bundles = [path.name for path in Path(".gate/attestations").iterdir()]
    assert {"models-summarizer.sigstore.json", "app.prompt.sigstore.json"} <= set(bundles)
    assert len(bundles) == 6
