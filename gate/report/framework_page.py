"""A framework in a decision, for a terminal and for a page: requirement, controls, evidence, and the gaps."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from gate.model.control import Mode
from gate.model.decision import Decision, Outcome
from gate.report import summary
from gate.report.escape import markdown, markdown_code, terminal
from gate.report.framework_evidence import Judged, Page, Requirement, State, statement_words, why
from gate.report.matrix import NOTE, about_words, scope_words, source_words, title_words
from gate.report.tables import Table

_WIDTH: Final = 90
_NOT_LISTED: Final = "not in the gate's list"
_FACTS: Final = "no statement: it rests on what the gate itself saw"


def pages_text(decision: Decision, pages: Sequence[Page]) -> str:
    """For a terminal."""
    lines = [*(terminal(line) for line in _heading(decision)), ""]
    for page in pages:
        framework = page.framework
        lines += [
            f"{terminal(framework.id)}  {terminal(title_words(framework))}".rstrip(),
            f"  {terminal(scope_words(framework))}",
            *([f"  {terminal(source_words(framework))}"] if framework.source else []),
            f"  {_counts(page)}",
            "",
        ]
        for item in page.requirements:
            if item.state is not State.NO_CONTROL:
                lines += [*_requirement_text(item), ""]
        for head, names in _gaps(page):
            lines += [f"  {head}", _names("", names), ""]
        if page.unused:
            lines += [f"  {_unused(page)}", *(f"    {terminal(statement_words(item))}" for item in page.unused), ""]
    return "\n".join([*lines, NOTE])


def _requirement_text(item: Requirement) -> Iterator[str]:
    yield f"  {terminal(item.row.id)}  {terminal(_title(item))}: {item.state.value}"
    for judged in item.controls:
        if judged.control is not None:
            support = judged.support
            yield f"    {support.relation:<15}  {terminal(support.control.id)}: {_outcome(judged)}"
            yield from (f"      {terminal(line)}" for line in _basis(judged))
    others = _not_asked(item)
    if others:
        yield _names("not asked for: ", others)


def _names(head: str, names: Sequence[str]) -> str:
    wrapper = textwrap.TextWrapper(
        width=_WIDTH,
        initial_indent="    ",
        subsequent_indent="      " if head else "    ",
        break_on_hyphens=False,
        break_long_words=False,
    )
    return wrapper.fill(head + ", ".join(map(terminal, names)))


def pages_markdown(decision: Decision, pages: Sequence[Page]) -> str:
    """For a page: a heading for each framework, a table of requirements with their evidence, and the gaps."""
    parts = ["\n".join(f"{markdown(line)}  " for line in _heading(decision)).rstrip()]
    for page in pages:
        framework = page.framework
        parts += [
            f"## {markdown(framework.id)}",
            about_words(framework),
            f"{_counts(page)}.",
        ]
        rows = [
            (item.row.id, _title(item), item.state.value, *cells)
            for item in page.requirements
            for cells in _cells(item)
        ]
        if rows:
            heads = ("requirement", "title", "state", "control", "relation", "outcome", "evidence")
            parts.append(Table(heads, tuple(rows), frozenset({"requirement", "control"})).markdown())
        parts += [f"{head} {', '.join(map(markdown_code, names))}" for head, names in _gaps(page)]
        if page.unused:
            said = (f"- {markdown(statement_words(item))}" for item in page.unused)
            parts.append("\n".join([f"{_unused(page)}\n", *said]))
    return "\n\n".join([*parts, NOTE])


def _cells(item: Requirement) -> Iterator[tuple[str, str, str, str]]:
    for judged in item.controls:
        if judged.control is not None:
            yield judged.support.control.id, judged.support.relation, _outcome(judged), "; ".join(_basis(judged))
    others = _not_asked(item)
    if others:
        yield "", "", "not asked for", " ".join(others)


def _not_asked(item: Requirement) -> list[str]:
    return [judged.support.control.id for judged in item.controls if judged.control is None]


def _heading(decision: Decision) -> Iterator[str]:
    target, profile = summary.setting(decision)
    dry = ", dry run" if decision.dry_run else ""
    yield f"Decision {decision.id}: {summary.VERDICTS[decision.verdict]}{dry}, {summary.judged(decision)}"
    yield f"For {target}, profile {profile}, decided at {decision.decided_at}, policy {decision.digests.policy}"


def _title(item: Requirement) -> str:
    return item.row.title if item.row.listed else f"({_NOT_LISTED})"


def _outcome(judged: Judged) -> str:
    mode = "" if judged.control is None or judged.control.mode is Mode.ENFORCE else ", as a warning"
    return f"{judged.outcome}{mode}"


def _basis(judged: Judged) -> list[str]:
    """What the outcome rests on: the statements of what passed, the reasons of everything else."""
    if judged.outcome != Outcome.PASS.value:
        reason = why(judged)
        return [reason] if reason else []
    reports = [f"report {summary.short(digest)}" for digest in judged.reports]
    return [*(statement_words(item) for item in judged.evidence), *reports] or [_FACTS]


def _counts(page: Page) -> str:
    found = (f"{len(page.of(state))} {state.value}" for state in State if page.of(state))
    return f"Of {summary.counted(len(page.requirements), 'requirement')}: {', '.join(found) or 'none'}"


def _gaps(page: Page) -> Iterator[tuple[str, list[str]]]:
    """Ids of what one side has and the other has not, each with its head."""
    bare = [item.row.id for item in page.of(State.NO_CONTROL)]
    if bare:
        yield f"No control for {summary.counted(len(bare), 'requirement')}:", bare
    if page.unmapped:
        names = [info.id for info in page.unmapped]
        yield f"{summary.counted(len(names), 'control')} of the decision for no requirement of it:", names


def _unused(page: Page) -> str:
    return f"{summary.counted(len(page.unused), 'verified statement')} for no requirement of it:"
