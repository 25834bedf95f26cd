"""The syntax tree of a chat template: what in it no chat template needs. It is parsed and never rendered.

Everything is refused that is not listed: statements, functions, methods, filters and tests. No value is reached by a
name that begins with an underscore or is put together from parts. A template that keeps to this calls nothing but
what the library that renders it hands out for this purpose, whatever sandbox it uses, or none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, TypeVar

from jinja2 import Environment, TemplateError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

from gate.inspect.context import shown

_PROBLEMS: Final = 10
_ROUNDS: Final = 20
_Found = TypeVar("_Found", bound=nodes.Node)

_NODES: Final = (
    nodes.Add, nodes.And, nodes.Assign, nodes.AssignBlock, nodes.Break, nodes.Call, nodes.CallBlock, nodes.Compare,
    nodes.Concat, nodes.CondExpr, nodes.Const, nodes.Continue, nodes.Dict, nodes.Div, nodes.Filter, nodes.FilterBlock,
    nodes.FloorDiv, nodes.For, nodes.Getattr, nodes.Getitem, nodes.If, nodes.Keyword, nodes.List, nodes.Macro,
    nodes.Mod, nodes.Mul, nodes.NSRef, nodes.Name, nodes.Neg, nodes.Not, nodes.Operand, nodes.Or, nodes.Output,
    nodes.Pair, nodes.Pos, nodes.Scope, nodes.Slice, nodes.Sub, nodes.Template, nodes.TemplateData, nodes.Test,
    nodes.Tuple, nodes.With,
)  # fmt: skip
_HOLDING: Final = frozenset({"dict", "namespace", "range"})
_FUNCTIONS: Final = _HOLDING | {"raise_exception", "strftime_now"}
_GIVEN: Final = frozenset({"documents", "messages", "tools"})
"""Lists that the application hands over."""
_REACHING: Final = frozenset({"cycler", "joiner", "lipsum", "self"})
"""Names of objects of Jinja's own, whose attributes lead to the interpreter."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_METHODS: Final = _words(
    "capitalize count cycle changed endswith find get index isalnum isalpha isdigit islower isnumeric isspace isupper "
    "items join keys lower lstrip partition removeprefix removesuffix replace rfind rpartition rsplit rstrip split "
    "splitlines startswith strip title upper values"
)
_ADDING: Final = _words("append extend insert setdefault update")
"""Methods that put something into a list or an object that the template keeps notes in."""
_DATE: Final = re.compile(r"(?:%[A-Za-z]|[^A-Za-z_%])*")
"""What a date is made of, and no name of an attribute."""
_FILTERS: Final = _words(
    "abs batch capitalize center count d default dictsort e escape first float forceescape groupby indent int items "
    "join last length list lower map max min reject rejectattr replace reverse round safe select selectattr slice sort "
    "string striptags sum title tojson trim truncate unique upper wordcount wordwrap"
)
_TESTS: Final = _words(
    "!= < <= == > >= boolean callable defined divisibleby eq equalto escaped even false float ge greaterthan gt in "
    "integer iterable le lessthan lower lt mapping ne none number odd sameas sequence string true undefined upper"
)
_BY_NAME: Final[Mapping[str, int]] = {
    "groupby": 1, "map": 1, "max": 2, "min": 2, "reject": 1, "rejectattr": 2, "select": 1, "selectattr": 2, "sort": 3,
    "sum": 1, "unique": 2,
}  # fmt: skip
"""Filters that read attributes, or call filters and tests, by their names; with the number of such arguments."""
_FRAMES: Final = _words(
    "ag_code ag_frame cr_code cr_frame f_back f_builtins f_globals f_locals func_code func_globals gi_code gi_frame "
    "mro tb_frame"
)
_COUNTED: Final = _words("count int length wordcount")
"""Filters whose result is a number."""
_PATHS: Final = _words(
    "d default dictsort first items last list reject rejectattr reverse select selectattr sort unique"
)
_TAKING: Final = _words("get items keys values")
"""Filters and methods that hand parts of a value on as they are."""


