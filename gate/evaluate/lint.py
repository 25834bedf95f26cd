"""What can be said of controls without running them: portable, described, spelt right, tested (CONTROLS 2 and 3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from gate.errors import PolicyError
from gate.evaluate.catalogue import control_id, read_control
from gate.evaluate.references import References, position
from gate.evaluate.regorus import RegorusEngine
from gate.evaluate.syntax import Module, Node, parse
from gate.formats.strict_yaml import suggestion
from gate.model.artifact import ArtifactKind
from gate.model.control import ControlInfo
from gate.model.settings import Target

_PLACED: Final = re.compile(
    r"--> (?P<path>[^\n]+?):(?P<line>\d+):(?P<column>\d+)\n(?:[^\n]*\n)*?error: (?P<text>[^\n]*)"
)
_SHORT: Final = re.compile(r"(?m)^(?P<path>[^\s:]+\.rego):(?P<line>\d+)(?::(?P<column>\d+))?: (?P<text>[^\n]+)$")
_METADATA: Final = re.compile(r"(?P<path>[^:]+): (?:METADATA line (?P<line>\d+): )?(?P<text>.*)", re.DOTALL)
_STRINGS: Final = frozenset({"String", "RawString"})
_VIOLATION: Final = ("data", "gate", "lib", "result", "violation")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """What is wrong, and where; line and column count from 1. `path` is that of the policy."""

    path: str
    line: int
    column: int
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class _Everything:
    """All modules, tests included, as an engine loads them."""

    modules: Mapping[str, str]


def lint(own: Mapping[str, str], policy: Mapping[str, str], tests: Mapping[str, str]) -> list[Finding]:
    """The findings in the own modules and in the tests, sorted; `policy` are all modules that are no tests."""
    parsed, found = _parsed({**policy, **tests})
    if not found:
        found += _compiled({**policy, **tests})
    references = References(parsed.values())
    for path, module in parsed.items():
        if path in own or path in tests:
            lost = references.lost(module, with_input=path in own)
            found += [Finding(path, one.line, one.column, one.rule, one.message) for one in lost]
    test_modules = [module for path, module in parsed.items() if path in tests]
    titles: dict[str, str] = {}
    for path in own:
        control = control_id(path)
        if control is None:
            continue
        found += _described(path, own[path], titles)
        if path in parsed:
            codes = _codes(parsed[path])
            found += _misnamed(parsed[path], control, codes)
            found += _untested(parsed[path], control, codes, test_modules)
    return sorted(set(found))


def problem(error: PolicyError) -> list[Finding]:
    """What an error of loading says, as findings; one without a place is about the whole policy."""
    text = str(error).removeprefix("the policy does not load: ")
    found = [
        Finding(match["path"], int(match["line"]), int(match["column"] or 1), "load", match["text"])
        for pattern in (_PLACED, _SHORT)
        for match in pattern.finditer(text)
    ]
    return found or [Finding("", 1, 1, "load", text)]


def _parsed(modules: Mapping[str, str]) -> tuple[dict[str, Module], list[Finding]]:
    parsed: dict[str, Module] = {}
    found: list[Finding] = []
    for path, source in modules.items():
        try:
            parsed[path] = parse(path, source)
        except PolicyError as error:
            found += problem(error)
    return parsed, found


def _compiled(modules: Mapping[str, str]) -> list[Finding]:
    try:
        RegorusEngine(_Everything(modules))
    except PolicyError as error:
        return problem(error)
    return []


def _described(path: str, text: str, titles: dict[str, str]) -> Iterator[Finding]:
    """The METADATA is complete and says only what there is; no two controls have one title."""
    lines = text.splitlines()
    start = lines.index("# METADATA") + 1 if "# METADATA" in lines else 0
    try:
        control = read_control(path, text)
    except PolicyError as error:
        match = _METADATA.fullmatch(str(error))
        line = start + int((match and match["line"]) or 0)
        yield Finding(path, max(line, 1), 1, "metadata", match["text"] if match else str(error))
        return
    for message in _strangers(control):
        yield Finding(path, start, 1, "metadata", message)
    other = titles.setdefault(control.title, control.id)
    if other != control.id:
        yield Finding(path, start, 1, "metadata", f"{other} has the same title")


def _strangers(control: ControlInfo) -> Iterator[str]:
    for field, words, known in (
        ("artifacts", control.artifacts, [kind.value for kind in ArtifactKind]),
        ("targets", control.targets, [target.value for target in Target]),
    ):
        for word in words:
            if word not in known:
                yield f"{field}: there is no {word}{suggestion(word, known)}"


def _codes(module: Module) -> list[Node]:
    """The texts that are codes of violations: given to `result.violation`, or like one where a rule makes them."""
    calls = [node for node in _nodes(module) if node.kind == "Call" and _function(module, node) == _VIOLATION]
    given = [call.role("params")[0] for call in calls if call.role("params")]
    found = [node for node in given if node.kind in _STRINGS]
    if len(found) < len(given):
        control = control_id(module.path)
        likely = [node for node in _nodes(module) if node.kind in _STRINGS and node.word.startswith(f"{control}.")]
        found += [node for node in likely if node not in found]
    return found


def _function(module: Module, call: Node) -> tuple[str, ...]:
    function = call.child("fcn")
    path = function.path if function is not None else ()
    return (*module.imports.get(path[0], path[:1]), *path[1:]) if path else ()


def _misnamed(module: Module, control: str, codes: Iterable[Node]) -> Iterator[Finding]:
    for node in codes:
        if re.fullmatch(rf"{re.escape(control)}\.[a-z][a-z0-9_]*", node.word) is None:
            message = f"a violation of {control} has the code {control}.<reason>, not {node.word!r}"
            yield Finding(module.path, *position(module, node.start), "code", message)


def _untested(module: Module, control: str, codes: Iterable[Node], tests: Iterable[Module]) -> Iterator[Finding]:
    """A test that passes, one that fails, and each code in a test."""
    package = ("data", *module.package)
    mine = [test for test in tests if package in test.imports.values()]
    if not mine:
        yield Finding(module.path, 1, 1, "test", f"no test imports {'.'.join(package)}")
        return
    names = [rule.name[0] for test in mine for rule in test.rules]
    for prefix in ("test_passes_", "test_fails_"):
        if not any(name.startswith(prefix) for name in names):
            yield Finding(module.path, 1, 1, "test", f"{control} has no test named {prefix}*")
    said = {node.word for test in mine for node in _nodes(test) if node.kind in _STRINGS}
    for node in codes:
        if not any(node.word in text for text in said):
            message = f"no test expects the violation {node.word}"
            yield Finding(module.path, *position(module, node.start), "test", message)


def _nodes(module: Module) -> Iterator[Node]:
    for rule in module.rules:
        for part in (rule.key, rule.value, *rule.arguments):
            if part is not None:
                yield from part.walk()
        for body in rule.bodies:
            if body.value is not None:
                yield from body.value.walk()
            for statement in body.statements:
                yield from statement.walk()
