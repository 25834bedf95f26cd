"""Mutants of Python functions: one small change each, put in place by exchanging the function's code."""

from __future__ import annotations

import ast
import copy
import inspect
import signal
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Final

_COMPARISONS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.Sub: ast.Add,
    ast.Add: ast.Sub,
}
_NAMES: Final = {"all": "any", "any": "all", "min": "max"}


@dataclass(frozen=True)
class Mutant:
    """A function with one change. `name` says which: function, place among its equals, before and after."""

    name: str
    function: FunctionType
    code: CodeType

    @contextmanager
    def in_place(self) -> Iterator[None]:
        before = self.function.__code__
        self.function.__code__ = self.code
        try:
            yield
        finally:
            self.function.__code__ = before


def mutants_of(module: ModuleType) -> Iterator[Mutant]:
    """All mutants of the functions and methods of a module, in the order of the source."""
    tree = ast.parse(inspect.getsource(module))
    functions = dict(_functions(module))
    for number, node in enumerate(_code_nodes(tree)):
        for before, after in _changes(node):
            changed = copy.deepcopy(tree)
            twin = next(item for place, item in enumerate(_code_nodes(changed)) if place == number)
            owner = _owner(changed, twin)
            if owner not in functions:
                continue
            _apply(changed, twin, after)
            name = f"{module.__name__}.{owner}: {before} -> {_text(after)}"
            found = _code(compile(ast.fix_missing_locations(changed), module.__file__ or "", "exec"), owner)
            if len(found.co_freevars) == len(functions[owner].__code__.co_freevars):
                yield Mutant(name, functions[owner], found)


def _functions(module: ModuleType) -> Iterator[tuple[str, FunctionType]]:
    for item in vars(module).values():
        if isinstance(item, FunctionType) and item.__module__ == module.__name__:
            yield item.__qualname__, item
        if isinstance(item, type) and item.__module__ == module.__name__:
            for member in vars(item).values():
                inner = next((found for key in ("fget", "__func__") if (found := getattr(member, key, None))), member)
                if isinstance(inner, FunctionType) and inner.__code__.co_filename == module.__file__:
                    yield inner.__qualname__, inner


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST | None]]:
    """What may stand in a node's place, with the text of what stood there; `None` for nothing."""
    if isinstance(node, ast.expr):
        yield from ((ast.unparse(node), changed) for changed in (*_other_logic(node), *_other_values(node)))
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield " and ".join(ast.unparse(item) for item in node.ifs), None
    elif isinstance(node, ast.If):
        for value in (True, False):
            yield f"if {ast.unparse(node.test)}", ast.If(ast.Constant(value), node.body, node.orelse)
    elif isinstance(node, ast.Raise | ast.Continue | ast.AugAssign) or (
        isinstance(node, ast.Return | ast.Expr) and not isinstance(node.value, ast.Constant | None)
    ):
        yield ast.unparse(node), ast.Pass()


def _other_logic(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            changed = copy.deepcopy(node)
            changed.ops[place] = _COMPARISONS[type(operator)]()
            yield changed
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values)
        for place in range(len(node.values)):
            rest = node.values[:place] + node.values[place + 1 :]
            yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
    elif isinstance(node, ast.IfExp):
        yield from (node.body, node.orelse)


def _other_values(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        yield ast.BinOp(node.left, _OPERATORS[type(node.op)](), node.right)
        yield node.left
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _NAMES:
        yield ast.Call(ast.Name(_NAMES[node.func.id], ast.Load()), node.args, node.keywords)


def _code_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run, so no annotations, decorators and defaults."""
    yield tree
    for field, value in ast.iter_fields(tree):
        if field not in {"annotation", "returns", "decorator_list", "defaults", "kw_defaults", "bases"}:
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _code_nodes(child)


def _apply(tree: ast.AST, node: ast.AST, replacement: ast.AST | None) -> None:
    """Puts the replacement where the node is."""
    if replacement is None:
        assert isinstance(node, ast.comprehension)
        node.ifs = []
        return
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if value is node:
                setattr(parent, field, replacement)
            elif isinstance(value, list):
                value[:] = [replacement if item is node else item for item in value]


def _owner(tree: ast.Module, node: ast.AST) -> str:
    """The qualified name of the function or method that a node stands in; empty outside of one."""
    for outer in tree.body:
        for inner in outer.body if isinstance(outer, ast.ClassDef) else [outer]:
            if (
                isinstance(inner, ast.FunctionDef)
                and inner is not node
                and any(item is node for item in ast.walk(inner))
            ):
                return f"{outer.name}.{inner.name}" if isinstance(outer, ast.ClassDef) else inner.name
    return ""


def _code(code: CodeType, qualified: str) -> CodeType:
    for part in qualified.split("."):
        code = next(item for item in code.co_consts if isinstance(item, types.CodeType) and item.co_name == part)
    return code


def _text(node: ast.AST | None) -> str:
    if node is None or isinstance(node, ast.Pass):
        return "nothing"
    return f"if {ast.unparse(node.test)}" if isinstance(node, ast.If) else ast.unparse(node)


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Ends what computes longer: a mutant may loop for ever."""

    def stop(_signal: int, _frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def survives(mutant: Mutant, check: Callable[[], None], *, limit_s: float = 3) -> bool:
    """Whether a check holds with the mutant in place, in a limited time of this process."""
    with mutant.in_place():
        try:
            with limited(limit_s):
                check()
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001 - a failed `pytest.raises` is no Exception
            return False
    return True
