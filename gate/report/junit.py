"""JUnit XML, the form that CI systems show as test results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from gate.report.escape import terminal

_TEXT: Final = 8_000


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a suite: a pass, or what failed as pairs of a code and a text.

    `errors` are what could not be judged, in the same pairs. `skipped` says why it counts for nothing, `out` what a
    pass rests on.
    """

    suite: str
    name: str
    failures: tuple[tuple[str, str], ...] = ()
    errors: tuple[tuple[str, str], ...] = ()
    skipped: str | None = None
    out: str | None = None


def junit(name: str, cases: Sequence[Case], properties: Mapping[str, str] | None = None) -> str:
    """The document. Text from outside becomes printable characters: no markup and no control character gets in.

    `properties` are told in the first suite. Of cases with one name readers show one: further ones get a number.
    """
    cases = list(_numbered(cases))
    suites = dict.fromkeys(case.suite for case in cases)
    failed, broken = sum(bool(case.failures) for case in cases), sum(bool(case.errors) for case in cases)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(f'<testsuites name={_attribute(name)} tests="{len(cases)}" failures="{failed}" errors="{broken}">')
    told = dict(properties or {})
    for suite in suites:
        lines += _suite(suite, [case for case in cases if case.suite == suite], told)
        told = {}
    lines.append("</testsuites>")
    return "\n".join(lines)


def _numbered(cases: Iterable[Case]) -> Iterator[Case]:
    taken: set[tuple[str, str]] = set()
    again: Counter[tuple[str, str]] = Counter()
    for case in cases:
        name = shown = terminal(case.name, _TEXT)
        while (case.suite, shown) in taken:
            again[case.suite, name] += 1
            shown = f"{name} ({again[case.suite, name] + 1})"
        taken.add((case.suite, shown))
        yield replace(case, name=shown)


def _suite(suite: str, cases: Sequence[Case], properties: Mapping[str, str]) -> Iterator[str]:
    bad, broken, skipped = (
        sum(bool(part) for part in parts)
        for parts in zip(*((case.failures, case.errors, case.skipped) for case in cases), strict=True)
    )
    yield (
        f'  <testsuite name={_attribute(suite)} tests="{len(cases)}" failures="{bad}" errors="{broken}"'
        f' skipped="{skipped}">'
    )
    if properties:
        yield "    <properties>"
        for key, value in properties.items():
            yield f"      <property name={_attribute(key)} value={_attribute(value)}/>"
        yield "    </properties>"
    for case in cases:
        yield f"    <testcase classname={_attribute(suite)} name={_attribute(case.name)}>"
        yield from _outcome(case)
        yield "    </testcase>"
    yield "  </testsuite>"


def _outcome(case: Case) -> Iterator[str]:
    for element, pairs in (("failure", case.failures), ("error", case.errors)):
        for code, text in pairs:
            # Readers show the attribute or the content, so both say it.
            yield f"      <{element} type={_attribute(code)} message={_attribute(text)}>{_content(text)}</{element}>"
    if case.skipped is not None:
        yield f"      <skipped message={_attribute(case.skipped)}/>"
    if case.out is not None:
        yield f"      <system-out>{_content(case.out)}</system-out>"


def _attribute(text: str) -> str:
    return quoteattr(terminal(text, _TEXT))


def _content(text: str) -> str:
    return escape(terminal(text, _TEXT))
