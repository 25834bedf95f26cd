"""OSCAL documents: what compliance-trestle accepts, what they say, and what they do not say."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import pytest

from gate.model.control import FrameworkReference
from gate.model.decision import Decision, Outcome
from gate.model.framework import Framework, Matrix, RequirementRow, Support
from gate.report.oscal import control_token, identity, moment, plain, prose, token
from gate.report.oscal_component import component_definition, render_oscal_component
from gate.report.oscal_results import render_oscal_results
from tests.support.decisions import (
    GOLDEN,
    NOON,
    approval,
    control,
    decision,
    digest,
    info,
    refusal,
    statement,
    violation,
    waiver,
)
from tests.support.hostile_places import TEXTS, hostile
from tests.support.json_members import members


def results(found: Decision) -> Any:
    """The document, which compliance-trestle takes."""
    from trestle.oscal.assessment_results import AssessmentResults

    value = json.loads(render_oscal_results(found))
    AssessmentResults.model_validate(value["assessment-results"])
    return value["assessment-results"]


def component(document: Any) -> Any:
    from trestle.oscal.component import ComponentDefinition

    ComponentDefinition.model_validate(document["component-definition"])
    return document["component-definition"]


@pytest.mark.parametrize("name", GOLDEN)
def test_trestle_reads_them(name: str) -> None:
    results(GOLDEN[name]())
    component(json.loads(render_oscal_component(GOLDEN[name]())))


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_s34_trestle_reads_them_with_any_text_in_them(text: str) -> None:
    found = hostile(refusal(), text)
    told = [results(found), component(json.loads(render_oscal_component(found)))]
    assert not [item for _, item in members(told) if isinstance(item, str) and not item.isprintable()]
    assert render_oscal_results(found).isascii()


@pytest.mark.parametrize("name", GOLDEN)
@pytest.mark.parametrize("render", [render_oscal_results, render_oscal_component])
def test_identities_are_unique_and_references_lead_somewhere(name: str, render: Any) -> None:
    document = json.loads(render(GOLDEN[name]()))
    uuids = [item for key, item in members(document) if key == "uuid"]
    assert len(uuids) == len(set(uuids))
    led = {item for key, item in members(document) if key.endswith("-uuid")}
    led |= {item[1:] for key, item in members(document) if key in {"href", "source"} and item.startswith("#")}
    assert led <= set(uuids)


def test_equal_decisions_give_equal_documents() -> None:
    for render in (render_oscal_results, render_oscal_component):
        assert render(refusal()) == render(refusal())
    other = dataclasses.replace(refusal(), id="01J8ZQ4T7M3N5P6R7S8T9V0W1Y")
    assert results(other)["uuid"] != results(refusal())["uuid"]


def test_findings_are_of_controls_and_their_states_are_closed() -> None:
    made = decision(
        control("c.pass"),
        control("c.fail", Outcome.FAIL, violation("c.fail.finding", "found")),
        control("c.error", Outcome.ERROR),
        control("c.idle", Outcome.NOT_APPLICABLE, reason="nothing asks"),
        control("c.waived", Outcome.WAIVED, violation("c.waived.finding", "found", waiver="W-1")),
        control("c.reused", Outcome.REUSED, dataclasses.replace(violation("c.reused.missing", "x"), reuse=digest("v"))),
        control(
            "c.both",
            Outcome.WAIVED,
            violation("c.both.finding", "found", waiver="W-2"),
            dataclasses.replace(violation("c.both.missing", "x"), reuse=digest("v")),
        ),
        waivers=(waiver("W-1", "c.waived", reason="It is known.", owner="mira", approver="olu", ticket="T-1"),),
    )
    (result,) = results(made)["results"]
    states = {item["target"]["target-id"]: item["target"]["status"] for item in result["findings"]}
    assert {name: (item["state"], item["reason"]) for name, item in states.items()} == {
        "c.pass": ("satisfied", "pass"),
        "c.fail": ("not-satisfied", "fail"),
        "c.error": ("not-satisfied", "other"),
        "c.waived": ("not-satisfied", "other"),
        "c.reused": ("not-satisfied", "other"),
        "c.both": ("not-satisfied", "other"),
    }
    assert all("no more than that" in item["remarks"] for item in states.values())
    risks = {item["statement"].split("`")[1]: item for item in result["risks"]}
    assert {name: item["status"] for name, item in risks.items()} == {
        "c.fail": "open",
        "c.waived": "deviation-approved",
        "c.reused": "open",
        "c.both": "open",
    }
    (factor,) = risks["c.waived"]["mitigating-factors"]
    assert factor["description"] == "It is known."
    assert {item["name"]: item["value"] for item in factor["props"]} == {
        "waiver": "W-1", "ticket": "T-1", "owner": "mira", "approver": "olu",
    }  # fmt: skip
    for name in ("c.reused", "c.both"):
        factor = risks[name]["mitigating-factors"][-1]
        assert factor["props"][0]["value"] == digest("v")
        assert "stands for evidence" in factor["description"]
    assert risks["c.waived"]["deadline"] == "2026-12-30T12:00:00Z"
    assert risks["c.fail"]["remediations"][0]["description"] == "Put it right."
    selected = result["reviewed-controls"]["control-selections"][0]["include-controls"]
    assert {item["control-id"] for item in selected} == set(made.controls)


def test_each_violation_is_observed_with_its_place() -> None:
    (result,) = results(refusal())["results"]
    found = [item for item in result["observations"] if item["title"] == "`scan.malware.finding`"]
    assert [{prop["name"]: prop["value"] for prop in item["props"]} for item in found] == [
        {"code": "scan.malware.finding", "artifact": "summarizer", "file": "extra.bin", "waiver": "W-12"}
    ]
    assert found[0]["subjects"][0]["title"] == "summarizer"
    rejected = [item for item in result["observations"] if item["methods"] == ["EXAMINE"]]
    assert {prop["value"] for item in rejected for prop in item["props"] if prop["name"] == "code"} == {
        item.code for item in refusal().rejected
    }


def test_evidence_is_linked_by_digest() -> None:
    document = results(approval())
    resources = {item["uuid"]: item for item in document["back-matter"]["resources"]}
    observed = {item["title"]: item for item in document["results"][0]["observations"]}
    (evidence,) = observed["`build.provenance`: Title of `build.provenance`"]["relevant-evidence"]
    linked = resources[evidence["href"][1:]]
    (item,) = [item for item in approval().verified if item.claim == "build.provenance"]
    assert linked["rlinks"] == [
        {
            "href": ".gate/attestations/build.provenance.json",
            "hashes": [{"algorithm": "SHA-256", "value": item.evidence.removeprefix("sha256:")}],
        }
    ]
    (other,) = observed["`scan.malware`: Title of `scan.malware`"]["relevant-evidence"]
    assert other == {"description": f"`{digest('report')}`"}, "a report is no statement, and has no resource"
    assert document["import-ap"]["href"][1:] in resources


def test_without_controls_and_with_evidence_that_is_both() -> None:
    both = statement("eval", "release")
    bad = dataclasses.replace(refusal().rejected[0], evidence=both.evidence, artifacts=("elsewhere",))
    document = results(decision(verified=(both,), rejected=(bad,), exit_code=12))
    assert "findings" not in document["results"][0]
    assert "observations" in document["results"][0]


def test_the_component_says_supports_and_how_each_control_fared() -> None:
    frameworks = {
        "NIST-800-53r5": FrameworkReference("partly supports", ("SI-7(15)",)),
        "EU-AI-Act": FrameworkReference("supports", ("15",)),
    }
    made = decision(control("c.pass", frameworks=frameworks), control("c.other", frameworks=frameworks))
    document = component(json.loads(render_oscal_component(made)))
    (only,) = document["components"]
    own, act, nist = only["control-implementations"]
    assert [item["control-id"] for item in own["implemented-requirements"]] == ["c.pass", "c.other"]
    assert act["implemented-requirements"][0]["control-id"] == "_15"
    (row,) = nist["implemented-requirements"]
    assert row["control-id"] == "si-7.15"
    told = [(item["name"], item["value"], item.get("class")) for item in row["props"]]
    assert told == [
        ("label", "SI-7(15)", None),
        ("partly-supports", "c.pass", None),
        ("status", "pass", "c.pass"),
        ("mode", "enforce", "c.pass"),
        ("partly-supports", "c.other", None),
        ("status", "pass", "c.other"),
        ("mode", "enforce", "c.other"),
    ]
    words = json.dumps(document).lower()
    assert not re.search(r"compl(y|ies|iant)|certif|satisf", words)


def test_a_component_is_made_of_any_matrix() -> None:
    """What `gate controls matrix` has at hand: titles, versions, gaps, and controls that nothing was decided about."""
    one = info("c.one")
    listed = Framework(
        "OWN", "Own rules", "3", complete=True, scope="all", requirements={"R1": "First", "R2": "Second"}
    )
    rows = (RequirementRow("R1", "First", (Support(one, ""),)), RequirementRow("R2", "Second", ()))
    empty = Matrix(dataclasses.replace(listed, id="EMPTY"), (RequirementRow("R1", "First", ()),), (one,))
    document = component(component_definition([one], [Matrix(listed, rows, ()), empty], at=NOON, version="1.0"))
    (only,) = document["components"]
    own, mapped = only["control-implementations"]
    assert [item["control-id"] for item in mapped["implemented-requirements"]] == ["R1"]
    assert "props" in own["implemented-requirements"][0]
    assert [item["title"] for item in document["back-matter"]["resources"]] == ["The controls of the gate", "Own rules"]
    nothing = component(component_definition([], [], at=NOON, version="1.0"))
    assert "control-implementations" not in nothing["components"][0]


def test_words_take_the_forms_of_oscal() -> None:
    assert (token("PS.2.1"), token("SI-7(15)"), token("15"), token(""), token("_x")) == (
        "PS.2.1", "SI-7_15_", "_15", "_", "_x",
    )  # fmt: skip
    assert control_token("NIST-800-53r5", "AC-2(1)") == "ac-2.1"
    assert control_token("NIST-800-218A", "PO.1.1") == "PO.1.1"
    assert (plain("  "), prose("")) == ("-", "-")
    assert identity("a", "b") != identity("a\n", "b") != identity("a", "\nb")
    assert (moment(0), moment(1 << 62)) == ("1970-01-01T00:00:00Z", None)
