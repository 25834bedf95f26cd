"""Rego unit tests on the embedded engine: what passes, what does not, and which condition is to blame."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gate.errors import PolicyError
from gate.evaluate.rego_tests import find_tests, run_tests
from gate.model.policy_test import CaseResult, TestOutcome
from gate.model.trace import BodyTrace, Operand, State
from tests.property import rego_library as library

HEAD = "package own_test\n\nimport future.keywords.not\n\n"
LIBRARY = """package own

import future.keywords.not

grown(x) := y if {
	x > 1
	y := x + 2
	y > 10
}
"""


def run(rules: str, **others: str) -> dict[str, CaseResult]:
    """The results by name and case."""
    modules = {"own_test.rego": HEAD + rules, **{f"{name}.rego": text for name, text in others.items()}}
    return by_name(modules)


def by_name(modules: Mapping[str, str]) -> dict[str, CaseResult]:
    done = run_tests(modules, find_tests(modules), coverage=False)
    return {r.name.rpartition(".")[2] + (f"[{r.case}]" if r.case is not None else ""): r for r in done.results}


def traced(result: CaseResult) -> BodyTrace:
    (trace,) = result.traces
    return trace


def test_only_true_passes() -> None:
    found = run(
        "test_true := true\n\ntest_false := 1 == 2\n\ntest_seven := 7\n\ntest_gone if 1 == 2\n\n"
        'test_many contains x if some x in [1]\n\ntest_error if to_number("x") == 1\n\ntodo_later if 1 == 2\n'
    )
    assert {name: result.outcome for name, result in found.items()} == {
        "test_true": TestOutcome.PASS,
        "test_false": TestOutcome.FAIL,
        "test_seven": TestOutcome.FAIL,
        "test_gone": TestOutcome.FAIL,
        "test_many": TestOutcome.FAIL,
        "test_error": TestOutcome.ERROR,
        "todo_later": TestOutcome.SKIPPED,
    }
    assert found["test_seven"].message == "it is 7, not true"
    assert found["test_false"].message == "it is false"
    assert found["test_gone"].message == "undefined: no body of it holds"
    assert found["test_error"].message.startswith("data.own_test.test_error failed")


def test_a_failed_equality_shows_both_sides_and_its_place() -> None:
    result = run("test_same if {\n\tfound := {1, 2}\n\tfound == {1, 3}\n}\n")["test_same"]
    held, failed = traced(result).conditions
    assert (held.state, held.line, dict(held.bindings[0])) == (State.HELD, 6, {"found": [1, 2]})
    assert (failed.state, failed.line, failed.is_equality) == (State.FAILED, 7, True)
    assert failed.operands == (Operand("found", ([1, 2],)), Operand("{1, 3}", ([1, 3],)))


def test_a_test_without_body_is_its_value() -> None:
    assert traced(run("test_same := 1 == 2\n")["test_same"]).failed is not None


def test_each_case_is_judged_by_itself_and_a_missing_one_fails() -> None:
    found = run(
        'cases := {"one": 1, "three": 3}\n\n'
        "test_small[note] if {\n\tsome note, value in cases\n\tvalue < 3\n}\n\n"
        "test_value[note] := ok if {\n\tsome note, value in cases\n\tok := value < 3\n}\n"
    )
    assert {name: result.outcome for name, result in found.items()} == {
        "test_small[one]": TestOutcome.PASS,
        "test_small[three]": TestOutcome.FAIL,
        "test_value[one]": TestOutcome.PASS,
        "test_value[three]": TestOutcome.FAIL,
    }
    failed = traced(found["test_small[three]"]).failed
    assert failed is not None
    assert failed.operands[0] == Operand("value", (3,))


def test_cases_of_an_array_are_named_by_their_place() -> None:
    found = run("test_small[i] if {\n\tsome i, value in [1, 3]\n\tvalue < 3\n}\n")
    assert found["test_small[0]"].outcome is TestOutcome.PASS
    assert found["test_small[1]"].outcome is TestOutcome.FAIL


def test_a_test_without_any_case_proves_nothing() -> None:
    result = run("cases := {}\n\ntest_small[note] if {\n\tsome note, value in cases\n\tvalue < 3\n}\n")["test_small"]
    assert (result.outcome, result.message) == (TestOutcome.FAIL, "it has no case")


@pytest.mark.parametrize("other", ["test_small := 7", "default test_small := true", "test_small contains 1"])
def test_a_test_with_cases_has_no_other_form(other: str) -> None:
    with pytest.raises(PolicyError, match="declared elsewhere in another form"):
        run(f"test_small[i] if {{\n\tsome i in [1]\n}}\n\n{other}\n")


def test_a_head_that_engines_understand_differently_is_an_error() -> None:
    found = run('test_u["v"] if 1 == 1\n')
    assert found["test_u"].outcome is TestOutcome.ERROR
    assert "test_x[name]" in found["test_u"].message


def test_functions_that_the_failed_condition_calls_are_traced_with_their_arguments() -> None:
    found = run(
        "import data.own\n\ntest_local if {\n\tv := 3\n\ttwice(v) == 6\n}\n\n"
        "test_imported if own.grown(3) == 5\n\ntest_full if data.own.grown(3) == 5\n\n"
        "test_builtin if count([1]) == 2\n\n"
        "twice(x) := y if {\n\ty := x * 2\n\ty > 10\n}\n",
        own=LIBRARY,
    )
    for name, value in (("test_local", 6), ("test_imported", 5), ("test_full", 5)):
        (inner,) = traced(found[name]).calls
        assert inner.failed is not None
        assert inner.failed.operands[0] == Operand("y", (value,))
    assert traced(found["test_builtin"]).calls == ()


def test_a_failed_loop_negation_call_or_reference_shows_what_it_looked_at() -> None:
    found = run(
        "xs := [1, 3]\n\ntest_every if {\n\tevery x in xs {\n\t\tx < 3\n\t}\n}\n\ntest_not if not count(xs) == 2\n\n"
        'test_call if startswith(lower("ABC"), "x")\n\ntest_some if {\n\tsome x in xs\n\tx == 7\n}\n\n'
        'settings := {"on": false}\n\ntest_off if settings.on\n\ntest_assign if {\n\t[x, _, _] := xs\n\tx == 1\n}\n'
    )
    values = {}
    for name, result in found.items():
        failed = traced(result).failed
        assert failed is not None, name
        values[name] = [(operand.text, operand.values) for operand in failed.operands]
    assert values == {
        "test_every": [("xs", ([1, 3],))],
        "test_not": [("count(xs)", (2,)), ("2", (2,))],
        "test_call": [('lower("ABC")', ("abc",))],
        "test_some": [("x", (1, 3)), ("7", (7,))],
        "test_off": [("settings.on", (False,))],
        "test_assign": [("xs", ([1, 3],))],
    }


def test_only_the_first_twenty_are_explained() -> None:
    found = run("".join(f"test_{n} if {n} == 100\n\n" for n in range(25)))
    assert sum(bool(result.traces) for result in found.values()) == 20


def test_lines_are_counted_over_all_tests() -> None:
    modules = {
        "own_test.rego": HEAD + "import data.own\n\ntest_a if own.grown(9) == 11\n\ntest_b if not own.grown(1)\n",
        "own.rego": LIBRARY,
    }
    done = run_tests(modules, find_tests(modules), coverage=True)
    assert [result.outcome for result in done.results] == [TestOutcome.PASS] * 2
    assert done.lines is not None
    assert not done.lines["own.rego"].missed
    assert 8 in done.lines["own.rego"].covered


def test_progress_counts_tests() -> None:
    modules = {"own_test.rego": HEAD + "test_a := true\n"}
    told: list[int] = []
    run_tests(modules, find_tests(modules), coverage=False, progress=told.append)
    assert told == [1]


def test_modules_that_do_not_load_run_nothing() -> None:
    with pytest.raises(PolicyError, match="nowhere"):
        run("test_a if nowhere(1)\n")


def test_every_rule_of_the_library_can_be_traced() -> None:
    """The engine takes the rules that a trace adds, whatever the library's own rules look like."""
    from gate.evaluate.trace import Tracer, Wanted

    modules = library.modules("rego")
    tracer = Tracer(modules, b"{}")
    wanted = [Wanted(path, rule) for path in modules for rule in tracer.module(path).rules]
    traces = [trace for group in tracer.trace(wanted) for trace in group]
    assert len(traces) > 100
    assert [trace for trace in traces if trace.problem] == []
