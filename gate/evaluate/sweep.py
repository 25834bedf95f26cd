"""Taking an input apart: every single change of it, and which of them a control may let pass (SECURITY 28)."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from gate.evaluate.reach import Path, references
from gate.evaluate.syntax import Module, Node, Rule
from gate.model.json import JsonObject, JsonValue

DELETE: Final = "delete"
REPLACEMENTS: Final[Mapping[str, JsonValue]] = MappingProxyType(
    {"null": None, "empty text": "", "zero": 0, "empty array": [], "empty object": {}, "text": "x"}
)
CHANGES: Final = frozenset({DELETE, *REPLACEMENTS})
ANY: Final = "any"
"""In an allow-list: every change."""

Place = tuple[str | int, ...]
_PARAMETERS: Final = ("gate", "lib", "parameters", "of")
_BY_CONTROL: Final = frozenset({_PARAMETERS, ("gate", "lib", "scanning", "usable")})
"""Functions of the library that read the parameters of the one control that they are given."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Changes that may leave a pass, and why. `*` in `path` is any one key, `**` at its end anything below."""

    path: tuple[str, ...]
    changes: frozenset[str]
    reason: str

    def allows(self, place: Place, change: str) -> bool:
        """Whether a change of a place is one of them."""
        return change in self.changes and self.fits(place)

    def fits(self, place: Place) -> bool:
        """Whether it is about a place."""
        deep = self.path[-1] == "**"
        pattern = self.path[:-1] if deep else self.path
        if len(place) < len(pattern) or (not deep and len(place) != len(pattern)):
            return False
        return all(part in ("*", str(key)) for part, key in zip(pattern, place, strict=False))

    @property
    def names(self) -> frozenset[str]:
        """The keys that it names, without the section."""
        return frozenset(self.path[1:]) - {"*", "**"} or frozenset(self.path[:1])


def places(value: JsonValue, here: Place = ()) -> Iterator[Place]:
    """Every place in a JSON value but the value itself."""
    if isinstance(value, Mapping):
        children: Iterable[tuple[str | int, JsonValue]] = value.items()
    else:
        children = enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*here, key)
        yield from places(child, (*here, key))


def damaged(document: JsonObject, place: Place, change: str) -> JsonObject:
    """A copy in which one place is deleted or replaced; it shares what is not on the way there."""
    result: object = copy.copy(document)
    key, *rest = place
    if rest:
        result[key] = damaged(result[key], tuple(rest), change)  # type: ignore[index]
    elif change == DELETE:
        del result[key]  # type: ignore[attr-defined]
    else:
        result[key] = copy.copy(REPLACEMENTS[change])  # type: ignore[index]
    return result  # type: ignore[return-value]


def changes(document: JsonObject, unread: Iterable[Entry]) -> Iterator[tuple[Place, str, JsonObject]]:
    """All changed copies of a document but those that only touch what is not read."""
    ignored = tuple(unread)
    for place in places(document):
        fitting = [entry for entry in ignored if entry.fits(place)]
        for change in sorted(CHANGES):
            if any(change in entry.changes for entry in fitting):
                continue
            result = damaged(document, place, change)
            if result != document or _types(result) != _types(document):
                yield place, change, result


def _types(value: JsonValue) -> str:
    """Tells values apart that Python takes for equal, such as `0` and `false`."""
    return repr(value)


