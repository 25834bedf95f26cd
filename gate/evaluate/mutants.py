"""Ways to weaken a Rego module, one place at a time: what its tests must notice.

Mutants are made from the syntax tree, so a change is one of meaning, never of layout. Texts for people (messages,
formats) are left alone: no test has to hold their wording.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from gate.evaluate.syntax import Module, Node, Rule

# The operators as the engine names them: how each is written, and what takes its place.
_COMPARISONS: Final = {
    "Eq": ("==", ("!=",)),
    "Ne": ("!=", ("==",)),
    "Lt": ("<", ("<=", ">")),
    "Le": ("<=", ("<", ">")),
    "Gt": (">", (">=", "<")),
    "Ge": (">=", (">", "<")),
}
_ARITHMETIC: Final = {
    "Add": ("+", ("-",)),
    "Sub": ("-", ("+",)),
    "Mul": ("*", ("+",)),
    "Div": ("/", ("*",)),
    "Mod": ("%", ("*",)),
    "Union": ("|", ("&",)),
    "Intersection": ("&", ("|",)),
}
_OPERATORS: Final = {**_COMPARISONS, **_ARITHMETIC}
_EMPTY: Final = {
    "Set": "set()",
    "SetCompr": "set()",
    "Array": "[]",
    "ArrayCompr": "[]",
    "Object": "{}",
    "ObjectCompr": "{}",
}
_OPENING: Final = {"Set": b"{", "Array": b"[", "Object": b"{"}
_STRINGS: Final = frozenset({"String", "RawString"})
_MATCHED: Final = frozenset({"BoolExpr", "Membership", "RefBrack"})
"""Where a string is compared, so that it is no text for people whatever is in it."""
_TYPE_TEST: Final = "is_"
_STATUS: Final = ("status",)
_PASS: Final = '"pass"'
_SHOWN: Final = 120


_ADVICE: Final = {
    "boundary": "the two sides are equal, or the one is just past the other",
    "swap": "the two ways to combine give different values",
    "condition": "this condition alone does not hold",
    "every": "one element is sound and another is not",
    "element": "this very element decides",
    "empty": "something is in it",
    "constant": "this very value decides",
    "rule": "this rule alone gives the answer",
}
"""What a test that notices a change is about: "write a test where ..."."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed place of a module, from byte `start` to `end` of its source; lines and columns count from 1.

    `name` stays the same when other lines change: it is the rule, the line without its indentation, and the change.
    `advice` ends the sentence "write a test where".
    """

    path: str
    line: int
    column: int
    name: str
    change: str
    before: str
    after: str
    start: int
    end: int
    advice: str

    def apply(self, module: Module) -> str:
        """The source of the module with the change."""
        data = module.encoded
        return (data[: self.start] + self.after.encode("utf-8") + data[self.end :]).decode("utf-8")

    def lines(self, module: Module) -> tuple[str, str]:
        """The first changed line as it was and as it is now, without indentation; nothing if it is gone."""
        data = module.encoded
        first = data.rfind(b"\n", 0, self.start) + 1
        old = data[first:].decode("utf-8").partition("\n")[0]
        new = self.apply(module).encode("utf-8")[first:].decode("utf-8").partition("\n")[0]
        return _short(old), _short(new) if new != old else ""


@dataclass(frozen=True, slots=True)
class _Change:
    start: int
    end: int
    after: str
    what: str
    kind: str
    rule: str = ""


def mutants(module: Module) -> tuple[Mutant, ...]:
    """All mutants of a module in the order of their places, none of them twice."""
    found: dict[tuple[int, int, str], _Change] = {}
    for change in _Mutator(module).all():
        found.setdefault((change.start, change.end, change.after), change)
    counts: Counter[str] = Counter()
    result = []
    data = module.encoded
    for change in sorted(found.values(), key=lambda item: (item.start, item.end)):
        before = data[change.start : change.end].decode("utf-8")
        if before == change.after:
            continue
        first = data.rfind(b"\n", 0, change.start) + 1
        line = data[first:].decode("utf-8").partition("\n")[0]
        shown = _short(line)
        change_of_line = change.what if change.what.startswith(shown) else f"{shown}: {change.what}"
        name = f"{change.rule}: {change_of_line}"
        counts[name] += 1
        result.append(
            Mutant(
                path=module.path,
                line=data.count(b"\n", 0, change.start) + 1,
                column=len(data[first : change.start].decode("utf-8")) + 1,
                name=name if counts[name] == 1 else f"{name} ({counts[name]})",
                change=change.what,
                before=before,
                after=change.after,
                start=change.start,
                end=change.end,
                advice=_ADVICE[change.kind],
            )
        )
    return tuple(result)


class _Mutator:
    __slots__ = ("_data", "_module")

    def __init__(self, module: Module) -> None:
        self._module = module
        self._data = module.encoded

    def all(self) -> Iterator[_Change]:
        starts = sorted(rule.node.start for rule in self._module.rules)
        for rule in self._module.rules:
            after = next((start for start in starts if start > rule.node.start), len(self._data))
            name = ".".join(rule.name)
            yield from (replace(change, rule=name) for change in self._rule(rule, after))

    def _rule(self, rule: Rule, limit: int) -> Iterator[_Change]:
        if rule.kind != "default":
            yield self._dropped(rule.node.start, min(self._end(rule.node), limit), "rule dropped", "rule")
        if rule.value is not None and rule.name == _STATUS:
            yield self._replaced(rule.value, _PASS, "rule")
        if len(rule.bodies) == 1 and len(rule.bodies[0].statements) > 1:
            whole = rule.bodies[0].node
            # A head alone is a rule only when it has a value or a key.
            after = "" if rule.value is not None or rule.kind == "set" else ":= true"
            yield _Change(whole.start, self._end(whole), after, "if dropped", "condition")
        for part in (rule.key, rule.value, *rule.arguments):
            if part is not None:
                yield from self._expression(part)
        for body in rule.bodies:
            if body.is_else:
                yield self._dropped(body.node.start, self._end(body.node), "else dropped", "rule")
            if body.value is not None:
                yield from self._expression(body.value)
            for statement in body.statements:
                yield from self._statement(statement)

    def _statement(self, statement: Node) -> Iterator[_Change]:
        # `some` and `:=` bind what the rest reads; without them nothing compiles.
        binds = statement.kind in {"SomeIn", "SomeVars"} or any(
            role == "expr" and node.kind == "AssignExpr" for role, node in statement.children
        )
        if not binds:
            end = self._end(statement)
            yield _Change(statement.start, end, "true", f"{self._text(statement.start, end)} dropped", "condition")
        if statement.kind == "NotExpr":
            gap = len(self._data[statement.start :]) - len(self._data[statement.start + 3 :].lstrip())
            yield _Change(statement.start, statement.start + gap, "", "not dropped", "condition")
        if statement.kind == "Every":
            yield self._some(statement)
        for role, node in statement.children:
            # What stands left of `in` is a pattern that names things.
            if statement.kind != "SomeIn" or role == "collection":
                yield from self._below(node, statement)

    def _some(self, statement: Node) -> _Change:
        """`every` as the same conditions on any one element."""
        names = ", ".join(self._source(node) for role, node in statement.children if role in {"key", "value"})
        (domain,), (query,) = statement.role("domain"), statement.role("query")
        inner = self._data[query.start : query.end].decode("utf-8").strip().removeprefix("{").removesuffix("}")
        text = f"some {names} in {self._source(domain)}\n{inner.strip()}"
        return _Change(statement.start, statement.end, text, "every -> some", "every")

    def _expression(self, node: Node) -> Iterator[_Change]:
        yield from self._here(node, None)
        for _, child in node.children:
            yield from self._below(child, node)

    def _below(self, node: Node, parent: Node) -> Iterator[_Change]:
        if node.kind == "Query":
            for statement in node.role("stmts"):
                yield from self._statement(statement)
            return
        yield from self._here(node, parent)
        for _, child in node.children:
            yield from self._below(child, node)

    def _here(self, node: Node, parent: Node | None) -> Iterator[_Change]:
        """The changes of one expression, not of its parts."""
        if node.word in _OPERATORS and node.kind in {"BoolExpr", "ArithExpr", "BinExpr"}:
            yield from self._operator(node)
        elif node.kind == "Call":
            yield from self._call(node)
        elif node.kind in _EMPTY:
            yield from self._collection(node)
        elif node.kind == "Bool":
            yield self._replaced(node, "false" if self._source(node) == "true" else "true")
        elif node.kind == "Number":
            yield from self._number(node)
        elif node.kind in _STRINGS and not _is_for_people(node, parent):
            yield self._replaced(node, '""' if node.word else '"x"')

    def _operator(self, node: Node) -> Iterator[_Change]:
        symbol, others = _OPERATORS[node.word]
        (left,), (right,) = node.role("lhs"), node.role("rhs")
        place = self._data.rfind(symbol.encode("ascii"), node.start, right.start)
        kind = "boundary" if node.word in _COMPARISONS else "swap"
        for other in others:
            yield _Change(place, place + len(symbol), other, f"{symbol} -> {other}", kind)
        if node.word in {"Sub", "Union"}:
            # An operand less: for sets the change that a swapped operator may hide. Brackets keep their partner.
            text = self._source(left)
            yield _Change(node.start, self._end(node), text, f"{self._text(node.start, node.end)} -> {text}", "swap")

    def _call(self, node: Node) -> Iterator[_Change]:
        function = node.child("fcn")
        if function is None or function.kind != "Var":
            return
        if function.word == "count":
            yield _Change(node.start, node.start, "1 + ", f"{self._text(node.start, node.end)} + 1", "boundary")
        elif function.word.startswith(_TYPE_TEST):
            yield self._replaced(function, "is_string" if function.word == "is_null" else "is_null", "condition")

    def _collection(self, node: Node) -> Iterator[_Change]:
        start, end = node.start, self._end(node)
        opening = _OPENING.get(node.kind, b"")
        if not self._data.startswith(opening, start):
            # The engine begins an object at its first key.
            start = self._data.rfind(opening, 0, start)
        items = _items(node)
        if items or node.kind not in _OPENING:
            yield _Change(start, end, _EMPTY[node.kind], f"{self._text(start, end)} emptied", "empty")
        for index, (first, last) in enumerate(items if len(items) > 1 else ()):
            text = self._text(first.start, self._end(last))
            if index + 1 < len(items):
                yield _Change(first.start, items[index + 1][0].start, "", f"{text} dropped", "element")
            else:
                yield _Change(self._end(items[index - 1][1]), self._end(last), "", f"{text} dropped", "element")

    def _number(self, node: Node) -> Iterator[_Change]:
        if not node.word.lstrip("-").isdecimal():
            yield self._replaced(node, f"{node.word} + 1")
            return
        value = int(node.word)
        yield self._replaced(node, str(value + 1))
        if value > 0:
            yield self._replaced(node, str(value - 1))

    def _replaced(self, node: Node, after: str, kind: str = "constant") -> _Change:
        end = self._end(node)
        return _Change(node.start, end, after, f"{self._text(node.start, end)} -> {after}", kind)

    def _dropped(self, start: int, end: int, what: str, kind: str) -> _Change:
        return _Change(start, start + len(self._data[start:end].rstrip()), "", what, kind)

    def _source(self, node: Node) -> str:
        return self._data[node.start : self._end(node)].decode("utf-8")

    def _text(self, start: int, end: int) -> str:
        return _short(self._data[start:end].decode("utf-8"))

    def _end(self, node: Node) -> int:
        """Where a node ends: the engine takes the word after `set()` for a part of it."""
        if node.kind == "Set" and self._data.startswith(b"set(", node.start):
            return self._data.index(b")", node.start) + 1
        ends = [(child.end, self._end(child)) for _, child in node.children if child.end == node.end]
        return min((end for _, end in ends), default=node.end)


def _items(node: Node) -> list[tuple[Node, Node]]:
    """The elements of a literal, each from its first to its last node."""
    if node.kind == "Object":
        return list(zip(node.role("key"), node.role("value"), strict=True))
    return [(item, item) for item in node.role("items")]


def _is_for_people(node: Node, parent: Node | None) -> bool:
    """Whether a string is wording. Elements and keys are dropped instead of changed."""
    if parent is None:
        return " " in node.word
    if parent.kind in {"Set", "Array"} or any(role == "key" and child is node for role, child in parent.children):
        return True
    if parent.kind == "Call" and (function := parent.child("fcn")) is not None and function.word == "sprintf":
        return parent.role("params")[0] is node
    return parent.kind not in _MATCHED and " " in node.word


def _short(text: str) -> str:
    """The text on one line, and not too much of it."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..."
