"""What differs between two decisions or two input documents: what turned first, then everything else by section."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gate.model.decision import ControlDecision, DecidedViolation
from gate.model.difference import Diff, Difference, Kind, Side, Turn, standing
from gate.model.json import JsonObject, JsonValue
from gate.model.policy import Presence
from gate.report.escape import markdown, markdown_code, terminal
from gate.report.summary import short

SCHEMA: Final = "urn:gate:diff:v1"
FORMATS: Final = ("text", "json", "markdown")
SIGNS: Final = {Presence.ADDED: "+", Presence.REMOVED: "-", Presence.CHANGED: "~"}
_ITEMS: Final = 40
_VIOLATIONS: Final = 10
_VALUE: Final = 160
# What is told of an object that one side has and the other has not.
_WORDS: Final = ("claim", "kind", "code", "control", "status", "state", "mode", "artifacts", "origin", "path", "digest")
# The sections that explain the others come first.
_ORDER: Final = ("context", "profile", "parameters", "artifacts", "subject", "change", "evidence", "attestations")


# -- JSON --------------------------------------------------------------------------------------------------------------


def diff_json(diff: Diff) -> JsonObject:
    """A `urn:gate:diff:v1` document. Nothing is left out or shortened."""
    return {
        "schema": SCHEMA,
        "kind": diff.kind.value,
        "same": diff.is_same,
        "old": _side_json(diff.old),
        "new": _side_json(diff.new),
        "turned": [_turn_json(turn) for turn in diff.turns],
        "differences": [difference_json(item) for item in diff.differences],
    }


def difference_json(item: Difference) -> JsonObject:
    """One place; `old` and `new` are there where that side has it."""
    values: dict[str, JsonValue] = {"path": list(item.path), "presence": item.presence.value}
    if item.presence is not Presence.ADDED:
        values["old"] = item.old
    if item.presence is not Presence.REMOVED:
        values["new"] = item.new
    return values


def _side_json(side: Side) -> JsonObject:
    return {
        "place": side.place,
        "id": side.id,
        "at": side.at,
        "verdict": side.verdict,
        "exit_code": side.exit_code,
    }


def _turn_json(turn: Turn) -> JsonObject:
    return {
        "control": turn.control,
        "old": _standing_json(turn.old),
        "new": _standing_json(turn.new),
        "refuses_now": turn.refuses_now,
        "refuses_no_more": turn.refuses_no_more,
        "gone": [_violation_json(entry) for entry in turn.gone],
        "came": [_violation_json(entry) for entry in turn.came],
    }


def _standing_json(control: ControlDecision | None) -> JsonValue:
    return None if control is None else {"status": control.outcome.value, "mode": control.mode.value}


def _violation_json(entry: DecidedViolation) -> JsonObject:
    violation = entry.violation
    return {
        "code": violation.code,
        "message": violation.message,
        "artifact": violation.artifact,
        "file": violation.file,
        "waiver": entry.waiver,
        "reuse": entry.reuse,
    }


# -- for people --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Sink:
    """How text from outside is shown: as prose, and as what is a name or a value."""

    prose: Callable[[str, int], str]
    code: Callable[[str, int], str]


_TERMINAL: Final = _Sink(terminal, terminal)
_MARKDOWN: Final = _Sink(markdown, markdown_code)


def diff_text(diff: Diff) -> str:
    """For a terminal: `+` is new, `-` is gone, `~` differs. Long sections are cut, and say so."""
    lines = [f"{name}  {_side(side, _TERMINAL)}" for name, side in (("old", diff.old), ("new", diff.new))]
    if diff.turns:
        lines += ["", "turned"]
    for turn in diff.turns:
        lines.append(f"  {terminal(turn.control)}: {_standings(turn)}{_note(turn)}")
        lines += [f"      {line}" for line in _violations(turn, _TERMINAL)]
    for name, items in _sections(diff.differences).items():
        lines += ["", terminal(name), *(f"  {line}" for line in difference_lines(items, _TERMINAL, skip=1))]
    return "\n".join([*lines, "", summary(diff)]) + "\n"


def diff_markdown(diff: Diff) -> str:
    """For a comment or a job's summary; all text from outside is plain words or in code spans."""
    lines = [f"**{summary(diff)}**", ""]
    lines += [f"- {name}: {_side(side, _MARKDOWN)}" for name, side in (("old", diff.old), ("new", diff.new))]
    if diff.turns:
        lines += ["", "### What turned", "", "| Control | | Violations |", "|---|---|---|"]
    for turn in diff.turns:
        what = "<br>".join(_violations(turn, _MARKDOWN))
        lines.append(f"| {markdown_code(turn.control)} | {_standings(turn)}{_note(turn)} | {what} |")
    for name, items in _sections(diff.differences).items():
        lines += ["", f"### {markdown(name.capitalize())}", ""]
        lines += [f"- {line}" for line in difference_lines(items, _MARKDOWN, skip=1)]
    return "\n".join(lines) + "\n"


