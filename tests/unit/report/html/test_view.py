from __future__ import annotations

import dataclasses

import pytest

from gate.model.control import Mode
from gate.model.decision import Outcome
from gate.model.evidence import Concern, SignerIdentity, TimeSource
from gate.report.html import view
from gate.report.html.frameworks import frameworks
from tests.support.decisions import (
    DAY_S,
    NOON_S,
    approval,
    control,
    decision,
    digest,
    refusal,
    rejected,
    statement,
    violation,
)


def test_findings_that_refuse_come_first() -> None:
    found = view.findings(refusal(), view.explainer_of(refusal()))
    assert [finding.effect for finding in found] == ["refuses"] * 5 + ["warns"] * 5 + ["waived"]
    assert found[-1].cover == "W-12"
    assert found[0].cover == ""
    assert found[0].place == "models/summarizer"


def test_a_finding_may_be_reused() -> None:
    entry = dataclasses.replace(violation("a.b.missing", "x", artifact="summarizer"), reuse=digest("summary"))
    made = decision(control("a.b", Outcome.REUSED, entry))
    [finding] = view.findings(made, view.explainer_of(made))
    assert (finding.effect, finding.cover) == ("reused", digest("summary"))


def test_artifacts_are_refused_by_enforced_controls_alone() -> None:
    against = violation("a.b.bad", "x", artifact="summarizer")
    assert view.refused_artifacts(refusal()) == {"summarizer"}
    assert view.refused_artifacts(decision(control("a.b", Outcome.FAIL, against, mode=Mode.WARN))) == frozenset()


@pytest.mark.parametrize(
    ("outcome", "mode", "state"),
    [
        (Outcome.FAIL, Mode.ENFORCE, "refuses"),
        (Outcome.ERROR, Mode.ENFORCE, "error"),
        (Outcome.FAIL, Mode.WARN, "warns"),
        (Outcome.ERROR, Mode.WARN, "warns"),
        (Outcome.WAIVED, Mode.WARN, "waived"),
        (Outcome.NOT_APPLICABLE, Mode.ENFORCE, "not applicable"),
    ],
)
def test_a_control_says_what_it_means_for_the_verdict(outcome: Outcome, mode: Mode, state: str) -> None:
    assert view.control_state(control("a.b", outcome, mode=mode)) == state


def test_a_control_says_what_it_rests_on() -> None:
    made = approval()
    basis = {item.control.info.id: item.basis for item in view.judged(made, view.explainer_of(made))}
    assert basis["artifact.signed"] == "1 item: artifact.signature by release"
    assert basis["evidence.fresh"] == "no limit of age is set"
    silent = decision(control("a.b", Outcome.ERROR), control("a.c", Outcome.FAIL, violation("a.c.bad", "x")))
    assert [item.basis for item in view.judged(silent, view.explainer_of(silent))] == ["no reason given", "1 finding"]


def test_evidence_says_who_signed_when_and_which_bytes() -> None:
    keyless = SignerIdentity("ci", "identity", None, "https://issuer.example", "repo/workflow")
    item = dataclasses.replace(
        statement("sbom", "release", stated_at_s=NOON_S - DAY_S),
        signers=(*statement("sbom", "release").signers, keyless),
        predicate_type="https://cyclonedx.org/bom",
        signed_at_s=NOON_S - 3 * DAY_S,
        time_source=TimeSource.TIMESTAMP_AUTHORITY,
        log_included=True,
    )
    [found] = view.evidence(decision(control("a.b"), verified=(item,)))
    assert found.age == "3 days"
    assert found.times == (
        "signed 2026-11-17T12:00:00Z by a timestamp authority",
        "says 2026-11-19T12:00:00Z",
        "in a transparency log",
    )
    key = digest("key of release")
    assert found.signers == (f"release (key {key[:15]}..)", "ci (identity repo/workflow from https://issuer.example)")
    assert (found.payload, found.digest) == (item.payload, item.evidence)


@pytest.mark.parametrize(
    ("stated_at_s", "age"),
    [
        (None, "unknown"),
        (NOON_S, "less than a day"),
        (NOON_S - DAY_S, "1 day"),
        (NOON_S + 1, "from the future"),
        (-(10**30), f"{(NOON_S + 10**30) // DAY_S} days"),
    ],
)
def test_ages(stated_at_s: int | None, age: str) -> None:
    made = decision(control("a.b"), verified=(statement("sbom", "x", stated_at_s=stated_at_s),))
    assert view.evidence(made)[0].age == age
    undated = dataclasses.replace(made, decided_at="yesterday")
    assert view.evidence(undated)[0].age == "unknown"


def test_times_that_are_none_are_shown_as_numbers() -> None:
    [found] = view.evidence(decision(control("a.b"), verified=(statement("sbom", "x", stated_at_s=10**30),)))
    assert found.times == (f"says second {10**30}",)


def test_rejected_evidence_comes_first_and_says_what_is_not_at_stake() -> None:
    aside = rejected(evidence=digest("2"), concern=Concern.OTHERS, claimed=None)
    made = decision(control("a.b"), verified=(statement("sbom", "x"),), rejected=(aside, rejected()))
    found = view.evidence(made)
    assert [item.claim for item in found] == ["build.provenance (as it says)", "unreadable (as it says)", "sbom"]
    assert "(about nothing at stake)" in found[1].detail
    assert found[0].payload is None


def test_numbers_stand_for_all_names_that_findings_and_controls_have() -> None:
    made = decision(control("a.b", Outcome.FAIL, violation("a.b.bad", "x", artifact="stray")))
    found = view.numbers(made)
    assert found.artifacts == {"stray": 0, "summarizer": 1}
    assert found.of(made.controls["a.b"]) == "0"
    assert found.of_artifacts(("summarizer", "unknown")) == "1"


def test_frameworks_show_what_supports_them_and_the_gaps_of_both_sides() -> None:
    made = decision(
        control("a.b"), control("a.c", Outcome.FAIL, violation("a.c.bad", "x")), control("a.d", frameworks={})
    )
    judged = view.judged(made, view.explainer_of(made))
    [part] = frameworks(made, judged)
    assert part.title == "OWASP Top 10 for Large Language Model Applications 2025"
    supply = [row for row in part.rows if row.id == "LLM03"]
    assert [(row.title, row.relation, row.judged and row.judged.state) for row in supply] == [
        ("Supply Chain", "supports", "passed"),
        ("Supply Chain", "supports", "refuses"),
    ]
    assert part.gaps == 9
    assert part.unmapped == ("a.d",)


def test_frameworks_and_requirements_that_nobody_listed_are_shown_as_such() -> None:
    info = control("a.b").info
    reference = info.frameworks["OWASP-LLM-2025"]
    strange = dataclasses.replace(reference, ids=("X-1",))
    made = decision(control("a.b", frameworks={"Our-Rules": strange, "OWASP-LLM-2025": strange}))
    first, second = frameworks(made, view.judged(made, view.explainer_of(made)))
    assert (first.title, first.gaps) == ("OWASP Top 10 for Large Language Model Applications 2025", 10)
    assert first.rows[0].title == "not in the gate's list"
    assert second.title == "the gate has no list of its requirements, so no gap in it is seen"
    assert (second.gaps, second.scope) == (0, "")
