"""The packaged lists of requirements, and the matrix of requirements and controls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from gate import resources
from gate.errors import PolicyError
from gate.formats.strict_yaml import Node, YamlError, loads
from gate.model.control import ControlInfo
from gate.model.framework import Framework, Matrix, RequirementRow, Support

_NO_LIST: Final = "the gate has no list of its requirements, so no gap in it is seen"
_FIELDS: Final = ("id", "title", "version", "complete", "scope", "requirements")


def packaged_frameworks() -> Mapping[str, Framework]:
    """The frameworks whose requirements are listed, by id."""
    return {name: read_framework(name, text) for name, text in resources.framework_files().items()}


def read_framework(name: str, text: bytes) -> Framework:
    """The framework in a document; raises `PolicyError` when it is not as it has to be."""
    try:
        fields = loads(text).fields(*_FIELDS)
        missing = [field for field in _FIELDS if field not in fields]
        if missing:
            raise PolicyError(f"the list of the framework {name} has no {missing[0]}")
        return Framework(
            id=fields["id"].choice(name),
            title=fields["title"].text(),
            version=fields["version"].text(),
            complete=_boolean(fields["complete"]),
            scope=fields["scope"].text(),
            requirements={id_: node.text() for id_, node in fields["requirements"].members().items()},
        )
    except YamlError as error:
        raise PolicyError(f"the list of the framework {name}: line {error.line}: {error}") from None


def _boolean(node: Node) -> bool:
    if not isinstance(node.value, bool):
        raise node.error("expected true or false")
    return node.value


def known_frameworks(controls: Iterable[ControlInfo]) -> Mapping[str, Framework]:
    """The listed frameworks, then those that only the controls name; the gate knows nothing else of these."""
    found = dict(packaged_frameworks())
    for name in sorted({name for control in controls for name in control.frameworks} - found.keys()):
        found[name] = Framework(name, "", "", complete=False, scope=_NO_LIST, requirements={})
    return found


def matrix(framework: Framework, controls: Iterable[ControlInfo]) -> Matrix:
    """Each requirement with the controls that support it: listed ones first, then ids that only controls name."""
    supports: dict[str, list[Support]] = {id_: [] for id_ in framework.requirements}
    unmapped = []
    for control in controls:
        reference = control.frameworks.get(framework.id)
        if reference is None or not reference.ids:
            unmapped.append(control)
            continue
        for id_ in dict.fromkeys(reference.ids):
            supports.setdefault(id_, []).append(Support(control, reference.relation))
    rows = tuple(
        RequirementRow(id_, framework.requirements.get(id_, ""), tuple(found), id_ in framework.requirements)
        for id_, found in supports.items()
    )
    return Matrix(framework, rows, tuple(unmapped))
