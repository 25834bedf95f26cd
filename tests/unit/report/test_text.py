from __future__ import annotations

import dataclasses

import pytest

from gate.model.control import Mode
from gate.model.decision import Decision, Outcome, ReuseUse, Verdict
from gate.model.evidence import Concern, Stage
from gate.model.waiver import WaiverState
from gate.report.interface import render
from gate.report.text import render_text
from tests.support.decisions import (
    DAY_S,
    EVERYTHING,
    MODEL,
    NOON_S,
    control,
    decision,
    digest,
    rejected,
    signer,
    statement,
    violation,
    waiver,
)

ARTIFACTS = {
    "summarizer": {"kind": "weights", "digest": digest("tree"), "path": "models/summarizer"},
    "single": {"kind": "weights", "digest": digest("now"), "path": "models/one.gguf"},
    "image": {"kind": "container", "digest": None, "path": None},
}
EVERY_ARTIFACT = {"artifacts": ARTIFACTS, "change": EVERYTHING}
PASSED = control("artifact.pinned", reason="artifacts with a digest: 1")


def refused(message: str = "nothing covers it", code: str = "artifact.signed.missing", **where: str) -> Decision:
    broken = control(
        "artifact.signed",
        Outcome.FAIL,
        violation(code, message, artifact=where.get("artifact"), file=where.get("file")),
        claims=("artifact.signature",),
    )
    return decision(broken, PASSED, exit_code=10, subject=EVERY_ARTIFACT)


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (10, "required evidence missing"),
        (11, "signature or signer not accepted"),
        (12, "digest differs: the evidence is about other bytes"),
        (13, "a control refused"),
        (14, "schema, version or chain not valid"),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_every_refusal_names_its_exit_code(code: int, meaning: str, dry_run: bool) -> None:
    made = dataclasses.replace(refused(), exit_code=code, causes=(code,), dry_run=dry_run)
    for form in ("text", "markdown"):
        shown = render(form, made)
        assert f"exit {code} ({meaning})" in shown
        assert ("DRY RUN" in shown) is dry_run


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 99])
def test_no_decision_is_said_without_controls_too(code: int) -> None:
    made = decision(verdict=Verdict.ERROR, exit_code=code, causes=(), subject={}, context={}, skipped={})
    shown = render("text", made)
    assert shown.startswith("NO DECISION  nothing was collected  (0 of 0 controls could not be judged; no target, ")
    assert f"exit {code} (" in shown
    assert "nothing was judged" in shown
    assert render("markdown", made).startswith("## NO DECISION: nothing was collected\n")


def test_nothing_judged_is_a_refusal_that_says_so() -> None:
    made = decision(control("a.b", Outcome.NOT_APPLICABLE), exit_code=10, causes=())
    for form in ("text", "markdown"):
        assert "No enforced control passed, so nothing was judged." in render(form, made)
    assert "a.b (no reason given)" in flat(render("text", made))


@pytest.mark.parametrize(
    ("artifact", "file", "place"),
    [
        ("summarizer", None, "models/summarizer: "),
        ("summarizer", "config.json", "models/summarizer/config.json: "),
        ("single", "one.gguf", "models/one.gguf: "),
        ("image", None, "image: "),
        ("image", "layer", "image: layer: "),
        ("unknown", "x", "unknown: x: "),
        (None, MODEL, f"{MODEL}: "),
        (None, None, ""),
    ],
)
def test_a_violation_says_where(artifact: str | None, file: str | None, place: str) -> None:
    where = {name: value for name, value in (("artifact", artifact), ("file", file)) if value}
    assert f"artifact.signed {place}nothing covers it" in flat(render("text", refused(**where)))


def test_equal_violations_stand_together() -> None:
    entries = [violation("a.b.missing", "no proof", file=f"f{n}") for n in range(7)]
    shown = render("text", decision(control("a.b", Outcome.FAIL, *entries), PASSED))
    assert "f0, f1, f2 and 4 more: no proof" in shown


def test_violations_of_one_code_are_counted_after_the_third() -> None:
    entries = [violation("a.b.bad", f"problem {n}", file="f") for n in range(9)]
    shown = render("text", decision(control("a.b", Outcome.FAIL, *entries), PASSED))
    assert "problem 2" in shown
    assert "problem 3" not in shown
    assert "... and 6 more (a.b.bad)" in shown


