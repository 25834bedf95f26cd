"""Verification summaries in the verdict: they stand for evidence that is not here, and for nothing else."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from gate.decide import decide
from gate.model.control import Mode, Status, Violation
from gate.model.decision import DecidedViolation, Decision, Outcome, ReuseUse, Verdict
from gate.model.digest import Digest
from gate.model.evidence import Stage
from gate.model.reuse import Summary
from tests.support.cases import waiver
from tests.support.evidence import digest_of
from tests.support.verdicts import MODEL, case, info, rejected, result, violation

MISSING = violation("c.one", "missing", "model")
SUMMARY = Summary(digest_of("summary"), "other-gate", "model", ("c.one",), ())
LATER = dataclasses.replace(SUMMARY, statement=Digest("sha256:" + "f" * 64))


def decided(*summaries: Summary, found: Violation = MISSING, **more: Any) -> Decision:
    """One control passes, one refuses for one violation."""
    results = {"c.pass": result(Status.PASS), "c.one": result(Status.FAIL, found)}
    return decide(case(results, artifacts=(MODEL,), reuse=summaries, **more))


def test_a_summary_stands_for_missing_evidence_and_the_violation_is_still_shown() -> None:
    found = decided(SUMMARY)
    assert (found.verdict, found.exit_code, found.causes) == (Verdict.ALLOW, 0, ())
    control = found.controls["c.one"]
    assert (control.outcome, control.violations) == (
        Outcome.REUSED,
        (DecidedViolation(MISSING, None, SUMMARY.statement, MODEL.digest),),
    )
    assert found.reuse == (ReuseUse(SUMMARY.statement, "other-gate", "model", ("c.one",), True, ()),)
    counts: Any = found.coverage["controls"]
    assert (counts["reused"], counts["waived"]) == (1, 0)


def test_without_a_summary_it_is_missing() -> None:
    found = decided()
    assert (found.verdict, found.exit_code, found.reuse) == (Verdict.DENY, 10, ())


NOTHING: dict[str, tuple[Summary, Violation, int]] = {
    "that has a problem": (dataclasses.replace(SUMMARY, problems=("it is too old",)), MISSING, 10),
    "for another control": (dataclasses.replace(SUMMARY, controls=("c.pass",)), MISSING, 10),
    "about another artifact": (dataclasses.replace(SUMMARY, artifact="other"), MISSING, 10),
    "against what is wrong here": (SUMMARY, violation("c.one", "conflict", "model"), 13),
    "about no artifact": (SUMMARY, violation("c.one", "missing"), 10),
    "where evidence is named": (SUMMARY, dataclasses.replace(MISSING, evidence=(digest_of("scan"),)), 10),
}


@pytest.mark.parametrize("name", NOTHING)
def test_a_summary_is_without_effect(name: str) -> None:
    summary, violated, code = NOTHING[name]
    found = decided(summary, found=violated)
    assert (found.verdict, found.exit_code) == (Verdict.DENY, code)
    assert [(item.used, item.problems) for item in found.reuse] == [(False, summary.problems)]
    assert found.controls["c.one"].violations[0].reuse is None


@pytest.mark.parametrize("here", [{"eval"}, {"eval", "prompt"}])
def test_what_is_here_is_judged_here(here: set[str]) -> None:
    """A violation that says "missing" beside evidence of the control's own claims is not for a summary to settle."""
    found = decided(dataclasses.replace(SUMMARY, here=frozenset(here)))
    assert (found.verdict, found.exit_code) == (Verdict.DENY, 10)
    (entry,) = found.reuse
    assert (entry.used, entry.problems) == (
        False,
        ("evidence that c.one reads is here, and what is here is judged here",),
    )


def test_a_summary_that_is_not_needed_has_no_problem() -> None:
    mine = dataclasses.replace(SUMMARY, here=frozenset({"eval"}))
    assert [item.problems for item in decided(mine, found=violation("c.one", "bad", "model")).reuse] == [()]
    covered = decided(mine, waivers=[waiver(control="c.one", artifact=MODEL.digest)])
    assert [(item.used, item.problems) for item in covered.reuse] == [(False, ())]


