"""The verdict leaves as a verification summary that others verify by the published steps, and that a gate reuses."""

from __future__ import annotations

import base64
import copy
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from in_toto_attestation.v1.statement import Statement

from tests.acceptance.world import NOW, Done, World, inside
from tools.scenario_draft import SIGNERS, config
from tools.scenario_evidence import bundle, envelope, key

VERIFIER: Final = "https://gate.example/staging"
RESOURCE: Final = "https://models.example/summarizer"
KEY: Final = "env:GATE_TEST_KEY"
GATE: Final = "  - {id: G001, trigger_paths: ['models/**'], required_attestations: [artifact.signature]}\n"
BUILDERS: Final = '  builders:\n    hosted: {id: "https://builder.example/training", signers: [builder], level: 3}\n'
REUSE: Final = f"""\
reuse:
  staging:
    id: {VERIFIER}
    signers: [approver]
    levels: [SLSA_BUILD_LEVEL_2, GATE_PASSED]
    controls: [build.provenance, build.level]
    resources: {{summarizer: "{RESOURCE}"}}
    max_age: 7d
"""
PROFILE: Final = {
    "name": "own",
    "controls": {
        name: {"mode": "enforce"}
        for name in ("artifact.signed", "build.provenance", "build.level", "evidence.accepted")
    },
}


@pytest.fixture(autouse=True)
def signing_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATE_TEST_KEY", key("approver").private_pem.decode())


def world_of(root: Path, *, provenance: bool, profile: Mapping[str, Any] = PROFILE) -> World:
    signers = {**SIGNERS, "approver": "claims: [verification.summary]"}
    text = config(signers=signers, gates=GATE, profile="own.json", trust=BUILDERS, more=REUSE)
    base = {"own.json": json.dumps(profile).encode()}
    world = World.make(root, text, keys=tuple(signers), base=base, evidence=False)
    world.put("signature.sigstore.json", bundle(world.signature(), key("release")))
    if provenance:
        world.put("provenance.dsse.json", envelope(world.provenance(), key("builder")))
    return world


def run(world: World, *arguments: str, signed: bool = True) -> Done:
    naming = ["--verifier", VERIFIER, "--resource", f"summarizer={RESOURCE}", *(["--key", KEY] if signed else [])]
    fixed = ["check", "--base", "main", "--now", NOW, "--root", str(world.root)]
    return inside(*fixed, *naming, *arguments)


def summary_of(world: World, file: Path, *arguments: str) -> list[dict[str, Any]]:
    """The bundles that a check leaves in a file, one for each artifact."""
    done = run(world, "--report", f"vsa={file}", *arguments)
    assert done.code in {0, 10, 11, 12, 13, 14}, done.text
    return [json.loads(line) for line in file.read_text().splitlines()]


def slsa_steps(found: dict[str, Any], pem: bytes, subject: str, level: str) -> dict[str, Any]:
    """The steps that slsa.dev/spec/v1.2/verification_summary says a consumer takes, without the gate's own code."""
    wrapped = found["dsseEnvelope"]
    payload = base64.b64decode(wrapped["payload"])
    kind = wrapped["payloadType"].encode()
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    public: Any = load_pem_public_key(pem)
    public.verify(base64.b64decode(wrapped["signatures"][0]["sig"]), signed)  # 1
    told: dict[str, Any] = json.loads(payload)
    Statement.copy_from_pb(_protobuf(told)).validate()
    assert subject in {item["digest"]["sha256"] for item in told["subject"]}  # 2
    assert told["predicateType"] == "https://slsa.dev/verification_summary/v1"  # 3
    predicate: dict[str, Any] = told["predicate"]
    assert predicate["verifier"]["id"] == VERIFIER  # 4
    assert predicate["resourceUri"] == RESOURCE  # 5
    assert predicate["verificationResult"] == "PASSED"  # 6
    assert level in predicate["verifiedLevels"]  # 7
    return predicate


def _protobuf(told: dict[str, Any]) -> Any:
    from google.protobuf.json_format import ParseDict
    from in_toto_attestation.v1 import statement_pb2

    return ParseDict(told, statement_pb2.Statement())