def test_refused_controls_are_ordered_by_cause_then_severity() -> None:
    forged = rejected(evidence=digest("forged"))
    moved = rejected(Stage.SUBJECT, "subject.mismatch", evidence=digest("moved"))
    names = ["z.forged", "y.moved", "a.missing", "b.critical", "c.low", "d.error", "e.strange"]
    made = decision(
        control("d.error", Outcome.ERROR),
        control("c.low", Outcome.FAIL, violation("c.low.x", "m"), severity="low"),
        control("b.critical", Outcome.FAIL, violation("b.critical.x", "m"), severity="critical"),
        control("a.missing", Outcome.FAIL, violation("a.missing.missing", "m"), severity="low"),
        control("y.moved", Outcome.FAIL, violation("y.moved.x", "m", evidence=[moved.evidence])),
        control("z.forged", Outcome.FAIL, violation("z.forged.x", "m", evidence=[moved.evidence, forged.evidence])),
        control("e.strange", Outcome.FAIL, violation("e.strange.x", "m"), severity="strange"),
        PASSED,
        rejected=(forged, moved),
        exit_code=11,
    )
    lines = render("text", made).splitlines()
    shown = [line.split()[0] for line in lines if line.startswith("  ") and line.split()[0] in names]
    assert shown == ["z.forged", "y.moved", "a.missing", "e.strange", "b.critical", "c.low", "d.error"]


def test_within_a_control_the_cause_of_a_broken_chain_stands_before_it() -> None:
    items = (
        rejected(Stage.CHAIN, "chain.dangling", evidence=digest("broken")),
        rejected(Stage.SUBJECT, "subject.mismatch", evidence=digest("moved")),
        rejected(evidence=digest("forged")),
    )
    wrong = [violation("e.a.rejected", f"{item.code}: a file", evidence=[item.evidence]) for item in items]
    broken = control("e.a", Outcome.FAIL, violation("e.a.rejected", "of itself"), *wrong)
    shown = render("text", decision(broken, PASSED, rejected=items, exit_code=11))
    places = [shown.index(f"{word}: a file") for word in ("signature.untrusted", "subject.mismatch", "chain.dangling")]
    assert places == sorted(places)
    assert "... and 1 more (e.a.rejected)" in shown


# --- evidence that came near -----------------------------------------------------------------------------------------


def test_nearest_is_the_statement_about_other_bytes_of_the_file() -> None:
    old = statement("artifact.signature", "release", artifacts=(), subjects={"one.gguf": digest("old")})
    made = dataclasses.replace(refused(artifact="single"), verified=(old,))
    expected = (
        "nearest: artifact.signature of 2026-11-18 (2 days old) by release, "
        f"about {digest('old')[:15]}.. of that name; the file is {digest('now')[:15]}.."
    )
    assert expected in flat(render("text", made))


def test_nearest_is_the_statement_about_the_artifact() -> None:
    other = statement("artifact.signature", "release", stated_at_s=None, subjects={})
    made = dataclasses.replace(refused(artifact="summarizer"), verified=(other,))
    expected = "nearest: artifact.signature by release, which covers it and does not say what is wanted"
    assert expected in flat(render("text", made))


def test_nearest_is_the_statement_about_the_artifact_of_a_changed_file() -> None:
    other = statement("artifact.signature", "release", stated_at_s=None, subjects={})
    made = dataclasses.replace(refused(file="models/summarizer/new.bin"), verified=(other,))
    assert "nearest: artifact.signature by release, which covers no such file" in flat(render("text", made))


def test_nearest_is_what_was_rejected_for_it() -> None:
    item = rejected(claimed="artifact.signature", detail=f"it is {digest('x')}")
    made = dataclasses.replace(refused(artifact="summarizer"), rejected=(item,), exit_code=11, causes=(11, 10))
    shown = flat(render("text", made))
    assert f"nearest: artifact.signature in {item.origin}, rejected (signature.untrusted): it is sha256:" in shown
    assert shown.count(item.origin) == 1, "it is not listed a second time"


def test_nearest_is_found_by_the_name_in_the_detail() -> None:
    item = rejected(claimed="artifact.signature", artifacts=(), detail="'one.gguf' is other")
    made = dataclasses.replace(refused(artifact="single"), rejected=(item,), exit_code=12, causes=(12,))
    assert "nearest: artifact.signature in" in render("text", made)


def test_nothing_is_near_that_is_of_another_claim_or_place() -> None:
    made = dataclasses.replace(
        refused(artifact="single"),
        verified=(statement("prompt", "release"), statement("artifact.signature", "release")),
        rejected=(rejected(claimed="prompt"), rejected(claimed="artifact.signature", concern=Concern.OTHERS)),
    )
    shown = flat(render("text", made))
    assert "nearest: none; no artifact.signature here is about it" in shown
    assert shown.count("nearest: ") == 1
    assert "(about nothing at stake)" in shown
    nowhere = dataclasses.replace(refused(), verified=made.verified)
    assert "nearest: none; " in render("text", nowhere)


