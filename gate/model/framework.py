"""Frameworks of requirements, and which controls support which of them. Whether one is met, people judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gate.model.control import ControlInfo, FrameworkReference


@dataclass(frozen=True, slots=True)
class Framework:
    """The requirements of a framework that the gate knows: short titles by id, in the framework's order.

    `complete` is false when the framework has requirements beyond these, or when the gate cannot tell; `scope` says
    in words which these are, `source` what the ids were checked against. `controls` maps further controls to it than
    those that name it themselves: what a team says in a file of its own.
    """

    id: str
    title: str
    version: str
    complete: bool
    scope: str
    requirements: Mapping[str, str]
    source: str = ""
    controls: Mapping[str, FrameworkReference] = field(default_factory=dict)

    def relations(self, control: ControlInfo) -> Mapping[str, str]:
        """How far evidence for a control supports which requirement; what the framework itself says counts."""
        said = (control.frameworks.get(self.id), self.controls.get(control.id))
        return {id_: reference.relation for reference in said if reference is not None for id_ in reference.ids}


@dataclass(frozen=True, slots=True)
class Support:
    """A control whose evidence supports a requirement. `relation`: supports, partly supports."""

    control: ControlInfo
    relation: str


@dataclass(frozen=True, slots=True)
class RequirementRow:
    """One requirement and the controls that support it. `listed` is false for an id that only a control names."""

    id: str
    title: str
    supports: tuple[Support, ...]
    listed: bool = True


@dataclass(frozen=True, slots=True)
class Matrix:
    """A framework's requirements against the controls of a policy, with the gaps of both sides.

    `unmapped` are the controls that name no requirement of this framework.
    """

    framework: Framework
    rows: tuple[RequirementRow, ...]
    unmapped: tuple[ControlInfo, ...]

    @property
    def gaps(self) -> tuple[RequirementRow, ...]:
        """The listed requirements that no control supports."""
        return tuple(row for row in self.rows if not row.supports)
