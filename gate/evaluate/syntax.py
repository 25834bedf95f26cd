"""Rego source as a syntax tree: what lint, explanations, test reports and mutants are made from.

The tree is the embedded engine's own, read from the JSON that it writes. Offsets count bytes of the UTF-8 source, so
a node's text is cut from the encoded source.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from gate.errors import PolicyError
from gate.evaluate.regorus import parse_module
from gate.model.json import JsonObject, JsonValue

_STRINGS: Final = frozenset({"String", "RawString"})
_EXPRESSIONS: Final = frozenset(
    {
        "String", "RawString", "Number", "Bool", "Null", "Var", "Array", "Set", "Object", "ArrayCompr", "SetCompr",
        "ObjectCompr", "Call", "UnaryExpr", "RefDot", "RefBrack", "BinExpr", "BoolExpr", "ArithExpr", "AssignExpr",
        "Membership",
    }
)  # fmt: skip
_LITERALS: Final = frozenset({"SomeVars", "SomeIn", "Expr", "NotExpr", "Every"})


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a rule. `kind` is the engine's word for it, such as `BoolExpr`, `SomeIn` or `Var`.

    `children` are in the order of the source, each with its role (`lhs`, `collection`, `params` ...). `word` is what
    the node says itself: a variable's or field's name, an operator, the text of a string or a number.
    """

    kind: str
    line: int
    column: int
    start: int
    end: int
    word: str
    children: tuple[tuple[str, Node], ...] = ()

    def role(self, name: str) -> tuple[Node, ...]:
        """The children of one role."""
        return tuple(node for role, node in self.children if role == name)

    def child(self, name: str) -> Node | None:
        """The only child of one role, if there is one."""
        return next(iter(self.role(name)), None)

    def walk(self) -> Iterator[Node]:
        """The node and all below it, outer ones first."""
        yield self
        for _, node in self.children:
            yield from node.walk()

    @property
    def path(self) -> tuple[str, ...]:
        """`("input", "artifacts")` for `input.artifacts[name].kind`: up to the first index that is not constant."""
        if self.kind == "Var":
            return (self.word,)
        refr = self.child("refr")
        if refr is None or self.kind not in {"RefDot", "RefBrack"}:
            return ()
        index = self.child("index")
        constant = self.word if self.kind == "RefDot" else index.word if index and index.kind in _STRINGS else None
        above = refr.path
        return (*above, constant) if constant is not None and refr.is_constant_path else above

    @property
    def is_constant_path(self) -> bool:
        """Whether every index on the way is a constant string, so that `path` is the whole of it."""
        if self.kind == "Var":
            return True
        refr, index = self.child("refr"), self.child("index")
        if self.kind == "RefDot":
            return refr is not None and refr.is_constant_path
        return self.kind == "RefBrack" and bool(refr and refr.is_constant_path and index and index.kind in _STRINGS)