def test_an_approval_passes_the_published_steps_and_is_reused(tmp_path: Path) -> None:
    staging = world_of(tmp_path / "staging", provenance=True)
    (found,) = summary_of(staging, tmp_path / "verdict.jsonl")
    decision = staging.judge().decision
    artifact = decision["subject"]["artifacts"]["summarizer"]
    assert artifact["build_level"] == 3
    predicate = slsa_steps(found, key("approver").pem, artifact["digest"].removeprefix("sha256:"), "SLSA_BUILD_LEVEL_3")
    assert f"sha256:{predicate['policy']['digest']['sha256']}" == decision["digests"]["rules"]
    assert predicate["policy"]["annotations"]["policy"] == decision["digests"]["policy"]
    assert {f"sha256:{item['digest']['sha256']}" for item in predicate["inputAttestations"]} == {
        item["evidence"] for item in decision["evidence"]["verified"]
    }
    production = world_of(tmp_path / "production", provenance=False)
    before = production.judge()
    assert (before.code, before.failing) == (10, {"build.provenance", "build.level"})
    production.put("staging.jsonl", (tmp_path / "verdict.jsonl").read_bytes())
    after = production.judge()
    assert after.code == 0, after.text
    assert {name for name, item in after.decision["controls"].items() if item["status"] == "reused"} == before.failing
    assert [(item["used"], item["problems"]) for item in after.decision["reuse"]] == [(True, [])]


def test_what_was_reused_passes_no_further_without_a_word(tmp_path: Path) -> None:
    """A summary of a decision that rests on a summary does not say GATE_PASSED, and names no level."""
    (tmp_path / "first.jsonl").write_text("")
    summary_of(world_of(tmp_path / "staging", provenance=True), tmp_path / "first.jsonl")
    second = world_of(tmp_path / "second", provenance=False)
    second.put("staging.jsonl", (tmp_path / "first.jsonl").read_bytes())
    (found,) = summary_of(second, tmp_path / "second.jsonl")
    levels = json.loads(base64.b64decode(found["dsseEnvelope"]["payload"]))["predicate"]["verifiedLevels"]
    assert {"SLSA_BUILD_LEVEL_UNEVALUATED", "GATE_PASSED_WITH_REUSE"} <= set(levels)
    assert "GATE_PASSED" not in levels
    third = world_of(tmp_path / "third", provenance=False)
    third.put("second.jsonl", (tmp_path / "second.jsonl").read_bytes())
    assert third.judge().decision["reuse"][0]["problems"] == ["it does not reach SLSA_BUILD_LEVEL_2, GATE_PASSED"]


@pytest.mark.parametrize("dry", [False, True])
def test_a_refusal_and_a_dry_run_fail_the_published_steps(tmp_path: Path, dry: bool) -> None:
    """Also the dry run of an approval: nothing was admitted, so nothing passed."""
    world = world_of(tmp_path / "world", provenance=dry)
    (found,) = summary_of(world, tmp_path / "verdict.jsonl", *(["--dry-run"] if dry else []))
    told = json.loads(base64.b64decode(found["dsseEnvelope"]["payload"]))
    predicate = told["predicate"]
    assert predicate["verificationResult"] == "FAILED"
    assert predicate["verifiedLevels"] == (["FAILED", "GATE_DRY_RUN"] if dry else ["FAILED"])
    said = predicate["urn:gate:verdict:v1"]
    assert (said["verdict"], said["dry_run"]) == (("allow", True) if dry else ("deny", False))
    assert said["refused"] == ([] if dry else ["build.level", "build.provenance"])
    with pytest.raises(AssertionError):
        slsa_steps(found, key("approver").pem, told["subject"][0]["digest"]["sha256"], "FAILED")
    other = world_of(tmp_path / "other", provenance=False)
    other.put("verdict.jsonl", (tmp_path / "verdict.jsonl").read_bytes())
    judged = other.judge()
    assert judged.code == 10, judged.text
    assert "verification failed" in judged.decision["reuse"][0]["problems"]


def test_a_warning_is_no_silent_pass(tmp_path: Path) -> None:
    lenient = copy.deepcopy(PROFILE)
    lenient["controls"]["build.provenance"] = {"mode": "warn"}  # type: ignore[index]
    lenient["controls"]["build.level"] = {"mode": "warn"}  # type: ignore[index]
    (found,) = summary_of(world_of(tmp_path / "world", provenance=False, profile=lenient), tmp_path / "verdict.jsonl")
    predicate = json.loads(base64.b64decode(found["dsseEnvelope"]["payload"]))["predicate"]
    assert predicate["verificationResult"] == "PASSED"
    assert predicate["verifiedLevels"] == [
        "SLSA_BUILD_LEVEL_UNEVALUATED",
        "GATE_PASSED_WITH_WARNINGS",
        "GATE_artifact.signed",
        "GATE_evidence.accepted",
    ]
    assert predicate["urn:gate:verdict:v1"]["warned"] == ["build.level", "build.provenance"]


