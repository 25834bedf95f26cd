"""The report for a terminal: what was decided, why, and what to do about it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from typing import Final

from gate.model.decision import ControlDecision, Decision, Outcome, Verdict, WaiverUse
from gate.model.evidence import Concern
from gate.model.waiver import WaiverState
from gate.report import summary
from gate.report.escape import terminal
from gate.report.explain import Explainer, Group, Reason
from gate.report.remedy import WHOLE_COMMAND

_GROUPS: Final = 3
_ITEMS: Final = 10
_NAMES: Final = 12
_COLUMN: Final = 26
_SGR: Final = {"bold": "1", "dim": "2", "red": "1;31", "green": "1;32", "yellow": "1;33"}
_VERDICT_STYLE: Final = {Verdict.ALLOW: "green", Verdict.DENY: "red", Verdict.ERROR: "yellow"}
_COMMANDS: Final = 2
_RUN: Final = "run: "
_LEAD: Final = re.compile(r"(?:expected|nearest|found|fix|run|warning): ")


def render_text(decision: Decision, *, colour: bool = False, width: int = 100) -> str:
    """The report. The first line begins with the verdict, and only the first and the last begin at the margin.

    `width` is the number of columns that prose is wrapped to; paths and commands are never broken. Colours are the
    caller's decision: without `colour` there is no control character but the line feed.
    """
    page = _Page(decision, colour=colour, width=width)
    explainer = Explainer(decision, _GROUPS)
    _heading(page, decision)
    for control in summary.refused(decision):
        page.block(control.info.id, "red", _control_lines(explainer, control, page.room))
    _to_ask_for(page, decision, explainer)
    _rejected(page, decision, explainer)
    _warnings(page, decision, explainer)
    _waivers(page, decision, explainer)
    _reuse(page, decision)
    _basis(page, decision, explainer)
    _left_out(page, decision)
    page.gap()
    page.line(f"{summary.counts(decision)}   {summary.exit_words(decision)}, decision {terminal(decision.id, 80)}")
    return page.text()


class _Page:
    """Lines in two columns: a label, and text wrapped beside it."""

    def __init__(self, decision: Decision, *, colour: bool, width: int) -> None:
        labels = [len(name) for name in decision.controls] + [len("waiver ") + len(w.id) for w in decision.waivers]
        self._column = min(max([*labels, len("not applicable")]), _COLUMN) + 2
        self._colour = colour
        self._lines: list[str] = []
        self.room = max(width - self._column - 2, 30)

    def text(self) -> str:
        """All lines, each with its line feed."""
        return "\n".join(self._lines) + "\n"

    def line(self, text: str) -> None:
        """A line from the margin on; the text is escaped already."""
        self._lines.append(text)

    def gap(self) -> None:
        """An empty line, unless there is one."""
        if self._lines[-1]:
            self._lines.append("")

    def block(self, label: str, style: str, paragraphs: Iterable[str]) -> None:
        """Paragraphs beside a label; they are escaped already, the label is not."""
        shown = terminal(label, 60)
        lines = [line for text in paragraphs for line in self._wrapped(text)]
        indent = " " * (self._column + 2)
        rows = [indent + line for line in lines]
        if len(shown) + 2 > self._column:
            self._lines.append(f"  {self.paint(style, shown)}")
        else:
            rows[0] = f"  {self.paint(style, shown)}{' ' * (self._column - len(shown))}{lines[0]}"
        self._lines += rows

    def paint(self, style: str, text: str) -> str:
        """The text in a style, where there are colours."""
        return f"\x1b[{_SGR[style]}m{text}\x1b[0m" if self._colour else text

    def _wrapped(self, text: str) -> list[str]:
        is_command = text.startswith(_RUN)
        wrapped = (
            [text] if is_command else textwrap.wrap(text, self.room, break_long_words=False, break_on_hyphens=False)
        )
        lines = wrapped or [""]
        lead = _LEAD.match(lines[0])
        if lead:
            lines[0] = self.paint("bold", lead[0].rstrip()) + lines[0][lead.end() - 1 :]
        return lines


def _heading(page: _Page, decision: Decision) -> None:
    verdict = page.paint(_VERDICT_STYLE[decision.verdict], summary.VERDICTS[decision.verdict])
    target, profile = summary.setting(decision)
    setting = f"{terminal(target, 40)}, profile {terminal(profile, 80)}"
    page.line(f"{verdict}  {terminal(summary.judged(decision), 60)}  ({summary.tally(decision)}; {setting})")
    notes = (summary.dry_run_words(decision), summary.unexplained(decision), summary.own_configuration(decision))
    for note in filter(None, notes):
        page.line(f"  {page.paint('yellow', note)}")
    own = summary.own_controls(decision)
    if own is not None:
        page.line(f"  {terminal(own, 1000)}")
    page.gap()


# --- why not ---------------------------------------------------------------------------------------------------------


def _control_lines(explainer: Explainer, control: ControlDecision, room: int, lead: str = "") -> list[str]:
    """What a control has to say: reasons (three of a kind), the advice, and where to read more."""
    page = explainer.page(control)
    if control.outcome is Outcome.ERROR:
        reason = f": {terminal(control.reason, 300)}" if control.reason else ""
        return [f"{lead}could not be judged: its rule came to no status for this input{reason}", terminal(page, 120)]
    lines = list(_reason_lines(explainer.reasons(control), lead))
    covered = sum(entry.is_covered for entry in control.violations)
    if covered:
        how = "waived or reused" if any(entry.reuse for entry in control.violations) else "waived"
        lines.append(f"({covered} more {how}, see below)")
    fix = terminal(explainer.fix(control), 500)
    whole = WHOLE_COMMAND.fullmatch(fix)
    advice = f"fix: {whole[1] if whole else fix}"
    page = terminal(page, 120)
    runs = [f"{_RUN}{terminal(command, 600)}" for command in explainer.commands(control)[:_COMMANDS]]
    if len(advice) + 4 + len(page) <= room:
        return [*lines, f"{advice}    {page}", *runs]
    return [*lines, advice, *runs, page]


def _to_ask_for(page: _Page, decision: Decision, explainer: Explainer) -> None:
    """The first waiver that would accept what is refused, as an entry of `waivers.yaml`, and how many there are."""
    found = [stanza for control in summary.refused(decision) for stanza in explainer.stanzas(control)]
    if not found:
        return
    page.gap()
    page.block("to accept it", "yellow", ["a waiver, approved by somebody else, under `waivers` in waivers.yaml:"])
    members = ", ".join(line.lstrip("- ") for line in found[0].splitlines())
    page.block("", "dim", [f"- {{{terminal(members)}}}"])
    if len(found) > 1:
        page.block("", "dim", [f"... and {len(found) - 1} more; gate explain CONTROL --decision FILE lists all"])


def _reason_lines(groups: Iterable[Group], lead: str = "") -> Iterable[str]:
    for group in groups:
        for reason in group.reasons:
            yield lead + _where(reason) + terminal(reason.message, 400)
            yield from (terminal(sentence, 500) for sentence in reason.found)
        if group.more:
            yield f"... and {group.more} more ({terminal(group.code, 80)})"


def _where(reason: Reason) -> str:
    if not reason.places:
        return ""
    more = f" and {reason.more} more" if reason.more else ""
    return ", ".join(terminal(place, 200) for place in reason.places) + f"{more}: "


def _rejected(page: _Page, decision: Decision, explainer: Explainer) -> None:
    """The rejected evidence that no control has explained already."""
    left = [item for item in decision.rejected if not explainer.is_told(item)]
    if not left:
        return
    page.gap()
    ordered = sorted(left, key=lambda item: item.concern is Concern.OTHERS)
    for place, item in enumerate(ordered[:_ITEMS]):
        aside = "" if item.concern is Concern.AT_STAKE else " (about nothing at stake)"
        start = f"{terminal(item.origin, 200)}: {terminal(item.code, 80)}{aside}"
        page.block("" if place else "rejected", "red", [f"{start}: {terminal(summary.short(item.detail), 400)}"])
    if len(ordered) > _ITEMS:
        page.block("", "dim", [f"... and {len(ordered) - _ITEMS} more; --format json lists all"])


def _warnings(page: _Page, decision: Decision, explainer: Explainer) -> None:
    for place, control in enumerate(summary.warned(decision)):
        if not place:
            page.gap()
        page.block(control.info.id, "yellow", _control_lines(explainer, control, page.room, "warning: "))


# --- waivers ---------------------------------------------------------------------------------------------------------


def _waivers(page: _Page, decision: Decision, explainer: Explainer) -> None:
    if not decision.waivers:
        return
    page.gap()
    ordered = sorted(decision.waivers, key=lambda waiver: (not waiver.used, waiver.id))
    for waiver in ordered[: 2 * _ITEMS]:
        page.block(f"waiver {waiver.id}", "yellow", _waiver_lines(decision, waiver, explainer))
    if len(ordered) > 2 * _ITEMS:
        page.block("", "dim", [f"... and {len(ordered) - 2 * _ITEMS} more; --format json lists all"])


def _waiver_lines(decision: Decision, waiver: WaiverUse, explainer: Explainer) -> Iterable[str]:
    until = summary.day(waiver.expires_s)
    control = terminal(waiver.control, 80)
    if not waiver.used:
        problem = terminal(waiver.problem or "the waiver is not used", 200)
        yield f"no effect on {control}: {problem} (until {until})"
        return
    soon = ", which is within 14 days" if waiver.state is WaiverState.EXPIRING else ""
    yield f"accepts until {until}{soon}, for {control}:"
    for decided in decision.controls.values():
        yield from _reason_lines(explainer.reasons(decided, waiver.id))


def _reuse(page: _Page, decision: Decision) -> None:
    """What verification summaries stand for, the used ones first."""
    ordered = sorted(decision.reuse, key=lambda item: not item.used)
    if ordered:
        page.gap()
    for item in ordered[:_ITEMS]:
        what = f"{terminal(item.artifact, 80)}: {terminal(summary.reuse_effect(decision, item), 600)}"
        page.block("reuse", "yellow", [f"{what} ({item.statement})"])
    if len(ordered) > _ITEMS:
        page.block("", "dim", [f"... and {len(ordered) - _ITEMS} more; --format json lists all"])


# --- why yes, and what was left out ----------------------------------------------------------------------------------


def _basis(page: _Page, decision: Decision, explainer: Explainer) -> None:
    if decision.verdict is not Verdict.ALLOW:
        return
    page.gap()
    page.block("evidence", "bold", [terminal(summary.statements(decision), 800)])
    for control in summary.with_outcome(decision, Outcome.PASS):
        page.block(control.info.id, "green", [terminal(explainer.basis(control), max(page.room, 60))])


def _left_out(page: _Page, decision: Decision) -> None:
    aside = {c.info.id: c.reason or "no reason given" for c in summary.with_outcome(decision, Outcome.NOT_APPLICABLE)}
    page.gap()
    for label, reasons in (("not applicable", aside), ("skipped", dict(decision.skipped))):
        names: dict[str, list[str]] = {}
        for name, reason in list(reasons.items())[:_NAMES]:
            names.setdefault(reason, []).append(terminal(name, 80))
        if names:
            named = [f"{', '.join(group)} ({terminal(reason, 120)})" for reason, group in names.items()]
            more = f" and {len(reasons) - _NAMES} more" if len(reasons) > _NAMES else ""
            page.block(label, "dim", [", ".join(named) + more])
