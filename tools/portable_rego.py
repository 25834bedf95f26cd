"""Finds Rego that OPA and the embedded engine understand differently, where neither OPA nor Regal sees it.

    python tools/portable_rego.py rego rego_tests

Prints `file:line: rule: what` for each finding and exits with 1 if there is one. The rules and their reasons are in
`docs/explanation/portable-rego.md`. It reads Rego as `opa fmt` writes it. Standard library only.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_STRING = re.compile(r'"(?:\\.|[^"\\])*"|`[^`]*`')
_NAME = r"[a-zA-Z_][a-zA-Z0-9_]*"
_SOME = re.compile(r"\b(?:some|every) (.+?)(?: in\b|$|\})", re.DOTALL)
_HEAD = re.compile(rf"^(?:default )?({_NAME})")
_SPRINTF = re.compile(r"\bsprintf\(\s*(\"(?:\\.|[^\"\\])*\"|`[^`]*`)?")
_BUILTIN_WORDS = frozenset(
    {"and", "assign", "div", "eq", "equal", "gt", "gte", "lt", "lte", "minus", "mul", "neq", "or", "plus", "rem"}
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One place that is not portable. `line` counts from one."""

    line: int
    rule: str
    text: str


def _blank(found: re.Match[str]) -> str:
    """A string of the same length and lines, so that offsets stay."""
    return '"' + re.sub(r"[^\n]", "s", found.group()[1:-1]) + '"'


def _plain(source: str) -> str:
    """The source without what is inside strings and comments; offsets and lines stay."""
    masked = _STRING.sub(_blank, re.sub(r"(?m)^\s*#.*$", lambda m: " " * len(m.group()), source))
    return re.sub(r"#.*", lambda m: " " * len(m.group()), masked)


@dataclass(frozen=True, slots=True)
class _Rule:
    """One rule: from a line that starts with a name to the next. `text` has its strings blanked."""

    line: int
    text: str
    raw: str

    @property
    def name(self) -> str:
        found = _HEAD.match(self.text)
        return found.group(1) if found else ""

    @property
    def head(self) -> str:
        """What is before `if`; the whole rule if there is none."""
        parts = re.split(r" if(?: |\{|\n|$)", self.text, maxsplit=1)
        return parts[0]

    @property
    def is_function(self) -> bool:
        return re.match(rf"(?:default )?{_NAME}\(", self.text) is not None


def _rules(source: str) -> list[_Rule]:
    plain = _plain(source)
    starts = [m.start() for m in re.finditer(r"(?m)^(?!package\b|import\b|else\b)[a-z_]", plain)]
    ends = [*starts[1:], len(plain)]
    return [
        _Rule(plain.count("\n", 0, a) + 1, plain[a:b].rstrip(), source[a:b].rstrip())
        for a, b in zip(starts, ends, strict=True)
    ]


def _imports(source: str) -> dict[str, str]:
    found = re.finditer(rf"(?m)^import ([\w.]+)(?: as ({_NAME}))?$", source)
    return {m.group(2) or m.group(1).rpartition(".")[2]: m.group(1) for m in found}


def _not_import(source: str) -> Iterator[Finding]:
    if not re.search(r"(?m)^import future\.keywords\.not$", source):
        yield Finding(1, "not-import", "import future.keywords.not, or `not` has another meaning in each engine")


def _is_bound(text: str) -> bool:
    """Whether a term holds only strings, numbers, names and literals of them: no reference, call or comprehension."""
    bare = re.sub(r'"[^"]*"', "0", text)
    return not re.search(rf"[a-zA-Z0-9_\])]\.|{_NAME}\(|{_NAME}\[|\|| - | \+ | in ", bare)


def _partial_heads(source: str) -> Iterator[Finding]:
    for rule in _rules(source):
        head = rule.head
        if rule.text.startswith("default ") or rule.is_function or " if" not in rule.text:
            continue
        contains = re.search(r" contains (.+)$", head, re.DOTALL)
        keyed = re.match(rf"{_NAME}((?:\[[^\]]*\])+)\s*(?::?=\s*(.+))?", head, re.DOTALL)
        terms = [contains.group(1)] if contains else []
        if keyed:
            terms += re.findall(r"\[([^\]]*)\]", keyed.group(1))
            terms += [keyed.group(2)] if keyed.group(2) and not contains else []
        for term in terms:
            if not _is_bound(term):
                yield Finding(
                    rule.line,
                    "partial-head",
                    f"bind `{term.strip()}` in the body first: the whole rule is lost otherwise",
                )