def test_an_edited_summary_does_not_verify(tmp_path: Path) -> None:
    (found,) = summary_of(world_of(tmp_path / "world", provenance=False), tmp_path / "verdict.jsonl")
    told = json.loads(base64.b64decode(found["dsseEnvelope"]["payload"]))
    told["predicate"] |= {"verificationResult": "PASSED", "verifiedLevels": ["SLSA_BUILD_LEVEL_3", "GATE_PASSED"]}
    found["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(told).encode()).decode()
    with pytest.raises(InvalidSignature):
        slsa_steps(found, key("approver").pem, told["subject"][0]["digest"]["sha256"], "SLSA_BUILD_LEVEL_3")
    other = world_of(tmp_path / "other", provenance=False)
    other.put("verdict.json", json.dumps(found).encode())
    assert other.judge().code == 11


def test_the_statement_that_is_shown_is_the_one_that_is_signed(tmp_path: Path) -> None:
    world = world_of(tmp_path / "world", provenance=True)
    saved = tmp_path / "decision.json"
    assert run(world, "--output", str(saved), signed=False).code == 0
    naming = ["--verifier", VERIFIER, "--resource", f"summarizer={RESOURCE}"]
    shown = Done(1, "", "")
    for form in ("vsa", "svr"):
        shown = inside("report", str(saved), "--format", form, *naming)
        signed = inside("report", str(saved), "--format", form, *naming, "--key", KEY)
        (found,) = [json.loads(line) for line in signed.out.splitlines()]
        assert base64.b64decode(found["dsseEnvelope"]["payload"]).decode() + "\n" == shown.out
    properties = json.loads(shown.out)["predicate"]["properties"]
    assert properties[:3] == ["SLSA_BUILD_LEVEL_3", "GATE_PASSED", "GATE_artifact.signed"]
    assert json.loads(inside("report", str(saved), "--format", "vsa").out)["predicate"]["resourceUri"] == (
        "urn:gate:artifact:summarizer"
    )


def test_a_key_without_anything_to_sign_is_a_mistake(tmp_path: Path) -> None:
    world = world_of(tmp_path / "world", provenance=True)
    done = run(world, "--format", "json")
    assert (done.code, "none is asked for" in done.err) == (2, True)
    assert run(world, "--format", "vsa", "--resource", "nothing").code == 2


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--resource", "summariser=x:y"], 2, "no artifact 'summariser'"),
        (["--verifier", "me"], 2, "is no URI"),
        (["--key", "missing.key"], 5, "missing.key"),
    ],
)
def test_names_that_do_not_fit_leave_nothing(tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    world = world_of(tmp_path / "world", provenance=True)
    files = [tmp_path / "verdict.jsonl", tmp_path / "decision.json"]
    done = run(world, "--report", f"vsa={files[0]}", "--output", str(files[1]), *arguments)
    assert (done.code, words in done.err, done.out) == (code, True, "")
    assert [file.read_bytes() for file in files] == [b"", b""]


def test_s24_a_decision_that_a_change_could_have_brought_is_not_signed(tmp_path: Path) -> None:
    """Attack: a forged approval is committed, and a job that signs a saved decision puts its key to it."""
    world = world_of(tmp_path / "world", provenance=True)
    saved = world.root / "decision.json"
    assert run(world, "--output", str(saved), signed=False).code == 0
    arguments = ["report", str(saved), "--format", "vsa", "--key", KEY]
    assert inside(*arguments).code == 0
    subprocess.run(["git", "add", "decision.json"], cwd=world.root, check=True, env={"PATH": "/usr/bin:/bin"})
    done = inside(*arguments)
    assert (done.code, "git tracks" in done.err, done.out) == (5, True, "")
    (tmp_path / "link.json").symlink_to(saved)
    assert inside("report", str(tmp_path / "link.json"), *arguments[2:]).code == 5
    assert inside("report", str(saved), "--format", "vsa").code == 0


def test_s24_a_refusal_that_is_edited_into_an_approval_is_not_signed(tmp_path: Path) -> None:
    world = world_of(tmp_path / "world", provenance=False)
    saved = tmp_path / "decision.json"
    assert run(world, "--output", str(saved), signed=False).code == 10
    forged = json.loads(saved.read_text()) | {"verdict": "allow", "exit_code": 0, "causes": []}
    saved.write_text(json.dumps(forged))
    done = inside("report", str(saved), "--format", "vsa", "--key", KEY)
    assert (done.code, done.out) == (3, "")