class Reads:
    """What the rules of one control read of the input, also through the modules that they call.

    In doubt something counts as read: an index that is not constant may be anything, and a package that is named as
    a whole is read as a whole.
    """

    def __init__(self, modules: Mapping[str, Module], control: Module) -> None:
        self._control = control
        self._rules: dict[Path, dict[str, list[tuple[Module, Rule]]]] = {}
        for module in modules.values():
            for rule in module.rules:
                self._rules.setdefault(module.package, {}).setdefault(rule.name[0], []).append((module, rule))

    def sections(self) -> frozenset[str] | None:
        """The sections of the input that the status rests on, `None` for all of them."""
        found = {path[0] if path else None for path in self._inputs([(self._control, rule) for rule in self._status()])}
        return None if None in found else frozenset(section for section in found if section is not None)

    def parameters(self) -> frozenset[str] | None:
        """The controls whose parameters are read, as far as constants say so; `None` for all of them."""
        found = set()
        for module, rule in self._reached([(self._control, rule) for rule in self._status()]):
            if module.package[:2] == ("gate", "lib"):
                continue
            if any(item.path[:2] == ("input", "parameters") for item in references(module, rule)):
                return None
            for node in _nodes(rule):
                if node.kind == "Call" and _function(module, node) in _BY_CONTROL:
                    first = node.role("params")[0]
                    if first.kind != "String":
                        return None
                    found.add(first.word)
        return frozenset(found)

    def names(self, own: Iterable[Module]) -> frozenset[str]:
        """All field names and constant strings in some modules: a key that is not among them is not named there."""
        return frozenset(
            node.word
            for module in own
            for rule in module.rules
            for node in _nodes(rule)
            if node.kind in {"RefDot", "String", "RawString"}
        )

    def noticing(self, place: Place) -> Rule:
        """The control's rule that should have noticed a change of a place: the one that names most of it."""
        best, most = self._status()[-1], -1
        for rule in self._control.rules:
            if rule.name[0] in {"status", "reason", "evidence"}:
                continue
            read = {path[0] for path in self._inputs([(self._control, rule)]) if path}
            if place[0] not in read:
                continue
            words = {node.word for node in _nodes(rule) if node.kind in {"RefDot", "String"}}
            named = sum(1 for key in place if key in words)
            if named > most:
                best, most = rule, named
        return best

    def _status(self) -> list[Rule]:
        return [rule for rule in self._control.rules if rule.name == ("status",)] or list(self._control.rules)

    def _inputs(self, start: Iterable[tuple[Module, Rule]]) -> set[Path]:
        return {
            item.path[1:]
            for module, rule in self._reached(start)
            for item in references(module, rule)
            if item.path[0] == "input"
        }

    def _reached(self, start: Iterable[tuple[Module, Rule]]) -> list[tuple[Module, Rule]]:
        """Some rules with all that they use, in any module."""
        left = list(start)
        seen: dict[int, tuple[Module, Rule]] = {}
        while left:
            module, rule = left.pop()
            if id(rule) in seen:
                continue
            seen[id(rule)] = (module, rule)
            for item in references(module, rule):
                if item.path[0] == "data":
                    left += self._named(item.path[1:])
            words = {node.word for node in _nodes(rule) if node.kind == "Var"}
            own = self._rules[module.package]
            left += [pair for name in words & own.keys() for pair in own[name]]
        return list(seen.values())

    def _named(self, path: Path) -> list[tuple[Module, Rule]]:
        found = []
        for package, rules in self._rules.items():
            if path[: len(package)] == package and len(path) > len(package):
                found += rules.get(path[len(package)], [])
            elif package[: len(path)] == path:
                found += [pair for pairs in rules.values() for pair in pairs]
        return found


def unread_sections(document: JsonObject, reads: Reads) -> Iterator[Entry]:
    """The sections of a document that a control does not read, and the parameters of other controls."""
    sections, parameters = reads.sections(), reads.parameters()
    reason = "The control does not read it."
    for section, content in document.items():
        if sections is not None and section not in sections:
            yield from _whole((section,), reason)
        elif section == "parameters" and parameters is not None and isinstance(content, Mapping):
            for name in content:
                if name not in parameters:
                    yield from _whole((section, name), reason)


def _whole(path: tuple[str, ...], reason: str) -> tuple[Entry, Entry]:
    return Entry(path, CHANGES, reason), Entry((*path, "**"), CHANGES, reason)


def _nodes(rule: Rule) -> Iterator[Node]:
    parts = [rule.head, *rule.arguments, *(node for node in (rule.key, rule.value) if node is not None)]
    for body in rule.bodies:
        parts += [*body.statements, *([body.value] if body.value is not None else [])]
    for part in parts:
        yield from part.walk()


def _function(module: Module, call: Node) -> Path:
    function = call.child("fcn")
    path = function.path if function is not None else ()
    return (*module.imports.get(path[0], path[:1]), *path[1:])[1:] if path else ()
