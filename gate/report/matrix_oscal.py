"""The matrix of controls and requirements as an OSCAL component definition: of a policy, or of one decision."""

from __future__ import annotations

from collections.abc import Sequence

from gate.model.control import ControlInfo
from gate.model.decision import Decision
from gate.model.framework import Matrix
from gate.model.json import JsonObject
from gate.model.policy import Catalogue
from gate.report.oscal import prop
from gate.report.oscal_component import component_definition
from gate.report.oscal_results import verdict_props


def matrix_oscal(catalogue: Catalogue, matrices: Sequence[Matrix], *, at: str, version: str) -> JsonObject:
    """What the controls of a policy support; `at` is an RFC 3339 time, `version` that of the gate."""
    props = [prop("policy", catalogue.policy)]
    return component_definition(catalogue.controls.values(), matrices, at=at, version=version, props=props)


def decision_oscal(decision: Decision, matrices: Sequence[Matrix]) -> JsonObject:
    """The same with what became of each control in a decision."""

    def told(info: ControlInfo) -> list[JsonObject]:
        control = decision.controls.get(info.id)
        if control is None:
            return [prop("status", "not asked for")]
        evidence = (prop("evidence", payload) for payload in control.evidence)
        return [prop("status", control.outcome.value), prop("mode", control.mode.value), *evidence]

    return component_definition(
        [control.info for control in decision.controls.values()],
        matrices,
        at=decision.decided_at,
        version=decision.gate_version,
        props=verdict_props(decision),
        told=told,
    )
