"""What the embedded engine promises to `gate.evaluate.regorus`. `native/tests` shows the same without Python."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate import _native
from gate._native import (
    PolicyCompileError,
    PolicyError,
    PolicyInputError,
    PolicyRuntimeError,
    PolicySet,
    PolicySyntaxError,
    PolicyTimeout,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

ENTRY = "data.m.p"
SLOW = "count([1 | some i in numbers.range(1, 3000); some j in numbers.range(1, 3000)])"
# No test is about how fast this machine is.
PATIENCE_S = 60.0


def compiled(
    source: str | dict[str, str], data: bytes | str = "{}", entrypoints: Sequence[str] = (ENTRY,)
) -> PolicySet:
    modules = source if isinstance(source, dict) else {"m.rego": f"package m\n{source}\n"}
    return PolicySet.compile(modules, data, list(entrypoints))


def value(
    source: str, document: bytes | str = "{}", data: bytes | str = "{}", limit_s: float = PATIENCE_S
) -> str | None:
    return compiled(source, data).evaluate(ENTRY, document, time_limit_s=limit_s).json


def chain(length: int, step: str = "f{}(x)") -> str:
    links = "\n".join(f"f{i}(x) := {step.format(i + 1)}" for i in range(length))
    return f"p := f0(1)\n{links}\nf{length}(x) := x"


# -- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [("p := null", "null"), ("p := false", "false"), ("p if input.x", None), ("p contains 1 if input.x", "[]")],
)
def test_undefined_is_not_null_or_false(source: str, expected: str | None) -> None:
    assert value(source) == expected


def test_numbers_that_cost_time_are_refused_at_once() -> None:
    """With serde_json's arbitrary_precision this input takes more than 20 s in the parser."""
    start = time.monotonic()
    with pytest.raises(PolicyInputError):
        value("p := input.x", '{"x": 1e99999999}')
    assert time.monotonic() - start < 10
    assert value("p := input.x", '{"x": 9007199254740991}') == "9007199254740991"


def test_results_are_canonical() -> None:
    assert value('p := {"b": {3, 1, 2}, "a": 1}') == '{"a":1,"b":[1,2,3]}'


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
IDENTITY = compiled("p := input")


@given(JSON)
def test_documents_pass_unchanged(document: object) -> None:
    result = IDENTITY.evaluate(ENTRY, json.dumps(document, ensure_ascii=False), time_limit_s=PATIENCE_S).json
    assert result is not None
    assert json.loads(result) == document


@given(st.binary(max_size=40))
def test_any_bytes_are_json_or_an_error(document: bytes) -> None:
    try:
        result = IDENTITY.evaluate(ENTRY, document, time_limit_s=PATIENCE_S).json
    except PolicyInputError:
        return
    assert result is not None
    json.loads(result)


@given(st.text(alphabet='p:=[]{}"`#\\ \n\tif1(),.x|_', max_size=60))
def test_any_text_is_a_policy_or_an_error(source: str) -> None:
    with contextlib.suppress(PolicySyntaxError, PolicyCompileError):
        compiled(f"{source}\np := 1")


@pytest.mark.parametrize(
    "document", [b"{", b"", b"\xff", b"[NaN]", b"[" * 200 + b"]" * 200, b'{"a": 1} x', b"\xef\xbb\xbf1"]
)
def test_input_that_is_not_json(document: bytes) -> None:
    with pytest.raises(PolicyInputError):
        value("p := input", document)


def test_bytes_and_text_are_both_json() -> None:
    assert value("p := input", b'"x"') == value("p := input", '"x"') == '"x"'


@pytest.mark.parametrize("document", [None, 1, {}])
def test_other_types_are_refused(document: object) -> None:
    with pytest.raises(TypeError):
        IDENTITY.evaluate(ENTRY, document, time_limit_s=PATIENCE_S)  # type: ignore[arg-type]


# -- errors ------------------------------------------------------------------------------------------------------------


def test_syntax_error_has_a_place() -> None:
    with pytest.raises(PolicySyntaxError, match=r"m\.rego:\d+:\d+"):
        compiled("p := ")


def test_builtins_are_strict() -> None:
    with pytest.raises(PolicyRuntimeError, match="to_number"):
        value('import future.keywords.not\np if not to_number("abc") == 1')


