"""Tests and explanations for a terminal, as JSON and as JUnit, where values are long, many or hostile."""

from __future__ import annotations

import dataclasses
import json
from xml.etree import ElementTree as ET

import pytest

from gate.formats.opa_test_report import OpaTestError, parse_coverage, parse_tests
from gate.model.control import ControlInfo, Violation
from gate.model.explanation import Explanation, RuleExplanation, ViolationExplanation
from gate.model.policy_test import CaseResult, FileCoverage, PolicyTestReport, TestOutcome
from gate.model.trace import BodyTrace, Condition, Operand, State
from gate.report import policy_test as pages
from gate.report.explanation import explanation_json, explanation_text
from gate.report.trace import body_lines

HOSTILE = 'x\x00\x1b[31m\ud800<&"]]>'


def body(*conditions: Condition, problem: str = "") -> list[str]:
    return list(body_lines(BodyTrace("a.rego", "status", 3, conditions, problem)))


def test_bindings_and_values_are_few() -> None:
    many = tuple({"x": n} for n in range(9))
    lines = body(
        Condition("some x in xs", 4, State.HELD, many),
        Condition("x == 9", 5, State.FAILED, (), (Operand("x", tuple(range(9))), Operand("9", ())), is_equality=True),
    )
    assert "... and 6 other choices of these" in lines[5]
    assert lines[-2:] == ["             left: 0 or 1 or 2 or 6 more", "             right: undefined"]


def test_long_values_are_compared_line_by_line_up_to_a_limit() -> None:
    sides = [Operand("a", ([*range(n, n + 80)],)) for n in (0, 200)]
    lines = body(Condition("a == b", 5, State.FAILED, (), tuple(sides), is_equality=True))
    assert lines[-1].endswith("more lines")


def test_problems_are_told() -> None:
    assert body(problem="no\nluck")[1] == "  cannot be traced: no\\x0aluck"
    assert "error: broken here" in body(Condition("f(x)", 4, State.UNKNOWN, problem="broken\nhere"))[2]


def test_junit_is_well_formed_whatever_it_holds() -> None:
    trace = BodyTrace(HOSTILE, HOSTILE, 1, ())
    result = CaseResult(f"p.{HOSTILE}", HOSTILE, HOSTILE, 1, TestOutcome.ERROR, HOSTILE, traces=(trace,))
    whole = PolicyTestReport("regorus", 0.1, (result,), None, 100)
    (error,) = ET.fromstring(pages.tests_junit(whole)).iter("error")
    assert "\ufffd" in str(error.get("message"))
    assert "\x1b" not in pages.tests_text(whole)


def test_uncovered_lines_are_listed_up_to_a_limit_and_covered_files_are_not() -> None:
    files = (
        FileCoverage("a", 1, tuple((n, "x") for n in range(30))),
        FileCoverage("b", 1, ()),
        FileCoverage("c", 0, ()),
    )
    text = pages.tests_text(PolicyTestReport("regorus", 0.1, (), files, 1))
    assert "and 10 lines more" in text
    assert "b  " not in text
    assert "below" not in text


@pytest.fixture
def explanation() -> Explanation:
    info = ControlInfo("scan.malware", "t", "d", "high", (), (), (), False, "fix it", {})
    return Explanation(info, "not_applicable", "nothing to scan", None, (), ("e1", "e2"), ())


def test_an_explanation_names_mode_reason_and_evidence(explanation: Explanation) -> None:
    text = explanation_text(explanation)
    for part in ("does not name this control", "reason: nothing to scan", "rests on 2 items of evidence: e1, e2"):
        assert part in text
    assert "mode: warn" in explanation_text(dataclasses.replace(explanation, asked="warn"))


def test_many_violations_failed_rules_and_functions_are_told(explanation: Explanation) -> None:
    item = ViolationExplanation(Violation("c.d.e", "m", None, None, ()), None, ())
    rules = (
        RuleExplanation("f", "function", "a", 1, None, True, "", ()),
        RuleExplanation("g", "complete", "a", 2, None, False, "it\nbroke", ()),
        RuleExplanation("h", "complete", "a", 3, None, True, "", ()),
    )
    whole = dataclasses.replace(explanation, status="fail", violations=(item,) * 12, rules=rules)
    text = explanation_text(whole)
    for part in ("and 2 violations more", "f(...)  function, a:1", "g failed: it broke  a:2", "h is undefined  a:3"):
        assert part in text
    assert len(json.loads(explanation_json(whole))["violations"]) == 12


@pytest.mark.parametrize("text", ["", "[1]", '[{"package": "data.a"}]', "{"])
def test_what_opa_never_writes_is_refused(text: str) -> None:
    with pytest.raises(OpaTestError):
        parse_tests(text)


def test_what_opa_writes_about_lines_and_errors() -> None:
    with pytest.raises(OpaTestError):
        parse_coverage("[]")
    assert parse_tests("null") == []
    (test,) = parse_tests('[{"package": "data.a", "name": "test_x", "error": {"code": "e"}}]')
    assert (test.name, test.error) == ("a.test_x", '{"code": "e"}')
