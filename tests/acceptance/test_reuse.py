"""A summary of a trusted verifier stands for evidence that is not here: `docs/how-to/reuse-a-decision.md`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from tests.acceptance.world import MODEL, World, inside
from tools.scenario_draft import SIGNERS, config
from tools.scenario_evidence import bundle, envelope, key, statement, subjects

PAGE: Final = Path(__file__).parents[2] / "docs/how-to/reuse-a-decision.md"
SAMPLE: Final = json.loads(PAGE.read_text("utf-8").partition("```json\n")[2].partition("```")[0])
GATE: Final = "  - {id: G001, trigger_paths: ['models/**'], required_attestations: [artifact.signature]}\n"


def reuse(**changes: str) -> str:
    """The section of the page, with some keys changed."""
    block = re.search(r"^reuse:\n(?:  .*\n)+", PAGE.read_text("utf-8"), re.MULTILINE)
    assert block is not None
    text = block[0].replace("[gatekeeper]", "[approver]")
    for name, value in changes.items():
        text, number = re.subn(rf"^    {name}: .*$", f"    {name}: {value}", text, flags=re.MULTILINE)
        assert number == 1, name
    return text


def world_of(root: Path, section: str, *, evidence: bool = False) -> World:
    signers = {**SIGNERS, "approver": "claims: [verification.summary, sbom]"}
    world = World.make(root, config(signers=signers, gates=GATE, more=section), keys=tuple(signers), evidence=evidence)
    world.put("signature.sigstore.json", bundle(world.signature(), key("release")))
    return world


def summary(world: World, rules: str, *, only: str = "", **changes: Any) -> bytes:
    """A summary about the model, or about `only` one of its files."""
    predicate = {
        **SAMPLE,
        "policy": {"uri": "https://gate.example/rules", "digest": {"sha256": rules.removeprefix("sha256:")}},
        **changes,
    }
    kind = "https://slsa.dev/verification_summary/v1"
    files = {path: data for path, data in world.model_files().items() if only in {"", path}}
    return envelope(statement(kind, subjects(files), predicate), key("approver"))


def test_a_summary_stands_for_provenance_that_is_not_here(tmp_path: Path) -> None:
    world = world_of(tmp_path / "world", reuse())
    before = world.judge()
    assert (before.code, before.failing) == (10, {"build.provenance"})
    assert before.decision["reuse"] == []
    world.put("summary.dsse.json", summary(world, before.decision["digests"]["rules"]))
    found = world.judge()
    assert found.code == 0, found.text
    control = found.decision["controls"]["build.provenance"]
    assert control["status"] == "reused"
    (entry,) = found.decision["reuse"]
    assert [item["reuse"] for item in control["violations"]] == [entry["statement"]]
    assert (entry["verifier"], entry["artifact"], entry["used"], entry["problems"]) == (
        "staging",
        "summarizer",
        True,
        [],
    )
    assert found.decision["coverage"]["controls"]["reused"] == 1
    said = inside("check", "--base", "main", "--now", "2026-11-20T12:00:00Z", "--root", str(world.root))
    words = " ".join(said.out.split())
    assert "summarizer: verified before by staging; stands for the evidence that build.provenance would need" in words
    assert ", 1 reused, " in words
    shown = inside(
        *("check", "--base", "main", "--now", "2026-11-20T12:00:00Z", "--format", "markdown", "--root", str(world.root))
    )
    assert "Reused decisions" in shown.out


NO_EFFECT: dict[str, tuple[dict[str, Any], str]] = {
    "failed": ({"verificationResult": "FAILED"}, "verification failed"),
    "another resource": ({"resourceUri": "https://models.example/x"}, "it is about another resource"),
    "a low level": ({"verifiedLevels": ["SLSA_BUILD_LEVEL_1"]}, "it does not reach SLSA_BUILD_LEVEL_2"),
    "another verifier": ({"verifier": {"id": "https://gate.example/"}}, "its verifier and signer are not in reuse"),
    "other rules": (
        {"policy": {"uri": "x:y", "digest": {"sha256": "2" * 64}}},
        "it was made under other rules",
    ),
    "old": ({"timeVerified": "2026-11-12T12:00:00Z"}, "it is too old"),
    "no inputs": ({"inputAttestations": []}, "it names no evidence that was verified"),
}


@pytest.mark.parametrize("name", NO_EFFECT)
def test_a_summary_without_effect_says_why(tmp_path: Path, name: str) -> None:
    changes, problem = NO_EFFECT[name]
    world = world_of(tmp_path / "world", reuse())
    rules = world.judge().decision["digests"]["rules"]
    world.put("summary.dsse.json", summary(world, rules, **changes))
    found = world.judge()
    assert (found.code, found.failing) == (10, {"build.provenance"}), found.text
    (entry,) = found.decision["reuse"]
    assert entry["problems"][0].startswith(problem)
    assert not entry["used"]


def test_rules_change_with_what_is_asked(tmp_path: Path) -> None:
    world = world_of(tmp_path / "world", reuse())
    other = world_of(tmp_path / "other", reuse(max_age="8d"))
    assert world.judge().decision["digests"]["rules"] != other.judge().decision["digests"]["rules"]
    other.put("summary.dsse.json", summary(other, world.judge().decision["digests"]["rules"]))
    assert other.judge().decision["reuse"][0]["problems"] == ["it was made under other rules"]


def test_what_is_here_is_judged_here(tmp_path: Path) -> None:
    """A summary for bytes whose forged provenance lies beside it does not help."""
    world = world_of(tmp_path / "world", reuse())
    world.put("summary.dsse.json", summary(world, world.judge().decision["digests"]["rules"]))
    world.put("provenance.dsse.json", envelope(world.provenance(), key("stranger")))
    assert world.judge().code == 11
    (world.root / MODEL / "model.safetensors").write_bytes(b"other bytes")
    assert world.judge().code != 0


def test_a_bill_of_materials_that_says_too_little_is_judged_here(tmp_path: Path) -> None:
    """What a control reads is here and does not say enough: a summary is no better word on that."""
    world = world_of(tmp_path / "world", reuse(controls="[sbom.complete]"))
    profile = {"name": "own", "controls": {name: {"mode": "enforce"} for name in ("artifact.signed", "sbom.complete")}}
    text = (world.root / "gate.yaml").read_text("utf-8")
    world.write_all({"own.json": json.dumps(profile).encode(), "gate.yaml": _with_profile(text).encode()})
    world.put(
        "summary.dsse.json", summary(world, world.judge("--config-from", "worktree").decision["digests"]["rules"])
    )
    assert world.judge("--config-from", "worktree").code == 0
    files = world.model_files()
    bom = {"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"component": {"type": "file", "name": "m"}}}
    world.put(
        "bom.dsse.json", envelope(statement("https://cyclonedx.org/bom/v1.6", subjects(files), bom), key("approver"))
    )
    found = world.judge("--config-from", "worktree")
    assert (found.code in {10, 13}, found.failing) == (True, {"sbom.complete"}), found.text
    assert not found.decision["reuse"][0]["used"]


def _with_profile(text: str) -> str:
    found, number = re.subn(r"(?m)^profile: .*$", "profile: own.json", text)
    return found if number else f"{text}profile: own.json\n"


def test_a_later_failure_of_one_file_counts(tmp_path: Path) -> None:
    world = world_of(tmp_path / "world", reuse())
    rules = world.judge().decision["digests"]["rules"]
    world.put("summary.dsse.json", summary(world, rules))
    assert world.judge().code == 0
    failed = {"verificationResult": "FAILED", "timeVerified": "2026-11-20T11:30:00Z"}
    world.put("later.dsse.json", summary(world, rules, only="model.safetensors", **failed))
    found = world.judge()
    assert (found.code, found.failing) == (10, {"build.provenance"}), found.text
    assert [entry["problems"] for entry in found.decision["reuse"]] == [
        ["its verifier says later, or at the same time, that verification failed"]
    ]


def test_a_control_that_cannot_be_waived_cannot_be_reused(tmp_path: Path) -> None:
    world = world_of(tmp_path / "world", reuse(controls="[artifact.signed]"))
    found = world.judge()
    assert (found.code, "artifact.signed cannot be reused or waived" in found.text) == (2, True)
    nothing = world_of(tmp_path / "nothing", reuse(controls="[evidence.fresh]")).judge()
    assert (nothing.code, "evidence.fresh cannot be reused or waived" in nothing.text) == (2, True)
    unknown = world_of(tmp_path / "unknown", reuse(controls="[build.provenence]")).judge()
    assert (unknown.code, "there is no control 'build.provenence'" in unknown.text) == (2, True)
