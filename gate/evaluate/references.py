"""Follows the references of Rego modules: into the input document, and to the rules of other packages.

What cannot be known for sure is never reported: a value from a function, a key that is computed, an open object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from gate.evaluate.input_schema import ANY, Kind, Shape, input_shape
from gate.evaluate.syntax import Module, Node, Rule
from gate.formats.strict_yaml import suggestion

INPUT_PATH: Final = "input-path"
LIBRARY_RULE: Final = "library-rule"
_STRINGS: Final = frozenset({"String", "RawString"})
_REFERENCES: Final = frozenset({"Var", "RefDot", "RefBrack"})
_COMPREHENSIONS: Final = frozenset({"ArrayCompr", "SetCompr", "ObjectCompr"})

Package = tuple[str, ...]
Locals = dict[str, Shape]


@dataclass(frozen=True, slots=True)
class Lost:
    """A reference that leads nowhere; line and column count from 1."""

    line: int
    column: int
    rule: str
    message: str


class References:
    """All modules of a policy by package, so that a reference can be followed from one into another."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self._rules: dict[Package, dict[str, list[tuple[Module, Rule]]]] = {}
        for module in modules:
            rules = self._rules.setdefault(module.package, {})
            for rule in module.rules:
                rules.setdefault(rule.name[0], []).append((module, rule))
        self._shapes: dict[tuple[Package, str], Shape] = {}

    def lost(self, module: Module, *, with_input: bool = True) -> tuple[Lost, ...]:
        """The references of a module that lead nowhere; without `with_input` only those to other packages."""
        found: list[Lost] = []
        for path in module.imports.values():
            found += self._lost_import(module, path)
        for rule in module.rules:
            for _ in _Reader(self, module, found, with_input=with_input).read(rule):
                pass
        return tuple(dict.fromkeys(found))

    def _lost_import(self, module: Module, path: Package) -> Iterator[Lost]:
        if path[0] != "data" or self.has(path[1:]):
            return
        known = sorted({".".join(("data", *package)) for package in self._rules})
        line = next((number for number, text in enumerate(module.source.splitlines(), 1) if ".".join(path) in text), 1)
        message = f"there is no {'.'.join(path)}{suggestion('.'.join(path), known)}"
        yield Lost(line, 1, LIBRARY_RULE, message)

    def has(self, path: Package) -> bool:
        """Whether a path below `data` is a rule, a package, or leads to one."""
        if any(package[: len(path)] == path for package in self._rules):
            return True
        return path[-1] in self._rules.get(path[:-1], {})

    def package_of(self, path: Package) -> Package | None:
        """The longest package that a path below `data` leads into."""
        lengths = range(len(path), 0, -1)
        return next((path[:length] for length in lengths if path[:length] in self._rules), None)

    def names(self, package: Package) -> Mapping[str, object]:
        """The rules of a package by name."""
        return self._rules.get(package, {})

    def shape(self, package: Package, name: str) -> Shape:
        """What a rule's value is, as far as it is the same by all of its definitions."""
        key = (package, name)
        if key not in self._shapes:
            self._shapes[key] = ANY  # for a rule that refers to itself
            found = [
                shape
                for module, rule in self._rules.get(package, {}).get(name, [])
                if rule.kind != "default"
                for shape in _Reader(self, module, [], with_input=True).read(rule)
            ]
            self._shapes[key] = found[0] if found and all(shape == found[0] for shape in found) else ANY
        return self._shapes[key]


