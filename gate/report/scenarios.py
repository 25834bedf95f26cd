"""What an evaluation says: how many decisions were right, and what the scenarios cover, as `urn:gate:scenarios:v1`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gate.formats.canonical_json import pretty
from gate.model.json import JsonObject
from gate.model.scenario import NO_THREAT, Ended, Evaluated, Expected, Result, Scenario, ScenarioSet

SCENARIOS_SCHEMA: Final = "urn:gate:scenarios:v1"
FORMATS: Final = ("table", "json", "svg", "plot")
_MEMBERS: Final = {
    Result.TRUE_REFUSAL: "true_refusals",
    Result.FALSE_ALLOW: "false_allows",
    Result.TRUE_ALLOW: "true_allows",
    Result.FALSE_REFUSAL: "false_refusals",
    Result.UNSEEN: "unseen",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the matrix: its attacks, those that were refused or that nothing tells, and their good twins."""

    kind: str
    threat: str
    target: str
    attacks: int
    refused: int
    unseen: int
    twins: int
    reason: str | None

    @property
    def is_held(self) -> bool:
        """Whether there is an attack in it and none was allowed that could be told."""
        return self.attacks > 0 and self.refused + self.unseen == self.attacks


def render_scenarios(form: str, found: Evaluated) -> str:
    """The report in one of `FORMATS`."""
    if form == "json":
        return pretty(scenarios_json(found))
    if form == "svg":
        from gate.report.scenarios_svg import scenarios_svg

        return scenarios_svg(found)
    from gate.report.scenarios_text import scenarios_plot, scenarios_table

    return scenarios_table(found) if form == "table" else scenarios_plot(found)


# -- counting ----------------------------------------------------------------------------------------------------------


def tally(ended: Iterable[Ended]) -> Mapping[Result, int]:
    """How many ended how."""
    results = [one.result for one in ended]
    return {result: results.count(result) for result in Result}


def by_threat(found: Evaluated) -> Mapping[str, tuple[Ended, ...]]:
    """For each threat of the set its attacks and their good twins, as far as they were chosen."""
    by_name = {one.scenario.name: one for one in found.ended}
    groups: dict[str, tuple[Ended, ...]] = {}
    for threat in found.set.threats:
        attacks = [one for one in found.ended if one.scenario.threat == threat]
        twins = {one.scenario.twin for one in attacks}
        if attacks:
            groups[threat] = (*attacks, *(by_name[name] for name in sorted(filter(None, twins)) if name in by_name))
    return groups


def grouped(found: Evaluated, key: Callable[[Scenario], str]) -> Mapping[str, tuple[Ended, ...]]:
    """The scenarios by something that they say of themselves."""
    names = sorted({key(one.scenario) for one in found.ended})
    return {name: tuple(one for one in found.ended if key(one.scenario) == name) for name in names}


def cells(found: Evaluated) -> tuple[Cell, ...]:
    """All cells of the matrix, also those that make no sense."""
    told = found.set
    return tuple(
        _cell(found, kind, threat, target)
        for threat in told.threats_crossed
        for kind in told.kinds
        for target in told.targets
    )


def _cell(found: Evaluated, kind: str, threat: str, target: str) -> Cell:
    place = (kind, threat, target)
    inside = [one for one in found.ended if (one.scenario.kind, one.scenario.threat, one.scenario.target) == place]
    results = tally(inside)
    twins = {one.scenario.twin for one in inside} - {None}
    refused, unseen = results[Result.TRUE_REFUSAL], results[Result.UNSEEN]
    return Cell(*place, len(inside), refused, unseen, len(twins), found.set.reason(*place))


def controls(found: Evaluated) -> Mapping[str, Mapping[str, int]]:
    """For each control how many scenarios ask for it, and in how many it passes, refuses or is waived."""
    parts: tuple[tuple[str, Callable[[Ended], Sequence[str]]], ...] = (
        ("enforced", lambda one: (*one.passing, *one.refusing, *one.waived, *one.idle)),
        ("passed", lambda one: one.passing),
        ("refused", lambda one: one.refusing),
        ("waived", lambda one: one.waived),
    )
    return _counted(found, parts)


