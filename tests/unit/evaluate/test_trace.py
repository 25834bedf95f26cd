"""What a trace does where it cannot know, and how it names its rules."""

from __future__ import annotations

from gate.evaluate.syntax import parse
from gate.evaluate.trace import Tracer, Wanted
from gate.model.trace import BodyTrace, State

HEAD = "package own_test\n\nimport future.keywords.not\n\n"


def traces(source: str, **limits: float) -> dict[str, list[BodyTrace]]:
    modules = {"own_test.rego": HEAD + source}
    tracer = Tracer(modules, b"{}", **limits)
    rules = parse("own_test.rego", modules["own_test.rego"]).rules
    found: dict[str, list[BodyTrace]] = {}
    for rule, bodies in zip(rules, tracer.trace([Wanted("own_test.rego", rule) for rule in rules]), strict=True):
        found.setdefault(".".join(rule.name), []).extend(bodies)
    return found


def test_a_body_that_cannot_be_traced_says_why_and_others_are() -> None:
    modules = {"own_test.rego": HEAD + "a if 1 == 1\n\nb if 1 == 12345\n"}
    good = parse("own_test.rego", modules["own_test.rego"]).rules[0]
    # Its places are those of another source, and what stands there is half a number and more.
    bad = parse("own_test.rego", HEAD + "c if 1 == 1\n\nbbbbb if 1 == 2\n").rules[1]
    (first,), (second,) = Tracer(modules, b"{}").trace([Wanted("own_test.rego", good), Wanted("own_test.rego", bad)])
    assert first.conditions[0].state is State.HELD
    assert second.conditions == ()
    assert "does not load" in second.problem


def test_modules_that_do_not_compile_are_not_traced() -> None:
    found = traces("a if nowhere(1)\n")
    assert "nowhere" in found["a"][0].problem
    rule = parse("own_test.rego", HEAD + "a[x] if some x in nowhere(1)\n").rules[0]
    tracer = Tracer({"own_test.rego": HEAD + "a[x] if some x in nowhere(1)\n"}, b"{}")
    assert tracer.cases("own_test.rego", rule) is None


def test_an_error_is_told_and_what_follows_is_not_reached() -> None:
    (trace,) = traces('a if {\n\tto_number("x") == 1\n\t1 == 1\n}\n')["a"]
    first, second = trace.conditions
    assert (first.state, second.state) == (State.UNKNOWN, State.UNREACHED)
    assert "failed" in first.problem
    assert trace.failed is None


def test_a_comprehension_is_traced_like_a_body() -> None:
    (trace,) = traces("a := {x | some x in [1, 2]; x > 1}\n")["a"]
    assert [condition.state for condition in trace.conditions] == [State.HELD, State.HELD]
    assert [dict(binding) for binding in trace.conditions[1].bindings] == [{"x": 2}]


def test_names_of_a_policy_are_never_taken() -> None:
    found = traces("__gate_trace_1 := 1\n\na if __gate_trace_1 == 1\n")
    assert found["a"][0].conditions[0].state is State.HELD


def test_each_else_is_a_body_and_functions_have_none_of_their_own() -> None:
    found = traces("a := 1 if {\n\t1 == 2\n} else := 2 if {\n\t1 == 1\n}\n\nf(x) if x == 1\n")
    assert [trace.conditions[0].state for trace in found["a"]] == [State.FAILED, State.HELD]
    assert found["f"] == []


def test_a_condition_with_a_modifier_keeps_it() -> None:
    (trace,) = traces('a if input.x == 2 with input as {"x": 1}\n')["a"]
    assert trace.failed is not None
    assert [operand.values for operand in trace.failed.operands] == [(1,), (2,)]
