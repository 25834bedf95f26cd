"""What a change of policy does to past decisions: by verdict, by control, and case by case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from gate.model.impact import Impact, PastCase, Rulebook
from gate.model.json import JsonObject
from gate.report.diff import verdict_words
from gate.report.escape import markdown, markdown_code, terminal
from gate.report.summary import counted, short
from gate.report.tables import Table

SCHEMA: Final = "urn:gate:impact:v1"
FORMATS: Final = ("text", "markdown", "json", "csv")
_CASES: Final = 40
_CONTROLS: Final = 6
_UNREAD: Final = 10


def impact_json(impact: Impact) -> JsonObject:
    """A `urn:gate:impact:v1` document: every case, turned or not."""
    return {
        "schema": SCHEMA,
        "old": _rulebook_json(impact.old),
        "new": _rulebook_json(impact.new),
        "total": len(impact.cases),
        "turned": sum(case.is_turned for case in impact.cases),
        "loosened": sum(case.is_loosened for case in impact.cases),
        "verdicts": [{"old": old, "new": new, "cases": count} for (old, new), count in impact.verdicts.items()],
        "controls": {
            name: {"refuses_now": now, "refuses_no_more": no_more, "otherwise": other}
            for name, (now, no_more, other) in impact.controls.items()
        },
        "cases": [_case_json(case) for case in impact.cases],
        "unread": dict(impact.unread),
        "decided_otherwise": impact.decided_otherwise,
        "asked_otherwise": dict(impact.asked_otherwise),
    }


def _rulebook_json(rules: Rulebook) -> JsonObject:
    return {"source": rules.source, "policy": rules.policy, "profile": rules.profile}


def _case_json(case: PastCase) -> JsonObject:
    return {
        "place": case.place,
        "at": case.at,
        "artifacts": list(case.artifacts),
        "recorded": case.recorded,
        "profile": case.asked_by,
        "old": {"verdict": case.old.verdict, "problem": case.old.problem},
        "new": {"verdict": case.new.verdict, "problem": case.new.problem},
        "controls": {
            turn.control: {
                "old": turn.old,
                "new": turn.new,
                "refuses_now": turn.refuses_now,
                "refuses_no_more": turn.refuses_no_more,
            }
            for turn in case.turns
        },
    }


def impact_csv(impact: Impact) -> str:
    """A row for each case, for a spreadsheet."""
    heads = ("case", "time", "artifacts", "recorded", "old", "new", "refuses now", "refuses no more", "problem")
    rows = tuple(
        (
            case.place,
            case.at,
            " ".join(case.artifacts),
            case.recorded or "",
            case.old.verdict,
            case.new.verdict,
            " ".join(turn.control for turn in case.turns if turn.refuses_now),
            " ".join(turn.control for turn in case.turns if turn.refuses_no_more),
            case.new.problem or case.old.problem,
        )
        for case in impact.cases
    )
    return Table(heads, rows).csv()


def impact_text(impact: Impact) -> str:
    """For a terminal: tables by verdict and by control, then what turned, and what was not judged."""
    lines = [f"old  {_rules(impact.old, terminal)}", f"new  {_rules(impact.new, terminal)}", ""]
    lines += [_verdicts(impact).text(), ""]
    if impact.controls:
        lines += [_controls(impact).text(), ""]
    turned = [case for case in impact.cases if case.is_turned]
    if turned:
        lines += [_turned(turned).text(), *_more(turned), ""]
    lines += [f"NOT JUDGED  {terminal(place)}: {terminal(why)}" for place, why in list(impact.unread.items())[:_UNREAD]]
    return "\n".join([*lines, *_notes(impact, terminal), summary(impact)]) + "\n"


def impact_markdown(impact: Impact) -> str:
    """For a pull request that changes the policy."""
    lines = [f"## {summary(impact)}", ""]
    lines += [f"- {name}: {_rules(rules, markdown_code)}" for name, rules in (("old", impact.old), ("new", impact.new))]
    lines += ["", _verdicts(impact).markdown()]
    if impact.controls:
        lines += ["", _controls(impact).markdown()]
    turned = [case for case in impact.cases if case.is_turned]
    if turned:
        lines += ["", "### What turned", "", _turned(turned).markdown(), *(f"\n{line}" for line in _more(turned))]
    notes = list(_notes(impact, markdown))
    unread = list(impact.unread.items())[:_UNREAD]
    notes += [f"not judged: {markdown_code(place)}: {markdown(why)}" for place, why in unread]
    if notes:
        lines += ["", *(f"- {note}" for note in notes)]
    return "\n".join(lines) + "\n"


def summary(impact: Impact) -> str:
    """One sentence: how many verdicts turn, and how many of them to ALLOW."""
    turned = sum(case.is_turned for case in impact.cases)
    loosened = sum(case.is_loosened for case in impact.cases)
    left_out = f"; {len(impact.unread)} could not be judged again" if impact.unread else ""
    cases = counted(len(impact.cases), "past case")
    if not turned:
        return f"No verdict of {cases} turns{left_out}."
    verb = "turns" if turned == 1 else "turn"
    return f"{counted(turned, 'verdict')} of {cases} {verb}, {loosened} of them to ALLOW{left_out}."


def _rules(rules: Rulebook, show: Callable[[str], str]) -> str:
    source = rules.source if rules.source == "worktree" else rules.source[:12]
    where = "the work tree" if source == "worktree" else f"commit {show(source)}"
    return f"{where}: policy {show(short(rules.policy))}, profile {show(rules.profile)}"


def _verdicts(impact: Impact) -> Table:
    rows = tuple(
        (f"{verdict_words(old)} -> {verdict_words(new)}", str(count), "LOOSENS" if new == "allow" != old else "")
        for (old, new), count in impact.verdicts.items()
    )
    return Table(("verdict", "cases", ""), rows, frozenset({"verdict"}))


def _controls(impact: Impact) -> Table:
    rows = tuple((name, str(now), str(no), str(other)) for name, (now, no, other) in impact.controls.items())
    return Table(("control", "refuses now", "refuses no more", "otherwise"), rows, frozenset({"control"}))


def _turned(cases: list[PastCase]) -> Table:
    rows = tuple(
        (
            case.place,
            case.at,
            ", ".join(case.artifacts),
            f"{verdict_words(case.old.verdict)} -> {verdict_words(case.new.verdict)}",
            _because(case),
        )
        for case in cases[:_CASES]
    )
    heads = ("case", "time", "artifacts", "verdict", "because of")
    return Table(heads, rows, frozenset(heads) - {"because of"})


def _because(case: PastCase) -> str:
    """The controls that turned in the direction of the verdict, or why there is no decision."""
    names = [turn.control for turn in case.turns if turn.refuses_now or turn.refuses_no_more]
    names = names or [turn.control for turn in case.turns]
    more = f" and {len(names) - _CONTROLS} more" if len(names) > _CONTROLS else ""
    return case.new.problem or case.old.problem or ", ".join(names[:_CONTROLS]) + more


def _more(cases: list[PastCase]) -> list[str]:
    return [f"... and {len(cases) - _CASES} more; --format json lists all"] if len(cases) > _CASES else []


def _notes(impact: Impact, show: Callable[[str], str]) -> Iterator[str]:
    if len(impact.unread) > _UNREAD:
        yield f"... and {len(impact.unread) - _UNREAD} more that were not judged; --format json lists all"
    if impact.decided_otherwise:
        cases = counted(impact.decided_otherwise, "case")
        yield f"NOTE  {cases}: decided otherwise then than the old policy decides now, so by another policy or profile"
    for profile, count in impact.asked_otherwise.items():
        yield f"NOTE  {counted(count, 'case')}: asked by another profile then: {show(profile)}"
