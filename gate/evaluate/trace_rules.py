"""The rules that a trace asks for: beginnings of a body, written as rules of their own beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gate.evaluate.syntax import Module, Node, Rule

_COMPREHENSIONS: Final = frozenset({"SetCompr", "ArrayCompr", "ObjectCompr"})
_SCOPES: Final = _COMPREHENSIONS | {"Every", "NotExpr", "SomeVars", "With"}
_COMPARED: Final = frozenset({"BoolExpr", "Membership"})
_TESTED: Final = frozenset({"RefDot", "RefBrack", "Var"})
_CONSTANTS: Final = frozenset({"String", "RawString", "Number", "Bool", "Null"})


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a statement whose value explains why the statement does not hold; `rule` contains it.

    For a call of a function `rule` contains lists of the variables before it and of its arguments instead.
    """

    node: Node
    text: str
    rule: str


@dataclass(frozen=True, slots=True)
class Step:
    """One statement. `rule` contains the values of `bound`, the variables that have one after it."""

    text: str
    line: int
    rule: str
    before: tuple[str, ...]
    bound: tuple[str, ...]
    parts: tuple[Part, ...]
    calls: tuple[Part, ...]
    is_equality: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """One body of a rule, or the comprehension that is its value; `source` are the rules that are asked for it."""

    module: Module
    name: str
    line: int
    steps: tuple[Step, ...]
    source: str

    @property
    def package(self) -> str:
        """The package as it is written in a reference."""
        return reference(self.module.package)

    @property
    def rules(self) -> Iterator[str]:
        """All rules of `source`, in full."""
        for step in self.steps:
            yield from (f"{self.package}.{name}" for name in (step.rule, *(p.rule for p in (*step.parts, *step.calls))))


class Planner:
    """Makes plans whose rules have names that no module of the policy mentions."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._prefix = "__gate_trace"
        while any(self._prefix in source for source in modules.values()):
            self._prefix += "_"
        self._count = 0

    def plans(self, module: Module, rule: Rule, arguments: str | None = None) -> list[Plan]:
        """The plans of a rule's bodies; for a function `arguments` is the rule that contains what it is called with."""
        bodies = [(body.node.line, body.statements) for body in rule.bodies]
        if rule.value is not None and rule.value.kind in _COMPREHENSIONS:
            bodies += [(query.line, query.role("stmts")) for query in rule.value.role("query")]
        if not bodies and rule.value is not None and rule.value.kind in _COMPARED | {"Call"}:
            value = rule.value
            bodies = [
                (value.line, (Node("Expr", value.line, value.column, value.start, value.end, "", (("expr", value),)),))
            ]
        return [self._plan(module, rule, line, statements, arguments) for line, statements in bodies if statements]

    def _plan(self, module: Module, rule: Rule, line: int, statements: Sequence[Node], arguments: str | None) -> Plan:
        known = frozenset({"input", "data", *module.imports, *(one.name[0] for one in module.rules)})
        bound: tuple[str, ...] = ()
        begun: list[str] = []
        if arguments is not None:
            shape = ", ".join(module.text(argument) for argument in rule.arguments)
            begun = [f"some [_, [{shape}]] in {arguments}"]
            bound = tuple(dict.fromkeys(name for node in rule.arguments for name in _variables(node, frozenset())))
        steps, source = [], []
        for statement in statements:
            step, rules = self._step(module, statement, begun, bound, known | {rule.name[0]})
            steps.append(step)
            source += rules
            begun, bound = [*begun, step.text], step.bound
        return Plan(module, ".".join(rule.name), line, tuple(steps), "\n".join(source))

    def _step(
        self, module: Module, statement: Node, begun: list[str], before: tuple[str, ...], known: frozenset[str]
    ) -> tuple[Step, list[str]]:
        self._count += 1
        name, text = f"{self._prefix}_{self._count}", module.text(statement)
        modifiers = "".join(f" {module.text(node)}" for node in statement.role("with"))
        source, parts, calls = [], [], []
        for place, node in enumerate(_explaining(statement)):
            part = Part(node, module.text(node), f"{name}_part_{place}")
            value = f"{name}_value"
            source.append(_rule(part.rule, (*before, value), [*begun, f"{value} := {part.text}{modifiers}"]))
            parts.append(part)
        for place, node in enumerate(() if modifiers else _calls(statement)):
            part = Part(node, module.text(node), f"{name}_call_{place}")
            given = {f"{name}_argument_{i}": module.text(node) for i, node in enumerate(node.role("params"))}
            heads = (f"[{', '.join(before)}]", f"[{', '.join(given)}]")
            source.append(_rule(part.rule, heads, [*begun, *(f"{key} := {value}" for key, value in given.items())]))
            calls.append(part)
        bound = tuple(dict.fromkeys([*before, *_bound(statement, known)]))
        source.append(_rule(name, bound, [*begun, text]))
        step = Step(text, statement.line, name, before, bound, tuple(parts), tuple(calls), _is_equality(statement))
        return step, source


