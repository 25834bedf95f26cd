"""`gate doctor` and `gate verify`: every note and every way to end can be reached."""

from __future__ import annotations

import json

import pytest

from gate.app import doctor
from gate.errors import EvidenceError, PolicyError
from gate.model.evidence import Concern
from tests.acceptance.world import NOW, Done, World, inside
from tools.scenario_draft import SIGNERS, config, profile
from tools.scenario_evidence import bundle, envelope, key, own, provenance, subjects


def notes(world: World, *arguments: str) -> Done:
    return inside("doctor", "--now", NOW, "--root", str(world.root), *arguments)


def reconfigured(world: World, text: bytes | str, **files: bytes) -> World:
    world.write("gate.yaml", text.encode() if isinstance(text, str) else text)
    world.write_all({name.replace("__", "/").replace("_DOT_", "."): data for name, data in files.items()})
    return world


def test_what_is_installed_and_what_is_weak(world: World) -> None:
    done = notes(world)
    assert done.code == 0
    for word in (
        "ok     gate ",
        "Python 3",
        "click ",
        "controls; regorus ",
        "ok     git ",
        "gate.yaml is valid (profile baseline)",
    ):
        assert word in done.out
    assert "weak   signer release: its key never expires" in done.out
    assert "weak   decisions are not recorded" in done.out
    assert done.out.endswith("0 wrong, 4 weak\n")


def test_a_key_for_trying_is_weak(world: World) -> None:
    public = (world.root / "keys/release.pub").read_bytes()
    text = config().replace(b"keys/release.pub", b"keys/development.pub")
    done = notes(reconfigured(world, text, keys__development_DOT_pub=public))
    assert done.code == 0
    assert "weak   signer release: `gate init` made its key, for trying" in done.out


def test_nothing_is_weak(world: World) -> None:
    signers = {name: f"{claims}, valid_until: 2027-06-01" for name, claims in SIGNERS.items()}
    checkpoint = "{key: env:NONE, origin: acme.example/gate, public_keys: [keys/log.pub]}"
    record = f"record: {{sqlite: .gate/record/decisions.db, checkpoint: {checkpoint}}}\n"
    public = (world.root / "keys/release.pub").read_bytes()
    done = notes(reconfigured(world, config(signers=signers, more=record), keys__log_DOT_pub=public))
    assert done.out.endswith("0 wrong, 0 weak\n")
    assert "ok     decision log .gate/record/decisions.db: made by the next check" in done.out


RELEASE = "    release: {key: keys/release.pub, claims: [artifact.signature, prompt, eval]}\n"
GOOD = config().decode()
BARE = "version: 1\ntarget: training\nartifacts:\n  a: {kind: weights, path: models/summarizer}\n"
IDENTITY = "    release: {identity: {issuer: 'https://a.example', subject: b}, claims: [eval]}\n"
KEYS = {name: key(name).pem for name in SIGNERS}


@pytest.mark.parametrize(
    ("text", "level", "word"),
    [
        (BARE, "weak", "no signer is trusted"),
        (BARE, "weak", "no evidence is configured"),
        (BARE, "weak", "no gate is configured"),
        (GOOD.replace(RELEASE, IDENTITY), "weak", "nobody can prove this identity"),
        (GOOD.replace("eval]}", "eval], valid_until: 2026-11-19}"), "wrong", "its key expired at 2026-11-19"),
        (GOOD.replace("eval]}", "eval], valid_until: 2028-11-19}"), "weak", "for more than a year"),
        (GOOD.replace("keys/builder.pub", "keys/release.pub"), "weak", "signers release and builder share one key"),
        (GOOD.replace(".gate/attestations", "elsewhere"), "weak", "evidence directory elsewhere does not exist"),
        (GOOD + "reports: [{tool: sarif, path: none.sarif}]\n", "weak", "report none.sarif does not exist"),
        (GOOD.replace("profile: baseline", "profile: own.yaml"), "weak", "scan.malware is warn in profile own.yaml"),
        (GOOD.replace("profile: baseline", "profile: own.yaml"), "weak", "own.yaml leaves out approval.human, "),
        (GOOD + "on_empty_diff: allow\n", "weak", "an empty diff counts as a pass"),
        (GOOD + "parameters: {scan.malware: {accept_suppressed: true}}\n", "weak", "suppressed do not refuse"),
        (GOOD + "parameters: {scan.malware: {accept_not_affected: true}}\n", "weak", "not to apply do not refuse"),
        (GOOD + "waivers: waivers.yaml\n", "weak", "waiver W-1 for scan.malware is expiring"),
        (GOOD.replace("version: 1", "version: 2"), "wrong", "version must be 1"),
        (GOOD.replace("keys/release.pub", "keys/none.pub"), "wrong", "there is no file"),
    ],
)
def test_notes(world: World, text: str, level: str, word: str) -> None:
    waiver = (
        "version: 1\nwaivers:\n  - {id: W-1, control: scan.malware, artifact: 'sha256:" + "0" * 64 + "', reason: r,"
        " ticket: t, owner: ann, approver: ben, created: 2026-11-01, expires: 2026-12-01}\n"
    )
    own_profile = profile({"scan.malware": "warn", "build.provenance": "enforce"})
    done = notes(reconfigured(world, text, own_DOT_yaml=own_profile, waivers_DOT_yaml=waiver.encode()))
    lines = [line for line in done.out.splitlines() if line.startswith(f"{level:<7}")]
    assert any(word in line for line in lines), done.out
    assert done.code == (2 if level == "wrong" else 0)
    assert len(lines) <= done.out.count("fix: ") + 1


