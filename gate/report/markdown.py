"""The report for a pull request's comment: what was decided, why, and what to do about it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial
from typing import Final

from gate.model.decision import ControlDecision, Decision, Outcome, ReuseUse, Verdict, WaiverUse
from gate.model.evidence import Concern, Rejected
from gate.report import summary
from gate.report.escape import markdown, markdown_code
from gate.report.explain import Explainer, Reason
from gate.report.sections import Section, details, fit, row, table

MAX_CHARACTERS: Final = 60_000
"""A comment has room for 65,536; the rest is for what a workflow puts around it."""
_NOTE_ROOM: Final = 600
_ROWS: Final = 10
_COMMANDS: Final = 2
_BREAK: Final = "<br>"


def render_markdown(decision: Decision) -> str:
    """The comment, at most `MAX_CHARACTERS` long; what was left out for that is counted at its end.

    All text from outside is plain words or in code spans: no markup, no HTML, no mention, no reference and no link
    can come out of it, and no line of it begins with anything of its own.
    """
    explainer = Explainer(decision, _ROWS)
    sections = (
        refused(decision, explainer),
        stanzas(decision, explainer),
        rejected(decision),
        warned(decision, explainer),
        waivers(decision, explainer),
        reused(decision),
        passed(decision, explainer),
        left_out(decision),
    )
    start, end = "\n".join(heading(decision)) + "\n", "\n".join(footer(decision)) + "\n"
    body, dropped = fit(sections, MAX_CHARACTERS - len(start) - len(end) - _NOTE_ROOM)
    note = (
        f"\nLeft out, as a comment has no room: {', '.join(dropped)}. The JSON report holds all.\n" if dropped else ""
    )
    return start + body + note + end


def heading(decision: Decision) -> Iterator[str]:
    """The verdict, what was judged, and what a reader has to know first."""
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
    own = summary.own_controls(decision)
    if own is not None:
        yield ""
        yield markdown(own, 1000)


def footer(decision: Decision) -> Iterator[str]:
    """How the controls fared, what the exit code means, and what the decision can be reproduced from."""
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


def refused(decision: Decision, explainer: Explainer) -> Section:
    """The controls that refuse: where, why, and what to do about it."""
    entries = [partial(_control_rows, explainer, control) for control in summary.refused(decision)]
    return table("refused control", "Refused", ("Control", "Where", "Why", "Fix"), entries)


def stanzas(decision: Decision, explainer: Explainer) -> Section:
    """The waivers to ask for, as entries of `waivers.yaml`. Nothing in them is from outside but plain names."""
    found = [stanza for control in summary.refused(decision) for stanza in explainer.stanzas(control)]
    opening = "\n<details>\n<summary>Waivers to ask for, approved by somebody else</summary>\n\n```yaml\nwaivers:\n"
    return Section("waiver to ask for", opening, [partial(str, stanza) for stanza in found], "```\n\n</details>\n")


def warned(decision: Decision, explainer: Explainer) -> Section:
    """The controls that would refuse if they were enforced."""
    entries = [partial(_control_rows, explainer, control) for control in summary.warned(decision)]
    return table("warning", "Warnings", ("Control", "Where", "Why", "Fix"), entries)


def _control_rows(explainer: Explainer, control: ControlDecision) -> str:
    return "\n".join(map(row, _control_cells(explainer, control)))


def _control_cells(explainer: Explainer, control: ControlDecision) -> Iterator[tuple[str, ...]]:
    """A row for each group of equal violations; the advice stands in the first."""
    name = markdown_code(control.info.id, 120)
    page = markdown_code(explainer.page(control), 120)
    groups = explainer.reasons(control)
    if control.outcome is Outcome.ERROR or not groups:
        aside = f": {markdown(control.reason, 300)}" if control.reason else ""
        yield (name, "", f"could not be judged: its rule came to no status for this input{aside}", page)
        return
    runs = [markdown_code(command, 600) for command in explainer.commands(control)[:_COMMANDS]]
    advice = _BREAK.join([markdown(explainer.fix(control), 500), *runs, page])
    fixes = itertools.chain((advice,), itertools.repeat("as above"))
    for group in groups:
        for reason in group.reasons:
            yield (name, _where(reason), _why(reason), next(fixes))
        if group.more:
            yield (name, "", f"and {group.more} more: {markdown_code(group.code, 80)}", next(fixes))


def _where(reason: Reason) -> str:
    places = [markdown_code(place, 200) for place in reason.places]
    return _BREAK.join([*places, f"and {reason.more} more"] if reason.more else places)


def _why(reason: Reason) -> str:
    return _BREAK.join([markdown(reason.message, 400), *(markdown(sentence, 500) for sentence in reason.found)])


def rejected(decision: Decision) -> Section:
    """Evidence that does not count."""
    ordered = sorted(decision.rejected, key=lambda item: item.concern is Concern.OTHERS)
    entries = [partial(_rejected_row, item) for item in ordered]
    return table("rejected item", "Rejected evidence", ("From", "Code", "What was found"), entries)


def _rejected_row(item: Rejected) -> str:
    aside = "" if item.concern is Concern.AT_STAKE else " (about nothing at stake)"
    code = markdown_code(item.code, 80) + aside
    return row((markdown_code(item.origin, 200), code, markdown(summary.short(item.detail), 400)))


def waivers(decision: Decision, explainer: Explainer) -> Section:
    """All waivers, also those without effect."""
    ordered = sorted(decision.waivers, key=lambda waiver: (not waiver.used, waiver.id))
    entries = [partial(_waiver_row, decision, waiver, explainer) for waiver in ordered]
    return table("waiver", "Waivers", ("Waiver", "Control", "Until", "Effect"), entries)


def _waiver_row(decision: Decision, waiver: WaiverUse, explainer: Explainer) -> str:
    until = f"{markdown_code(summary.day(waiver.expires_s), 40)}, {waiver.state.value}"
    effect = _BREAK.join(_waiver_effect(decision, waiver, explainer))
    return row((markdown_code(waiver.id, 80), markdown_code(waiver.control, 80), until, effect))


def _waiver_effect(decision: Decision, waiver: WaiverUse, explainer: Explainer) -> Iterator[str]:
    if not waiver.used:
        yield f"none: {markdown(waiver.problem or 'the waiver is not used', 200)}"
        return
    for control in decision.controls.values():
        for group in explainer.reasons(control, waiver.id):
            for reason in group.reasons:
                places = _where(reason)
                yield f"accepts {f'{places}: ' if places else ''}{markdown(reason.message, 400)}"
            if group.more:
                yield f"and {group.more} more: {markdown_code(group.code, 80)}"


def reused(decision: Decision) -> Section:
    """Verification summaries, and what they stand for."""
    ordered = sorted(decision.reuse, key=lambda item: not item.used)
    entries = [partial(_reuse_row, decision, item) for item in ordered]
    return table("verification summary", "Reused decisions", ("Summary", "Artifact", "Effect"), entries)


def _reuse_row(decision: Decision, item: ReuseUse) -> str:
    effect = markdown(summary.reuse_effect(decision, item), 600)
    return row((markdown_code(item.statement, 80), markdown_code(item.artifact, 80), effect))


def passed(decision: Decision, explainer: Explainer) -> Section:
    """The controls that passed, and what that rests on."""
    passed = summary.with_outcome(decision, Outcome.PASS)
    entries = [partial(_passed_row, control, explainer) for control in passed]
    title = f"{summary.counted(len(passed), 'control')} passed"
    return details("passed control", title, ("Control", "Title", "Rests on"), entries)


def _passed_row(control: ControlDecision, explainer: Explainer) -> str:
    name, title = markdown_code(control.info.id, 120), markdown(control.info.title, 160)
    return row((name, title, markdown(explainer.basis(control), 300)))


def left_out(decision: Decision) -> Section:
    """What is not applicable or was not checked, and why."""
    aside = summary.with_outcome(decision, Outcome.NOT_APPLICABLE)
    entries = [partial(_left_out_row, c.info.id, "not applicable", c.reason or "no reason given") for c in aside]
    entries += [partial(_left_out_row, name, "skipped", reason) for name, reason in decision.skipped.items()]
    return details("unchecked item", "Not applicable or not checked", ("What", "State", "Because"), entries)


def _left_out_row(name: str, state: str, reason: str) -> str:
    return row((markdown_code(name, 120), state, markdown(reason, 200)))
