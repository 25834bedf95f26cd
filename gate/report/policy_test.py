"""The results of a policy's tests: for a terminal, as JSON, and as JUnit XML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import quoteattr

from gate.formats.canonical_json import pretty
from gate.model.json import JsonObject
from gate.model.policy_test import CaseResult, FileCoverage, PolicyTestReport, TestOutcome
from gate.report.escape import terminal
from gate.report.summary import counted
from gate.report.trace import body_lines, trace_json

_MISSED: Final = 20
_NAMES: Final = {TestOutcome.FAIL: "FAIL", TestOutcome.ERROR: "ERROR"}
# What no XML document may hold (XML 1.0, 2.2), not even escaped.
_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def tests_text(report: PolicyTestReport) -> str:
    """What failed and why, what is not covered, and the counts in the last line."""
    lines: list[str] = []
    for result in report.results:
        if result.outcome in _NAMES:
            lines += [*_failure(result), ""]
    skipped = [result for result in report.results if result.outcome is TestOutcome.SKIPPED]
    for result in skipped:
        lines.append(f"skipped  {terminal(result.path, 200)}:{result.line}  {terminal(result.name, 200)}")
    below = set(report.below)
    for file in report.coverage or ():
        if file.missed:
            lines += _missed(file, is_below=file in below)
    if lines and lines[-1]:
        lines.append("")
    return "\n".join([*lines, _summary(report)])


def _failure(result: CaseResult) -> Iterator[str]:
    yield f"{_NAMES[result.outcome]}  {terminal(title(result), 300)}"
    yield f"      {terminal(result.path, 200)}:{result.line}: {terminal(' '.join(result.message.split()))}"
    for trace in result.traces:
        yield from (f"      {line}" for line in body_lines(trace))


def _missed(file: FileCoverage, *, is_below: bool) -> Iterator[str]:
    note = "  below the threshold" if is_below else ""
    yield f"{terminal(file.path, 200)}  {file.percent:.1f} % covered{note}"
    for line, text in file.missed[:_MISSED]:
        yield f"  {terminal(file.path, 200)}:{line}  {terminal(text, 120)}"
    if len(file.missed) > _MISSED:
        yield f"  ... and {counted(len(file.missed) - _MISSED, 'line')} more"


def _summary(report: PolicyTestReport) -> str:
    counts = {outcome: report.count(outcome) for outcome in TestOutcome}
    words = [f"{counts[TestOutcome.PASS]} passed"]
    words += [f"{counts[one]} {word}" for one, word in _WORDS.items() if counts[one]]
    if report.coverage is not None:
        covered = sum(file.covered for file in report.coverage)
        whole = FileCoverage("", covered, tuple(item for file in report.coverage for item in file.missed))
        words.append(f"{whole.percent:.1f} % of the lines covered")
    return f"{', '.join(words)}; {terminal(report.engine, 60)}, {report.seconds:.1f} s"


_WORDS: Final = {TestOutcome.FAIL: "failed", TestOutcome.ERROR: "ended in an error", TestOutcome.SKIPPED: "skipped"}


def title(result: CaseResult) -> str:
    """The name of a test, with its case in brackets."""
    return result.name if result.case is None else f"{result.name}[{result.case}]"


def tests_json(report: PolicyTestReport) -> str:
    """Every test with its result, and the lines of each file that none reached."""
    return pretty(
        {
            "passed": report.is_good,
            "engine": report.engine,
            "counts": {outcome.value: report.count(outcome) for outcome in TestOutcome},
            "tests": [_result_json(result) for result in report.results],
            "coverage": None if report.coverage is None else [_coverage_json(file) for file in report.coverage],
            "threshold": report.threshold,
        }
    )


def _result_json(result: CaseResult) -> JsonObject:
    return {
        "name": result.name,
        "case": result.case,
        "file": result.path,
        "line": result.line,
        "outcome": result.outcome.value,
        "message": result.message or None,
        "milliseconds": round(result.seconds * 1000),
        "traces": [trace_json(trace) for trace in result.traces],
    }


def _coverage_json(file: FileCoverage) -> JsonObject:
    return {
        "file": file.path,
        "covered": file.covered,
        "missed": [{"line": line, "text": text} for line, text in file.missed],
        "percent": round(file.percent, 2),
    }


def tests_junit(report: PolicyTestReport) -> str:
    """JUnit XML: one suite a file; well-formed whatever a name or a value holds."""
    suites: dict[str, list[CaseResult]] = {}
    for result in report.results:
        suites.setdefault(result.path, []).append(result)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites{_counts(list(report.results))}>"]
    for path, results in suites.items():
        lines.append(f"  <testsuite name={_attribute(path)}{_counts(results)}>")
        lines += [_case(result) for result in results]
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>", ""])


def _case(result: CaseResult) -> str:
    package, _, name = result.name.rpartition(".") if "/" not in result.name else ("", "", result.name)
    shown = name if result.case is None else f"{name}[{result.case}]"
    start = (
        f"    <testcase classname={_attribute(package or 'scenarios')} name={_attribute(shown)}"
        f' file={_attribute(result.path)} line="{result.line}" time="{result.seconds:.3f}"'
    )
    if result.outcome is TestOutcome.PASS:
        return f"{start}/>"
    tag = {TestOutcome.FAIL: "failure", TestOutcome.ERROR: "error", TestOutcome.SKIPPED: "skipped"}[result.outcome]
    detail = "\n".join(line for trace in result.traces for line in body_lines(trace))
    return f"{start}><{tag} message={_attribute(result.message)}>{_text(detail)}</{tag}></testcase>"


def _counts(results: list[CaseResult]) -> str:
    found = {outcome: sum(result.outcome is outcome for result in results) for outcome in TestOutcome}
    return (
        f' tests="{len(results)}" failures="{found[TestOutcome.FAIL]}" errors="{found[TestOutcome.ERROR]}"'
        f' skipped="{found[TestOutcome.SKIPPED]}" time="{sum(result.seconds for result in results):.3f}"'
    )


def _attribute(text: str) -> str:
    return quoteattr(_NO_XML.sub("\ufffd", text))


def _text(text: str) -> str:
    return _NO_XML.sub("\ufffd", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