def test_what_is_there_and_in_force_is_no_note(world: World) -> None:
    text = GOOD + "reports: [{tool: sarif, path: '.gate/*.sarif'}]\nwaivers: waivers.yaml\n"
    waiver = (
        "version: 1\nwaivers:\n  - {id: W-1, control: scan.malware, artifact: 'sha256:" + "0" * 64 + "', reason: r,"
        " ticket: t, owner: ann, approver: ben, created: 2026-11-01, expires: 2027-01-01}\n"
    )
    world.write(".gate/a.sarif", b"{}")
    done = notes(reconfigured(world, text, waivers_DOT_yaml=waiver.encode()))
    assert "report" not in done.out
    assert "waiver" not in done.out


@pytest.mark.parametrize("path", ["/etc/*.sarif", "../*.sarif", "a//b", "", ".", "**", "a\\b"])
def test_odd_paths_of_reports(world: World, path: str) -> None:
    text = GOOD + f"reports: [{{tool: sarif, path: {json.dumps(path)}}}]\n"
    reconfigured(world, text)
    assert notes(world).code in {0, 2}
    assert inside("check", "--now", NOW, "--root", str(world.root)).code in {2, 3, 10, 13}


@pytest.mark.parametrize("version", [(2, 35), (1, 8, 3)])
def test_an_old_git(world: World, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...]) -> None:
    monkeypatch.setattr(doctor, "git_version", lambda: version)
    done = notes(world)
    assert done.code == 2
    assert "is older than 2.36" in done.out


def test_parts_that_are_broken_hide_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_git() -> tuple[int, ...]:
        raise EvidenceError("git is not installed", hint="install git")

    def no_policy() -> None:
        raise PolicyError("the policy is damaged")

    monkeypatch.setattr(doctor, "git_version", no_git)
    monkeypatch.setattr(doctor, "packaged_bundle", no_policy)
    done = notes(world)
    assert done.code == 2
    assert "wrong  git is not installed" in done.out
    assert "wrong  the policy is damaged\n       fix: install gate again" in done.out
    assert "gate.yaml is valid" in done.out


def test_history_that_cannot_be_read_is_a_note(world: World) -> None:
    done = notes(world, "--base", "no-such-branch")
    assert done.code == 2
    assert "wrong  " in done.out


# -- gate verify -------------------------------------------------------------------------------------------------------


def verified(world: World, *arguments: str) -> Done:
    return inside("verify", "--now", NOW, "--root", str(world.root), *arguments)


def test_evidence_that_holds(world: World) -> None:
    world.put("prompt.json", bundle(own("prompt", subjects({"nothing": b"here"})), key("release")))
    world.put("README.md", b"x")
    done = verified(world)
    assert done.code == 0
    for line in (
        "artifact.signature by release, covers summarizer",
        "build.provenance by builder, covers summarizer",
        "prompt by release, covers nothing configured here",
        "skipped   .gate/attestations/README.md",
        "3 verified, 0 rejected.   exit 0 (all evidence holds)",
    ):
        assert line in done.out
    found = json.loads(verified(world, "--format", "json").out)
    assert found["exit_code"] == 0
    assert len(found["attestations"]) == 3
    assert list(found["skipped"]) == [".gate/attestations/README.md"]


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.json", b"{", 14),
        ("a.json", envelope(provenance(subjects({"x": b"x"})), key("stranger")), 11),
        ("a.json", envelope(b"{}", key("builder")), 14),
        ("a.json", envelope(provenance(subjects({"model.safetensors": b"x"})), key("builder")), 0),
        ("provenance.dsse.json", envelope(provenance(subjects({"model.safetensors": b"x"})), key("builder")), 12),
    ],
)
def test_evidence_that_does_not(world: World, name: str, data: bytes, code: int) -> None:
    """Old evidence beside new does no harm; alone it is about other bytes."""
    world.put(name, data)
    done = verified(world)
    assert done.code == code, done.text
    assert ("rejected  " in done.out) is (code != 0)
    found = json.loads(verified(world, "--format", "json").out)
    assert found["exit_code"] == code
    assert bool(found["rejected"]) is (code != 0)


def test_no_evidence(world: World) -> None:
    for path in (world.root / ".gate/attestations").iterdir():
        path.unlink()
    done = verified(world)
    assert done.code == 10
    assert "0 verified, 0 rejected.   exit 10 (required evidence missing)" in done.out


def test_verify_with_a_base(world: World) -> None:
    assert verified(world, "--base", "main").code == 0
    assert verified(world, "--base", "no-such-branch").code == 3


def test_concerns_are_two() -> None:
    assert {concern.value for concern in Concern} == {"at_stake", "others"}