@dataclass(frozen=True, slots=True)
class Body:
    """One body of a rule: statements that all have to hold. `value` is what an `else` gives."""

    node: Node
    statements: tuple[Node, ...]
    is_else: bool
    value: Node | None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `kind` is `default`, `complete`, `set` or `function`.

    `name` is the head's path in the package, such as `status`; `key` what a partial set contains, `value` what the
    head is or gives, `arguments` those of a function.
    """

    kind: str
    name: tuple[str, ...]
    head: Node
    node: Node
    key: Node | None
    value: Node | None
    arguments: tuple[Node, ...]
    bodies: tuple[Body, ...]


@dataclass(frozen=True)
class Module:
    """One file. `package` is `("gate", "controls", ...)`; `imports` are full paths by alias."""

    path: str
    source: str
    package: tuple[str, ...]
    imports: Mapping[str, tuple[str, ...]]
    rules: tuple[Rule, ...]

    @functools.cached_property
    def encoded(self) -> bytes:
        """The source in UTF-8, which offsets count."""
        return self.source.encode("utf-8")

    def text(self, node: Node) -> str:
        """The source of a node."""
        return self.encoded[node.start : node.end].decode("utf-8")


@functools.lru_cache(maxsize=512)  # a workshop asks for the library again and again
def parse(path: str, source: str) -> Module:
    """The syntax tree of one module; raises `PolicyError` with file, line and column when it does not parse."""
    tree: JsonValue = json.loads(parse_module(path, source))
    ast = _object(_object(_list(tree)[0])["ast"])
    data = source.encode("utf-8")
    imports = {}
    for entry in _list(ast["imports"]):
        fields = _object(entry)
        target = _node(fields["refr"], data).path
        alias = fields.get("as")
        imports[_span_text(alias, data) if alias else target[-1]] = target
    package = _node(_object(ast["package"])["refr"], data).path
    return Module(path, source, package, imports, tuple(_rule(rule, data) for rule in _list(ast["rules"])))


def _rule(value: JsonValue, data: bytes) -> Rule:
    ((kind, entry),) = _object(value).items()
    fields = _object(entry)
    if kind == "Default":
        head = _node(fields["refr"], data)
        given = _node(fields["value"], data)
        arguments = tuple(_node(item, data) for item in _list(fields["args"]))
        return Rule("default", head.path, head, _whole("Rule", fields, (head, given)), None, given, arguments, ())
    ((form, head_value),) = _object(fields["head"]).items()
    head_fields = _object(head_value)
    head = _node(head_fields["refr"], data)
    key = _node(head_fields["key"], data) if head_fields.get("key") else None
    assigned = _assigned(head_fields.get("assign"), data)
    bodies = tuple(_body(body, data) for body in _list(fields["bodies"]))
    parts = (head, *(node for node in (key, assigned) if node), *(body.node for body in bodies))
    return Rule(
        kind={"Compr": "complete", "Set": "set", "Func": "function"}[form],
        name=head.path,
        head=head,
        node=_whole("Rule", fields, parts),
        key=key,
        value=assigned,
        arguments=tuple(_node(item, data) for item in _list(head_fields.get("args", []))),
        bodies=bodies,
    )


def _body(value: JsonValue, data: bytes) -> Body:
    fields = _object(value)
    query = _query(fields["query"], data)
    given = _assigned(fields["assign"], data)
    node = _whole("Body", fields, (query, *((given,) if given else ())))
    return Body(node, query.role("stmts"), bool(fields["is_else"]), given)


def _assigned(value: JsonValue, data: bytes) -> Node | None:
    return _node(_object(value)["value"], data) if value else None


def _query(value: JsonValue, data: bytes) -> Node:
    fields = _object(value)
    statements = tuple(("stmts", _statement(item, data)) for item in _list(fields["stmts"]))
    return _with_span("Query", fields, "", statements)


def _statement(value: JsonValue, data: bytes) -> Node:
    """A statement is its literal, with what `with` replaces as children of the role `with`."""
    fields = _object(value)
    literal = _node(fields["literal"], data)
    extra = []
    for item in _list(fields.get("with_mods", [])):
        modifier = _object(item)
        parts = (("refr", _node(modifier["refr"], data)), ("as", _node(modifier["as"], data)))
        extra.append(("with", _with_span("With", modifier, "", parts)))
    return _with_span(literal.kind, fields, literal.word, (*literal.children, *extra))


def _node(value: JsonValue, data: bytes) -> Node:
    ((kind, entry),) = _object(value).items()
    if kind not in _EXPRESSIONS | _LITERALS:
        raise PolicyError(f"the engine's syntax tree has an unknown part {kind!r}")
    fields = _object(entry)
    children: list[tuple[str, Node]] = []
    for role, item in fields.items():
        if role == "query":
            children.append((role, _query(item, data)))
        elif role == "fields":
            for field in _list(item):
                _, name, member = _list(field)
                children += [("key", _node(name, data)), ("value", _node(member, data))]
        elif role == "vars" or (kind == "Every" and role in {"key", "value"}):
            spans = item if role == "vars" else [item]
            children += [(role, _name(span, data)) for span in _list(spans) if span]
        elif role not in {"span", "value", "eidx", "op", "field"} or (role == "value" and isinstance(item, dict)):
            many = item if isinstance(item, list) else [item]
            children += [(role, _node(one, data)) for one in many if one]
    return _mended(_with_span(kind, fields, _word(kind, fields, data), tuple(children)), data)


def _mended(node: Node, data: bytes) -> Node:
    """The engine leaves out the brace that opens an object of several fields, and takes too much after `set()`."""
    if node.kind == "Object" and data[node.start : node.start + 1] != b"{":
        return dataclasses.replace(node, start=data.rindex(b"{", 0, node.start))
    if node.kind == "Set" and not node.children and data[node.start : node.start + 1] != b"{":
        return dataclasses.replace(node, end=data.index(b")", node.start) + 1)
    return node


def _word(kind: str, fields: JsonObject, data: bytes) -> str:
    if "op" in fields:
        return str(fields["op"])
    if kind == "RefDot":
        return str(_list(fields["field"])[1])
    if kind in {"Var", "Number"}:
        return _span_text(fields["span"], data)
    return str(fields["value"]) if kind in _STRINGS else ""


def _name(span: JsonValue, data: bytes) -> Node:
    return _with_span("Var", {"span": span}, _span_text(span, data), ())


def _with_span(kind: str, fields: JsonObject, word: str, children: tuple[tuple[str, Node], ...]) -> Node:
    whole = _whole(kind, fields, tuple(node for _, node in children))
    return Node(kind, whole.line, whole.column, whole.start, whole.end, word, children)


def _whole(kind: str, fields: JsonObject, parts: tuple[Node, ...]) -> Node:
    """A node's place. The engine leaves out the quotes of strings, also where a larger part ends in one."""
    span = _object(fields["span"])
    line, column, start, end = (_number(span[name]) for name in ("line", "col", "start", "end"))
    if kind in _STRINGS:
        start, end = start - 1, end + 1
    start = min([start, *(part.start for part in parts)])
    end = max([end, *(part.end for part in parts)])
    return Node(kind, line, column, start, end, "")


def _span_text(value: JsonValue, data: bytes) -> str:
    span = _object(value)
    return data[_number(span["start"]) : _number(span["end"])].decode("utf-8")


def _object(value: JsonValue) -> JsonObject:
    if not isinstance(value, dict):
        raise PolicyError("the engine's syntax tree has another shape than expected")
    return value


def _list(value: JsonValue) -> list[JsonValue]:
    if not isinstance(value, list):
        raise PolicyError("the engine's syntax tree has another shape than expected")
    return value


def _number(value: JsonValue) -> int:
    if not isinstance(value, int):
        raise PolicyError("the engine's syntax tree has another shape than expected")
    return value
