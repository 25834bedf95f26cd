"""The requirements of frameworks that the evidence of a decision supports. Whether one is met, people judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from gate import resources
from gate.formats.strict_json import loads
from gate.model.decision import Decision
from gate.model.json import JsonObject, JsonValue
from gate.report.html.view import Judged
from gate.report.summary import member

NOTE: Final = "Evidence for a control supports a requirement; whether it is met, people judge."
_NOT_LISTED: Final = "not in the gate's list"


@dataclass(frozen=True, slots=True)
class Supported:
    """A requirement with one control that supports it; `judged` is `None` where none in this decision does."""

    id: str
    title: str
    relation: str
    judged: Judged | None


@dataclass(frozen=True, slots=True)
class FrameworkPart:
    """A framework in a decision: what is supported, then what is not.

    `unmapped` are ids of controls that name no requirement of it.
    """

    id: str
    title: str
    scope: str
    rows: tuple[Supported, ...]
    unmapped: tuple[str, ...]

    @property
    def gaps(self) -> int:
        """How many listed requirements no control of the decision supports."""
        return sum(row.judged is None for row in self.rows)


def frameworks(decision: Decision, judged: tuple[Judged, ...]) -> tuple[FrameworkPart, ...]:
    """The frameworks that the controls of a decision name, in the order of their ids."""
    names = sorted({name for control in decision.controls.values() for name in control.info.frameworks})
    return tuple(_part(name, judged) for name in names)


def _part(name: str, judged: tuple[Judged, ...]) -> FrameworkPart:
    listed = _listed(name)
    titles = _titles(listed)
    supports: dict[str, list[Supported]] = {id_: [] for id_ in titles}
    unmapped = []
    for item in judged:
        reference = item.control.info.frameworks.get(name)
        if reference is None:
            unmapped.append(item.control.info.id)
            continue
        for id_ in reference.ids:
            title = titles.get(id_, _NOT_LISTED)
            supports.setdefault(id_, []).append(Supported(id_, title, reference.relation, item))
    rows = [row for found in supports.values() for row in found]
    rows += [Supported(id_, titles[id_], "", None) for id_, found in supports.items() if not found]
    words = [str(member(listed, key) or "") for key in ("title", "version", "scope")]
    heading = " ".join(filter(None, words[:2])) or "the gate has no list of its requirements, so no gap in it is seen"
    return FrameworkPart(name, heading, words[2], tuple(rows), tuple(unmapped))


@cache
def _listed(name: str) -> JsonObject:
    """The packaged list of a framework; empty where there is none."""
    text = resources.framework_files().get(name)
    value = None if text is None else loads(text)
    return value if isinstance(value, Mapping) else {}


def _titles(listed: JsonObject) -> Mapping[str, str]:
    found: JsonValue = member(listed, "requirements")
    return {id_: str(title) for id_, title in found.items()} if isinstance(found, Mapping) else {}
