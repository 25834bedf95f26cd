"""The coverage map: what each control says of each artifact, and how much evidence it has for that."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gate.model.control import Mode
from gate.model.decision import ControlDecision, DecidedViolation, Decision, Outcome
from gate.model.json import JsonValue
from gate.report.summary import member

MAX_CELLS: Final = 60_000
"""Artifacts that need more are left out, those with the least to say first, and counted."""
ELSEWHERE: Final = "(no single artifact)"
_STATES: Final = ("fail", "error", "warn", "waived", "reused", "pass", "clear", "none")
MEANINGS: Final[Mapping[str, str]] = {
    "fail": "the control refuses it; the number counts its findings",
    "error": "the control could not be judged",
    "warn": "the control would refuse it if the profile enforced it",
    "waived": "waivers accept all that was found",
    "reused": "a verification summary of somebody trusted stands for what is missing",
    "pass": "the control passed; the number counts the statements about this artifact that it rests on",
    "clear": "the control found something against others and nothing against this",
    "none": "the control is not about this",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """What a control says of an artifact: one of `MEANINGS`, with a count."""

    state: str
    count: int

    @property
    def heat(self) -> int:
        """How dark it is shown, from 0 to 2: the more it counts, the darker."""
        return min(self.count, 2)

    @property
    def text(self) -> str:
        """What stands in it: a word, and the count where it tells something."""
        if self.state == "none":
            return "-"
        shows_count = self.count > (0 if self.state == "pass" else 1)
        return f"{self.state} {self.count}" if shows_count else self.state


@dataclass(frozen=True, slots=True)
class Row:
    """An artifact with a cell per column."""

    name: str
    kind: str
    cells: tuple[Cell, ...]

    @property
    def worst(self) -> str:
        """The worst state in it."""
        return min((cell.state for cell in self.cells), key=_STATES.index, default="none")


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Controls by column, artifacts by row, the worst first. `aside` are controls about none of them."""

    columns: tuple[ControlDecision, ...]
    rows: tuple[Row, ...]
    aside: tuple[ControlDecision, ...]
    left_out: int


def artifacts_of(decision: Decision) -> Mapping[str, JsonValue]:
    """The artifacts of a decision by name, in the order of their names."""
    found = member(decision.subject, "artifacts")
    return dict(sorted(found.items())) if isinstance(found, Mapping) else {}


def controls_of(decision: Decision) -> list[ControlDecision]:
    """The controls of a decision, in the order of their ids."""
    return [control for _, control in sorted(decision.controls.items())]


def heat_map(decision: Decision) -> HeatMap:
    """The map of a decision. What is about no single artifact has a row of its own, which comes first."""
    kinds = {name: str(member(one, "kind") or "unknown") for name, one in artifacts_of(decision).items()}
    named = (e.violation.artifact for control in controls_of(decision) for e in control.violations)
    kinds.update({name: "unknown" for name in named if name is not None and name not in kinds})
    columns = [_Column(control, decision) for control in controls_of(decision)]
    table = {name: [column.cell(name, kind) for column in columns] for name, kind in kinds.items()}
    elsewhere = [column.elsewhere(frozenset(kinds.values())) for column in columns]
    used = [
        place
        for place in range(len(columns))
        if elsewhere[place].state != "none" or any(cells[place].state != "none" for cells in table.values())
    ]
    rows = [Row(name, kinds[name], tuple(cells[place] for place in used)) for name, cells in table.items()]
    rows.sort(key=_rank)
    room = max(MAX_CELLS // max(len(used), 1), 1)
    first = Row(ELSEWHERE, "", tuple(elsewhere[place] for place in used))
    return HeatMap(
        columns=tuple(columns[place].control for place in used),
        rows=((first,) if first.worst != "none" else ()) + tuple(rows[:room]),
        aside=tuple(column.control for place, column in enumerate(columns) if place not in set(used)),
        left_out=max(len(rows) - room, 0),
    )


def _rank(row: Row) -> tuple[int, int, str]:
    worst = row.worst
    return _STATES.index(worst), -sum(cell.state == worst for cell in row.cells), row.name


class _Column:
    """A control with what it found by artifact."""

    def __init__(self, control: ControlDecision, decision: Decision) -> None:
        self.control = control
        self._found: dict[str | None, list[DecidedViolation]] = defaultdict(list)
        for entry in control.violations:
            self._found[entry.violation.artifact].append(entry)
        rests_on = set(control.evidence)
        self._statements = Counter(
            name
            for item in decision.verified
            if item.payload in rests_on or item.evidence in rests_on
            for name in item.artifacts
        )

    def cell(self, name: str, kind: str) -> Cell:
        """What the control says of an artifact."""
        if name in self._found:
            return self._judged(self._found[name])
        outcome = self.control.outcome
        if kind not in self.control.info.artifacts or outcome is Outcome.NOT_APPLICABLE:
            return Cell("none", 0)
        if outcome is Outcome.PASS:
            return Cell("pass", self._statements[name])
        return Cell("error" if outcome is Outcome.ERROR else "clear", 0)

    def elsewhere(self, kinds: frozenset[str]) -> Cell:
        """What it says of no single artifact: of changed files, of evidence, of the set as a whole.

        One that could not be judged says so here if no artifact is of a kind that it is about.
        """
        if None in self._found:
            return self._judged(self._found[None])
        outcome, about = self.control.outcome, self.control.info.artifacts
        if outcome is Outcome.ERROR and kinds.isdisjoint(about):
            return Cell("error", 0)
        if about or outcome is Outcome.NOT_APPLICABLE:
            return Cell("none", 0)
        return Cell("pass" if outcome is Outcome.PASS else "clear", 0)

    def _judged(self, entries: Sequence[DecidedViolation]) -> Cell:
        against = [entry for entry in entries if not entry.is_covered]
        if against:
            return Cell("fail" if self.control.mode is Mode.ENFORCE else "warn", len(against))
        if self.control.outcome is Outcome.ERROR:
            return Cell("error", 0)
        is_waived = any(entry.waiver is not None for entry in entries)
        return Cell("waived" if is_waived else "reused", len(entries))