def test_conflict_is_an_error() -> None:
    with pytest.raises(PolicyRuntimeError):
        value("p := 1 if true\np := 2 if true")


@pytest.mark.parametrize("entrypoint", ["data.m.q", "data.m", "p", ""])
def test_unknown_entrypoint(entrypoint: str) -> None:
    with pytest.raises(PolicyInputError):
        compiled("p := 1").evaluate(entrypoint, "{}", time_limit_s=1)
    with pytest.raises(PolicyCompileError, match="entrypoint"):
        compiled("p := 1", entrypoints=[entrypoint])


@pytest.mark.parametrize("limit", [-1, float("nan"), float("inf"), 1e300])
def test_time_limit_must_be_a_time(limit: float) -> None:
    with pytest.raises(PolicyInputError, match="time_limit_s"):
        value("p := 1", limit_s=limit)


def test_a_time_limit_of_nothing_is_always_used_up() -> None:
    with pytest.raises(PolicyTimeout):
        value("p := 1", limit_s=0)


def test_all_errors_have_one_base() -> None:
    errors = [error for name, error in vars(_native).items() if name.startswith("Policy") and name != "PolicySet"]
    assert len(errors) == 7
    assert all(issubclass(error, PolicyError) and error.__module__ == "gate._native" for error in errors)


# -- checks at compile time --------------------------------------------------------------------------------------------

REJECTED = {
    "unknown function": "p if { false; foo(1) }",
    "walk with output": "p := [v | walk(input, [_, v])]",
    "output argument": "p := n if { some n; count([1], n) }",
    "with": "r := input.a\np := x if { x := r with input as {} }",
    "unknown builtin": "p if { false; crypto.sha256(1) }",
    "no http": 'p if { false; http.send({"url": "x"}) }',
    "no environment": "p if { false; opa.runtime() }",
    "builtin arity": "p if { false; count(1, 2, 3) }",
    "function arity": "f(x) := x\np if { false; f(1, 2) }",
    "output of a nested call": "p if { false; x := [count([1], y)] }",
    "function of an input": "import input.m as me\nf(x) := x\np if { false; me.f(1) }",
    "call of a rule": "default q := false\np if { false; q(1) }",
    "unsafe variable": "p if { x > 1 }",
    "recursive function": "f(x) := f(x + 1)\np := f(1)",
    "mutual recursion": "f(x) := g(x)\ng(x) := f(x)\np := f(1)",
    "recursion through a rule": "f(x) := p\np := f(1)",
    "recursion through a replaced builtin": "h(x) := count(x)\ng(x) := h(x) if { h(x) with count as g }\np := g(1)",
    "recursive rules": "q := p\np := q",
    "rule reading its own package": "p := {name | some name; data.m[name]}",
    "walk as a value": "p := [v | [_, v] := walk(input)]",
    "two defaults": "default p := 1\ndefault p := 2",
    "function and rule": "f(x) := x\nf := 1\np := 1",
    "function as entrypoint": "p(x) := x",
    "missing entrypoint": "q := 1",
    "reference to nothing": "import data.m.typo\np := typo.x",
    "some variable named like a rule": "q := 1\np := {x | some q; x := input[q]}",
    "some variable named like an import": "import data.x as q\np := {x | some q; x := input[q]}",
    "some variable named like its rule": "p contains x if { some p; x := input[p] }",
    "rule as the value of with": 'q := {"a": 1}\nr := input.a + q.a\np := x if { x := r with input as q }',
    "field in the head of a set": "p contains v.k if some v in input",
    "field inside the head of a set": 'p contains {"who": v.k} if some v in input',
    "call in the head of a set": "p contains lower(v) if some v in input",
    "field as the key of an object": "p[v.k] := 1 if some v in input",
    "field as the value of an object": "p[k] := v.k if some k, v in input",
    "field in the head of an iterating rule": "p := v.k if some v in input",
    "long sum": "p := " + "+".join("1" * 200),
    "long reference": "p := input" + "[0]" * 200,
    "long chain of functions": chain(110),
}


@pytest.mark.parametrize("source", REJECTED.values(), ids=REJECTED.keys())
def test_rejected_at_compile_time(source: str) -> None:
    with pytest.raises(PolicyCompileError):
        compiled(source)


