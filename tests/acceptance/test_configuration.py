# ruff: noqa: E501 - the table of mistakes has one line for each
"""`gate.yaml`, keys, profiles and waivers that are wrong: exit 2, with file, line and column, and no decision."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.acceptance.world import NOW, World, inside
from tools.scenario_draft import config, profile
from tools.scenario_evidence import key

GOOD = config(more="parameters: {scan.malware: {limit: low}}\n").decode()
Edit = Callable[[str], str]


def swap(old: str, new: str) -> Edit:
    assert old in GOOD
    return lambda text: text.replace(old, new, 1)


def plus(more: str) -> Edit:
    return lambda text: text + more


def whole(text: str) -> Edit:
    return lambda _: text


WRONG: dict[str, tuple[Edit, str]] = {
    "nothing": (whole(""), "empty"),
    "a list": (whole("[]\n"), "expected a mapping"),
    "a text": (whole("hello\n"), "expected a mapping"),
    "an alias": (whole("a: &a [*a]\n"), "anchor"),
    "a tag": (plus("x: !!python/object:os.system {}\n"), "tag"),
    "a merge key": (plus("limits: {<<: {}}\n"), "merge keys"),
    "two documents": (plus("---\n{}\n"), ""),
    "a tabulator": (plus("\tx: 1\n"), ""),
    "cut": (lambda text: text[:-3], ""),
    "binary": (whole("a\0b"), ""),
    "too deep": (plus("limits: " + "[" * 40 + "]" * 40 + "\n"), "level"),
    "too large": (plus("# " + "x" * (300 << 10) + "\n"), "more than the 262144"),
    "a key twice": (plus("version: 1\n"), "version"),
    "a section twice": (plus("trust: {}\n"), "trust"),
    "version 99": (swap("version: 1", "version: 99"), "version must be 1"),
    "version true": (swap("version: 1", "version: true"), "version must be 1"),
    "no version": (swap("version: 1\n", ""), "version must be 1"),
    "no target": (swap("target: deployment\n", ""), "target is required"),
    "unknown target": (swap("target: deployment", "target: production"), "deployment"),
    "gate for gates": (swap("gates:", "gate:"), "did you mean 'gates'?"),
    "one attestation": (swap("required_attestations", "required_attestation"), "did you mean 'required_attestations'?"),
    "unknown claim": (swap("[artifact.signature, build.provenance]", "[build.provenence]"), "build.provenance"),
    "a pattern of nothing": (swap('"build.*"', '"bild.*"'), "not a claim"),
    "the pattern of all": (swap('"build.*"', '"*"'), "not a claim"),
    "no requirement": (swap("[artifact.signature, build.provenance]", "[]"), "must not be empty"),
    "no trigger": (swap('["models/**"]', "[]"), "must not be empty"),
    "a broken glob": (swap("models/**", "models/[a"), "glob"),
    "a glob of another kind": (swap("models/**", "models/a**b"), "glob"),
    "a gate twice": (swap("gates:\n", "gates:\n  - {id: G001, trigger_paths: [a], required_attestations: [eval]}\n"), "twice"),
    "a gate without an id": (swap("id: G001", "x: 1"), "unknown key"),
    "unknown profile": (swap("profile: baseline", "profile: basline"), "known are"),
    "a profile that is not there": (swap("profile: baseline", "profile: none.yaml"), "there is no file 'none.yaml'"),
    "unknown kind": (swap("kind: weights", "kind: weight"), "weights"),
    "an artifact without a place": (swap(", path: models/summarizer", ""), "needs a kind, and a path or an image"),
    "an artifact in two places": (swap("path: models", "image: 'a/b:c', path: models"), "a path or an image"),
    "a path upwards": (swap("path: models/summarizer", "path: ../models"), "relative path"),
    "an absolute path": (swap("path: models/summarizer", "path: /models"), "relative path"),
    "a doubled slash": (swap("path: models/summarizer", "path: models//summarizer"), "relative path"),
    "no path": (swap("path: models/summarizer", "path: ''"), ""),
    "an image of no name": (swap("path: models/summarizer", "image: 'a/UPPER'"), "image reference"),
    "a base of nothing": (swap("kind: weights,", "kind: weights, base: other,"), "not another artifact"),
    "its own base": (swap("kind: weights,", "kind: weights, base: summarizer,"), "not another artifact"),
    "a name with a space": (swap("  summarizer:", "  'my model':"), "is not a name"),
    "nothing to judge": (whole("version: 1\ntarget: training\n"), "nothing to judge"),
    "a key that is not there": (swap("keys/release.pub", "keys/none.pub"), "there is no file"),
    "key and identity": (swap("release: {", "release: {identity: {issuer: 'https://a', subject: b}, "), "not both"),
    "neither key nor identity": (swap("key: keys/release.pub, ", ""), "needs a key or an identity"),
    "no claims": (swap("claims: [approval]", "claims: []"), "claims"),
    "an issuer without encryption": (swap("key: keys/release.pub", "identity: {issuer: 'http://a', subject: b}"), "https"),
    "an identity without a subject": (swap("key: keys/release.pub", "identity: {issuer: 'https://a'}"), "subject"),
    "a scheme for Ed25519": (swap("key: keys/release.pub", "key: keys/release.pub, scheme: rsa-pss-sha256"), "RSA"),
    "a scheme for an identity": (swap("key: keys/release.pub", "identity: {issuer: 'https://a', subject: b}, scheme: x"), "keys only"),
    "a day that is none": (swap("claims: [approval]", "claims: [approval], valid_until: 2026-02-30"), "date"),
    "a window that never was": (swap("claims: [approval]", "claims: [approval], valid_from: 2026-02-02, valid_until: 2026-02-01"), "never valid"),
    "threshold of nothing": (swap("gates:", "  thresholds: {approvals: 1}\ngates:"), "not a claim"),
    "threshold of zero": (swap("gates:", "  thresholds: {approval: 0}\ngates:"), "from 1 to 1"),
    "threshold beyond all": (swap("gates:", "  thresholds: {approval: 2}\ngates:"), "from 1 to 1"),
    "threshold twice": (swap("gates:", "  thresholds: {approval: 1, approval.human: 1}\ngates:"), "twice"),
    "threshold that is true": (swap("gates:", "  thresholds: {approval: true}\ngates:"), "number"),
    "revoked evidence without a digest": (swap("gates:", "  revoked: {evidence: [x]}\ngates:"), "sha256:<hex>"),
    "a revoked key of nobody": (swap("gates:", "  revoked: {keys: [relase]}\ngates:"), "release"),
    "half a trusted root": (swap("gates:", "  sigstore: {trusted_root: keys/release.pub}\ngates:"), "sha256"),
    "another trusted root": (swap("gates:", "  sigstore: {trusted_root: keys/release.pub, sha256: '00'}\ngates:"), "trusted root's SHA-256"),
    "evidence of a registry": (swap("directory: .gate/attestations", "oci: {artifact: summarizer}"), "is no image"),
    "evidence of nowhere": (swap("- directory: .gate/attestations", "- {}"), "directory"),
    "manifests": (plus("manifests: [1]\n"), "not a glob"),
    "a signal without a path": (plus("signals: [{plugin: falco, artifact: summarizer}]\n"), "a plugin, a path and the artifact"),
    "a signal of nothing that runs": (plus("signals: [{plugin: falco, path: a, artifact: summarizer}]\n"), "is no image"),
    "a signal of nobody's plugin": (plus("signals: [{plugin: falko, path: a, artifact: summarizer}]\n"), "did you mean 'falco'?"),
    "a report of nothing": (plus("reports: [{tool: modelscan}]\n"), "a tool and a path"),
    "a report about nothing": (plus("reports: [{tool: modelscan, path: a, artifact: sumarizer}]\n"), "did you mean 'summarizer'?"),
    "a report on a broken glob": (plus("reports: [{tool: modelscan, path: 'a[b'}]\n"), "glob"),
    "a parameter of nothing": (swap("scan.malware:", "scan.malwere:"), "did you mean 'scan.malware'?"),
    "an unknown parameter": (swap("limit: low", "limt: low"), "did you mean 'limit'?"),
    "a duration that is none": (swap("scan.malware: {limit: low}", "evidence.fresh: {eval: soon}"), "duration"),
    "a limit of zero": (plus("limits: {files: 0}\n"), "positive"),
    "a limit below zero": (plus("limits: {files: -1}\n"), "positive"),
    "a limit of millions": (plus("limits: {report_bytes: 2000GiB}\n"), "positive"),
    "a limit in another unit": (plus("limits: {report_bytes: 1MB}\n"), "size such as"),
    "an unknown limit": (plus("limits: {file: 1}\n"), "did you mean 'files'?"),
    "a limit that is true": (plus("limits: {files: true}\n"), "positive"),
    "waivers that are not there": (plus("waivers: none.yaml\n"), "there is no file"),
    "empty diff of another word": (plus("on_empty_diff: ignore\n"), "refuse"),
    "an old number": (plus("limits: {files: 010}\n"), ""),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_configurations(world: World, name: str) -> None:
    edit, word = WRONG[name]
    world.write("other.yaml", edit(GOOD).encode())
    done = world.judge("--config", "other.yaml", "--config-from", "worktree")
    assert done.code == 2, done.text
    assert done.out == ""
    assert word in done.err, done.err
    assert len(done.err.splitlines()) <= 2
    places = (
        "parameters:",
        "profile",
        "threshold",
        "keys/release.pub",
        "artifact summarizer",
        "other.yaml: there is no profile",
    )
    assert re.search(r"other\.yaml:\d+:\d+: ", done.err) or any(place in done.err for place in places), done.err


def test_the_good_configuration_is_good(world: World) -> None:
    world.write("other.yaml", GOOD.encode())
    assert world.judge("--config", "./other.yaml", "--config-from", "worktree").code == 0


@pytest.mark.parametrize("path", ["/etc/passwd", "../gate.yaml", "a/../../gate.yaml"])
def test_a_configuration_outside_the_root(world: World, path: str) -> None:
    done = world.judge("--config", path)
    assert done.code == 2
    assert "below the root" in done.err


@pytest.mark.parametrize("kind", ["link", "folder", "fifo", "large"])
def test_a_configuration_that_is_no_plain_file(world: World, kind: str) -> None:
    import os

    path = world.root / "other.yaml"
    if kind == "link":
        path.symlink_to("gate.yaml")
    elif kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.write_bytes(b"#" * (2 << 20))
    done = world.judge("--config", "other.yaml", "--config-from", "worktree")
    assert done.code in {2, 3}
    assert "other.yaml" in done.err


def pem(public: rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed448.Ed448PublicKey | dsa.DSAPublicKey) -> bytes:
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"hello",
        key("release").private_pem,
        key("release").pem * 2,
        key("release").pem + b"# a comment\n",
        key("release").pem.replace(b"MCow", b"MCoW"),
        key("release").pem[:40],
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        pem(rsa.generate_private_key(65537, 1024).public_key()),
        pem(ec.generate_private_key(ec.SECP256K1()).public_key()),
        pem(ec.generate_private_key(ec.SECP521R1()).public_key()),
        pem(ed448.Ed448PrivateKey.generate().public_key()),
        b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA" + b"A" * 43 + b"=\n-----END PUBLIC KEY-----\n",
    ],
)
def test_keys_that_are_none(world: World, text: bytes) -> None:
    world.on_main({"keys/release.pub": text})
    done = world.judge()
    assert done.code == 2
    assert "keys/release.pub: key of signer 'release'" in done.err
    assert "PRIVATE" not in done.text


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (b"", "empty"),
        (b"{}", "enforces no control"),
        (b"name: x\ncontrols: {}\n", "enforces no control"),
        (profile({"scan.malware": "warn"}), "enforces no control"),
        (profile({"scan.malware": "enforced"}), "enforce"),
        (profile({"scan.malwares": "enforce"}), "did you mean 'scan.malware'?"),
        (profile({"scan.malware": "enforce"}, "parameters: {scan.malware: {limits: low}}\n"), "limit"),
        (profile({"scan.malware": "enforce"}, "parameters: {scan.malware: 3}\n"), "mapping"),
        (profile({"scan.malware": "enforce"}, "rules: []\n"), "unknown key"),
        (b"controls: {scan.malware: enforce}\n", "mapping"),
        (b"controls: {scan.malware: {}}\n", "mode"),
        (b'{"controls": {"a": 1, "a": 2}}', "a"),
        (b"[" * 100_000, ""),
        (b"\xff", ""),
        (b"#" * (300 << 10), "more than the 262144"),
    ],
)
def test_profiles_that_are_wrong(world: World, text: bytes, word: str) -> None:
    world.on_main({"gate.yaml": config(profile="own.yaml"), "own.yaml": text})
    done = world.judge()
    assert done.code == 2
    assert "own.yaml" in done.err or "parameters: scan.malware" in done.err
    assert word in done.err


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("", "", ""),
        ("version: 1", "version: 2", "version must be 1"),
        ("version: 1\n", "", "version must be 1"),
        ("owner: ann", "ovner: ann", "did you mean 'owner'?"),
        ("ticket: t,", "", "needs 'ticket'"),
        ("approver: ben", "approver: Ann", "somebody else"),
        ("approver: ben", "approver: 'a\u200bnn'", "somebody else"),
        ("id: W-1", "id: 'W 1'", "id must be"),
        ("control: scan.malware", "control: 'scan.*'", "wildcards"),
        ("reason: r", "reason: ''", ""),
        ("artifact: 'sha256:" + "0" * 64, "artifact: 'sha256:" + "0" * 63, "sha256:<hex>"),
        ("artifact: 'sha256:" + "0" * 64, "artifact: '*", "sha256:<hex>"),
        ("expires: 2026-12-01", "expires: 2027-12-01", "90 days"),
        ("expires: 2026-12-01", "expires: 2026-10-01", "ends after"),
        ("expires: 2026-12-01", "expires: never", "date"),
        ("waivers:", "waivers: {}\nx:", ""),
        ("  - {", "  - &a {", ""),
    ],
)
def test_waivers_that_are_wrong(world: World, old: str, new: str, word: str) -> None:
    digest = "0" * 64
    good = (
        f"version: 1\nwaivers:\n  - {{id: W-1, control: scan.malware, artifact: 'sha256:{digest}', reason: r, ticket: t,"
        " owner: ann, approver: ben, created: 2026-11-01, expires: 2026-12-01}\n"
    )
    assert old in good
    text = good.replace(old, new, 1) if old else good + good.partition("waivers:\n")[2]
    world.on_main({"gate.yaml": config(more="waivers: waivers.yaml\n"), "waivers.yaml": text.encode()})
    done = world.judge()
    assert done.code == 2
    assert re.search(r"waivers\.yaml:\d+:\d+: ", done.err)
    assert word in done.err


def test_there_is_no_configuration(tmp_path: Path) -> None:
    done = inside("check", "--root", str(tmp_path), "--now", NOW)
    assert done.code == 2
    assert "gate init" in done.err


def test_there_is_no_such_folder(tmp_path: Path) -> None:
    for command in ("check", "verify", "input", "doctor"):
        assert inside(command, "--root", str(tmp_path / "none")).code == 2


def test_a_root_inside_of_a_repository(world: World) -> None:
    done = inside("check", "--root", str(world.root / "models"))
    assert done.code == 2
    assert "lies inside the repository" in done.err
