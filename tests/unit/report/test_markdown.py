from __future__ import annotations

import time

import pytest

from gate.model.decision import Decision, Outcome
from gate.report.interface import render
from gate.report.markdown import MAX_CHARACTERS
from tests.support.decisions import control, decision, digest, rejected, violation, waiver


def big(controls: int = 300, items: int = 3000) -> Decision:
    text = "models/" + "long name <b> | ` " * 10
    entries = [violation("a.b.bad", f"{text} {n}", file=f"{text}{n}") for n in range(items // 10)]
    return decision(
        *(control(f"a.c{n}", Outcome.FAIL, *entries[:20]) for n in range(controls)),
        control("a.b", Outcome.FAIL, *entries),
        *(control(f"p.c{n}", reason=text) for n in range(controls)),
        rejected=tuple(rejected(evidence=digest(str(n)), origin=f"{text}{n}") for n in range(items)),
        waivers=tuple(waiver(f"W-{n}", "a.b", used=False, problem="p") for n in range(items)),
        skipped={f"{text}{n}": text for n in range(items)},
        exit_code=11,
    )


def test_a_large_decision_fits_a_comment_and_says_what_is_left_out() -> None:
    shown = render("markdown", big())
    assert len(shown) <= MAX_CHARACTERS
    assert shown.startswith("## DENY: ")
    assert "exit 11 (signature or signer not accepted)" in shown
    assert "Left out, as a comment has no room: " in shown
    assert "rejected items, " in shown
    assert "300 passed controls, " in shown
    assert "The JSON report holds all." in shown


def test_a_section_that_fits_in_part_counts_the_rest() -> None:
    shown = render("markdown", big(controls=0, items=400))
    assert "### Rejected evidence" in shown
    assert "| a.b" not in shown
    assert shown.count("\n| `a.b` |") == 11, "ten reasons and how many more"
    assert "and 30 more: `a.b.bad`" in shown


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_a_large_decision_is_shown_soon(form: str) -> None:
    made = big()
    start = time.process_time()
    shown = render(form, made)
    assert time.process_time() - start < 10
    assert "a.b" in shown


def test_a_refusal_without_controls_shows_the_rejected_evidence() -> None:
    shown = render("markdown", decision(control("a.b"), exit_code=11, rejected=(rejected(),)))
    assert "### Refused" not in shown
    assert "| `.gate/attestations/forged.dsse.json` | `signature.untrusted` | no trusted key made" in shown


def test_a_control_that_could_not_be_judged_says_so() -> None:
    shown = render("markdown", decision(control("a.b", Outcome.ERROR, reason="odd"), exit_code=13))
    assert "could not be judged: its rule came to no status for this input: odd" in shown


def test_a_control_that_refuses_without_a_reason_is_named_all_the_same() -> None:
    """No evaluation is accepted that says so; a decision that somebody saved may."""
    shown = render("markdown", decision(control("a.b", Outcome.FAIL)))
    assert "| `a.b` |  | could not be judged" in shown