ACCEPTED = {
    "local named like a rule": "q := 1\np := x if { q := 2; x := q }",
    "parameter named like a rule": "f(p) := p\np := f(1)",
    "default function": "default f(_) := 3\nf(x) := 1 if x > 5\np := [f(1), f(6)]",
    "brackets in strings": 'p := "' + "[" * 20 + '" # ' + "[" * 20,
    "call in a head without iteration": 'p := lower("A")',
    "local in the head of a set": "p contains k if { some v in [{}]; k := object.get(v, 1, 2) }",
    "chain of functions": chain(95),
}


@pytest.mark.parametrize("source", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(source: str) -> None:
    assert value(source) is not None


def test_an_iteration_keeps_the_rounds_beside_an_incomplete_one() -> None:
    """Why heads may not take values apart: with `contains v.k` the engine would forget the first element too."""
    source = "p contains k if {\n  is_array(input)\n  some v in input\n  k := v.k\n}"
    assert value(source, '[{"k": 1}, {}, {"k": 2}, {}]') == "[1,2]"


@pytest.mark.parametrize("data", ['{"m": {"p": 2}}', '{"m": {}}', '{"m": 1}', '{"m": {"other": 1}}'])
def test_data_must_not_hide_rules(data: str) -> None:
    with pytest.raises(PolicyCompileError, match=r"data document has a value at data\.m"):
        compiled("p := 1", data)


def test_data_beside_packages() -> None:
    modules = {"m.rego": "package m.a\np := data.m.b.limit\n"}
    policies = PolicySet.compile(modules, '{"m": {"b": {"limit": 7}}}', ["data.m.a.p"])
    assert policies.evaluate("data.m.a.p", "{}", time_limit_s=PATIENCE_S).json == "7"


@pytest.mark.parametrize("data", ["[]", "{", "1"])
def test_data_must_be_an_object(data: str) -> None:
    with pytest.raises(PolicyCompileError):
        compiled("p := 1", data)


def test_no_entrypoint_and_no_test_is_a_mistake() -> None:
    with pytest.raises(PolicyCompileError, match="neither entrypoints nor test rules"):
        compiled("p := 1", entrypoints=[])
    with pytest.raises(PolicyCompileError):
        compiled({})


def test_two_defaults_in_two_files() -> None:
    with pytest.raises(PolicyCompileError, match="second default"):
        compiled({"a.rego": "package m\ndefault p := 1", "b.rego": "package m\ndefault p := 2"})


def test_nested_literals_do_not_stall_the_parser() -> None:
    with pytest.raises(PolicySyntaxError, match="nested brackets"):
        compiled("p := " + "[" * 30 + "]" * 30)


def test_a_module_has_a_size() -> None:
    with pytest.raises(PolicySyntaxError, match="size"):
        compiled("p := 1\n" + "#" * (256 * 1024))


def test_all_mistakes_are_reported_together() -> None:
    with pytest.raises(PolicyCompileError) as caught:
        compiled("p if { foo(1) }\nq if { bar(1) }")
    assert "foo" in str(caught.value)
    assert "bar" in str(caught.value)


def test_a_recursion_is_named() -> None:
    with pytest.raises(PolicyCompileError, match=r"recursion: data\.m\.f -> data\.m\.g -> data\.m\.f"):
        compiled("f(x) := g(x)\ng(x) := f(x)\np := f(1)")


# -- limits and isolation ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [f"p := {SLOW}", f"f(x) := {SLOW}\nf(x) := {SLOW}\nf(x) := {SLOW}\np := f(1)"])
def test_time_limit(source: str) -> None:
    start = time.monotonic()
    with pytest.raises(PolicyTimeout):
        value(source, limit_s=0.2)
    assert time.monotonic() - start >= 0.2


def test_time_limit_when_a_builtin_overruns_it() -> None:
    with pytest.raises(PolicyTimeout, match="one step"):
        value("p := count(numbers.range(1, 3000000))", limit_s=0.02)


def test_a_policy_cannot_fake_a_timeout() -> None:
    with pytest.raises(PolicyRuntimeError):
        value('p := to_number("execution exceeded time limit")')


def test_evaluations_do_not_see_each_other() -> None:
    policies = compiled("p := input")
    assert [policies.evaluate(ENTRY, text, time_limit_s=PATIENCE_S).json for text in ("1", "2")] == ["1", "2"]


# A small stack is set for all threads of a process, and a crash ends it: both happen in one of their own.
SMALL_STACK = """
import threading
from gate._native import PolicySet
source = {source!r}
def work():
    policies = PolicySet.compile({{"m": "package m\\n" + source}}, "{{}}", ["data.m.p"])
    print(policies.evaluate("data.m.p", "{{}}", time_limit_s=60).json)
threading.stack_size(256 * 1024)
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""
HOSTILE = """
from gate._native import PolicyCompileError, PolicySet
for rule in ("f(x) := f(x)", "f(x) := " + "1" + "\\n".join(["+1" * 400] * 300)):
    try:
        PolicySet.compile({"m": "package m\\n" + rule}, "{}", [])
    except PolicyCompileError:
        print("rejected")
"""


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


def test_small_stack_of_the_caller_does_not_matter() -> None:
    done = run(SMALL_STACK.format(source=chain(95, "[y | y := f{}(x)]")))
    assert (done.returncode, done.stdout.strip()) == (0, "[" * 95 + "1" + "]" * 95), done.stderr


def test_a_hostile_policy_does_not_crash_python() -> None:
    done = run(HOSTILE)
    assert (done.returncode, done.stdout) == (0, "rejected\nrejected\n"), done.stderr


# -- coverage, tests ---------------------------------------------------------------------------------------------------


def test_coverage() -> None:
    policies = compiled({"m.rego": "package m\np if {\n  input.a\n  input.b\n}\n", "n.rego": "package n\nq := 1\n"})
    assert policies.evaluate(ENTRY, "{}", time_limit_s=PATIENCE_S).coverage_json is None
    report = policies.evaluate(ENTRY, "{}", time_limit_s=PATIENCE_S, coverage=True).coverage_json
    assert json.loads(report or "") == {"m.rego": {"covered": [3], "not_covered": [4]}}


def test_test_rules_can_be_evaluated() -> None:
    modules = {
        "m.rego": "package m\np := input.x\n",
        "m_test.rego": (
            "package m_test\nimport data.m\n"
            'test_good if m.p == 1 with input as {"x": 1}\n'
            'test_bad if m.p == 2 with input as {"x": 1}\n'
            'test_broken if to_number("x")\n'
            "not_a_test := 1\n"
        ),
    }
    policies = compiled(modules, entrypoints=[])
    assert policies.test_rules() == [f"data.m_test.test_{name}" for name in ("bad", "broken", "good")]
    assert policies.evaluate("data.m_test.test_good", "{}", time_limit_s=PATIENCE_S).json == "true"
    assert policies.evaluate("data.m_test.test_bad", "{}", time_limit_s=PATIENCE_S).json is None
    with pytest.raises(PolicyRuntimeError):
        policies.evaluate("data.m_test.test_broken", "{}", time_limit_s=PATIENCE_S)


def test_builtins() -> None:
    assert _native.builtins().items() >= {"count": 1, "sprintf": 2}.items()
    outside = {"http.send", "opa.runtime", "uuid.rfc4122", "net.lookup_ip_addr", "time.now_ns", "rand.intn", "print"}
    assert not outside & _native.builtins().keys()


# -- threads -----------------------------------------------------------------------------------------------------------


def test_one_policy_set_in_many_threads() -> None:
    policies = compiled("p := sum([x | is_array(input); some x in input])")
    wrong: list[int] = []

    def work(n: int) -> None:
        document, expected = json.dumps([n] * 50), str(n * 50)
        results = (policies.evaluate(ENTRY, document, time_limit_s=PATIENCE_S).json for _ in range(100))
        wrong.extend(n for result in results if result != expected)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_gil_is_released() -> None:
    policies = compiled(f"p := {SLOW}")
    ended: list[type[BaseException]] = []

    def evaluate() -> None:
        try:
            policies.evaluate(ENTRY, "{}", time_limit_s=0.5)
        except PolicyTimeout as error:
            ended.append(type(error))

    thread = threading.Thread(target=evaluate)
    thread.start()
    ticks = 0
    while thread.is_alive():
        time.sleep(0.01)
        ticks += 1
    # With the GIL held, this thread could not run at all before the end.
    assert ticks > 2
    assert ended == [PolicyTimeout]


def test_policy_sets_are_immutable() -> None:
    policies = compiled("p := 1")
    with pytest.raises(AttributeError):
        policies.entrypoints = []  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        PolicySet()
