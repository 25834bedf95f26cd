from __future__ import annotations

import dataclasses

import pytest

from gate.model.control import Mode
from gate.model.decision import ControlDecision, Outcome
from gate.report.html import heat
from gate.report.html.heat import ELSEWHERE, MEANINGS, Cell, heat_map
from tests.support.decisions import control, decision, digest, statement, violation
from tests.support.large_decisions import large

SUBJECT = {
    "artifacts": {"one": {"kind": "weights", "path": "one"}, "two": {"kind": "dataset", "path": "two"}},
    "change": {"status": "everything"},
}
BAD = violation("a.b.bad", "bad", artifact="one")
WAIVED = violation("a.b.bad", "bad", artifact="one", waiver="W-1")
REUSED = dataclasses.replace(BAD, reuse=digest("summary"))
BOTH = ("weights", "dataset")


def states(entry: ControlDecision) -> dict[str, str]:
    found = heat_map(decision(entry, subject=SUBJECT, exit_code=13))
    return {row.name: row.cells[0].state for row in found.rows if row.cells}


@pytest.mark.parametrize(
    ("entry", "one", "two"),
    [
        (control("a.b", Outcome.FAIL, BAD, artifacts=BOTH), "fail", "clear"),
        (control("a.b", Outcome.FAIL, BAD, WAIVED, artifacts=BOTH), "fail", "clear"),
        (control("a.b", Outcome.FAIL, BAD, artifacts=BOTH, mode=Mode.WARN), "warn", "clear"),
        (control("a.b", Outcome.WAIVED, WAIVED, REUSED, artifacts=BOTH), "waived", "clear"),
        (control("a.b", Outcome.REUSED, REUSED, artifacts=BOTH), "reused", "clear"),
        (control("a.b", Outcome.ERROR, artifacts=BOTH), "error", "error"),
        (control("a.b", Outcome.ERROR, WAIVED, artifacts=BOTH), "error", "error"),
        (control("a.b", artifacts=("weights",)), "pass", "none"),
        (control("a.b", Outcome.FAIL, BAD, artifacts=("dataset",)), "fail", "clear"),
    ],
)
def test_a_cell_says_what_the_control_says_of_the_artifact(entry: ControlDecision, one: str, two: str) -> None:
    assert states(entry) == {"one": one, "two": two}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (control("a.b", Outcome.FAIL, violation("a.b.bad", "bad", file="x"), artifacts=()), "fail"),
        (control("a.b", Outcome.FAIL, violation("a.b.bad", "bad", file="x"), artifacts=BOTH), "fail"),
        (control("a.b", artifacts=()), "pass"),
        (control("a.b", Outcome.ERROR, artifacts=()), "error"),
        (control("a.b", Outcome.ERROR, artifacts=("container",)), "error"),
        (control("a.b", Outcome.FAIL, BAD, artifacts=()), "clear"),
    ],
)
def test_what_is_about_no_single_artifact_has_the_first_row(entry: ControlDecision, expected: str) -> None:
    found = heat_map(decision(entry, subject=SUBJECT))
    assert (found.rows[0].name, found.rows[0].cells[0].state) == (ELSEWHERE, expected)


def test_controls_about_none_of_them_stand_aside() -> None:
    aside = control("a.b", Outcome.NOT_APPLICABLE, reason="nothing to scan", artifacts=BOTH)
    found = heat_map(decision(aside, control("a.c", artifacts=("weights",)), subject=SUBJECT))
    assert [entry.info.id for entry in found.columns] == ["a.c"]
    assert [entry.info.id for entry in found.aside] == ["a.b"]


def test_a_pass_counts_the_statements_about_the_artifact_that_it_rests_on() -> None:
    about, other = statement("sbom", "x", artifacts=("one",)), statement("sbom", "x", word="2", artifacts=("two",))
    entry = control("a.b", evidence=[about.payload, other.evidence, digest("report")], artifacts=BOTH)
    unused = statement("sbom", "x", word="3", artifacts=("one",))
    found = heat_map(decision(entry, subject=SUBJECT, verified=(about, other, unused)))
    assert {row.name: row.cells[0] for row in found.rows} == {"one": Cell("pass", 1), "two": Cell("pass", 1)}


def test_the_worst_come_first_and_unknown_names_are_rows() -> None:
    stray = violation("a.b.bad", "bad", artifact="stray")
    entry = control("a.b", Outcome.FAIL, stray, violation("a.b.bad", "bad", artifact="two"), artifacts=("weights",))
    second = control("a.c", Outcome.FAIL, violation("a.c.bad", "bad", artifact="stray"), artifacts=("weights",))
    found = heat_map(decision(entry, second, subject=SUBJECT))
    assert [(row.name, row.kind, row.worst) for row in found.rows] == [
        ("stray", "unknown", "fail"),
        ("two", "dataset", "fail"),
        ("one", "weights", "clear"),
    ]


def test_cells_say_their_count_where_it_tells_something() -> None:
    assert [Cell("fail", n).text for n in (1, 3)] == ["fail", "fail 3"]
    assert [Cell("pass", n).text for n in (0, 1)] == ["pass", "pass 1"]
    assert Cell("none", 0).text == "-"
    assert [Cell("fail", n).heat for n in (0, 1, 2, 9)] == [0, 1, 2, 2]


def test_the_legend_knows_every_state() -> None:
    found = heat_map(large())
    assert {cell.state for row in found.rows for cell in row.cells} <= MEANINGS.keys()
    assert len(found.rows) == 500
    assert found.left_out == 0


def test_what_has_no_room_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heat, "MAX_CELLS", 480)
    found = heat_map(large())
    assert (len(found.rows), found.left_out) == (10, 490)
    assert all(row.worst == "fail" for row in found.rows)


def test_a_decision_without_artifacts_has_a_map() -> None:
    assert heat_map(decision(control("a.b", artifacts=BOTH), subject={})).rows == ()
