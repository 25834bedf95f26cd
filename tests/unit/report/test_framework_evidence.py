"""Evidence for requirements: the worst of the controls counts, nothing that is missing looks like support."""

from __future__ import annotations

import csv
import dataclasses
import io
from typing import Any

import pytest

from gate.evaluate.frameworks import matrix
from gate.formats.canonical_json import pretty
from gate.formats.schema import problem
from gate.model.control import ControlInfo, FrameworkReference, Mode
from gate.model.decision import ControlDecision, Decision, Outcome
from gate.model.framework import Framework
from gate.report.framework_evidence import Page, State, page_of, pages_json, pages_table
from gate.report.framework_page import pages_markdown, pages_text
from tests.support.decisions import (
    NOON_S,
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

F = Framework(
    "F-1",
    "Title",
    "7",
    complete=True,
    scope="all 4",
    source="the book",
    requirements={"A": "Alpha", "B": "Beta", "C": "Gamma", "D": "Delta"},
)
SIGNED = dataclasses.replace(statement("artifact.signature", "release"), signed_at_s=NOON_S)
OTHER = statement("approval", "lead", stated_at_s=None)
HOSTILE = "\x1b[2J=cmd|' /C calc'!A0\n| x | `y` @all #1\u202e<b>\r ::error::x"


def mapped(*ids: str, relation: str = "supports", **changes: Any) -> dict[str, Any]:
    return {"frameworks": {"F-1": FrameworkReference(relation, ids)}, **changes}


def judged(name: str, outcome: Outcome, *ids: str, relation: str = "supports", **changes: Any) -> ControlDecision:
    violations = changes.pop("violations", ())
    return control(name, outcome, *violations, **mapped(*ids, relation=relation), **changes)


def page(made: Decision, *others: ControlInfo, framework: Framework = F) -> Page:
    return page_of(made, matrix(framework, [*(item.info for item in made.controls.values()), *others]))


def whole() -> Decision:
    return decision(
        judged("a.passed", Outcome.PASS, "A", evidence=[SIGNED.payload, SIGNED.payload, digest("report")]),
        judged("b.partly", Outcome.PASS, "B", relation="partly supports"),
        judged(
            "c.failed",
            Outcome.FAIL,
            "C",
            violations=[violation("c.failed.missing", "gone"), violation("c.failed.missing", "gone too")],
            mode=Mode.WARN,
        ),
        judged("d.quiet", Outcome.NOT_APPLICABLE, "C", reason="nothing to look at"),
        control("e.bare", frameworks={}),
        verified=(SIGNED, OTHER),
    )


# -- what a decision says of a requirement ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ([], State.NO_CONTROL),
        ([("supports", Outcome.NOT_APPLICABLE)], State.NOT_JUDGED),
        ([("supports", Outcome.PASS)], State.SUPPORTED),
        ([("partly supports", Outcome.PASS)], State.PARTLY),
        ([("partly supports", Outcome.PASS), ("supports", Outcome.NOT_APPLICABLE)], State.PARTLY),
        ([("partly supports", Outcome.PASS), ("supports", Outcome.PASS)], State.SUPPORTED),
        ([("supports", Outcome.PASS), ("partly supports", Outcome.WAIVED)], State.COVERED),
        ([("supports", Outcome.PASS), ("supports", Outcome.REUSED)], State.COVERED),
        ([("supports", Outcome.PASS), ("supports", Outcome.WAIVED), ("supports", Outcome.FAIL)], State.FAILED),
        ([("supports", Outcome.PASS), ("partly supports", Outcome.ERROR)], State.FAILED),
    ],
)
def test_the_worst_of_the_controls_is_what_counts(outcomes: list[tuple[str, Outcome]], state: State) -> None:
    controls = [
        judged(f"a.c{place}", outcome, "A", relation=relation) for place, (relation, outcome) in enumerate(outcomes)
    ]
    found = page(decision(*controls))
    assert found.requirements[0].state is state
    assert found.of(state)[0].row.id == "A"


def test_what_the_decision_did_not_ask_for_supports_nothing() -> None:
    found = page(decision(control("z.other", frameworks={})), info("a.off", **mapped("A")))
    (item,) = found.requirements[0].controls
    assert (item.outcome, item.control) == ("not asked for", None)
    assert found.requirements[0].state is State.NOT_JUDGED
    assert [unmapped.id for unmapped in found.unmapped] == ["z.other"]


