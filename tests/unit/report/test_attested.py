"""Verdicts as statements: what passes is said to have passed, and nothing else is."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from gate.attest.statement import check_statement
from gate.model.control import Mode
from gate.model.decision import Decision, Outcome, Verdict
from gate.model.evidence import Concern
from gate.report import attested
from gate.report.attested import Naming
from gate.report.svr import render_svr, svr_statements
from gate.report.vsa import render_vsa, vsa_statements
from tests.support.decisions import GOLDEN, approval, control, decision, digest, refusal, rejected, statement, violation
from tests.support.hostile_places import TEXTS, hostile

IMAGE = {
    "kind": "container",
    "digest": digest("image"),
    "path": None,
    "reference": f"registry.example/llm/server@{digest('image')}",
    "base": None,
    "bytes": 0,
    "build_level": 3,
}
MODEL = {**IMAGE, "kind": "weights", "digest": digest("tree"), "path": "models/summarizer", "reference": None}
KINDS = ("weights", "container")


def allowed(*controls: Any, artifacts: Any = None, **changes: Any) -> Decision:
    found = decision(*controls, verdict=Verdict.ALLOW, exit_code=0, **changes)
    listed = {"summarizer": MODEL} if artifacts is None else artifacts
    return dataclasses.replace(found, subject={**found.subject, "artifacts": listed})


def summary(found: Decision, naming: Naming | None = None) -> Any:
    (only,) = vsa_statements(found, naming or Naming())
    return json.loads(only)["predicate"]


def levels(found: Decision) -> list[str]:
    told: list[str] = summary(found)["verifiedLevels"]
    return told


def properties(found: Decision) -> list[str]:
    told: list[str] = json.loads(render_svr(found).splitlines()[0])["predicate"]["properties"]
    return told


@pytest.mark.parametrize("name", GOLDEN)
@pytest.mark.parametrize("render", [render_vsa, render_svr])
def test_the_gate_reads_what_it_makes(name: str, render: Any) -> None:
    (line,) = render(GOLDEN[name]()).splitlines()
    made = check_statement(line.encode())
    assert made.claim == {render_vsa: "verification.summary", render_svr: "properties"}[render]
    assert made.stated_at_s is not None


def test_only_an_allow_that_is_no_dry_run_has_passed() -> None:
    for name, make in GOLDEN.items():
        for dry_run in (False, True):
            found = dataclasses.replace(make(), dry_run=dry_run)
            passes = name == "approval" and not dry_run
            assert summary(found)["verificationResult"] == ("PASSED" if passes else "FAILED")
            assert ("FAILED" in levels(found)) == (not passes)
            assert any(item.startswith(("GATE_PASSED", "GATE_scan")) for item in properties(found)) == passes
            assert ("GATE_DRY_RUN" in levels(found)) == ("GATE_DRY_RUN" in properties(found)) == dry_run


@pytest.mark.parametrize(
    ("name", "changes", "passes"),
    [
        ("artifact.pinned", {}, True),
        ("artifact.pinned", {"mode": Mode.WARN}, False),
        ("artifact.pinned", {"outcome": Outcome.NOT_APPLICABLE}, False),
        ("artifact.pinned", {"artifacts": ("dataset",)}, False),
        ("change.attested", {}, False),
        ("evidence.accepted", {}, False),
        # A profile may narrow the kinds that a control judges.
        ("eval.safety", {"judges": ("prompt",)}, False),
    ],
)
def test_what_no_enforced_control_judged_has_not_passed(name: str, changes: Any, passes: bool) -> None:
    """A decision about a change, or about other artifacts, says nothing of these bytes."""
    found = allowed(control("team.change", artifacts=()), control(name, **changes))
    assert summary(found)["verificationResult"] == ("PASSED" if passes else "FAILED")
    if not passes:
        assert levels(found) == ["FAILED", "GATE_UNJUDGED"]
        assert properties(found) == ["GATE_UNJUDGED"]


def test_a_refusal_and_an_error_say_so_where_there_is_no_word_for_failure() -> None:
    assert properties(GOLDEN["refusal"]()) == ["GATE_REFUSED"]
    assert properties(GOLDEN["undecided"]()) == ["GATE_UNDECIDED"]
    assert properties(dataclasses.replace(approval(), dry_run=True)) == ["GATE_DRY_RUN"]


def test_whoever_asks_for_properties_gets_none_of_what_did_not_pass() -> None:
    for found in (refusal(), GOLDEN["undecided"](), dataclasses.replace(approval(), dry_run=True)):
        assert attested.properties(found, attested.abouts(found, Naming())[0]) == []


def test_only_what_passed_is_named() -> None:
    covered = violation("c.waived.finding", "found", waiver="W-1")
    reused = dataclasses.replace(violation("c.reused.missing", "none"), reuse=digest("vsa"))
    found = allowed(
        control("c.pass"),
        control("c.elsewhere", artifacts=("dataset",)),
        control("c.change", artifacts=()),
        control("c.idle", Outcome.NOT_APPLICABLE, reason="nothing"),
        control("c.waived", Outcome.WAIVED, covered),
        control("c.reused", Outcome.REUSED, reused),
        control("c.warned", Outcome.FAIL, violation("c.warned.finding", "found"), mode=Mode.WARN),
    )
    assert properties(found) == [
        "GATE_PASSED_WITH_WARNINGS",
        "GATE_PASSED_WITH_WAIVERS",
        "GATE_PASSED_WITH_REUSE",
        "GATE_c.change",
        "GATE_c.pass",
    ]
    assert levels(found) == ["SLSA_BUILD_LEVEL_UNEVALUATED", *properties(found)]
    told = summary(found)["urn:gate:verdict:v1"]
    assert {name: told[name] for name in ("warned", "waived", "reused")} == {
        "warned": ["c.warned"],
        "waived": ["c.waived"],
        "reused": ["c.reused"],
    }


def test_a_change_that_brings_its_own_configuration_passes_not_without_a_word() -> None:
    found = allowed(control("c.pass"))
    brought = dataclasses.replace(found, context={**found.context, "configuration_from": "worktree"})
    assert (properties(found)[0], properties(brought)[0]) == ("GATE_PASSED", "GATE_PASSED_WITH_OWN_CONFIGURATION")


def test_a_level_is_named_where_its_control_passed() -> None:
    level = control("build.level", artifacts=KINDS)
    assert levels(allowed(level))[0] == "SLSA_BUILD_LEVEL_3"
    assert properties(allowed(level))[0] == "SLSA_BUILD_LEVEL_3"
    for other in (
        allowed(control("artifact.signed")),
        allowed(control("artifact.signed"), dataclasses.replace(level, outcome=Outcome.NOT_APPLICABLE)),
        allowed(level, control("a.b", artifacts=("dataset",)), artifacts={"data": {**MODEL, "kind": "dataset"}}),
        allowed(level, artifacts={"summarizer": {**MODEL, "build_level": None}}),
        allowed(level, artifacts={"summarizer": {**MODEL, "build_level": 0}}),
    ):
        assert levels(other)[0] == "SLSA_BUILD_LEVEL_UNEVALUATED"
        assert "SLSA" not in " ".join(properties(other))


def test_one_statement_for_each_artifact_that_has_a_digest() -> None:
    tag = {**IMAGE, "digest": None, "reference": "registry.example/llm/server:latest"}
    found = allowed(control("c.pass"), artifacts={"summarizer": MODEL, "server": IMAGE, "tagged": tag})
    naming = Naming("https://gate.example/", {"summarizer": "https://models.example/summarizer"})
    made = [json.loads(line) for line in vsa_statements(found, naming)]
    assert [item["subject"] for item in made] == [
        [{"name": "registry.example/llm/server", "digest": {"sha256": digest("image").removeprefix("sha256:")}}],
        [{"name": "models/summarizer", "digest": {"sha256": digest("tree").removeprefix("sha256:")}}],
    ]
    assert [item["predicate"]["resourceUri"] for item in made] == [
        "registry.example/llm/server",
        "https://models.example/summarizer",
    ]
    assert {item["predicate"]["verifier"]["id"] for item in made} == {"https://gate.example/"}
    assert len(svr_statements(found, naming)) == 2


@pytest.mark.parametrize("artifacts", [{}, {"tagged": {**IMAGE, "digest": None}}, []])
def test_without_an_artifact_the_document_is_the_subject(artifacts: Any) -> None:
    found = allowed(control("c.pass"), control("c.change", artifacts=()), artifacts=artifacts)
    told = json.loads(render_vsa(found))
    assert told["subject"] == [
        {"name": "input.json", "digest": {"sha256": found.digests.input.removeprefix("sha256:")}}
    ]
    assert told["predicate"]["resourceUri"] == f"urn:gate:decision:{found.id}"
    assert levels(found) == ["SLSA_BUILD_LEVEL_UNEVALUATED", "GATE_PASSED", "GATE_c.change"]


def test_what_it_rests_on_is_named_by_digest() -> None:
    others = rejected(code="signature.missing", concern=Concern.OTHERS)
    found = dataclasses.replace(refusal(), rejected=(*refusal().rejected, others))
    told = summary(found)["inputAttestations"]
    assert [(f"sha256:{item['digest']['sha256']}", item["annotations"]["status"]) for item in told] == [
        *((item.evidence, "verified") for item in found.verified),
        *((digest, "rejected") for digest in sorted(item.evidence for item in refusal().rejected)),
    ]
    assert json.loads(render_svr(found))["predicate"]["urn:gate:verdict:v1"]["inputs"] == told


def test_the_rules_are_the_policy() -> None:
    found = approval()
    policy = summary(found)["policy"]
    assert policy["digest"] == {"sha256": found.digests.rules.removeprefix("sha256:")}
    assert policy["annotations"]["policy"] == found.digests.policy
    assert policy["uri"] == "urn:gate:profile:baseline"
    assert json.loads(render_svr(found))["predicate"]["verifier"]["policies"] == [policy]


def test_equal_decisions_give_equal_statements() -> None:
    assert render_vsa(refusal()) == render_vsa(refusal())
    assert render_svr(refusal()) == render_svr(refusal())


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_s34_nothing_hostile_gets_out(text: str) -> None:
    found = allowed(control("c.pass", claims=("x",)), verified=(statement("build.provenance", "builder"),))
    for line in [*render_vsa(hostile(found, text)).splitlines(), *render_svr(hostile(refusal(), text)).splitlines()]:
        assert line.isascii()
        assert line.isprintable()
        check_statement(line.encode())
        assert not [item for item in _texts(json.loads(line)) if not item.isprintable()]


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in [key, *_texts(item)]]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []
