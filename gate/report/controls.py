"""The list of controls, and one of them in full."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from gate.model.control import ControlInfo
from gate.model.json import JsonObject, JsonValue
from gate.model.policy import Catalogue
from gate.report.escape import terminal
from gate.report.tables import Table

_CLAIM = "<claim>"


def list_table(catalogue: Catalogue, controls: Sequence[ControlInfo], profiles: Sequence[str]) -> Table:
    """What fits beside one another on a terminal."""
    rows = []
    for info in controls:
        modes = catalogue.modes(info.id)
        rows.append((info.id, info.severity, *(modes[name].value for name in profiles), info.title))
    return Table(("control", "severity", *profiles, "title"), tuple(rows), frozenset({"control"}))


def full_table(catalogue: Catalogue, controls: Sequence[ControlInfo], profiles: Sequence[str]) -> Table:
    """Everything of each control that is one value or a list of words."""
    heads = ("control", "title", "severity", *profiles, "waivable", "claims", "artifacts", "targets", "supports")
    rows = []
    for info in controls:
        modes = catalogue.modes(info.id)
        supports = "; ".join(
            f"{reference.relation} {name} {', '.join(reference.ids)}" for name, reference in info.frameworks.items()
        )
        rows.append(
            (
                info.id,
                info.title,
                info.severity,
                *(modes[name].value for name in profiles),
                "yes" if info.waivable else "no",
                ", ".join(info.claims),
                ", ".join(info.artifacts),
                ", ".join(info.targets),
                supports,
            )
        )
    return Table(heads, tuple(rows), frozenset({"control", "claims", "artifacts", "targets"}))


def control_text(catalogue: Catalogue, info: ControlInfo, page: str | None) -> str:
    """One control for a terminal. `page` is where its documentation lies, if it has one."""
    fields = [
        ("severity", info.severity),
        ("claims", ", ".join(info.claims) or "none"),
        ("artifacts", ", ".join(info.artifacts) or "none: it is about the change"),
        ("targets", ", ".join(info.targets)),
        ("waivable", "yes" if info.waivable else "no"),
        ("profiles", ", ".join(f"{name}: {mode.value}" for name, mode in catalogue.modes(info.id).items()) or "none"),
        ("fix", info.fix),
    ]
    for item in info.parameters:
        fields.append(("parameter", f"{item.name} ({item.expected}, default {shown(item.default)}): {item.meaning}"))
        for profile, values in _settings(catalogue, info, item.name).items():
            said = ", ".join(shown(value) if item.name != _CLAIM else f"{key} {shown(value)}" for key, value in values)
            fields.append(("", f"  {profile}: {said}"))
    for name, reference in info.frameworks.items():
        fields.append(("evidence", f"{reference.relation} {name}: {', '.join(reference.ids)}"))
    if page is not None:
        fields.append(("docs", page))
    lines = [f"{terminal(info.id)}: {terminal(info.title)}", f"  {terminal(info.description)}", ""]
    return "\n".join([*lines, *(f"  {label:<9}  {terminal(text)}" for label, text in fields)])


def control_json(catalogue: Catalogue, info: ControlInfo) -> JsonObject:
    """One control as JSON."""
    return {
        "id": info.id,
        "family": info.family,
        "title": info.title,
        "description": info.description,
        "severity": info.severity,
        "claims": list(info.claims),
        "artifacts": list(info.artifacts),
        "targets": list(info.targets),
        "waivable": info.waivable,
        "fix": info.fix,
        "profiles": {name: mode.value for name, mode in catalogue.modes(info.id).items()},
        "parameters": [
            {
                "name": item.name,
                "type": item.type,
                "choices": list(item.choices),
                "least": item.least,
                "default": item.default,
                "meaning": item.meaning,
                "profiles": {
                    profile: dict(values) if item.name == _CLAIM else values[0][1]
                    for profile, values in _settings(catalogue, info, item.name).items()
                },
            }
            for item in info.parameters
        ],
        "frameworks": {
            name: {"relation": reference.relation, "ids": list(reference.ids)}
            for name, reference in info.frameworks.items()
        },
    }


def _settings(catalogue: Catalogue, info: ControlInfo, name: str) -> Mapping[str, Sequence[tuple[str, JsonValue]]]:
    """The values that profiles give a parameter: one each, or one a claim for `<claim>`."""
    named = {item.name for item in info.parameters}
    found = {}
    for profile, settings in catalogue.profiles.items():
        values = settings.parameters.get(info.id, {}).items()
        wanted = [(key, value) for key, value in values if key == name or (name == _CLAIM and key not in named)]
        if wanted:
            found[profile] = wanted
    return found


def shown(value: JsonValue) -> str:
    """A value of a parameter in words; none where there is none."""
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
