"""`gate explain`: why a control says what it says of an input document, condition by condition."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from gate.app.workshop import NoPolicyError, Sources, load_sources
from gate.errors import ConfigError, EvidenceError, PolicyError
from gate.evaluate.bundle import packaged_bundle
from gate.evaluate.catalogue import control_id
from gate.evaluate.nearest import expected, nearest
from gate.evaluate.policy_diff import catalogue_of
from gate.evaluate.regorus import CompiledRules, RegorusEngine
from gate.evaluate.syntax import Rule, parse
from gate.evaluate.trace import Tracer, Wanted
from gate.evaluate.trace_rules import reference
from gate.formats.input_document import InputDocumentError, read_input_document
from gate.formats.strict_yaml import suggestion
from gate.model.control import ControlInfo, Violation
from gate.model.decision import ControlDecision, Decision
from gate.model.digest import Digest
from gate.model.document import InputDocument
from gate.model.explanation import Explanation, RuleExplanation, ViolationExplanation
from gate.model.json import JsonObject, JsonValue
from gate.model.policy import Catalogue
from gate.model.trace import BodyTrace

INPUT_BYTES: Final = 64 << 20
_HOW: Final = "`gate input > input.json` writes one"


def policy_sources(start: Path, directories: Sequence[str]) -> Sources:
    """The policy of some directories, else of `gate.yaml` or the folder `policy`, else the packaged library."""
    try:
        return load_sources(start, directories)
    except NoPolicyError:
        empty: Mapping[str, str] = MappingProxyType({})
        return Sources(packaged_bundle(), empty, empty, empty)


def read_document(place: str, data: bytes) -> InputDocument:
    """The input document in some bytes; raises `EvidenceError` that says where it is not one."""
    try:
        return read_input_document(data, limit=INPUT_BYTES)
    except InputDocumentError as error:
        raise EvidenceError(f"{place} is not an input document: {error}", hint=_HOW) from None


def find_control(sources: Sources, control: str) -> ControlInfo:
    """A control of a policy; raises `ConfigError` that suggests the nearest."""
    known = sources.bundle.catalogue
    if control not in known:
        raise ConfigError(
            f"there is no control {control!r}{suggestion(control, sorted(known))}", hint="gate controls list"
        )
    return known[control]


def decided_control(decision: Decision, control: str) -> ControlDecision:
    """A control of a decision; raises `ConfigError` that suggests the nearest."""
    known = decision.controls
    if control not in known:
        raise ConfigError(
            f"the decision is not about a control {control!r}{suggestion(control, sorted(known))}",
            hint="gate controls list",
        )
    return known[control]


def find_catalogue(sources: Sources) -> Catalogue:
    """The controls and profiles of a policy."""
    return catalogue_of(sources.bundle)


def explain(sources: Sources, control: str, document: InputDocument) -> Explanation:
    """What each rule of a control's module comes to, and why; raises `ConfigError` for an unknown control.

    Nothing here can change a decision: the rules are asked one by one, in an engine of their own.
    """
    info = find_control(sources, control)
    RegorusEngine(sources.bundle)  # what the gate would not load is not explained
    path = next(path for path in sources.bundle.modules if control_id(path) == control)
    rules = tuple(_rules(sources, path, document))
    values = {rule.name: rule.value for rule in rules if not rule.is_undefined and not rule.problem}
    violations = tuple(_violations(values.get("violations")))
    reason = values.get("reason")
    return Explanation(
        info=info,
        status=str(values.get("status", "error")),
        reason=reason if isinstance(reason, str) else None,
        asked=_mode(document.value, control),
        violations=tuple(
            ViolationExplanation(item, expected(info, item), nearest(info, item, document.value)) for item in violations
        ),
        evidence=tuple(str(item) for item in _items(values.get("evidence"))),
        rules=rules,
    )


def _rules(sources: Sources, path: str, document: InputDocument) -> Iterator[RuleExplanation]:
    module = parse(path, sources.bundle.modules[path])
    named: dict[str, list[Rule]] = {}
    for rule in module.rules:
        named.setdefault(".".join(rule.name), []).append(rule)
    functions = {
        name for name, rules in named.items() if any(rule.kind == "function" or rule.arguments for rule in rules)
    }
    asked = [reference((*module.package, name)) for name in named if name not in functions]
    engine = CompiledRules(sources.bundle.modules, asked)
    traced = [
        rule for name, rules in named.items() for rule in rules if name not in functions and rule.kind != "default"
    ]
    tracer = Tracer(sources.bundle.modules, document.canonical)
    bodies: dict[str, list[BodyTrace]] = {}
    for rule, traces in zip(traced, tracer.trace([Wanted(path, rule) for rule in traced]), strict=True):
        bodies.setdefault(".".join(rule.name), []).extend(traces)
    for name, rules in named.items():
        answer, problem = None, ""
        if name not in functions:
            answer, problem = _value(engine, reference((*module.package, name)), document)
        yield RuleExplanation(
            name=name,
            kind="function" if name in functions else next((r.kind for r in rules if r.kind != "default"), "default"),
            path=sources.place(path),
            line=rules[0].node.line,
            value=json.loads(answer) if answer is not None else None,
            is_undefined=answer is None and not problem,
            problem=problem,
            bodies=tuple(bodies.get(name, ())),
        )


def _value(engine: CompiledRules, rule: str, document: InputDocument) -> tuple[str | None, str]:
    try:
        return engine.value(rule, document.canonical), ""
    except PolicyError as error:
        return None, str(error)


def _mode(document: JsonObject, control: str) -> str | None:
    found: JsonValue = document
    for key in ("profile", "controls", control, "mode"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else None


def _violations(value: JsonValue) -> Iterator[Violation]:
    for item in _items(value):
        if isinstance(item, Mapping):
            artifact, file = item.get("artifact"), item.get("file")
            yield Violation(
                code=str(item.get("code")),
                message=str(item.get("message")),
                artifact=None if artifact is None else str(artifact),
                file=None if file is None else str(file),
                evidence=tuple(Digest(str(digest)) for digest in _items(item.get("evidence"))),
            )


def _items(value: JsonValue) -> Sequence[JsonValue]:
    return value if isinstance(value, list) else []