def test_a_control_that_was_not_asked_for_is_no_gap_of_the_decision() -> None:
    found = page(decision(), info("a.off", frameworks={}))
    assert found.unmapped == ()


def test_evidence_counts_only_where_a_control_passed() -> None:
    made = decision(
        judged("a.failed", Outcome.FAIL, "A", evidence=[SIGNED.payload], violations=[violation("a.failed.x", "no")]),
        verified=(SIGNED,),
    )
    assert page(made).unused == (SIGNED,)


def test_gaps_are_seen_from_both_sides() -> None:
    found = page(whole())
    assert {state: [item.row.id for item in found.of(state)] for state in State} == {
        State.FAILED: ["C"],
        State.COVERED: [],
        State.SUPPORTED: ["A"],
        State.PARTLY: ["B"],
        State.NOT_JUDGED: [],
        State.NO_CONTROL: ["D"],
    }
    assert [item.id for item in found.unmapped] == ["e.bare"]
    assert found.unused == (OTHER,)


# -- forms -------------------------------------------------------------------------------------------------------------


def test_a_page_for_a_terminal() -> None:
    made = whole()
    assert pages_text(made, [page(made, info("f.off", **mapped("A")))]) == (
        f"""\
Decision {made.id}: DENY, change against 3f2a1b9c04d1
For deployment, profile baseline, decided at {made.decided_at}, policy {made.digests.policy}

F-1  Title, 7
  The list of requirements is complete: all 4
  Source: the book
  Of 4 requirements: 1 failed, 1 supported, 1 partly supported, 1 no control

  A  Alpha: supported
    supports         a.passed: pass
      artifact.signature by release, stated 2026-11-18, signed 2026-11-20, {SIGNED.payload[:15]}.., \
.gate/attestations/artifact.signature.json
      report {digest("report")[:15]}..
    not asked for: f.off

  B  Beta: partly supported
    partly supports  b.partly: pass
      no statement: it rests on what the gate itself saw

  C  Gamma: failed
    supports         c.failed: fail, as a warning
      c.failed.missing (2 times)
    supports         d.quiet: not applicable
      nothing to look at

  No control for 1 requirement:
    D

  1 control of the decision for no requirement of it:
    e.bare

  1 verified statement for no requirement of it:
    approval by lead, {OTHER.payload[:15]}.., .gate/attestations/approval.json

Evidence for a control supports a requirement; whether it is met, people judge."""
    )


def test_a_page_for_a_browser() -> None:
    made = dataclasses.replace(whole(), dry_run=True)
    text = pages_markdown(made, [page(made, info("f.off", **mapped("A", "B")))])
    assert "DENY, dry run, change against" in text
    assert "\n\n## `F-1`\n\nTitle, 7. The list of requirements is complete: all 4. Source: the book.\n\nOf 4" in text
    assert "| `A` | Alpha | supported | `a.passed` | supports | pass | `artifact.signature` by release, stated" in text
    assert (
        "| `C` | Gamma | failed | `c.failed` | supports | fail, as a warning | `c.failed.missing` (2 times) |" in text
    )
    assert "| `A` | Alpha | supported |  |  | not asked for | `f.off` |" in text
    assert (
        "\n\nNo control for 1 requirement: `D`\n\n1 control of the decision for no requirement of it: `e.bare`" in text
    )
    assert "1 verified statement for no requirement of it:\n\n- approval by lead, " in text


def test_a_framework_without_a_list_and_without_a_mapping_has_no_table() -> None:
    made = decision(control("e.bare", frameworks={}))
    unknown = Framework("ACME", "", "", complete=False, scope="no list", requirements={})
    found = [page(made, framework=unknown)]
    assert "|" not in pages_markdown(made, found)
    assert "ACME\n  The list of requirements is not complete: no list\n  Of 0 requirements: none" in pages_text(
        made, found
    )


def test_an_id_that_only_a_control_names_is_said_to_be_unlisted() -> None:
    made = decision(judged("a.one", Outcome.PASS, "Z"))
    assert "  Z  (not in the gate's list): supported\n" in pages_text(made, [page(made)])