def claims(found: Evaluated) -> Mapping[str, Mapping[str, int]]:
    """For each claim in how many scenarios statements of it are verified, or rejected."""
    return _counted(found, (("verified", lambda one: one.verified), ("rejected", lambda one: one.rejected)))


def artifacts(found: Evaluated) -> Mapping[str, int]:
    """For each kind of artifact how many scenarios have one that asks for admission."""
    names = [name for one in found.ended for name in set(one.scenario.artifacts)]
    return {name: names.count(name) for name in sorted(set(names))}


def _counted(
    found: Evaluated, parts: Sequence[tuple[str, Callable[[Ended], Sequence[str]]]]
) -> Mapping[str, Mapping[str, int]]:
    listed = {member: [name for one in found.ended for name in names(one)] for member, names in parts}
    known = sorted({name for names in listed.values() for name in names})
    return {name: {member: names.count(name) for member, names in listed.items()} for name in known}


def with_result(found: Evaluated, result: Result) -> tuple[Ended, ...]:
    """The scenarios that ended so."""
    return tuple(one for one in found.ended if one.result is result)


def unseen(told: ScenarioSet) -> tuple[Scenario, ...]:
    """The attacks that nothing tells."""
    return tuple(one for one in told.scenarios if one.expected is Expected.UNSEEN)


# -- JSON --------------------------------------------------------------------------------------------------------------


def scenarios_json(found: Evaluated) -> JsonObject:
    """The document; nothing is left out of it or shortened."""
    keys: Mapping[str, Callable[[Scenario], str]] = {
        "by_profile": lambda one: one.profile,
        "by_kind": lambda one: one.kind,
        "by_target": lambda one: one.target,
    }
    by = found.by
    return {
        "schema": SCENARIOS_SCHEMA,
        "set": {"title": found.set.title, "digest": found.set.digest, "scenarios": len(found.ended)},
        "gate": {"name": by.name, "version": by.version, "policy": by.policy},
        "decisions": {
            "total": _tally_json(found.ended),
            "by_threat": {name: _tally_json(ended) for name, ended in by_threat(found).items()},
            **{
                member: {name: _tally_json(ended) for name, ended in grouped(found, key).items()}
                for member, key in keys.items()
            },
        },
        "coverage": {
            "cells": [_cell_json(cell) for cell in cells(found)],
            "controls": {name: dict(counts) for name, counts in controls(found).items()},
            "claims": {name: dict(counts) for name, counts in claims(found).items()},
            "artifacts": dict(artifacts(found)),
        },
        "false_allows": [one.scenario.name for one in with_result(found, Result.FALSE_ALLOW)],
        "false_refusals": [one.scenario.name for one in with_result(found, Result.FALSE_REFUSAL)],
        "unseen": [
            {"name": one.name, "because": one.because or "", "seen_by": list(one.seen_by)} for one in unseen(found.set)
        ],
        "scenarios": [_ended_json(one) for one in found.ended],
    }


def _tally_json(ended: Iterable[Ended]) -> JsonObject:
    return {_MEMBERS[result]: count for result, count in tally(ended).items()}


def _cell_json(cell: Cell) -> JsonObject:
    return {
        "kind": cell.kind,
        "threat": cell.threat,
        "target": cell.target,
        "attacks": cell.attacks,
        "refused": cell.refused,
        "unseen": cell.unseen,
        "twins": cell.twins,
        "reason": cell.reason,
    }


def _ended_json(one: Ended) -> JsonObject:
    told = one.scenario
    return {
        "name": told.name,
        "title": told.title,
        "threat": told.threat,
        "kind": told.kind,
        "target": told.target,
        "profile": told.profile,
        "twin": told.twin,
        "expected": told.expected.value,
        "exit_code": one.exit_code,
        "result": one.result.value,
        "refused_by": list(one.refusing),
        "why": one.why,
        "differences": list(one.differences),
    }


def list_json(scenarios: Iterable[Scenario]) -> str:
    """The scenarios of a set, before anybody judged them."""
    return pretty(
        [
            {
                "name": one.name,
                "title": one.title,
                "threat": None if one.threat == NO_THREAT else one.threat,
                "kind": one.kind,
                "target": one.target,
                "profile": one.profile,
                "twin": one.twin,
                "expected": one.expected.value,
            }
            for one in scenarios
        ]
    )