def summary(diff: Diff) -> str:
    """One sentence: whether they differ, and what became of the verdict."""
    if diff.is_same:
        return f"The two {diff.kind.value}s say the same."
    count = len(diff.differences)
    differs = f"{count} place{'' if count == 1 else 's'} differ{'s' if count == 1 else ''}"
    if diff.kind is Kind.INPUT:
        return f"{differs}."
    now, no_more = sum(turn.refuses_now for turn in diff.turns), sum(turn.refuses_no_more for turn in diff.turns)
    old, new = verdict_words(diff.old.verdict), verdict_words(diff.new.verdict)
    verdict = f"Still {new}" if old == new else f"{old} -> {new}"
    return f"{verdict}: {now} control{'' if now == 1 else 's'} refuse now, {no_more} no more; {differs} besides."


def verdict_words(verdict: str | None) -> str:
    """A verdict as the reports write it."""
    return "NO DECISION" if verdict in {None, "error"} else str(verdict).upper()


def difference_lines(items: Sequence[Difference], sink: _Sink = _TERMINAL, skip: int = 0) -> Iterator[str]:
    """A line for each of some differences, whose paths lose their first names; more than a page is counted."""
    for item in items[:_ITEMS]:
        place = short("/".join(item.path[skip:])) or "/".join(item.path)
        yield f"{SIGNS[item.presence]} {sink.code(place, _VALUE)}: {_values(item, sink)}"
    if len(items) > _ITEMS:
        yield f"... and {len(items) - _ITEMS} more; --format json lists all"


def _values(item: Difference, sink: _Sink) -> str:
    if item.presence is Presence.CHANGED:
        return f"{_value(item.old, sink)} -> {_value(item.new, sink)}"
    return _value(item.new if item.presence is Presence.ADDED else item.old, sink)


def _value(value: JsonValue, sink: _Sink) -> str:
    """A value in a few words: of an object what says most."""
    if isinstance(value, Mapping):
        told = [value[word] for word in _WORDS if value.get(word)]
        value = ", ".join(_plain(item) for item in told) or f"{len(value)} members"
    return sink.code(short(_plain(value)), _VALUE)


def _plain(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence) and all(isinstance(item, str) for item in value):
        return " and ".join(map(str, value)) or "nothing"
    return "none" if value is None else json.dumps(value, sort_keys=True)


def _side(side: Side, sink: _Sink) -> str:
    verdict = f"{verdict_words(side.verdict)} (exit {side.exit_code}), " if side.verdict is not None else ""
    place = f", {sink.code(side.place, _VALUE)}" if side.place else ""
    return f"{verdict}{sink.code(short(side.id), 80)}, at {sink.code(side.at, 40)}{place}"


def _standings(turn: Turn) -> str:
    old, new = standing(turn.old), standing(turn.new)
    return old if old == new else f"{old} -> {new}"


def _note(turn: Turn) -> str:
    return ", REFUSES NOW" if turn.refuses_now else ", refuses no more" if turn.refuses_no_more else ""


def _violations(turn: Turn, sink: _Sink) -> Iterator[str]:
    for sign, entries in (("-", turn.gone), ("+", turn.came)):
        yield from (f"{sign} {_violation(entry, sink)}" for entry in entries[:_VIOLATIONS])
        if len(entries) > _VIOLATIONS:
            yield f"{sign} ... and {len(entries) - _VIOLATIONS} more"


def _violation(entry: DecidedViolation, sink: _Sink) -> str:
    violation = entry.violation
    place = "/".join(part for part in (violation.artifact, violation.file) if part)
    where = f"{sink.code(place, _VALUE)}: " if place else ""
    cover = f" (waived by {sink.code(entry.waiver, 80)})" if entry.waiver else " (reused)" if entry.reuse else ""
    return f"{sink.code(violation.code, 80)}: {where}{sink.prose(violation.message, 400)}{cover}"


def _sections(items: Sequence[Difference]) -> dict[str, list[Difference]]:
    """The differences by the section that they are in, those that explain the others first."""
    found: dict[str, list[Difference]] = {}
    for item in sorted(items, key=lambda item: _ORDER.index(item.path[0]) if item.path[0] in _ORDER else len(_ORDER)):
        found.setdefault(item.path[0], []).append(item)
    return found
