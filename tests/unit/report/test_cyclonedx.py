"""CycloneDX attestations: valid by the published schema, references that lead somewhere, and honest conformance."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from gate.formats.schema import problem
from gate.model.control import FrameworkReference, Mode
from gate.model.decision import Decision, Outcome
from gate.model.evidence import Concern
from gate.report.cyclonedx import render_cyclonedx
from tests.support.decisions import (
    GOLDEN,
    approval,
    control,
    decision,
    digest,
    refusal,
    rejected,
    statement,
    violation,
    waiver,
)
from tests.support.hostile_places import TEXTS, hostile
from tests.support.json_members import members

REFERENCES = {
    *("assessor", "requirement", "claims", "counterClaims"),
    *("mitigationStrategies", "target", "evidence", "counterEvidence"),
}


def document(found: Decision) -> Any:
    value = json.loads(render_cyclonedx(found))
    assert problem("vendor/bom-1.6.schema.json", value) is None
    return value


@pytest.mark.parametrize("name", GOLDEN)
def test_references_are_unique_and_lead_somewhere(name: str) -> None:
    value = document(GOLDEN[name]())
    refs = [item for key, item in members(value) if key == "bom-ref"]
    assert len(refs) == len(set(refs))
    led: set[str] = set()
    for key, item in members(value):
        if key in REFERENCES:
            led |= {item} if isinstance(item, str) else {one for one in item if isinstance(one, str)}
    assert led <= set(refs)


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_s34_any_text_fits(text: str) -> None:
    value = document(hostile(refusal(), text))
    assert not [item for _, item in members(value) if isinstance(item, str) and not item.isprintable()]


def test_equal_decisions_give_equal_documents() -> None:
    assert render_cyclonedx(refusal()) == render_cyclonedx(refusal())
    other = dataclasses.replace(refusal(), id="01J8ZQ4T7M3N5P6R7S8T9V0W1Y")
    assert document(other)["serialNumber"] != document(refusal())["serialNumber"]


def conformance(value: Any) -> dict[str, Any]:
    return {
        item["requirement"].partition("#")[2]: item["conformance"]
        for item in value["declarations"]["attestations"][0]["map"]
    }


def test_the_gates_own_controls_have_a_score() -> None:
    reused = dataclasses.replace(violation("c.reused.missing", "none"), reuse=digest("vsa"))
    made = decision(
        control("c.pass"),
        control("c.fail", Outcome.FAIL, violation("c.fail.finding", "found", artifact="summarizer", file="x.bin")),
        control("c.warned", Outcome.FAIL, violation("c.warned.finding", "found"), mode=Mode.WARN),
        control("c.error", Outcome.ERROR),
        control("c.idle", Outcome.NOT_APPLICABLE, reason="nothing asks"),
        control("c.waived", Outcome.WAIVED, violation("c.waived.finding", "found", waiver="W-1")),
        control("c.reused", Outcome.REUSED, reused),
        waivers=(waiver("W-1", "c.waived", reason="Known.", owner="mira", approver="olu", created_s=0),),
    )
    value = document(made)
    found = conformance(value)
    assert {name: item.get("score") for name, item in found.items()} == {
        "c.pass": 1, "c.fail": 0, "c.warned": 0, "c.error": 0, "c.idle": None, "c.waived": 0, "c.reused": 0,
    }  # fmt: skip
    assert {name for name, item in found.items() if "mitigationStrategies" in item} == {"c.waived"}
    evidence = {item["bom-ref"]: item for item in value["declarations"]["evidence"]}
    assert evidence["waiver:W-1"]["author"] == {"name": "mira"}
    assert evidence["waiver:W-1"]["expires"] == "2026-12-30T12:00:00Z"
    assert evidence["violation:c.fail:0"]["description"] == "c.fail.finding: found (summarizer, x.bin)"
    claims = {item["bom-ref"]: item for item in value["declarations"]["claims"]}
    assert claims["claim:c.fail"]["counterEvidence"] == ["violation:c.fail:0"]
    assert claims["claim:c.idle"]["reasoning"] == "The control does not apply. nothing asks"


def test_requirements_of_frameworks_have_none() -> None:
    frameworks = {"OWN": FrameworkReference("partly supports", ("R1", "R1", "R2"))}
    made = decision(
        control("c.pass", frameworks=frameworks),
        control("c.fail", Outcome.FAIL, frameworks={"OWN": FrameworkReference("supports", ("R1",))}),
        control(
            "c.idle", Outcome.NOT_APPLICABLE, reason="x", frameworks={"OWN": FrameworkReference("supports", ("R3",))}
        ),
    )
    value = document(made)
    (own, mapped) = value["declarations"]["attestations"]
    assert len(own["map"]) == 3
    rows = {item["requirement"]: item for item in mapped["map"]}
    assert [item["conformance"].get("score") for item in rows.values()] == [None, None, None]
    assert rows["standard:OWN#R1"]["claims"] == ["claim:c.pass"]
    assert rows["standard:OWN#R1"]["counterClaims"] == ["claim:c.fail"]
    words = rows["standard:OWN#R1"]["conformance"]["rationale"]
    assert words == (
        "1 of 2 controls that apply passed: c.pass partly supports, c.fail supports. "
        "Evidence for a control supports a requirement; whether it is met, people judge."
    )
    assert set(rows["standard:OWN#R3"]) == {"requirement", "conformance"}
    standards = {item["name"]: item for item in value["definitions"]["standards"]}
    assert [item["identifier"] for item in standards["OWN"]["requirements"]] == ["R1", "R2", "R3"]
    assert standards["Controls of gate"]["version"] == made.digests.rules


def test_evidence_is_named_once_with_its_place_and_time() -> None:
    signed = dataclasses.replace(statement("eval", "release"), signed_at_s=0)
    silent = dataclasses.replace(statement("slo"), stated_at_s=None)
    distant = statement("route", stated_at_s=1 << 62)
    bad = rejected(code="signature.untrusted", concern=Concern.OTHERS)
    again = dataclasses.replace(bad, evidence=signed.evidence)
    made = decision(
        control("c.pass", evidence=[signed.payload, signed.payload, digest("report")]),
        verified=(signed, silent, distant, signed),
        rejected=(bad, again, rejected(code="subject.mismatch")),
    )
    value = document(made)
    evidence = {item["bom-ref"]: item for item in value["declarations"]["evidence"]}
    assert len(evidence) == 5
    assert evidence[f"verified:{signed.evidence}"]["created"] == "1970-01-01T00:00:00Z"
    assert "created" not in evidence[f"verified:{silent.evidence}"]
    assert "created" not in evidence[f"verified:{distant.evidence}"]
    assert evidence[f"verified:{silent.evidence}"]["description"].startswith(
        "Verified statement of slo, signed by nobody"
    )
    (data,) = evidence[f"verified:{signed.evidence}"]["data"]
    assert data == {"name": signed.evidence, "contents": {"url": ".gate/attestations/eval.json"}}
    assert not evidence[f"rejected:{bad.evidence}"]["description"].endswith("judged.")
    (claim,) = value["declarations"]["claims"]
    assert claim["evidence"] == [f"verified:{signed.evidence}"]
    assert claim["reasoning"] == f"The control passed. It also rests on {digest('report')}."


def test_the_verdict_and_what_was_judged_are_told() -> None:
    value = document(dataclasses.replace(refusal(), dry_run=True))
    told = {item["name"]: item["value"] for item in value["metadata"]["properties"]}
    assert (told["gate:verdict"], told["gate:exit_code"], told["gate:dry_run"]) == ("deny", "11", "true")
    assert told["gate:dry_run_note"].startswith("DRY RUN: nothing is blocked")
    assert told["gate:digest:rules"] == refusal().digests.rules
    (release,) = value["declarations"]["targets"]["components"]
    assert [(item["name"], item["type"]) for item in release["components"]] == [
        ("summarizer", "machine-learning-model")
    ]
    nothing = document(dataclasses.replace(approval(), subject={}))
    assert nothing["declarations"]["targets"]["components"][0]["components"] == []