@dataclass(slots=True)
class _Reader:
    """Reads one rule in the order of its source, and knows the shapes of its locals."""

    references: References
    module: Module
    found: list[Lost]
    with_input: bool

    def read(self, rule: Rule) -> Iterator[Shape]:
        """The shape of the rule's value by each of its bodies."""
        arguments: Locals = {name: ANY for node in rule.arguments for name in _names(node)}
        value = rule.value
        for body in rule.bodies or (None,):
            known = dict(arguments)
            for statement in body.statements if body else ():
                self.statement(statement, known)
            if body and body.value is not None:
                value = body.value
            yield self._value(rule, value, known)

    def _value(self, rule: Rule, value: Node | None, known: Locals) -> Shape:
        if rule.key is not None:
            return Shape(Kind.SET, member=self.shape(rule.key, known))
        shape = ANY if value is None else self.shape(value, known)
        for index in rule.head.role("index"):
            self.shape(index, known)
        if rule.kind == "function":
            return ANY
        return shape if rule.head.is_constant_path else Shape(Kind.MAP, member=shape)

    def statement(self, node: Node, known: Locals) -> None:
        """Looks at a statement and adds what it binds to the known locals."""
        if node.kind == "SomeVars":
            known.update(dict.fromkeys((name.word for name in node.role("vars")), ANY))
        elif node.kind in {"SomeIn", "Every"}:
            self._loop(node, known)
        else:
            for role, child in node.children:
                if role == "with":
                    for value in child.role("as"):
                        self.shape(value, known)
                else:
                    self.shape(child, known)

    def _loop(self, node: Node, known: Locals) -> None:
        (over,) = (*node.role("collection"), *node.role("domain"))
        shape = self.shape(over, known)
        inner = dict(known) if node.kind == "Every" else known
        for pattern in (*node.role("key"), *node.role("value")):
            inner.update(dict.fromkeys(_names(pattern), ANY))
        value = node.child("value")
        if value is not None and value.kind == "Var":
            inner[value.word] = shape.each
        for query in node.role("query"):
            self.query(query, inner)

    def query(self, node: Node, known: Locals) -> None:
        """All statements of a query."""
        for statement in node.role("stmts"):
            self.statement(statement, known)

    def shape(self, node: Node, known: Locals) -> Shape:
        """The shape of an expression; reports what leads nowhere on the way."""
        if node.kind in _REFERENCES:
            return self._reference(node, known)
        if node.kind in _COMPREHENSIONS:
            return self._comprehension(node, known)
        if node.kind == "AssignExpr":
            return self._assignment(node, known)
        shapes = [self.shape(child, known) for role, child in node.children if role != "fcn"]
        if node.kind != "Call":
            return ANY
        (function,) = node.role("fcn")
        if function.path == ("object", "get") and "object" not in known:
            return self._object_get(node.role("params"), shapes)
        self._reference(function, known)
        return ANY

    def _object_get(self, parameters: tuple[Node, ...], shapes: list[Shape]) -> Shape:
        if len(parameters) != 3 or parameters[1].kind not in _STRINGS:
            return ANY
        return self._step(shapes[0], parameters[1], parameters[1].word)

    def _comprehension(self, node: Node, known: Locals) -> Shape:
        inner = dict(known)
        for query in node.role("query"):
            self.query(query, inner)
        shapes = [self.shape(child, inner) for role, child in node.children if role != "query"]
        kinds = {"ArrayCompr": Kind.LIST, "SetCompr": Kind.SET, "ObjectCompr": Kind.MAP}
        return Shape(kinds[node.kind], member=shapes[-1])

    def _assignment(self, node: Node, known: Locals) -> Shape:
        left, right = node.role("lhs")[0], node.role("rhs")[0]
        shape = self.shape(right, known)
        if node.word != "ColEq":
            self.shape(left, known)
        elif left.kind == "Var":
            known[left.word] = shape
        else:
            known.update(dict.fromkeys(_names(left), ANY))
        return ANY

    def _reference(self, node: Node, known: Locals) -> Shape:
        base, steps = _steps(node)
        for _, index in steps:
            if index is not None and index.kind not in _STRINGS:
                self.shape(index, known)
        if base.kind != "Var":
            return self._follow(self.shape(base, known), steps)
        imports = self.module.imports
        if base.word in known:
            return self._follow(known[base.word], steps)
        if base.word == "input":
            return self._follow(input_shape() if self.with_input else ANY, steps)
        if base.word in self.references.names(self.module.package):
            return self._follow(self.references.shape(self.module.package, base.word), steps)
        if base.word == "data" or imports.get(base.word, ("",))[0] == "data":
            return self._elsewhere(node, imports.get(base.word, ("data",))[1:], steps)
        return ANY

    def _elsewhere(self, node: Node, path: Package, steps: list[tuple[Node, Node | None]]) -> Shape:
        """A reference below `data`: as far as its keys are constant they name a package and a rule."""
        rest = list(steps)
        while rest and (key := _constant(rest[0])) is not None:
            path = (*path, key)
            rest.pop(0)
        package = self.references.package_of(path)
        if package is None or len(package) == len(path):
            return ANY
        name, used = path[len(package)], len(path) - len(package) - 1
        known = self.references.names(package)
        # Packages below this one are no rules of it.
        if name not in known and not self.references.has((*package, name)):
            message = f"there is no rule {name} in {'.'.join(package)}{suggestion(name, sorted(known))}"
            self._report(node, LIBRARY_RULE, message)
            return ANY
        follow = steps[len(steps) - len(rest) - used :] if used <= len(steps) else []
        return self._follow(self.references.shape(package, name), follow)

    def _follow(self, shape: Shape, steps: list[tuple[Node, Node | None]]) -> Shape:
        for node, index in steps:
            constant = _constant((node, index))
            if constant is not None:
                shape = self._step(shape, index or node, constant)
            else:
                number = index is not None and index.kind == "Number"
                below = shape.at(None) if not (number and shape.kind is Kind.OBJECT) else None
                shape = below if below is not None else self._nothing(shape, node, "such key")
        return shape

    def _step(self, shape: Shape, node: Node, key: str) -> Shape:
        below = shape.at(key)
        return below if below is not None else self._nothing(shape, node, key)

    def _nothing(self, shape: Shape, node: Node, key: str) -> Shape:
        if self.with_input:
            if shape.kind is Kind.OBJECT:
                message = f"the input document has no {key} here{suggestion(key, shape.names)}"
            elif shape.kind is Kind.LIST:
                message = f"the input document has a list here, so it has no {key}"
            else:
                message = f"the input document has a single value here, so it has no {key}"
            self._report(node, INPUT_PATH, message)
        return ANY

    def _report(self, node: Node, rule: str, message: str) -> None:
        # A field is the end of what the engine calls its node.
        start = node.end - len(node.word.encode("utf-8")) if node.kind == "RefDot" else node.start
        self.found.append(Lost(*position(self.module, start), rule, message))


def position(module: Module, offset: int) -> tuple[int, int]:
    """Line and column of a byte of the source, as editors count them: a tab is one column."""
    before = module.encoded[:offset].decode("utf-8", "ignore")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _steps(node: Node) -> tuple[Node, list[tuple[Node, Node | None]]]:
    """The variable or expression that a reference starts from, and its keys: a field, or the index in brackets."""
    steps: list[tuple[Node, Node | None]] = []
    while node.kind in {"RefDot", "RefBrack"}:
        steps.append((node, node.child("index")))
        (node,) = node.role("refr")
    return node, steps[::-1]


def _constant(step: tuple[Node, Node | None]) -> str | None:
    node, index = step
    if node.kind == "RefDot":
        return node.word
    return index.word if index is not None and index.kind in _STRINGS else None


def _names(pattern: Node) -> list[str]:
    """The variables of a pattern such as `[name, _]`."""
    return [node.word for node in pattern.walk() if node.kind == "Var"]
