"""Any expression against a policy and an input document, for people who look for what is there.

The expression becomes a module of its own beside the policy, which passes the same static checks; nothing that it says
can reach a decision, because no decision is made with that module.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from gate.errors import ConfigError, PolicyError
from gate.evaluate.interface import TIME_LIMIT_S
from gate.evaluate.regorus import CompiledRules
from gate.evaluate.syntax import Node, parse
from gate.formats.strict_yaml import suggestion
from gate.model.json import JsonObject, JsonValue

# Like a test, a question may look at what nobody has checked the type of: it decides nothing.
_PACKAGE: Final = "gate_query"
_HEAD: Final = "import future.keywords.not"


def query(
    modules: Mapping[str, str], expression: str, document: bytes, *, time_limit_s: float = TIME_LIMIT_S
) -> list[JsonValue]:
    """The values of an expression, one for each choice of what it iterates over; none if it is undefined.

    A statement such as `x := input.artifacts[_]` has the values of its variables. Raises `ConfigError` for what is no
    single expression, and `PolicyError` for what does not compile or fails.
    """
    package = f"{_free(_PACKAGE, modules)}_test"
    path = f"{package}.rego"
    module = parse(path, f"package {package}\n{_HEAD}\nanswers contains 1 if {{\n\t{expression}\n}}\n")
    if not expression.strip() or len(module.rules) != 1 or len(module.rules[0].bodies) != 1:
        raise ConfigError("that is not an expression", hint="write what could stand in the body of one rule")
    statements = module.rules[0].bodies[0].statements
    last = statements[-1]
    value = last.child("expr") if last.kind == "Expr" and not last.role("with") else None
    if value is None or value.kind == "AssignExpr":
        names = list(dict.fromkeys(name for one in statements for name in _variables(one)))
        head, text = "{" + ", ".join(f"{json.dumps(name)}: {name}" for name in names) + "}", expression
        head = head if names else "true"
    else:
        name = _free("value", {"expression": expression})
        start = module.encoded[statements[0].start : last.start].decode("utf-8")
        head, text = name, f"{start}{name} := {module.text(last)}"
    source = f"package {package}\n{_HEAD}\nanswers contains {head} if {{\n\t{text}\n}}\n"
    rules = CompiledRules({**modules, path: source}, [f"data.{package}.answers"])
    answer = rules.value(f"data.{package}.answers", document, time_limit_s=time_limit_s)
    found: list[JsonValue] = json.loads(answer or "[]")
    return found


def _variables(statement: Node) -> list[str]:
    """What a statement gives a value to."""
    if statement.kind == "SomeIn":
        parts = (*statement.role("key"), *statement.role("value"))
    else:
        value = statement.child("expr")
        parts = value.role("lhs") if value is not None and value.kind == "AssignExpr" else ()
    return [node.word for part in parts for node in part.walk() if node.kind == "Var" and node.word != "_"]


def _free(word: str, texts: Mapping[str, str]) -> str:
    while any(word in text for text in texts.values()):
        word += "_"
    return word


def misspelt(modules: Mapping[str, str], expression: str, document: JsonObject) -> str:
    """The first reference in an expression that leads nowhere, with the nearest name that does; else nothing."""
    try:
        module = parse("expression", f"package {_PACKAGE}\n{_HEAD}\nanswers contains 1 if {{\n\t{expression}\n}}\n")
    except PolicyError:
        return ""
    tree = _tree(modules)
    statements = (one for rule in module.rules for body in rule.bodies for one in body.statements)
    for node in (node for statement in statements for node in statement.walk()):
        if node.kind in {"RefDot", "RefBrack"} and node.path[:1] in {("input",), ("data",)}:
            said = _lost(node.path, document if node.path[0] == "input" else tree)
            if said:
                return said
    return ""


def _lost(path: Sequence[str], root: JsonValue) -> str:
    here: JsonValue = root
    for place, name in enumerate(path[1:], 1):
        if not isinstance(here, Mapping):
            return ""
        if name not in here:
            above = ".".join(path[:place])
            return f"{above} has no {name!r}{suggestion(name, sorted(here))}"
        here = here[name]
    return ""


def _tree(modules: Mapping[str, str]) -> JsonObject:
    """The packages and rules of a policy; what is below a rule is not known."""
    root: dict[str, JsonValue] = {}
    for path, source in modules.items():
        module = parse(path, source)
        here = root
        for name in module.package:
            below = here.setdefault(name, {})
            here = below if isinstance(below, dict) else {}
        for rule in module.rules:
            here.setdefault(rule.name[0], None)
    return root