class _Generation(Extension):
    """The tag `generation`, with which templates mark what the model itself said."""

    tags = frozenset({"generation"})  # type: ignore[assignment]  # declared as a set that could be changed

    def parse(self, parser: Parser) -> nodes.Node:
        """The statements inside, which are all there is to judge."""
        line = next(parser.stream).lineno
        return nodes.Scope(parser.parse_statements(("name:endgeneration",), drop_needle=True), lineno=line)


def template_problems(text: str) -> tuple[str, ...]:
    """What in a template is not harmless, at most ten things and each once; nothing means harmless."""
    environment = Environment(  # noqa: S701 - nothing is rendered
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", _Generation]
    )
    try:
        tree = environment.parse(text)
    except TemplateError as problem:
        return (f"does not parse: {shown(str(problem), 80)}",)
    except RecursionError:
        return ("is nested deeper than a parser follows",)
    except Exception as problem:  # noqa: BLE001 - text that breaks the parser is not harmless
        return (f"does not parse: {type(problem).__name__}",)
    found: dict[str, None] = {}
    judge = _Judge(tree)
    for node in _walk(tree):
        for problem_ in judge.problems(node):
            found.setdefault(problem_)
            if len(found) >= _PROBLEMS:
                return tuple(found)
    return tuple(found)


