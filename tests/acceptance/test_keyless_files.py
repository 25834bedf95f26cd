"""Bundles beside a plain file, in the evidence folder, from `gate verify` and `gate check` (SECURITY 8, 11)."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from tests.acceptance.world import NOW, Done, inside
from tests.support.virtual_bundles import FILE, P256, P384, LeafKey, bundle, promised, public_pem
from tests.support.virtual_sigstore import ISSUER, WORKFLOW, VirtualSigstore

AT: Final = datetime.fromisoformat(NOW) - timedelta(hours=1)
OURS: Final = VirtualSigstore(now=lambda: AT)
SETTINGS: Final = """\
version: 1
target: deployment
artifacts:
  a: {{kind: package, path: a.txt}}
evidence:
  - directory: evidence
trust:
  signers:
    release: {{{signer}, claims: [artifact.signature, build.provenance]}}
  sigstore: {{trusted_root: root.json, sha256: {digest}}}
"""
IDENTITY: Final = f"identity: {{{{issuer: {ISSUER}, subject: '{WORKFLOW}'{{more}}}}}}"


def judged(place: Path, found: dict[str, Any], signer: str = IDENTITY.format(more=""), data: bytes = FILE) -> Done:
    """What `gate verify` says of a bundle beside a.txt."""
    root = json.dumps(OURS.trusted_root()).encode()
    (place / "evidence").mkdir()
    (place / "a.txt").write_bytes(data)
    (place / "root.json").write_bytes(root)
    (place / "key.pub").write_bytes(public_pem(P256))
    (place / "evidence/a.txt.sigstore.json").write_text(json.dumps(found), "utf-8")
    text = SETTINGS.format(signer=signer, digest=hashlib.sha256(root).hexdigest())
    (place / "gate.yaml").write_text(text, "utf-8")
    return inside("verify", "--root", str(place), "--now", NOW, "--format", "json")


def statement(data: bytes = FILE) -> bytes:
    subject = {"name": "a.txt", "digest": {"sha256": hashlib.sha256(data).hexdigest()}}
    predicate = {"buildDefinition": {"buildType": "https://builder.test/t", "externalParameters": {}}}
    predicate["runDetails"] = {"builder": {"id": "https://builder.test/1"}}
    value = {"_type": "https://in-toto.io/Statement/v1", "subject": [subject], "predicate": predicate}
    return json.dumps({**value, "predicateType": "https://slsa.dev/provenance/v1"}).encode()


GOOD: Final = {
    "file, Rekor v1": lambda: bundle("hashedrekord/0.0.1", content=FILE, message=True, at=AT, instance=OURS),
    "file, Rekor v2": lambda: bundle("hashedrekord/0.0.2", content=FILE, message=True, at=AT, instance=OURS),
    "file, promise": lambda: promised(bundle("hashedrekord/0.0.1", content=FILE, message=True, at=AT, instance=OURS)),
    "statement": lambda: bundle("dsse/0.0.1", content=statement(), at=AT, instance=OURS),
    "statement, intoto": lambda: bundle("intoto/0.0.2", content=statement(), at=AT, instance=OURS),
}


@pytest.mark.parametrize("name", GOOD)
def test_s08_a_bundle_beside_a_file_is_verified(tmp_path: Path, name: str) -> None:
    done = judged(tmp_path, GOOD[name]())
    assert done.code == 0, done.text
    (item,) = json.loads(done.out)["items"]
    assert item["artifacts"] == ["a"]


@pytest.mark.parametrize("key", [P256, P384], ids=["p256", "p384"])
def test_the_signature_of_a_file_is_its_integrity_too(tmp_path: Path, key: LeafKey) -> None:
    found = bundle("hashedrekord/0.0.1", key=key, content=FILE, message=True, at=AT, instance=OURS)
    assert judged(tmp_path, found).code == 0
    profile = "controls: {artifact.signed: {mode: enforce}, artifact.integrity: {mode: enforce}}\n"
    (tmp_path / "own.yaml").write_text(profile, "utf-8")
    settings = (tmp_path / "gate.yaml").read_text("utf-8")
    (tmp_path / "gate.yaml").write_text(f"profile: own.yaml\n{settings}", "utf-8")
    arguments = ("check", "--root", str(tmp_path), "--now", NOW)
    assert inside(*arguments).code == 0, inside(*arguments).text
    (tmp_path / "a.txt").write_bytes(b"other bytes")
    assert inside(*arguments).code == 10


@pytest.mark.parametrize("kind", [None, "hashedrekord/0.0.1"])
def test_s09_a_managed_key_signs_a_file(tmp_path: Path, kind: str | None) -> None:
    stamped = False if kind is None else None
    found = bundle(kind, key=P256, managed=True, content=FILE, message=True, at=AT, instance=OURS, stamped=stamped)
    done = judged(tmp_path, found, "key: key.pub")
    assert done.code == 0, done.text
    assert json.loads(done.out)["items"][0]["artifacts"] == ["a"]


def test_s11_the_signature_of_another_file_covers_nothing(tmp_path: Path) -> None:
    done = judged(tmp_path, GOOD["file, Rekor v1"](), data=b"something else")
    assert json.loads(done.out)["items"][0]["artifacts"] == []
    checked = inside("check", "--root", str(tmp_path), "--now", NOW, "--format", "json")
    assert checked.code not in {0, 1, 2}, checked.text


def test_s11_a_changed_digest_is_refused(tmp_path: Path) -> None:
    found = GOOD["file, Rekor v1"]()
    found["messageSignature"]["messageDigest"]["digest"] = "AAAA"
    assert judged(tmp_path, found).code == 14


def test_s08_timestamps_alone_count_for_who_says_so(tmp_path: Path) -> None:
    found = bundle(None, content=FILE, message=True, at=AT, instance=OURS)
    (tmp_path / "yes").mkdir()
    (tmp_path / "no").mkdir()
    assert judged(tmp_path / "yes", found, IDENTITY.format(more=", timestamps_only: true")).code == 0
    assert judged(tmp_path / "no", found).code == 11


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (", source_repository: 'https://forge.test/acme/model'", 0),
        (", source_repository_id: '1'", 11),
        (", source_ref: refs/heads/main", 11),
        (", source_digest: abc", 11),
        (", build_trigger: push", 11),
        (", runner_environment: github-hosted", 11),
        (", timestamps_only: 1", 2),
        (", subject_pattern: 'https://forge.test/acme/model/x.yml@*'", 2),
    ],
)
def test_s08_every_word_of_an_identity_is_asked_for(tmp_path: Path, more: str, code: int) -> None:
    assert judged(tmp_path, GOOD["statement"](), IDENTITY.format(more=more)).code == code


@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        (WORKFLOW.partition("@")[0] + "@refs/heads/*", 0),
        (WORKFLOW.partition("@")[0] + "@refs/tags/*", 11),
        (WORKFLOW.partition("@")[0] + "@**", 2),
        ("https://forge.test/acme/*/.forge/workflows/release.yml@refs/heads/main", 2),
        ("https://forge.test/*", 2),
        ("*", 2),
        ("*@acme.test", 2),
        ("http://forge.test/acme/model/.forge/workflows/release.yml@*", 2),
        ("https://forge.test/acme/release.yml@*", 2),
    ],
)
def test_s08_a_pattern_pins_the_workflow_file(tmp_path: Path, pattern: str, code: int) -> None:
    done = judged(tmp_path, GOOD["statement"](), f"identity: {{issuer: {ISSUER}, subject_pattern: '{pattern}'}}")
    assert done.code == code, done.text


def test_a_root_that_is_over_is_reported(tmp_path: Path) -> None:
    judged(tmp_path, GOOD["statement"]())
    path = tmp_path / "gate.yaml"
    path.write_text(path.read_text("utf-8").replace("root.json, ", "root.json, max_age: 30d, "), "utf-8")
    done = inside("verify", "--root", str(tmp_path), "--now", NOW, "--format", "json")
    assert done.code == 0
    assert "more than max_age allows" in json.loads(done.out)["skipped"]["root.json"]
    told = inside("doctor", "--root", str(tmp_path), "--now", NOW)
    assert "more than max_age allows" in told.text
    late = inside("verify", "--root", str(tmp_path), "--now", "2050-01-01T00:00:00Z", "--format", "json")
    assert "skipped" in json.loads(late.out)