def test_a_violation_shows_the_statement_it_is_about() -> None:
    items = tuple(statement("build.provenance", "builder", word=str(n), stated_at_s=NOON_S + n) for n in range(3))
    bad = violation("b.p.conflict", "they disagree", evidence=[digest("?"), *(item.payload for item in items)])
    made = decision(control("b.p", Outcome.FAIL, bad), PASSED, verified=items)
    expected = (
        "found: build.provenance of 2026-11-20 by builder, in .gate/attestations/build.provenance0.json, and 2 more"
    )
    assert expected in flat(render("text", made))


def test_a_rejection_is_told_in_full_where_the_message_does_not_name_it() -> None:
    item = rejected()
    bad = violation("e.a.rejected", "something was rejected", evidence=[item.evidence])
    made = decision(control("e.a", Outcome.FAIL, bad), PASSED, rejected=(item,), exit_code=11)
    assert f"found: signature.untrusted in {item.origin}: no trusted key" in flat(render("text", made))


def test_rejected_evidence_is_listed_up_to_a_number() -> None:
    many = tuple(rejected(evidence=digest(str(n)), origin=f"file{n}.json") for n in range(14))
    shown = render("text", decision(PASSED, exit_code=11, rejected=many))
    assert "(0 of 1 control refused, 14 items of evidence rejected;" in shown
    assert shown.count("signature.untrusted") == 10
    assert "... and 4 more; --format json lists all" in shown


def test_what_is_cut_from_a_control_is_listed_as_rejected() -> None:
    many = tuple(rejected(evidence=digest(str(n)), origin=f"file{n}.json") for n in range(5))
    entries = [violation("e.a.rejected", f"{i.code}: {i.origin}", evidence=[i.evidence]) for i in many]
    shown = render("text", decision(control("e.a", Outcome.FAIL, *entries), PASSED, rejected=many, exit_code=11))
    assert all(shown.count(item.origin) == 1 for item in many)


# --- advice ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fix", "artifact", "shown"),
    [
        ("Sign it with `gate sign`.", "summarizer", "fix: Sign it with `gate sign models/summarizer`."),
        ("`gate sign`", "summarizer", "fix: gate sign models/summarizer    docs/controls/artifact/signed.md"),
        ("`gate sign`", "image", "fix: gate sign    docs"),
        ("`gate sign`", "odd", "fix: gate sign    docs"),
        ("Put it right.", "summarizer", "fix: Put it right.    docs/controls/artifact/signed.md"),
    ],
)
def test_the_fix_is_ready_to_copy(fix: str, artifact: str, shown: str) -> None:
    bad = violation("artifact.signed.missing", "m", artifact=artifact)
    odd = {"odd": {"kind": "weights", "digest": None, "path": "-x; rm -rf y"}}
    subject = {"artifacts": ARTIFACTS | odd, "change": EVERYTHING}
    made = decision(control("artifact.signed", Outcome.FAIL, bad, fix=fix), PASSED, subject=subject)
    assert shown in render("text", made)


def test_the_fix_for_several_artifacts_names_none() -> None:
    bad = [violation("artifact.signed.missing", "m", artifact=name) for name in ("summarizer", "single")]
    made = decision(control("artifact.signed", Outcome.FAIL, *bad, fix="`gate sign`"), PASSED, subject=EVERY_ARTIFACT)
    assert "fix: gate sign    docs" in render("text", made)


# --- warnings, waivers, what was left out ----------------------------------------------------------------------------


def test_warnings_are_named_and_refuse_nothing() -> None:
    loud = control("a.b", Outcome.FAIL, violation("a.b.bad", "not good", file="f"), mode=Mode.WARN)
    dark = control("a.c", Outcome.ERROR, mode=Mode.WARN, reason="odd")
    made = decision(loud, dark, PASSED, verdict=Verdict.ALLOW, exit_code=0)
    shown = render("text", made)
    assert shown.startswith("ALLOW")
    assert "a.b warning: f: not good" in flat(shown)
    assert "warning: could not be judged: its rule came to no status for this input: odd" in shown
    assert "1 passed, 2 warned," in shown
    assert "### Warnings" in render("markdown", made)


