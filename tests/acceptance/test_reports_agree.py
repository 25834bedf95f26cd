"""The same decision says the same in every format: verdict, exit code, what refused, what warned, what was waived."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from gate.formats.decision_document import load_decision
from gate.model.control import Mode
from gate.model.decision import Decision, Outcome, Verdict
from gate.report.interface import FORMATS, render
from tests.acceptance.world import World
from tests.support import decisions
from tests.support.readings import Reading, reader

STANDS = {Outcome.FAIL, Outcome.ERROR}


def truth(decision: Decision) -> Reading:
    """What the decision says, without a report."""
    controls = decision.controls.items()
    return Reading(
        verdict=decision.verdict.value,
        refused=frozenset(n for n, c in controls if c.mode is Mode.ENFORCE and c.outcome in STANDS),
        id=decision.id,
        exit_code=decision.exit_code,
        dry_run=decision.dry_run,
        waived=frozenset(n for n, c in controls if c.outcome is Outcome.WAIVED),
        warned=frozenset(n for n, c in controls if c.mode is not Mode.ENFORCE and c.outcome in STANDS),
    )


def assert_agrees(form: str, text: str, decision: Decision) -> None:
    found, expected = dataclasses.asdict(reader(form)(text)), dataclasses.asdict(truth(decision))
    assert {key: value for key, value in found.items() if value is not None and value != expected[key]} == {}
    assert found["verdict"] is not None
    assert found["refused"] is not None


def _partly_waived() -> Decision:
    """One violation is accepted and the other refuses; two controls came to no status."""
    waived = decisions.violation("scan.malware.finding", "found S201", artifact="summarizer", waiver="W-1")
    other = decisions.violation("scan.malware.finding", "found S202", artifact="summarizer")
    return decisions.decision(
        decisions.control("scan.malware", Outcome.FAIL, waived, other),
        decisions.control("scan.secrets", Outcome.ERROR, reason="no array"),
        decisions.control("scan.coverage", Outcome.ERROR, mode=Mode.WARN),
        decisions.control("artifact.pinned"),
        waivers=(decisions.waiver("W-1", "scan.malware"),),
    )


def _nothing_judged() -> Decision:
    """No control refuses, and none passed either."""
    aside = decisions.control("scan.secrets", Outcome.NOT_APPLICABLE, reason="nothing to scan")
    return decisions.decision(aside, exit_code=13, causes=())


def _warned() -> Decision:
    made = decisions.approval()
    entry = decisions.control(
        "scan.coverage", Outcome.FAIL, decisions.violation("scan.coverage.uncovered", "no scan"), mode=Mode.WARN
    )
    return dataclasses.replace(made, controls={**made.controls, "scan.coverage": entry}, dry_run=True)


SAMPLES = decisions.GOLDEN | {
    "partly_waived": _partly_waived,
    "nothing_judged": _nothing_judged,
    "warned": _warned,
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", SAMPLES)
def test_every_format_says_what_the_decision_says(name: str, form: str) -> None:
    decision = SAMPLES[name]()
    assert_agrees(form, render(form, decision), decision)


@pytest.mark.no_cover
@pytest.mark.parametrize("is_attested", [True, False])
def test_real_decisions_agree_in_every_format(is_attested: bool, tmp_path: Path) -> None:
    world = World.make(tmp_path / "world", evidence=is_attested)
    done = world.judge("--format", "json", "--dry-run")
    decision = load_decision(done.out.encode())
    assert (decision.verdict is Verdict.ALLOW) == is_attested
    for form in FORMATS:
        text = world.judge("--format", form, "--dry-run").out
        assert_agrees(form, text, dataclasses.replace(decision, id=reader(form)(text).id or ""))