def test_a_summary_that_stands_for_something_is_no_problem_elsewhere() -> None:
    """It stands for one control, and another that reads what is here is judged by that."""
    both = dataclasses.replace(SUMMARY, controls=("c.one", "c.two"), here=frozenset({"prompt"}))
    results = {
        "c.pass": result(Status.PASS),
        "c.one": result(Status.FAIL, MISSING),
        "c.two": result(Status.FAIL, violation("c.two", "missing", "model")),
    }
    catalogue = {name: info(name) for name in results} | {"c.two": info("c.two", claims=("prompt",))}
    found = decide(case(results, artifacts=(MODEL,), reuse=(both,), catalogue=catalogue))
    assert (found.verdict, found.exit_code) == (Verdict.DENY, 10)
    assert [(item.used, item.problems) for item in found.reuse] == [(True, ())]


def test_evidence_of_other_claims_changes_nothing() -> None:
    assert decided(dataclasses.replace(SUMMARY, here=frozenset({"prompt"}))).verdict is Verdict.ALLOW


def test_a_control_that_reads_no_claim_cannot_be_reused() -> None:
    catalogue = {"c.pass": info("c.pass"), "c.one": info("c.one", claims=())}
    found = decided(SUMMARY, catalogue=catalogue)
    assert (found.verdict, found.exit_code) == (Verdict.DENY, 10)


def test_a_control_that_cannot_be_waived_cannot_be_reused() -> None:
    found = decided(SUMMARY, unwaivable=["c.one"])
    assert (found.verdict, found.exit_code) == (Verdict.DENY, 10)


def test_every_violation_needs_its_cover() -> None:
    wrong = violation("c.one", "conflict", "model")
    results = {"c.pass": result(Status.PASS), "c.one": result(Status.FAIL, MISSING, wrong)}
    found = decide(case(results, artifacts=(MODEL,), reuse=(SUMMARY,)))
    assert (found.verdict, found.exit_code, found.causes) == (Verdict.DENY, 13, (13,))


def test_a_waiver_goes_first_and_both_may_cover() -> None:
    accepted = waiver(control="c.one", artifact=MODEL.digest, finding="c.one.conflict")
    wrong = violation("c.one", "conflict", "model")
    results = {"c.pass": result(Status.PASS), "c.one": result(Status.FAIL, MISSING, wrong)}
    found = decide(case(results, artifacts=(MODEL,), reuse=(SUMMARY,), waivers=[accepted]))
    assert (found.verdict, found.controls["c.one"].outcome) == (Verdict.ALLOW, Outcome.WAIVED)
    both = decided(SUMMARY, waivers=[waiver(control="c.one", artifact=MODEL.digest)])
    assert [(entry.waiver, entry.reuse) for entry in both.controls["c.one"].violations] == [("W-1", None)]
    assert [item.used for item in both.reuse] == [False]


def test_two_summaries_are_one_in_whatever_order() -> None:
    one, other = decided(SUMMARY, LATER), decided(LATER, SUMMARY)
    assert one.controls == other.controls
    assert one.controls["c.one"].violations[0].reuse == min(SUMMARY.statement, LATER.statement)


def test_rejected_evidence_refuses_all_the_same() -> None:
    found = decided(SUMMARY, refused=[rejected(Stage.SIGNATURE)])
    assert (found.verdict, found.exit_code) == (Verdict.DENY, 11)


def test_something_must_pass_here() -> None:
    found = decide(case({"c.one": result(Status.FAIL, MISSING)}, artifacts=(MODEL,), reuse=(SUMMARY,)))
    assert (found.verdict, found.exit_code) == (Verdict.DENY, 10)


def test_an_error_stays_an_error() -> None:
    results = {"c.pass": result(Status.PASS), "c.one": result(Status.ERROR, MISSING)}
    found = decide(case(results, artifacts=(MODEL,), reuse=(SUMMARY,)))
    assert (found.verdict, found.exit_code) == (Verdict.ERROR, 4)


def test_a_warning_is_covered_too() -> None:
    modes = {"c.pass": Mode.ENFORCE, "c.one": Mode.WARN}
    results = {"c.pass": result(Status.PASS), "c.one": result(Status.FAIL, MISSING)}
    found = decide(case(results, modes, artifacts=(MODEL,), reuse=(SUMMARY,)))
    assert found.controls["c.one"].outcome is Outcome.REUSED


def test_allow_cannot_be_made_with_a_summary_for_more_than_missing_evidence() -> None:
    found = decided(SUMMARY)
    wrong = dataclasses.replace(
        found.controls["c.one"],
        violations=(DecidedViolation(violation("c.one", "conflict", "model"), None, SUMMARY.statement),),
    )
    with pytest.raises(ValueError, match="more than missing evidence"):
        dataclasses.replace(found, controls={**found.controls, "c.one": wrong})