def test_a_partly_waived_control_shows_both_parts() -> None:
    entries = [violation("a.b.bad", "open"), violation("a.b.bad", "accepted", file="f", waiver="W-1")]
    entries += [violation("a.b.bad", f"accepted {n}", waiver="W-1") for n in range(12)]
    made = decision(control("a.b", Outcome.FAIL, *entries), PASSED, waivers=(waiver("W-1", "a.b"),))
    shown = render("text", made)
    assert "(13 more waived, see below)" in shown
    assert "accepts until 2026-12-30, for a.b:" in shown
    assert "f: accepted" in shown
    assert "and 3 more: `a.b.bad`" in render("markdown", made)


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_waivers_without_effect_say_why(form: str) -> None:
    waivers = (
        waiver("W-1", "a.b", used=False, state=WaiverState.EXPIRED, problem="the waiver is expired"),
        waiver("W-2", "a.b", used=False, problem=None, expires_s=2**62),
    )
    shown = render(form, decision(PASSED, waivers=waivers, exit_code=10))
    assert "the waiver is expired" in shown
    assert "the waiver is not used" in shown
    assert f"second {2**62}" in shown


def test_many_waivers_are_counted() -> None:
    many = tuple(waiver(f"W-{n:03}", "a.b", used=False, problem="p") for n in range(30))
    shown = render("text", decision(PASSED, waivers=many))
    assert "W-019" in shown
    assert "... and 10 more; --format json lists all" in shown


def test_many_skipped_things_take_one_paragraph() -> None:
    skipped = {f"evidence {n}.txt": "unknown name" for n in range(40)}
    shown = flat(render("text", decision(PASSED, skipped=skipped)))
    assert "skipped evidence 0.txt, evidence 1.txt, " in shown
    assert "(unknown name) and 28 more" in shown


def test_a_long_name_has_a_line_of_its_own() -> None:
    name = "family." + "x" * 40
    made = decision(control(name, Outcome.FAIL, violation("a.b.c", "why")), PASSED)
    lines = render("text", made).splitlines()
    assert lines[2] == f"  {name}"
    assert lines[3].strip() == "why"


# --- approvals -------------------------------------------------------------------------------------------------------


def test_an_approval_names_what_it_rests_on() -> None:
    items = tuple(
        statement("prompt", *("a", "b", "c", "d", "e")[: n % 6], word=str(n), stated_at_s=None) for n in range(12)
    )
    passed = control("prompt.attested", evidence=[item.payload for item in items])
    made = decision(passed, control("a.b"), verdict=Verdict.ALLOW, exit_code=0, verified=items)
    shown = flat(render("text", made))
    assert "rests on 12 verified statements (prompt by a, prompt by a and b," in shown
    assert "prompt by a and b and c and d and others" in shown
    assert "head a1b2c3d4e5f6" in shown
    assert "12 items: prompt by a, prompt by a and b, prompt by a and b and c, ..." in shown
    assert "a.b no basis was given" in shown


def test_an_approval_of_a_plain_folder_has_no_commit() -> None:
    many = tuple(statement("prompt", f"s{n}", word=str(n)) for n in range(12))
    made = decision(PASSED, verdict=Verdict.ALLOW, exit_code=0, subject=EVERY_ARTIFACT, verified=many)
    shown = flat(render("text", made))
    assert shown.startswith("ALLOW everything below the root (1 of 1 control passed;")
    assert "prompt by s5, ...) artifact.pinned" in shown
    none = decision(PASSED, verdict=Verdict.ALLOW, exit_code=0, subject=EVERY_ARTIFACT)
    assert "rests on 0 verified statements artifact.pinned" in flat(render("text", none))


def test_signers_are_people_not_keys() -> None:
    assert str(signer("release").spki) not in render_text(refused())


def test_an_old_statement_is_dated() -> None:
    old = statement("artifact.signature", "release", stated_at_s=NOON_S - DAY_S, subjects={})
    made = dataclasses.replace(refused(artifact="summarizer"), verified=(old,))
    assert "of 2026-11-19 (1 day old) by release" in flat(render("text", made))
    odd = dataclasses.replace(made, decided_at="never")
    assert "of 2026-11-19 by release" in flat(render("text", odd))


def reused(number: int, *, used: bool = False, problems: tuple[str, ...] = ()) -> ReuseUse:
    return ReuseUse(digest(f"summary {number}"), "staging", "model", ("build.provenance",), used, problems)


def test_summaries_say_why_they_stand_for_nothing() -> None:
    text = render_text(decision(PASSED, reuse=(reused(1), reused(2, problems=("it is too old",)))))
    assert "no effect: no evidence is missing that it stands for" in " ".join(text.split())
    assert "no effect: it is too old" in " ".join(text.split())


def test_many_summaries_are_cut_and_counted() -> None:
    text = render_text(decision(PASSED, reuse=tuple(reused(number) for number in range(200))))
    assert "more; --format json lists all" in text