def test_what_was_accepted_names_who_accepted_it() -> None:
    reused = dataclasses.replace(violation("b.reused.missing", "gone"), reuse=digest("summary"))
    made = decision(
        judged("a.waived", Outcome.WAIVED, "A", violations=[violation("a.waived.x", "no", waiver="W-1")]),
        judged("b.reused", Outcome.REUSED, "B", violations=[reused]),
        judged("c.broken", Outcome.ERROR, "C"),
        waivers=(waiver("W-1", "a.waived"),),
    )
    text = pages_text(made, [page(made)])
    assert "  A  Alpha: waived or reused\n    supports         a.waived: waived\n      a.waived.x, waiver W-1\n" in text
    assert "b.reused: reused\n      b.reused.missing, a verification summary\n" in text
    assert "c.broken: error\n\n" in text


@pytest.mark.parametrize("made", [whole(), refusal(), approval()])
def test_the_document_fits_its_schema(made: Decision) -> None:
    frameworks = [F, dataclasses.replace(F, id="OWASP-LLM-2025")]
    value = pages_json(made, [page(made, info("f.off"), framework=framework) for framework in frameworks])
    assert problem("framework-evidence.json", value) is None
    assert pretty(value).isascii()


def test_the_document_holds_what_the_page_says() -> None:
    made = whole()
    value: Any = pages_json(made, [page(made)])
    (framework,) = value["frameworks"]
    assert framework["counts"] == {
        "failed": 1, "waived or reused": 0, "supported": 1, "partly supported": 1, "not judged": 0, "no control": 1,
    }  # fmt: skip
    assert framework["gaps"] == {"requirements": ["D"], "controls": ["e.bare"], "evidence": [OTHER.payload]}
    passed = framework["requirements"][0]["controls"][0]
    assert (passed["evidence"], passed["reports"]) == ([SIGNED.payload], [digest("report")])
    failed = framework["requirements"][2]["controls"][0]
    assert (failed["mode"], [entry["code"] for entry in failed["refusals"]]) == ("warn", ["c.failed.missing"] * 2)
    assert value["evidence"][SIGNED.payload]["signers"] == ["release"]


def test_a_spreadsheet_has_a_row_for_each_statement_and_each_gap() -> None:
    made = whole()
    rows = list(csv.DictReader(io.StringIO(pages_table([page(made)]).csv(), newline="")))
    found = [(row["requirement"], row["state"], row["control"], row["claim"], row["why"]) for row in rows]
    assert found == [
        ("A", "supported", "a.passed", "artifact.signature", ""),
        ("A", "supported", "a.passed", "report", ""),
        ("B", "partly supported", "b.partly", "", ""),
        ("C", "failed", "c.failed", "", "c.failed.missing (2 times)"),
        ("C", "failed", "d.quiet", "", "nothing to look at"),
        ("D", "no control", "", "", ""),
        ("", "no requirement", "e.bare", "", ""),
        ("", "no requirement", "", "approval", ""),
    ]
    assert (rows[0]["stated"], rows[0]["signed"], rows[0]["signers"]) == ("2026-11-18", "2026-11-20", "release")


def test_nothing_from_outside_is_markup() -> None:
    item = dataclasses.replace(
        statement(HOSTILE, HOSTILE), origin=HOSTILE, signers=(dataclasses.replace(SIGNED.signers[0], name=HOSTILE),)
    )
    made = decision(
        judged(HOSTILE, Outcome.PASS, HOSTILE, evidence=[item.payload]),
        judged("b.failed", Outcome.FAIL, HOSTILE, violations=[violation(HOSTILE, HOSTILE, waiver=HOSTILE)]),
        control("c.bare", frameworks={}),
        verified=(item, dataclasses.replace(item, payload=digest("unused"))),
        id=HOSTILE,
    )
    framework = Framework(
        "F-1", HOSTILE, HOSTILE, complete=False, scope=HOSTILE, source=HOSTILE, requirements={HOSTILE: HOSTILE}
    )
    found = [page(made, info(f"{HOSTILE} off", **mapped(HOSTILE)), framework=framework)]
    for text in (pages_text(made, found), pages_markdown(made, found), pages_table(found).csv().replace("\r\n", "\n")):
        assert all(line.isprintable() for line in text.split("\n"))
        assert "::error::" not in text
    page_text = pages_markdown(made, found)
    assert "<b>" not in "".join(page_text.split("`")[::2])
    assert all(not cell.startswith("=") for row in csv.reader(io.StringIO(pages_table(found).csv())) for cell in row)
