"""The report for a pull request's comment: what was decided, why, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gate.model.decision import ControlDecision, Decision, Outcome, Verdict, WaiverUse
from gate.model.evidence import Concern
from gate.report import summary
from gate.report.escape import markdown, markdown_code
from gate.report.explain import Explainer, Reason

MAX_CHARACTERS: Final = 60_000
"""A comment has room for 65,536; the rest is for what a workflow puts around it."""
_NOTE_ROOM: Final = 600
_ROWS: Final = 10
_BREAK: Final = "<br>"


@dataclass(frozen=True, slots=True)
class _Section:
    """A table. `opening` stands before its rows, `closing` after them; `noun` names a row in the note."""

    noun: str
    opening: str
    rows: Sequence[str]
    closing: str = ""


def render_markdown(decision: Decision) -> str:
    """The comment, at most `MAX_CHARACTERS` long; what was left out for that is counted at its end.

    All text from outside is plain words or in code spans: no markup, no HTML, no mention, no reference and no link
    can come out of it, and no line of it begins with anything of its own.
    """
    explainer = Explainer(decision)
    sections = (
        _refused(decision, explainer),
        _rejected(decision),
        _warned(decision, explainer),
        _waivers(decision, explainer),
        _passed(decision, explainer),
        _left_out(decision),
    )
    heading, footer = "\n".join(_heading(decision)) + "\n", "\n".join(_footer(decision)) + "\n"
    body, dropped = _fit(sections, MAX_CHARACTERS - len(heading) - len(footer) - _NOTE_ROOM)
    note = (
        f"\nLeft out, as a comment has no room: {', '.join(dropped)}. The JSON report holds all.\n" if dropped else ""
    )
    return heading + body + note + footer


def _fit(sections: Iterable[_Section], room: int) -> tuple[str, list[str]]:
    """The sections with as many of their rows as have room, and the counts of those that had none."""
    shown: list[str] = []
    dropped: list[str] = []
    for section in sections:
        if not section.rows:
            continue
        left = room - len(section.opening) - len(section.closing)
        rows = []
        for row in section.rows:
            left -= len(row) + 1
            if left < 0:
                break
            rows.append(row + "\n")
        if rows:
            text = section.opening + "".join(rows) + section.closing
            shown.append(text)
            room -= len(text)
        if len(rows) < len(section.rows):
            dropped.append(summary.counted(len(section.rows) - len(rows), section.noun))
    return "".join(shown), dropped


def _heading(decision: Decision) -> Iterator[str]:
    target, profile = summary.setting(decision)
    yield f"## {summary.VERDICTS[decision.verdict]}: {markdown(summary.judged(decision), 60)}"
    yield ""
    yield f"{summary.tally(decision)}; {markdown(target, 40)}, profile {markdown_code(profile, 80)}."
    notes = (summary.dry_run_words(decision), summary.unexplained(decision), summary.own_configuration(decision))
    if decision.verdict is Verdict.ALLOW:
        yield ""
        yield f"This {markdown(summary.statements(decision), 1000)}."
    for note in filter(None, notes):
        yield ""
        yield f"> **{note}**"


def _footer(decision: Decision) -> Iterator[str]:
    digests = decision.digests
    yield ""
    yield "---"
    yield ""
    yield (
        f"{summary.counts(decision)} **{summary.exit_words(decision)}**, decision {markdown_code(decision.id, 80)}, "
        f"decided at {markdown_code(decision.decided_at, 40)}."
    )
    yield ""
    yield (
        f"input {markdown_code(digests.input, 80)}, policy {markdown_code(digests.policy, 80)}, "
        f"configuration {markdown_code(digests.configuration, 80)}, trust {markdown_code(digests.trust, 80)}; "
        f"{markdown(decision.engine, 40)} {markdown_code(decision.engine_version, 40)}, "
        f"gate {markdown_code(decision.gate_version, 40)}"
    )


# --- sections --------------------------------------------------------------------------------------------------------


def _table(noun: str, title: str, columns: Sequence[str], rows: Sequence[str]) -> _Section:
    opening = f"\n### {title}\n\n{_row(columns)}\n{_row(['---'] * len(columns))}\n"
    return _Section(noun, opening, rows)


def _details(noun: str, title: str, columns: Sequence[str], rows: Sequence[str]) -> _Section:
    opening = f"\n<details>\n<summary>{title}</summary>\n\n{_row(columns)}\n{_row(['---'] * len(columns))}\n"
    return _Section(noun, opening, rows, "\n</details>\n")


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _refused(decision: Decision, explainer: Explainer) -> _Section:
    rows = [row for control in summary.refused(decision) for row in _control_rows(explainer, control)]
    return _table("refusal", "Refused", ("Control", "Where", "Why", "Fix"), rows)


def _warned(decision: Decision, explainer: Explainer) -> _Section:
    rows = [row for control in summary.warned(decision) for row in _control_rows(explainer, control)]
    return _table("warning", "Warnings", ("Control", "Where", "Why", "Fix"), rows)


def _control_rows(explainer: Explainer, control: ControlDecision) -> Iterator[str]:
    """A row for each group of equal violations; the advice stands in the first."""
    name = markdown_code(control.info.id, 120)
    page = markdown_code(summary.docs_page(control), 120)
    if control.outcome is Outcome.ERROR:
        aside = f": {markdown(control.reason, 300)}" if control.reason else ""
        yield _row((name, "", f"could not be judged: its rule came to no status for this input{aside}", page))
        return
    advice = f"{markdown(explainer.fix(control), 500)}{_BREAK}{page}"
    reasons = explainer.reasons(control)
    for place, reason in enumerate(reasons[:_ROWS]):
        yield _row((name, _where(reason), _why(reason), "as above" if place else advice))
    if len(reasons) > _ROWS:
        yield _row((name, "", f"... and {len(reasons) - _ROWS} more", "as above"))


def _where(reason: Reason) -> str:
    places = [markdown_code(place, 200) for place in reason.places]
    return _BREAK.join([*places, f"and {reason.more} more"] if reason.more else places)


def _why(reason: Reason) -> str:
    return _BREAK.join([markdown(reason.message, 400), *(markdown(sentence, 500) for sentence in reason.found)])


def _rejected(decision: Decision) -> _Section:
    ordered = sorted(decision.rejected, key=lambda item: item.concern is Concern.OTHERS)
    rows = [
        _row(
            (
                markdown_code(item.origin, 200),
                markdown_code(item.code, 80)
                + ("" if item.concern is Concern.AT_STAKE else " (about nothing at stake)"),
                markdown(summary.short(item.detail), 400),
            )
        )
        for item in ordered
    ]
    return _table("rejected item", "Rejected evidence", ("From", "Code", "What was found"), rows)


def _waivers(decision: Decision, explainer: Explainer) -> _Section:
    ordered = sorted(decision.waivers, key=lambda waiver: (not waiver.used, waiver.id))
    rows = [
        _row(
            (
                markdown_code(waiver.id, 80),
                markdown_code(waiver.control, 80),
                f"{markdown_code(summary.day(waiver.expires_s), 40)}, {waiver.state.value}",
                _BREAK.join(_waiver_effect(decision, waiver, explainer)),
            )
        )
        for waiver in ordered
    ]
    return _table("waiver", "Waivers", ("Waiver", "Control", "Until", "Effect"), rows)


def _waiver_effect(decision: Decision, waiver: WaiverUse, explainer: Explainer) -> Iterator[str]:
    if not waiver.used:
        yield f"none: {markdown(waiver.problem or 'the waiver is not used', 200)}"
        return
    for control in decision.controls.values():
        for reason in explainer.reasons(control, waiver.id):
            places = ", ".join(markdown_code(place, 200) for place in reason.places)
            more = f" and {reason.more} more" if reason.more else ""
            yield (
                f"accepts {places}{more}: {markdown(reason.message, 400)}"
                if places
                else (f"accepts: {markdown(reason.message, 400)}")
            )


def _passed(decision: Decision, explainer: Explainer) -> _Section:
    passed = summary.with_outcome(decision, Outcome.PASS)
    rows = [
        _row((markdown_code(c.info.id, 120), markdown(c.info.title, 160), markdown(explainer.basis(c), 300)))
        for c in passed
    ]
    title = f"{summary.counted(len(passed), 'control')} passed"
    return _details("passed control", title, ("Control", "Title", "Rests on"), rows)


def _left_out(decision: Decision) -> _Section:
    rows = [
        _row(
            (markdown_code(control.info.id, 120), "not applicable", markdown(control.reason or "no reason given", 200))
        )
        for control in summary.with_outcome(decision, Outcome.NOT_APPLICABLE)
    ]
    rows += [
        _row((markdown_code(name, 120), "skipped", markdown(reason, 200))) for name, reason in decision.skipped.items()
    ]
    title = "Not applicable or not checked"
    return _details("item not checked", title, ("What", "State", "Because"), rows)
