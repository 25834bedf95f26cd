"""Parameters of controls: what METADATA says of them, and whether a value fits.

A word that no rule knows would switch a control off without a sound, so what METADATA allows is all that is taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from gate.formats.rfc3339 import parse_duration
from gate.formats.strict_yaml import Node, suggestion
from gate.model.artifact import ArtifactKind
from gate.model.claim import CLAIMS, is_plugin_claim, is_predicate_type
from gate.model.control import ARTIFACT_KINDS, ControlInfo, Parameter
from gate.model.json import JsonObject, JsonValue

TYPES: Final = ("boolean", "list", "number", "numbers", "object", "seconds", "string")
"""`list` is one of texts, `numbers` a mapping to numbers, `number` a whole one, `seconds` one or a duration."""
KINDS: Final = ARTIFACT_KINDS
CLAIM_WORDS: Final = "<claims>"
PACKAGES: Final = "<packages>"
_WORDS: Final = {KINDS: tuple(sorted(kind.value for kind in ArtifactKind)), CLAIM_WORDS: tuple(sorted(CLAIMS))}
_NOUNS: Final = {KINDS: "a kind of artifact", CLAIM_WORDS: "a claim"}
_PACKAGE: Final = re.compile(r"\*|@?[A-Za-z0-9_][A-Za-z0-9._~+/-]{0,213}")
_CLAIM: Final = "<claim>"


def read_parameter(node: Node) -> Parameter:
    """One entry of `parameters` in METADATA; raises `YamlError`."""
    fields = node.fields("name", "type", "meaning", "default", "choices", "least")
    for name in ("name", "type", "meaning"):
        if name not in fields:
            raise node.error(f"{name} is missing")
    kind = fields["type"].choice(*TYPES)
    if "choices" in fields and kind not in {"list", "string"}:
        raise fields["choices"].error("choices are of a list or a string")
    if "least" in fields and kind not in {"list", "number"}:
        raise fields["least"].error("least is how many a list holds, or the least that a number is")
    least = fields["least"].value if "least" in fields else None
    if least is not None and type(least) is not int:
        raise fields["least"].error("expected a whole number")
    return Parameter(
        name=fields["name"].text(),
        type=kind,
        meaning=fields["meaning"].text(),
        default=fields["default"].json() if "default" in fields else None,
        choices=_choices(fields["choices"]) if "choices" in fields else (),
        least=least if isinstance(least, int) else None,
    )


def _choices(node: Node) -> tuple[str, ...]:
    if isinstance(node.value, str):
        return (f"<{node.choice(*(name.strip('<>') for name in (KINDS, CLAIM_WORDS, PACKAGES)))}>",)
    if not node.items():
        raise node.error("expected at least one word")
    return node.texts()


def settled(info: ControlInfo, values: JsonObject) -> JsonObject:
    """Values for a control as its rules read them; raises `ValueError` that says what was expected of which."""
    return {name: _settled(info, _named(info, name), name, value) for name, value in values.items()}


def _named(info: ControlInfo, name: str) -> Parameter:
    known = {parameter.name: parameter for parameter in info.parameters}
    is_claim = name in CLAIMS or is_plugin_claim(name) or is_predicate_type(name)
    found = known.get(name) or (known.get(_CLAIM) if is_claim else None)
    if found is None or name == _CLAIM:
        words = sorted(known.keys() - {_CLAIM} | (CLAIMS if _CLAIM in known else frozenset()))
        raise ValueError(f"{info.id} has no parameter {name!r}{suggestion(name, words)}")
    return found


def _settled(info: ControlInfo, parameter: Parameter, name: str, value: JsonValue) -> JsonValue:
    seconds = parse_duration(value) if parameter.type == "seconds" and isinstance(value, str) else None
    problem = None if seconds is not None else _problem(parameter, value)
    if problem is not None:
        raise ValueError(f"{info.id}: {name}: {problem}")
    return value if seconds is None else seconds


def _problem(parameter: Parameter, value: JsonValue) -> str | None:
    """What is wrong with a value; `None` if it fits."""
    least = parameter.least
    match parameter.type:
        case "boolean":
            return None if isinstance(value, bool) else "expected true or false"
        case "number":
            wanted = "a whole number" if least is None else f"a whole number of at least {least}"
            return None if _is_number(value, least) else f"expected {wanted}"
        case "seconds":
            return None if _is_number(value, 0) else "expected a duration such as 30d, 12h or 90m, or seconds"
        case "numbers":
            fits = isinstance(value, Mapping) and all(_is_number(item, None) for item in value.values())
            return None if fits else "expected a mapping from names to whole numbers"
        case "object":
            return None if isinstance(value, Mapping) else "expected a mapping"
        case "list":
            if not isinstance(value, list):
                return "expected a list of texts, such as [a, b]"
            if len(value) < (least or 0):
                return f"expected a list of at least {least}"
            return next(filter(None, (_problem_of_text(parameter.choices, item) for item in value)), None)
        case _:
            return _problem_of_text(parameter.choices, value)


def _is_number(value: JsonValue, least: int | None) -> bool:
    return type(value) is int and (least is None or value >= least)


def _problem_of_text(choices: Sequence[str], value: JsonValue) -> str | None:
    if not isinstance(value, str) or not value.strip():
        return "expected text"
    shown = repr(value[:120])
    if PACKAGES in choices:
        is_name = _PACKAGE.fullmatch(value) is not None
        return None if is_name else f"{shown} is not the name of a package, without a version, nor '*' for all"
    if CLAIM_WORDS in choices and (is_plugin_claim(value) or is_predicate_type(value)):
        return None
    known = _WORDS.get("".join(choices), choices)
    if not known or value in known:
        return None
    what = _NOUNS.get("".join(choices)) or f"one of {', '.join(known)}"
    return f"{shown} is not {what}{suggestion(value, known)}"