def _walk(tree: nodes.Node) -> Iterator[nodes.Node]:
    """Every node, without recursion, in no particular order that anybody may rely on but always the same."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(list(node.iter_child_nodes())))


def _all(tree: nodes.Node, kind: type[_Found]) -> Iterator[_Found]:
    return (node for node in _walk(tree) if isinstance(node, kind))


class _Judge:
    """One template; what its names stand for is collected first."""

    def __init__(self, tree: nodes.Node) -> None:
        self._macros = {macro.name for macro in _all(tree, nodes.Macro)}
        self._callees = {id(call.node) for call in _all(tree, nodes.Call)}
        self._callees |= {id(test.node) for test in _all(tree, nodes.Test) if test.name in {"defined", "undefined"}}
        self._sources: dict[str, list[nodes.Node]] = {}
        for node in _walk(tree):
            for name, value in _set_by(node):
                self._sources.setdefault(name, []).append(value)
        self._built: set[str] = set()
        for _ in range(_ROUNDS):
            built = {name for name, values in self._sources.items() if not all(map(self._is_plain, values))}
            if built <= self._built:
                return
            self._built |= built
        self._built = set(self._sources)

    def problems(self, node: nodes.Node) -> Iterator[str]:
        """What is wrong with one node, its children apart."""
        if not isinstance(node, _NODES):
            yield f"the construct {type(node).__name__}"
        if isinstance(node, nodes.Name) and not self._may_be_used(node):
            yield f"the name {shown(node.name, 40)} as a value"
        elif isinstance(node, (nodes.Getattr, nodes.NSRef)) and _is_hidden(node.attr):
            yield f"the attribute {shown(node.attr, 40)}"
        elif isinstance(node, nodes.Getitem):
            yield from self._subscript_problems(node.arg)
        elif isinstance(node, nodes.Call):
            yield from self._call_problems(node)
        elif isinstance(node, nodes.Filter):
            yield from _filter_problems(node)
        elif isinstance(node, nodes.Test) and (node.name not in _TESTS or node.dyn_args or node.dyn_kwargs):
            yield f"the test {shown(node.name, 40)}"
        elif (
            isinstance(node, nodes.Mod) and isinstance(node.left, (nodes.Concat, nodes.Const)) and not _is_number(node)
        ):
            yield "text that is put together by %"

    def _may_be_used(self, node: nodes.Name) -> bool:
        if node.name in _REACHING or node.name.startswith("__"):
            return False
        return id(node) in self._callees or node.name not in _FUNCTIONS

    def _call_problems(self, node: nodes.Call) -> Iterator[str]:
        callee = node.node
        if isinstance(callee, nodes.Name):
            known = callee.name in _FUNCTIONS or callee.name == "caller" or callee.name in self._macros
            if not known or callee.name in self._sources:
                yield f"a call of {shown(callee.name, 40)}"
        elif not isinstance(callee, nodes.Getattr):
            yield "a call of what is no name"
        elif callee.attr in _ADDING:
            values = (*node.args, *(part for pair in node.kwargs for part in (nodes.Const(pair.key), pair.value)))
            if not all(map(self._is_plain, values)):
                yield f"a call of the method {callee.attr} with what the template makes up"
        elif callee.attr not in _METHODS:
            yield f"a call of the method {shown(callee.attr, 40)}"
        if node.dyn_args or node.dyn_kwargs:
            yield "a call with arguments that are put together"

    def _subscript_problems(self, argument: nodes.Node) -> Iterator[str]:
        if isinstance(argument, nodes.Const):
            if isinstance(argument.value, str) and _is_hidden(argument.value):
                yield f"the attribute {shown(argument.value, 40)}"
        elif not isinstance(argument, nodes.Slice) and not self._is_plain(argument):
            yield "a subscript that is put together, or comes from the template's own words"

    def _is_plain(self, node: nodes.Node) -> bool:
        """Whether a value is a number, or comes as it is from the conversation: no name that the template makes up."""
        waiting = [node]
        while waiting:
            item = waiting.pop()
            parts = None if self._is_made_up(item) else [] if self._is_given(item) else _parts(item)
            if parts is None:
                return False
            waiting += parts
        return True

    def _is_given(self, node: nodes.Node) -> bool:
        """Whether a value is a slice of a list of the conversation's own, which the template at most shortened."""
        names = {*_sliced(node)}
        return (
            names <= _GIVEN
            and not isinstance(node, nodes.Name)
            and all({*_sliced(value)} <= {name} for name in names for value in self._sources.get(str(name), ()))
        )

    def _is_made_up(self, node: nodes.Node) -> bool:
        if isinstance(node, nodes.Const):
            return isinstance(node.value, str) and ("__" in node.value or _is_hidden(node.value))
        if isinstance(node, nodes.Name):
            return self._is_built(node.name) or self._is_built(f"{node.name}.*")
        if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
            return self._is_built(node.node.name) or self._is_built(f"{node.node.name}.{node.attr}")
        return isinstance(node, nodes.Getattr) and self._is_built(node.attr)

    def _is_built(self, name: str) -> bool:
        """Whether a name is made by the template, or comes with the tokenizer and so from whoever wrote it."""
        return name in self._built or name.endswith(("token", "tokens"))


def _set_by(node: nodes.Node) -> Iterator[tuple[str, nodes.Node]]:
    """The names that a node sets, each with what it may become a value or a part of.

    `f()` stands for all arguments of a macro, and `x.*` for all attributes of a namespace.
    """
    if isinstance(node, (nodes.Assign, nodes.For)):
        yield from ((name, node.node if isinstance(node, nodes.Assign) else node.iter) for name in _names(node.target))
    elif isinstance(node, nodes.With):
        for target, value in zip(node.targets, node.values, strict=True):
            yield from ((name, value) for name in _names(target))
    elif isinstance(node, nodes.AssignBlock):
        yield from ((name, node) for name in _names(node.target))
    elif isinstance(node, (nodes.Macro, nodes.CallBlock)):
        arguments = f"{node.name if isinstance(node, nodes.Macro) else 'caller'}()"
        yield from ((argument.name, nodes.Name(arguments, "load")) for argument in node.args)
        yield from ((arguments, value) for value in node.defaults)
    elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
        arguments = f"{node.node.name}()"
        yield from ((arguments, value) for value in (*node.args, *(pair.value for pair in node.kwargs)))


