"""JUnit XML, the form that CI systems show as test results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import quoteattr

from gate.report.escape import terminal

_TEXT: Final = 8_000


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a suite: a pass, or what failed as pairs of a code and a text."""

    suite: str
    name: str
    failures: tuple[tuple[str, str], ...] = ()


def junit(name: str, cases: Sequence[Case]) -> str:
    """The document. Text from outside becomes printable characters: no markup and no control character gets in."""
    suites = dict.fromkeys(case.suite for case in cases)
    failed = sum(bool(case.failures) for case in cases)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(f'<testsuites name={_attribute(name)} tests={_attribute(str(len(cases)))} failures="{failed}">')
    for suite in suites:
        own = [case for case in cases if case.suite == suite]
        bad = sum(bool(case.failures) for case in own)
        lines.append(
            f'  <testsuite name={_attribute(suite)} tests="{len(own)}" failures="{bad}" errors="0" skipped="0">'
        )
        for case in own:
            lines.append(f"    <testcase classname={_attribute(suite)} name={_attribute(case.name)}>")
            for code, text in case.failures:
                lines.append(f"      <failure type={_attribute(code)} message={_attribute(text)}/>")
            lines.append("    </testcase>")
        lines.append("  </testsuite>")
    lines.append("</testsuites>")
    return "\n".join(lines)


def _attribute(text: str) -> str:
    return quoteattr(terminal(text, _TEXT))
