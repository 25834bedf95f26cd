"""An evaluation for a terminal: tables, and bars."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from gate.model.scenario import NO_THREAT, Ended, Evaluated, Result, Scenario
from gate.report.escape import terminal
from gate.report.scenarios import (
    Cell,
    artifacts,
    by_threat,
    cells,
    claims,
    controls,
    grouped,
    tally,
    unseen,
    with_result,
)
from gate.report.summary import counted

_HEADS: Final = {
    Result.TRUE_REFUSAL: "refused",
    Result.FALSE_ALLOW: "FALSE ALLOW",
    Result.UNSEEN: "unseen",
    Result.TRUE_ALLOW: "allowed",
    Result.FALSE_REFUSAL: "FALSE REFUSAL",
}
_BAR: Final = {Result.TRUE_REFUSAL: "#", Result.UNSEEN: "?", Result.FALSE_ALLOW: "!"}
_WIDTH: Final = 100
_NAME: Final = 200


def scenarios_table(found: Evaluated) -> str:
    """Decisions by threat and by profile, the matrix, coverage, and all that is not as it has to be."""
    lines = [f"{terminal(found.set.title)}: {counted(len(found.ended), 'scenario')} by {terminal(found.by.name)}", ""]
    lines += _tallies("threat", by_threat(found), found.ended)
    lines += ["", *_tallies("profile", grouped(found, lambda one: one.profile), found.ended)]
    lines += ["", *_matrix(found)]
    lines += ["", *_coverage(found)]
    lines += _notes(found)
    return "\n".join([*lines, "", scenarios_summary(found)]) + "\n"


def scenarios_summary(found: Evaluated) -> str:
    """The last line: what was wrong, or that nothing was."""
    results = tally(found.ended)
    different = sum(1 for one in found.ended if one.differences)
    words = [f"{counted(len(found.ended), 'scenario')}"]
    words += [f"{results[Result.FALSE_ALLOW]} false allows", f"{results[Result.FALSE_REFUSAL]} false refusals"]
    words += [f"{results[Result.UNSEEN]} attacks not seen statically"] if results[Result.UNSEEN] else []
    words += [f"{different} for another reason than expected"] if different else []
    return f"{'as expected' if found.is_right else 'NOT AS EXPECTED'}: {', '.join(words)}"


def _tallies(head: str, groups: Mapping[str, Sequence[Ended]], everything: Sequence[Ended]) -> Iterator[str]:
    width = max(len(name) for name in (*groups, head, "all scenarios")) + 2
    yield f"{head:<{width}}" + "".join(f"{word:>15}" for word in _HEADS.values())
    for name, ended in (*groups.items(), ("all scenarios", everything)):
        results = tally(ended)
        yield f"{terminal(name, _NAME):<{width}}" + "".join(f"{results[result]:>15}" for result in _HEADS)


def _matrix(found: Evaluated) -> Iterator[str]:
    targets = found.set.targets
    width = max(map(len, (*found.set.kinds, *found.set.threats_crossed))) + 4
    yield "attacks refused / attacks; ? after those that nothing tells statically; - where a cell makes no sense"
    yield " " * width + "".join(f"{terminal(target, _NAME):>14}" for target in targets)
    by_place = {(cell.kind, cell.threat, cell.target): cell for cell in cells(found)}
    for threat in found.set.threats_crossed:
        yield terminal(threat, _NAME)
        for kind in found.set.kinds:
            row = [_cell(by_place[kind, threat, target]) for target in targets]
            yield f"  {terminal(kind, _NAME):<{width - 2}}" + "".join(f"{text:>14}" for text in row)
    for one in found.set.impossible:
        place = " x ".join(part for part in (one.kind, one.threat, one.target) if part is not None)
        yield f"  - {terminal(place, _NAME)}: {terminal(one.reason)}"


def _cell(cell: Cell) -> str:
    if cell.attacks == 0:
        return "-" if cell.reason is not None else "none"
    return f"{cell.refused}/{cell.attacks}" + (f" {cell.unseen}?" if cell.unseen else "")


def _coverage(found: Evaluated) -> Iterator[str]:
    asked, stated = controls(found), claims(found)
    both = sum(1 for counts in asked.values() if counts["passed"] and counts["refused"])
    yield f"controls: {len(asked)} are asked for, {both} of them both pass somewhere and refuse somewhere"
    verified = sum(1 for counts in stated.values() if counts["verified"])
    yield f"claims: {verified} are verified somewhere, {sum(1 for c in stated.values() if c['rejected'])} rejected"
    yield from _wrapped(", ".join(f"{name} {counts['verified']}" for name, counts in stated.items()))
    yield "artifacts: " + ", ".join(f"{name} {count}" for name, count in artifacts(found).items())


def _notes(found: Evaluated) -> Iterator[str]:
    for result in (Result.FALSE_ALLOW, Result.FALSE_REFUSAL):
        for one in with_result(found, result):
            yield from ("", f"{_HEADS[result]}  {terminal(one.scenario.name, _NAME)}: {terminal(one.scenario.title)}")
            yield from _wrapped(terminal(one.why) or "no reason was given")
    for one in found.ended:
        if one.differences:
            yield from ("", f"OTHERWISE  {terminal(one.scenario.name, _NAME)}: {terminal(one.scenario.title)}")
            yield from (line for text in one.differences for line in _wrapped(terminal(text)))
    chosen = {one.scenario.name for one in found.ended}
    hidden = [one for one in unseen(found.set) if one.name in chosen]
    if hidden:
        yield from ("", "not seen statically, and what would see it:")
    for told in hidden:
        yield f"  {terminal(told.name, _NAME)}: {terminal(told.title)}"
        yield from _wrapped("; ".join([terminal(told.because or ""), *_seen(found, told)]), 4)


def _seen(found: Evaluated, told: Scenario) -> Iterator[str]:
    """The scenarios in which something should tell an attack, by what came out in them."""
    allowed = {one.scenario.name: one.is_allowed for one in found.ended}
    words = {False: "refused in", True: "LET THROUGH in", None: "to be refused in"}
    for state, word in words.items():
        names = [name for name in told.seen_by if allowed.get(name) is state]
        if names:
            yield f"{word} {', '.join(names)}"


def _wrapped(text: str, indent: int = 2) -> Iterator[str]:
    space = " " * indent
    yield from textwrap.wrap(text, _WIDTH, initial_indent=space, subsequent_indent=space, break_on_hyphens=False)


# -- a plot ------------------------------------------------------------------------------------------------------------


def scenarios_plot(found: Evaluated) -> str:
    """A bar for each threat: what was refused, what nothing tells, what was let through; and one for its twins."""
    groups = by_threat(found)
    width = max(map(len, groups), default=0) + 2
    most = max((len(ended) for ended in groups.values()), default=1)
    scale = min(1.0, (_WIDTH - width - 24) / most)
    lines = ["attacks: # refused  ? not seen statically  ! let through;  twins: + allowed  x refused", ""]
    for name, ended in groups.items():
        results = tally(ended)
        bar = "".join(mark * _length(results[result], scale) for result, mark in _BAR.items())
        twins = "+" * _length(results[Result.TRUE_ALLOW], scale) + "x" * _length(results[Result.FALSE_REFUSAL], scale)
        attacks = sum(results[result] for result in _BAR)
        lines.append(f"{terminal(name, _NAME):<{width}}{bar} {results[Result.TRUE_REFUSAL]}/{attacks}  {twins}")
    return "\n".join([*lines, "", scenarios_summary(found)]) + "\n"


def _length(count: int, scale: float) -> int:
    """How long a bar is; what there is one of is seen, however many others there are."""
    return max(1, round(count * scale)) if count else 0


# -- a list ------------------------------------------------------------------------------------------------------------


def list_table(scenarios: Sequence[Scenario]) -> str:
    """A line for each scenario, and their number."""
    rows = [
        (one.name, "" if one.threat == NO_THREAT else one.threat, one.kind, one.target, terminal(one.title))
        for one in scenarios
    ]
    heads = ("scenario", "threat", "kind", "target", "what is going on")
    widths = [max(len(row[place]) for row in (*rows, heads)) for place in range(4)]
    lines = [
        "  ".join([*(f"{text:<{width}}" for text, width in zip(row, widths, strict=False)), row[4]])
        for row in (heads, *rows)
    ]
    return "\n".join([*lines, "", counted(len(rows), "scenario")]) + "\n"