def _sliced(node: nodes.Node) -> Iterator[str | None]:
    """The names that a value is a slice of, whatever a condition says; `None` for anything else."""
    waiting = [node]
    while waiting:
        item = waiting.pop()
        if isinstance(item, nodes.Getitem) and isinstance(item.arg, nodes.Slice):
            waiting.append(item.node)
        elif isinstance(item, nodes.CondExpr) and item.expr2 is not None:
            waiting += [item.expr1, item.expr2]
        else:
            yield item.name if isinstance(item, nodes.Name) else None


def _names(target: nodes.Node) -> Iterator[str]:
    yield from (name.name for name in _all(target, nodes.Name))
    for reference in _all(target, nodes.NSRef):
        yield f"{reference.name}.{reference.attr}"
        yield f"{reference.name}.*"


def _is_hidden(attribute: str) -> bool:
    return attribute.startswith("_") or attribute in _FRAMES


def _is_number(node: nodes.Node) -> bool:
    """Whether a value can be nothing but a number, or rendering breaks off."""
    while isinstance(node, nodes.Mod):
        node = node.left
    if isinstance(node, nodes.Add):
        return any(
            isinstance(side, nodes.Const) and not isinstance(side.value, str) for side in (node.left, node.right)
        )
    if isinstance(node, nodes.Const):
        return not isinstance(node.value, str)
    if isinstance(node, nodes.Filter):
        return node.name in _COUNTED and not node.args and not node.kwargs
    return isinstance(node, (nodes.Sub, nodes.Div, nodes.FloorDiv, nodes.Neg, nodes.Pos))


def _parts(node: nodes.Node) -> list[nodes.Node] | None:
    """What a value is taken from as it is; `None` where it could be put together."""
    if _is_number(node) or isinstance(node, (nodes.Const, nodes.Name, nodes.Compare, nodes.Not, nodes.Test)):
        return []
    if isinstance(node, nodes.Add) and isinstance(node.left, nodes.List) + isinstance(node.right, nodes.List):
        return [node.left, node.right]  # a longer list, or rendering breaks off
    if isinstance(node, nodes.Getattr):
        return [] if isinstance(node.node, nodes.Name) else [node.node]
    if isinstance(node, nodes.Getitem):
        return None if isinstance(node.arg, nodes.Slice) else [node.node]
    if isinstance(node, (nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.CondExpr, nodes.And, nodes.Or)):
        return list(node.iter_child_nodes())
    if isinstance(node, nodes.Filter) and node.node is not None and node.name in _PATHS:
        return [node.node, *node.args]
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in _HOLDING:
        return [*node.args, *(part for pair in node.kwargs for part in (nodes.Const(pair.key), pair.value))]
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name == "strftime_now":
        texts = [part.value for part in node.args if isinstance(part, nodes.Const) and isinstance(part.value, str)]
        return [] if len(texts) == 1 == len(node.args) and _DATE.fullmatch(texts[0]) else None
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr) and node.node.attr in _TAKING:
        return [node.node.node, *node.args]
    return None


def _filter_problems(node: nodes.Filter) -> Iterator[str]:
    if node.name not in _FILTERS:
        yield f"the filter {shown(node.name, 40)}"
    if node.dyn_args or node.dyn_kwargs:
        yield "a filter with arguments that are put together"
    if node.name in _BY_NAME:
        words = [argument.value for argument in node.kwargs if argument.key == "attribute"]
        for index, argument in enumerate((*node.args[: _BY_NAME[node.name]], *words)):
            value = argument.value if isinstance(argument, nodes.Const) else None
            if not isinstance(argument, nodes.Const):
                yield f"the filter {node.name} with a name that is put together"
            elif isinstance(value, str) and any(map(_is_hidden, value.replace(",", ".").split("."))):
                yield f"the attribute {shown(value, 40)}"
            elif node.name == "map" and index == 0 and node.args and value not in _FILTERS - _BY_NAME.keys():
                yield f"the filter {shown(str(value), 40)}"
