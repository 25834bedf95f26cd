"""Controls and profiles as data: METADATA blocks and profile documents (CONTROLS 1 and 4)."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gate.errors import ConfigError, PolicyError
from gate.evaluate.parameters import read_parameter, settled
from gate.formats.strict_yaml import Node, YamlError, loads, suggestion
from gate.model.claim import CLAIMS, is_plugin_claim
from gate.model.control import ControlInfo, FrameworkReference, Mode, Profile
from gate.model.json import JsonObject, JsonValue

_PLACE: Final = re.compile(r"(?:gate/controls|(custom))/([a-z][a-z0-9_]*)/([a-z][a-z0-9_]*)/\3\.rego")
_CONTROLS: Final = ("gate/controls/", "custom/")
_LIBRARY: Final = "custom/lib/"
SEVERITIES: Final = ("low", "medium", "high", "critical")
"""From the mildest to the gravest."""
_RELATIONS: Final = ("supports", "partly supports")
_MAX_EXTENDED: Final = 16
_EMPTY_DIFF_CONTROL: Final = "change.attested"


def control_id(path: str) -> str | None:
    """The id of the control that a module is, by its path; `None` for a module that is no control.

    Id, folder and file are one word, so no two modules can answer for one control. Raises `PolicyError` for a module
    where only controls lie that is not at its place.
    """
    if not path.startswith(_CONTROLS) or path.startswith(_LIBRARY):
        return None
    place = _PLACE.fullmatch(path)
    if place is None:
        raise PolicyError(
            f"{path}: a control lies in gate/controls/<family>/<name>/<name>.rego or custom/<family>/<name>/<name>.rego"
        )
    return ".".join(filter(None, place.groups()))


@functools.lru_cache(maxsize=512)
def read_control(path: str, text: str) -> ControlInfo:
    """The control in one module; raises `PolicyError` when its METADATA or its place is not as it has to be.

    Equal modules are read once a process, however many decisions it makes.
    """
    control = control_id(path)
    if control is None:
        raise PolicyError(f"{path} is no control")
    lines = text.split("\n")
    if "# METADATA" not in lines:
        raise PolicyError(f"{path}: the control has no METADATA")
    block = []
    for line in lines[lines.index("# METADATA") + 1 :]:
        if not line.startswith("#"):
            break
        block.append(line.removeprefix("#").removeprefix(" "))
    try:
        return _control(control, loads("\n".join(block).encode("utf-8")))
    except YamlError as error:
        raise PolicyError(f"{path}: METADATA line {error.line}: {error}") from None


def without_metadata(text: str) -> str:
    """A module without its METADATA block, so that equal rules are equal whatever is said of them.

    Only a block that nothing but comments and blank lines precede is left out: elsewhere it could be part of a rule.
    """
    kept: list[str] = []
    lines = iter(text.split("\n"))
    for line in lines:
        if line.rstrip() == "# METADATA":
            kept += itertools.dropwhile(lambda line: line.startswith("#"), lines)
            return "\n".join(kept)
        if line.strip() and not line.startswith("#"):
            break
        kept.append(line)
    return text


def _control(control: str, root: Node) -> ControlInfo:
    fields = _fields(root, ("title", "description", "custom"), ("scope", "schemas", "related_resources"))
    required = ("severity", "claims", "artifacts", "targets", "waivable", "fix")
    custom = _fields(fields["custom"], required, ("frameworks", "parameters"))
    if not isinstance(custom["waivable"].value, bool):
        raise custom["waivable"].error("waivable is true or false")
    return ControlInfo(
        id=control,
        title=fields["title"].text(),
        description=fields["description"].text(),
        severity=custom["severity"].choice(*SEVERITIES),
        claims=tuple(_claim(item) for item in custom["claims"].items()),
        artifacts=custom["artifacts"].texts(),
        targets=custom["targets"].texts(),
        waivable=custom["waivable"].value,
        fix=custom["fix"].text(),
        frameworks={
            name: read_reference(node)
            for name, node in sorted((custom["frameworks"].members() if "frameworks" in custom else {}).items())
        },
        parameters=tuple(
            read_parameter(node) for node in (custom["parameters"].items() if "parameters" in custom else ())
        ),
    )


def _claim(node: Node) -> str:
    """A claim; that of a plugin by its form, because policy is written where the plugin is not installed."""
    return node.text() if is_plugin_claim(node.text()) else node.choice(*sorted(CLAIMS))


def read_reference(node: Node) -> FrameworkReference:
    """Which requirements of a framework a control supports, and how far."""
    fields = _fields(node, ("relation", "ids"))
    return FrameworkReference(fields["relation"].choice(*_RELATIONS), fields["ids"].texts())


def _fields(node: Node, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> Mapping[str, Node]:
    fields = node.fields(*required, *optional)
    for name in required:
        if name not in fields:
            raise node.error(f"{name} is missing")
    return fields


def load_profile(
    name: str,
    text: bytes,
    catalogue: Mapping[str, ControlInfo],
    overrides: Mapping[str, JsonObject],
    *,
    others: Mapping[str, bytes] = MappingProxyType({}),
    allow_empty_diff: bool = False,
    configuration: str = "gate.yaml",
) -> Profile:
    """The profile in a document, with the parameters of the `configuration` over its own; raises `ConfigError`.

    What it extends is one of the `others` by name; its own modes and parameters count over those. Every control and
    parameter named must exist, and at least one control must be enforced: a profile that asks for nothing would let
    everything through.
    """
    controls, parameters = _read_profile(name, text, catalogue, others, ())
    if Mode.ENFORCE not in controls.values():
        raise ConfigError(f"profile {name} enforces no control, so it would let everything through")
    for control, values in overrides.items():
        if control not in catalogue:
            known = suggestion(control, sorted(catalogue))
            raise ConfigError(f"{configuration}: parameters: there is no control {control!r}{known}")
        try:
            parameters[control] = {**parameters.get(control, {}), **settled(catalogue[control], values)}
        except ValueError as error:
            raise ConfigError(f"{configuration}: parameters: {error}") from None
    if allow_empty_diff:
        parameters[_EMPTY_DIFF_CONTROL] = {**parameters.get(_EMPTY_DIFF_CONTROL, {}), "on_empty_diff": "allow"}
    return Profile(name, controls, parameters)


def _read_profile(
    name: str,
    text: bytes,
    catalogue: Mapping[str, ControlInfo],
    others: Mapping[str, bytes],
    above: tuple[str, ...],
) -> tuple[dict[str, Mode], dict[str, JsonObject]]:
    """The modes and parameters of a profile and of those that it extends; `above` are the ones that extend it."""
    controls: dict[str, Mode] = {}
    parameters: dict[str, JsonObject] = {}
    try:
        fields = loads(text).fields("name", "description", "extends", "controls", "parameters")
        if "extends" in fields:
            base = fields["extends"].text()
            if base not in others:
                raise fields["extends"].error(f"there is no profile {base!r}{suggestion(base, sorted(others))}")
            if len(above) == _MAX_EXTENDED:
                raise fields["extends"].error(f"more than {_MAX_EXTENDED} profiles extend one another")
            if base in {name, *above}:
                raise fields["extends"].error(f"it extends {base}, which extends it")
            controls, parameters = _read_profile(base, others[base], catalogue, others, (name, *above))
        controls |= _modes(fields, catalogue)
        for control, node in _members(fields, "parameters").items():
            parameters[control] = {**parameters.get(control, {}), **_read_values(control, node, catalogue)}
    except YamlError as error:
        raise ConfigError(f"profile {name}: line {error.line}: {error}") from None
    return controls, parameters


def _members(fields: Mapping[str, Node], key: str) -> Mapping[str, Node]:
    return fields[key].members() if key in fields else {}


def _read_values(control: str, node: Node, catalogue: Mapping[str, ControlInfo]) -> JsonObject:
    if control not in catalogue:
        raise node.error(f"parameters: there is no control {control!r}{suggestion(control, sorted(catalogue))}")
    found: dict[str, JsonValue] = {}
    for name, item in node.members().items():
        try:
            found |= settled(catalogue[control], {name: item.json()})
        except ValueError as error:
            raise item.error(f"parameters: {error}") from None
    return found


def _modes(fields: Mapping[str, Node], catalogue: Mapping[str, ControlInfo]) -> Mapping[str, Mode]:
    found = {}
    for control, node in _members(fields, "controls").items():
        if control not in catalogue:
            raise node.error(f"there is no control {control!r}{suggestion(control, sorted(catalogue))}")
        entry = _fields(node, ("mode",))
        found[control] = Mode(entry["mode"].choice(*(mode.value for mode in Mode)))
    return found