def _shadows(source: str) -> Iterator[Finding]:
    rules = _rules(source)
    taken = {rule.name for rule in rules} | set(_imports(source))
    for rule in rules:
        if rule.name in _BUILTIN_WORDS:
            yield Finding(rule.line, "operator-name", f"`{rule.name}` is an operator of OPA")
        arguments = set()
        if rule.is_function:
            arguments = set(re.findall(_NAME, rule.head[rule.head.index("(") : rule.head.index(")") + 1]))
        assigned = {(m.group(1), m.start()) for m in re.finditer(rf"(?m)^\t+({_NAME}) := ", rule.text)}
        for found in _SOME.finditer(rule.text):
            for name in re.findall(_NAME, found.group(1)):
                line = rule.line + rule.text.count("\n", 0, found.start())
                outer = {local for local, at in assigned if at < found.start()}
                if name != "_" and name in taken | arguments | outer:
                    yield Finding(line, "shadowing", f"the variable `{name}` has the name of something else")


def _verbs(source: str) -> Iterator[Finding]:
    for rule in _rules(source):
        for found in _SPRINTF.finditer(rule.raw):
            line = rule.line + rule.raw.count("\n", 0, found.start())
            template = found.group(1)
            if template is None:
                yield Finding(line, "sprintf", "the format is not a constant")
                continue
            verbs = re.findall(r"%(?:%|[^a-zA-Z%]*[a-zA-Z])", template)
            if any(verb not in ("%s", "%d", "%%") for verb in verbs):
                yield Finding(line, "sprintf", "only %s with texts and %d with counts are written alike")
            rest = rule.raw[found.end() :]
            given = re.match(r",\s*\[", rest)
            if given is None:
                yield Finding(line, "sprintf", "the values are not a list that is written out")
            elif _elements(rest[given.end() :]) != sum(verb != "%%" for verb in verbs):
                yield Finding(line, "sprintf", "as many values as verbs")


def _elements(text: str) -> int:
    """How many elements a list has whose opening bracket was just read."""
    depth, commas, seen = 0, 0, False
    for mark in _STRING.sub("0", text):
        if mark == "]" and depth == 0:
            break
        depth += (mark in "[({") - (mark in "])}")
        commas += mark == "," and depth == 0
        seen = seen or not mark.isspace()
    return commas + 1 if seen else 0


def _imports_in_functions(source: str) -> Iterator[Finding]:
    package = re.search(r"(?m)^package ([\w.]+)$", source)
    if package is None or not package.group(1).startswith("gate.lib.") or package.group(1).endswith("_test"):
        return
    aliases = [alias for alias, path in _imports(source).items() if path.startswith("data.")]
    for rule in _rules(source):
        if not rule.is_function:
            continue
        for alias in aliases:
            for found in re.finditer(rf"(?<![\w.]){alias}\.{_NAME}(?![\w(])", rule.text):
                line = rule.line + rule.text.count("\n", 0, found.start())
                yield Finding(line, "import-in-function", f"read `{found.group()}` through a rule of this package")


CHECKS = (_not_import, _partial_heads, _shadows, _verbs, _imports_in_functions)


def lint(source: str) -> list[Finding]:
    """All findings in one file's text, in the order of lines."""
    return sorted(
        (finding for check in CHECKS for finding in check(source)),
        key=lambda finding: (finding.line, finding.rule, finding.text),
    )


def main(arguments: list[str]) -> int:
    """Lint the files below the folders that the command line names."""
    files = sorted(path for folder in arguments for path in Path(folder).rglob("*.rego"))
    if not files:
        print("no Rego file found: name folders", file=sys.stderr)
        return 2
    findings = [(path, finding) for path in files for finding in lint(path.read_text("utf-8"))]
    for path, finding in findings:
        print(f"{path.as_posix()}:{finding.line}: {finding.rule}: {finding.text}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
