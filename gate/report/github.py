"""A decision as workflow commands of GitHub Actions: annotations of the files that were changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

from gate.model.decision import Decision, Verdict
from gate.report import findings
from gate.report.escape import workflow_data, workflow_property
from gate.report.findings import Finding, Weight

_COMMANDS: Final = {Weight.REFUSES: "error", Weight.WARNS: "warning", Weight.COVERED: "notice", Weight.ASIDE: "notice"}
_ROOM: Final = 50
"""Annotations of one kind. GitHub shows ten of each in a step, so each rule has its first one before any has more."""


def render_github(decision: Decision) -> str:
    """One command a line: the verdict first, then what refuses, what warns, and what is covered or aside.

    At most `_ROOM` of a kind, with a last one that counts the others.
    """
    lines = [_verdict(decision)]
    found = findings.findings(decision)
    for weight in Weight:
        lines += _commands(weight, [finding for finding in found if finding.weight is weight])
    return "\n".join(lines) + "\n"


def _verdict(decision: Decision) -> str:
    command = "notice" if decision.verdict is Verdict.ALLOW else "error"
    words = " ".join([f"{findings.verdict_words(decision)}.", *findings.notes(decision)])
    return f"::{command} title=gate::{workflow_data(words, 2000)}"


def _commands(weight: Weight, found: Sequence[Finding]) -> Iterator[str]:
    ordered = _in_turn(found)
    for finding in ordered[:_ROOM]:
        yield _command(finding)
    if len(ordered) > _ROOM:
        more = len(ordered) - _ROOM
        yield f"::{_COMMANDS[weight]} title=gate::and {more} more of this kind; the other reports hold all"


def _in_turn(found: Sequence[Finding]) -> list[Finding]:
    """The first finding of each rule, then the second of each, and so on."""
    rules: dict[str, list[Finding]] = {}
    for finding in found:
        rules.setdefault(finding.rule, []).append(finding)
    return [finding for turn in zip_longest(*rules.values()) for finding in turn if finding is not None]


def _command(finding: Finding) -> str:
    place = f"file={workflow_property(finding.path, 400)},line={finding.line}," if finding.path else ""
    text = workflow_data(finding.text, 1500)
    return f"::{_COMMANDS[finding.weight]} {place}title={workflow_property(finding.rule, 200)}::{text}"
