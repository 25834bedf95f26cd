"""The packaged lists of requirements, those of a team, and the matrix of requirements and controls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from gate import resources
from gate.errors import PolicyError
from gate.evaluate.catalogue import read_reference
from gate.formats.strict_yaml import Node, YamlError, loads, suggestion
from gate.model.control import ControlInfo, FrameworkReference
from gate.model.framework import Framework, Matrix, RequirementRow, Support

_NO_LIST: Final = "the gate has no list of its requirements, so no gap in it is seen"
_REQUIRED: Final = ("id", "title", "version", "complete", "scope", "requirements")
_OPTIONAL: Final = ("source", "controls")


def packaged_frameworks() -> Mapping[str, Framework]:
    """The frameworks whose requirements are listed, by id."""
    return {
        name: read_framework(f"the packaged list {name}", text, name)
        for name, text in resources.framework_files().items()
    }


def read_framework(place: str, text: bytes, name: str | None = None) -> Framework:
    """The framework in a document, JSON or YAML; `name` is the only id that it may have.

    Raises `PolicyError`, with `place`, when it is not as it has to be, or maps a control to what it does not list.
    """
    try:
        fields = loads(text).fields(*_REQUIRED, *_OPTIONAL)
        missing = [field for field in _REQUIRED if field not in fields]
        if missing:
            raise PolicyError(f"{place} has no {missing[0]}")
        requirements = {id_: node.text() for id_, node in fields["requirements"].members().items()}
        return Framework(
            id=fields["id"].text() if name is None else fields["id"].choice(name),
            title=fields["title"].text(),
            version=fields["version"].text(),
            complete=_boolean(fields["complete"]),
            scope=fields["scope"].text(),
            requirements=requirements,
            source=fields["source"].text() if "source" in fields else "",
            controls=_controls(fields["controls"], requirements) if "controls" in fields else {},
        )
    except YamlError as error:
        raise PolicyError(f"{place}: line {error.line}: {error}") from None


def _boolean(node: Node) -> bool:
    if not isinstance(node.value, bool):
        raise node.error("expected true or false")
    return node.value


def _controls(node: Node, requirements: Mapping[str, str]) -> Mapping[str, FrameworkReference]:
    found = {}
    for control, entry in node.members().items():
        found[control] = read_reference(entry)
        for id_ in found[control].ids:
            if id_ not in requirements:
                raise entry.error(f"there is no requirement {id_!r}{suggestion(id_, sorted(requirements))}")
    return found


def known_frameworks(controls: Iterable[ControlInfo], own: Iterable[Framework] = ()) -> Mapping[str, Framework]:
    """The listed frameworks and a team's own, then those of which only the names in controls are known."""
    found = {**packaged_frameworks(), **{framework.id: framework for framework in own}}
    for name in sorted({name for control in controls for name in control.frameworks} - found.keys()):
        found[name] = Framework(name, "", "", complete=False, scope=_NO_LIST, requirements={})
    return found


def matrix(framework: Framework, controls: Iterable[ControlInfo]) -> Matrix:
    """Each requirement with the controls that support it: listed ones first, then ids that only controls name."""
    supports: dict[str, list[Support]] = {id_: [] for id_ in framework.requirements}
    unmapped = []
    for control in controls:
        relations = framework.relations(control)
        if not relations:
            unmapped.append(control)
        for id_, relation in relations.items():
            supports.setdefault(id_, []).append(Support(control, relation))
    rows = tuple(
        RequirementRow(id_, framework.requirements.get(id_, ""), tuple(found), id_ in framework.requirements)
        for id_, found in supports.items()
    )
    return Matrix(framework, rows, tuple(unmapped))