def indexes(head: Node) -> tuple[Node, ...]:
    """What a head has in brackets, outermost last: the variable `note` of `test_x[note]`."""
    refr, index = head.child("refr"), head.child("index")
    above = indexes(refr) if refr is not None else ()
    return (*above, index) if index is not None else above


def reference(path: Sequence[str]) -> str:
    """A path in `data` as Rego writes it; packages and rules of a policy are plain words."""
    return ".".join(("data", *path))


def _rule(name: str, values: Sequence[str], body: Sequence[str]) -> str:
    return f"{name} contains [{', '.join(values)}] if {{\n\t" + "\n\t".join(body) + "\n}"


def _variables(node: Node, known: frozenset[str]) -> Iterator[str]:
    """The variables of a part in its own scope: not those inside of comprehensions, `every` and `not`."""
    if node.kind == "Var" and node.word not in known and node.word != "_":
        yield node.word
    for role, child in node.children:
        if role != "fcn" and child.kind not in _SCOPES:
            yield from _variables(child, known)


def _bound(statement: Node, known: frozenset[str]) -> Iterator[str]:
    """The variables that have a value once a statement holds."""
    if statement.kind not in _SCOPES:
        declared = frozenset(name for node in _declared(statement) for name in _variables(node, frozenset()))
        yield from _variables(statement, known - declared)


def _declared(statement: Node) -> Iterator[Node]:
    """What a statement declares, so that it is no rule of that name."""
    if statement.kind == "SomeIn":
        yield from (*statement.role("key"), *statement.role("value"))
    for node in statement.role("expr"):
        if node.kind == "AssignExpr" and node.word == "ColEq":
            yield from node.role("lhs")


def _subject(statement: Node) -> Node | None:
    return statement.child("expr") if statement.kind in {"Expr", "NotExpr"} else None


def _explaining(statement: Node) -> tuple[Node, ...]:
    """The parts whose values say why a statement does not hold; both sides of a comparison, also constant ones."""
    node = _subject(statement)
    if node is None:
        return (*statement.role("domain"), *statement.role("collection"))
    if node.kind in _COMPARED:
        return tuple(child for _, child in node.children)
    if node.kind == "AssignExpr":
        return node.role("rhs")
    if node.kind == "Call":
        return tuple(child for child in node.role("params") if child.kind not in _CONSTANTS)
    return (node,) if node.kind in _TESTED else ()


def _calls(statement: Node) -> tuple[Node, ...]:
    """The calls in a statement, but not those in another scope, which has variables of its own."""
    return tuple(_outer_calls(statement)) if statement.kind != "Every" else ()


def _outer_calls(node: Node) -> Iterator[Node]:
    if node.kind == "Call":
        yield node
    for _, child in node.children:
        if child.kind not in _COMPREHENSIONS:
            yield from _outer_calls(child)


def _is_equality(statement: Node) -> bool:
    node = _subject(statement)
    return statement.kind == "Expr" and node is not None and node.kind == "BoolExpr" and node.word == "Eq"
