"""The gate as an OSCAL component definition: which requirements its controls support, by framework.

OSCAL calls such a requirement implemented; here that says no more than that evidence for the named controls supports
it, wholly or partly. Made from a decision, it says how each control fared in it as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from gate.formats.canonical_json import pretty
from gate.model.control import ControlInfo
from gate.model.decision import ControlDecision, Decision
from gate.model.framework import Framework, Matrix, RequirementRow, Support
from gate.model.json import JsonObject, JsonValue
from gate.report.oscal import NOTE, control_token, filled, identity, metadata, prop, prose, resource, token
from gate.report.oscal_results import verdict_props

Told = Callable[[ControlInfo], Sequence[JsonObject]]
"""Properties that say how a control fared; none where nothing was decided."""
_CONTROLS: Final = "controls"


def render_oscal_component(decision: Decision) -> str:
    """The definition behind a decision, with the status of each control, indented, in printable ASCII."""
    infos = [control.info for control in decision.controls.values()]
    document = component_definition(
        infos,
        matrices_of(infos),
        at=decision.decided_at,
        version=decision.gate_version,
        props=verdict_props(decision),
        told=lambda info: _status(decision.controls[info.id]),
    )
    return pretty(document) + "\n"


def component_definition(
    infos: Iterable[ControlInfo],
    matrices: Iterable[Matrix],
    *,
    at: str,
    version: str,
    props: Sequence[JsonObject] = (),
    told: Told = lambda _: (),
) -> JsonObject:
    """The document. `at` is an RFC 3339 time, `version` that of the gate, `props` are about the whole document."""
    known, shown = tuple(infos), tuple(matrix for matrix in matrices if any(row.supports for row in matrix.rows))
    seed = pretty([*props, at, version, [info.id for info in known], [matrix.framework.id for matrix in shown]])
    resources = [resource(_key(_CONTROLS, version), "The controls of the gate", [prop("version", version)])]
    for matrix in shown:
        framework = matrix.framework
        about = [prop("framework", framework.id)]
        about += [prop("version", framework.version)] if framework.version else []
        resources.append(resource(_key("framework", framework.id), framework.title or framework.id, about))
    implementations = [
        *([_own(known, version, told)] if known else []),
        *(_implementation(matrix, told) for matrix in shown),
    ]
    return {
        "component-definition": {
            "uuid": identity("component-definition", seed),
            "metadata": metadata("What the controls of gate support", at, version, props),
            "components": [
                filled(
                    uuid=_key("component"),
                    type="validation",
                    title="gate",
                    description="A promotion gate for AI artifacts: it verifies evidence and judges by it.",
                    props=[prop("version", version)],
                    control_implementations=implementations,
                    remarks=NOTE,
                )
            ],
            "back-matter": {"resources": list[JsonValue](resources)},
        }
    }


def matrices_of(infos: Iterable[ControlInfo]) -> tuple[Matrix, ...]:
    """The requirements that controls name, by framework, where nothing but the controls is at hand."""
    found: dict[str, dict[str, list[Support]]] = {}
    for info in infos:
        for name, reference in info.frameworks.items():
            for requirement in reference.ids:
                rows = found.setdefault(name, {}).setdefault(requirement, [])
                rows.append(Support(info, reference.relation))
    return tuple(
        Matrix(
            Framework(name, "", "", complete=False, scope="", requirements={}),
            tuple(RequirementRow(row, "", tuple(supports), listed=False) for row, supports in sorted(rows.items())),
            (),
        )
        for name, rows in sorted(found.items())
    )


def _key(*parts: str) -> str:
    return identity("component", *parts)


def _own(infos: Sequence[ControlInfo], version: str, told: Told) -> JsonObject:
    """The gate's own controls, as the catalogue that they are."""
    return {
        "uuid": _key("implementation", _CONTROLS),
        "source": f"#{_key(_CONTROLS, version)}",
        "description": "The controls of the gate itself.",
        "implemented-requirements": [
            {
                "uuid": _key("control", info.id),
                "control-id": token(info.id),
                "description": prose(info.description),
                "props": list[JsonValue](
                    [
                        prop("title", info.title),
                        prop("severity", info.severity),
                        *(prop("claim", claim) for claim in info.claims),
                        *told(info),
                    ]
                ),
            }
            for info in infos
        ],
    }


def _implementation(matrix: Matrix, told: Told) -> JsonObject:
    framework = matrix.framework
    return filled(
        uuid=_key("implementation", framework.id),
        source=f"#{_key('framework', framework.id)}",
        description=prose(f"Requirements of {framework.title or framework.id} that evidence for controls supports."),
        props=[prop("framework", framework.id)],
        implemented_requirements=[_requirement(framework, row, told) for row in matrix.rows if row.supports],
    )


def _requirement(framework: Framework, row: RequirementRow, told: Told) -> JsonObject:
    props = [prop("label", row.id)]
    for support in row.supports:
        relation = token(support.relation.replace(" ", "-")) if support.relation else "supports"
        props.append(prop(relation, support.control.id))
        props += (dict(item) | {"class": token(support.control.id)} for item in told(support.control))
    words = ", ".join(f"`{support.control.id}` ({support.relation})" for support in row.supports)
    return filled(
        uuid=_key("requirement", framework.id, row.id),
        control_id=control_token(framework.id, row.id),
        description=prose(f"{row.title or row.id}: {words}"),
        props=props,
    )


def _status(control: ControlDecision) -> list[JsonObject]:
    return [prop("status", control.outcome.value), prop("mode", control.mode.value)]
