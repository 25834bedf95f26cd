"""Which modules of a policy reach which: found in the syntax trees, and never too few."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from gate.evaluate.syntax import Module, Node, Rule

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to `data` or `input`, as far as its indices are constant; `is_whole` if all of them are."""

    path: Path
    is_whole: bool


class Reach:
    """The modules of a policy by what they refer to. An index that is not constant may be anything."""

    def __init__(self, modules: Mapping[str, Module]) -> None:
        self._packages = {path: module.package for path, module in modules.items()}
        self._references = {
            path: frozenset(
                item.path[1:] for rule in module.rules for item in references(module, rule) if item.path[0] == "data"
            )
            for path, module in modules.items()
        }

    def direct(self, path: str) -> frozenset[str]:
        """The modules that one refers to, and those of its own package."""
        found = {path}
        for other, package in self._packages.items():
            if package == self._packages[path] or any(
                item[: len(package)] == package[: len(item)] for item in self._references[path]
            ):
                found.add(other)
        return frozenset(found)

    def closure(self, paths: Iterable[str]) -> frozenset[str]:
        """Some modules with all that they reach."""
        found: set[str] = set()
        left = set(paths)
        while left:
            path = left.pop()
            found.add(path)
            left |= self.direct(path) - found
        return frozenset(found)


def references(module: Module, rule: Rule) -> Iterator[Reference]:
    """What a rule refers to outside of its package, each reference as long as it is constant."""
    nodes = [rule.head, *rule.arguments, *(node for node in (rule.key, rule.value) if node is not None)]
    for body in rule.bodies:
        nodes += [*body.statements, *([body.value] if body.value is not None else [])]
    for node in nodes:
        yield from _below(module, node)


def _below(module: Module, node: Node) -> Iterator[Reference]:
    path = node.path
    if path:
        first = path[0]
        if first in {"data", "input"}:
            yield Reference(path, node.is_constant_path)
        elif first in module.imports:
            yield Reference((*module.imports[first], *path[1:]), node.is_constant_path)
    yield from _inside(module, node, in_reference=bool(path))


def _inside(module: Module, node: Node, *, in_reference: bool) -> Iterator[Reference]:
    """What stands below a node; of a reference only its indices, for its beginning is a part of it."""
    for role, child in node.children:
        if in_reference and role == "refr":
            yield from _inside(module, child, in_reference=True)
        else:
            yield from _below(module, child)
