"""Policies that loop, explode, nest or crash the engine: exit 4 in bounded time, and in a worker in bounded memory.

Each attack runs in a process of its own, which reports the error, the time and the memory: that it can report at all
shows that the engine left its process alive. What the embedded engine cannot stop is tried in the worker only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from gate.errors import PolicyError
from gate.evaluate.regorus import MAX_MODULES, MAX_POLICY_BYTES, RegorusEngine
from gate.model.digest import sha256_digest
from gate.model.document import InputDocument

ROOT = Path(__file__).parents[3]
MARGIN_S = 5.0
"""How much later than its limit an evaluation may end, on a machine that is busy with other tests."""
SELF_MIB = 200
MEMORY_MIB = 640
MAIN = "gate/main/main.rego"

PROGRAM = """
import json, resource, sys, time
sys.path.insert(0, sys.argv[1])
from gate.errors import PolicyError
from gate.evaluate.isolated import IsolatedEngine, IsolationLimits
from gate.evaluate.regorus import RegorusEngine
from gate.evaluate.worker import _Policy
from gate.model.document import InputDocument

told = json.load(sys.stdin)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
began = time.monotonic()
try:
    policy, limit = _Policy(told["modules"]), told["evaluation_s"]
    if told["loading_s"] is None:
        engine = RegorusEngine(policy, time_limit_s=limit)
    else:
        engine = IsolatedEngine(policy, limits=IsolationLimits(limit, told["loading_s"], told["memory_mib"] << 20))
    kind, text = "report", engine.report(InputDocument({}, told["document"].encode(), "")).decode()[:1000]
except PolicyError as error:
    kind, text = type(error).__name__, str(error)
    assert error.exit_code == 4
took = time.monotonic() - began
# Not ru_maxrss: there a process begins with the size of the one that started it.
with open("/proc/self/status") as status:
    own = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([kind, text, took, own >> 10, workers >> 10]))
"""


@dataclass(frozen=True)
class Outcome:
    """How an evaluation ended, with the largest resident sizes of the process and of its worker."""

    kind: str
    text: str
    took_s: float
    self_mib: int
    worker_mib: int


def attempt(
    policy: str | Mapping[str, str], evaluation_s: float, loading_s: float | None = None, document: str = "{}"
) -> Outcome:
    """An evaluation in a process of its own: embedded, or in a worker when there is a limit for loading."""
    modules = {MAIN: policy} if isinstance(policy, str) else dict(policy)
    modules[MAIN] = f"package gate.main\n\n{modules[MAIN]}\n"
    told = {"modules": modules, "evaluation_s": evaluation_s, "loading_s": loading_s, "document": document}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(ROOT)],
        env={"PATH": os.environ["PATH"]},  # and nothing that would measure coverage there: it needs memory too
        input=json.dumps(told | {"memory_mib": MEMORY_MIB}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-1000:]
    return Outcome(*json.loads(done.stdout))


def doubled(first: str, step: str, times: int) -> str:
    """Rules that each double the one before: `step` is what is made of `a`."""
    rules = [f"a{number} := {step.replace('@', f'a{number - 1}')}" for number in range(1, times)]
    return "\n".join([f"a0 := {first}", *rules, f"report := count(a{times - 1})"])


def many(count: int, rule: str) -> str:
    return "\n".join(rule.replace("@", str(number)) for number in range(count))


XS = 'xs := concat("", ["x" | some i in numbers.range(1, 30000)])\n'

# --- what a limit of time stops, embedded or not ---------------------------------------------------------------------

LOOPS = {
    "nested iteration": (
        "report := count([1 | some i in numbers.range(1, 9999); some j in numbers.range(1, 9999); i < 0])"
    ),
    "nested every": ("report if every a in numbers.range(1, 9999) { every b in numbers.range(1, 9999) { a + b > 0 } }"),
    "exponential comprehension": doubled("numbers.range(1, 10)", "[x | some x in @; some y in @]", 12),
    "cartesian product": doubled("{1, 2, 3, 4, 5, 6, 7, 8}", "{[x, y] | some x in @; some y in @}", 6),
    "functions that call twice": "f0(x) := x\n"
    + "\n".join(f"f{n}(x) := f{n - 1}(x) + f{n - 1}(x)" for n in range(1, 60))
    + "\nreport := f59(1)",
    "very many partial rules": many(6000, "r contains @ if count(r0) > @")
    + "\nr0 := [1 | some i in numbers.range(1, 9999)]\nreport := [r | some i in numbers.range(1, 9999); count(r) > i]",
}


@pytest.mark.parametrize("loading_s", [None, 30.0], ids=["embedded", "isolated"])
@pytest.mark.parametrize("name", LOOPS)
def test_a_policy_that_loops_is_stopped_at_the_time_limit(name: str, loading_s: float | None) -> None:
    found = attempt(LOOPS[name], 0.5, loading_s)
    assert (found.kind, found.text) == ("PolicyTimeout", "the evaluation took longer than 0.5 seconds")
    assert found.took_s < 0.5 + MARGIN_S


# --- what is refused at load, embedded or not ------------------------------------------------------------------------

REFUSED = {
    "nested arrays": ("report := " + "[" * 2000 + "]" * 2000, "nested brackets"),
    "nested objects, never closed": ("report := " + "{" * 60000, "nested brackets"),
    "nested comprehensions": ("report := " + "[x | x := " * 20 + "1" + "]" * 20, "nested brackets"),
    "nested parentheses": ("report := " + "(\n" * 9000 + "1" + ")\n" * 9000, "too deep"),
    "nested calls": ("report := " + "abs(\n" * 9000 + "1" + ")\n" * 9000, ""),
    "a long sum": ("report := 1" + "\n+1" * 19000, "too long or too deeply nested"),
    "a long union": ("report := {1}" + "\n|{1}" * 19000, "too long or too deeply nested"),
    "a long membership": ("report := 1" + "\nin 1" * 19000, "too long or too deeply nested"),
    "a long line": ("report := 1" + "+1" * 60000, "column"),
    "too many lines": ("#\n" * 30000 + "report := 1", "line count"),
    "a huge file": ("# " + "x" * 3_000_000 + "\nreport := 1", "file size"),
    "a long chain of rules": (many(200, "r@ := s@") + many(0, "") + "\nreport := 1\n" + "\n".join(
        f"s{n} := r{n + 1}" for n in range(199)
    ) + "\ns199 := 1", "need each other in a row"),
    "a number of many digits": ("report := bits.lsh(1, 4000000000)", "no policy may call bits.lsh"),
    "a number that is too large": ("report := 1e999999999", "invalid number"),
    "a regular expression that explodes": (
        'report := regex.match("((((a{100}){100}){100}){100})", "a")',
        "not the same regular expression",
    ),
    "text that ends within an escape": ('report := "\\', ""),
    "text that never ends": ("report := `" + "x" * 900, ""),
    "a zero byte": ("report := \0", ""),
    "very many mistakes": (many(9000, "r@ := nobody@(1)"), "more lines)"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_policy_that_nests_or_is_too_long_is_refused(name: str) -> None:
    main, said = REFUSED[name]
    for loading_s in (None, 30.0):
        found = attempt(main, 5.0, loading_s)
        assert found.kind == "PolicyError"
        assert said in found.text, found.text[:300]
        assert len(found.text) < 5_000
        assert max(found.self_mib, found.worker_mib) < MEMORY_MIB


@pytest.mark.parametrize("loading_s", [None, 30.0], ids=["embedded", "isolated"])
def test_regular_expressions_do_not_backtrack(loading_s: float | None) -> None:
    found = attempt(XS + 'report := regex.match("^(x+)+$", concat("", [xs, "b"]))', 5.0, loading_s)
    assert (found.kind, found.text) == ("report", "false")


@pytest.mark.parametrize("loading_s", [None, 30.0], ids=["embedded", "isolated"])
def test_twenty_thousand_rules_are_no_problem(loading_s: float | None) -> None:
    modules = {f"m{module}.rego": f"package p{module}\n{many(1000, 'r@ := @')}" for module in range(20)}
    found = attempt({**modules, MAIN: "report := data.p19.r999"}, 10.0, loading_s)
    assert (found.kind, found.text) == ("report", "999")
    assert max(found.self_mib, found.worker_mib) < SELF_MIB


@pytest.mark.parametrize("loading_s", [None, 30.0], ids=["embedded", "isolated"])
@pytest.mark.parametrize("document", ["[" * 100_000, "[" * 128 + "]" * 128, '{"a":' * 128 + "1" + "}" * 128])
def test_a_document_that_nests_too_deep_is_exit_4(document: str, loading_s: float | None) -> None:
    found = attempt("report := input", 10.0, loading_s, document)
    assert found.kind == "PolicyError"
    assert "recursion limit" in found.text


# --- what only the worker stops --------------------------------------------------------------------------------------

TEN = "[" * 10 + "x" + "]" * 10
DEEP = (
    f"d0(x) := {TEN}\n"
    + "\n".join(f"d{n}(x) := {f'd{n - 1}(' * 10}x{')' * 10}" for n in range(1, 6))
    + "\nreport := count(d5(1))"
)
GROWING = {
    "arrays that double": doubled("[1, 2]", "array.concat(@, @)", 40),
    "text that doubles": doubled('"xxxxxxxxxxxxxxxx"', 'concat("", [@, @])', 40),
    "text that doubles by sprintf": doubled('"xxxxxxxxxxxxxxxx"', 'sprintf("%s%s", [@, @])', 40),
    "text that doubles by encoding": doubled('"xxxxxxxxxxxxxxxx"', "hex.encode(@)", 40),
    "text replaced by itself": XS + 'report := count(replace(xs, "x", xs))',
    "text replaced by expression": XS + 'report := count(regex.replace(xs, "x", xs))',
    "a range at once": "report := count(numbers.range(1, 3000000000000))",
    "rules that all need all": many(6000, "a.r@ := 1") + "\n" + many(6000, "b@ := a") + "\nreport := 1",
    "a value as deep as no stack": DEEP,
    "signs in a row": "report := " + ("-" * 900 + "\n") * 250 + "1",
}


@pytest.mark.parametrize("name", GROWING)
def test_a_policy_that_explodes_or_crashes_the_engine_ends_its_worker_only(name: str) -> None:
    found = attempt(GROWING[name], 30.0, 30.0)
    assert found.kind == "PolicyError"
    assert f"it crashed, or needed more than {MEMORY_MIB} MiB of memory" in found.text
    assert found.worker_mib <= MEMORY_MIB
    assert found.self_mib < SELF_MIB


SLOW = {
    "one search": (
        'xs := concat("", ["a" | some i in numbers.range(1, 200000)])\n'
        'report := count(regex.find_n("a*?(a*)b|a", xs, -1))'
    ),
    "one union": "report := count(object.union_n([{k: 1} | some k in numbers.range(1, 100000)]))",
    "numbers that square": "a0 := 1000000007\n"
    + "\n".join(f"a{n} := a{n - 1} * a{n - 1}" for n in range(1, 40))
    + "\nreport := a39 > 0",
    "loading: brackets that the parser tries in both ways": many(6000, f"r@ := {'[' * 12}1{']' * 12}")
    + "\nreport := 1",
}


@pytest.mark.parametrize("name", SLOW)
def test_what_the_engine_cannot_interrupt_is_killed_at_the_deadline(name: str) -> None:
    found = attempt(SLOW[name], 0.5, 1.0)
    assert (found.kind, found.text) == (
        "PolicyTimeout",
        "the policy's worker process took longer than 1.5 seconds and was stopped",
    )
    assert 1.5 <= found.took_s < 1.5 + MARGIN_S
    assert found.self_mib < SELF_MIB


def test_a_report_that_is_too_long_does_not_fill_the_memory() -> None:
    found = attempt("report := numbers.range(1, 5000000)", 30.0, 30.0)
    assert found.kind == "PolicyError"
    assert f"answered with more than {16 << 20} bytes" in found.text
    assert found.self_mib < SELF_MIB


# --- the size of a policy --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Modules:
    modules: Mapping[str, str]


def policy_of(count: int, size: int) -> Modules:
    """So many modules of so many bytes altogether."""
    names = [MAIN, *(f"m{number}.rego" for number in range(1, count))]
    texts = {name: f"package {'gate.main' if name == MAIN else name.split('.')[0]}\n\nreport := 1\n" for name in names}
    rest = size - sum(len(text) for text in texts.values())
    for name in names:
        line = "#" + "é" * 499 + "\n"
        fill = min(rest, 250_000) // len(line.encode())
        texts[name] += line * fill
        rest -= len(line.encode()) * fill
    texts[MAIN] += "#" * max(0, rest)
    return Modules(texts)


DOCUMENT = InputDocument({}, b"{}", sha256_digest(b"{}"))


def test_as_many_modules_as_are_allowed_load() -> None:
    assert RegorusEngine(policy_of(MAX_MODULES, 0)).report(DOCUMENT) == b"1"
    with pytest.raises(PolicyError, match=f"{MAX_MODULES + 1} modules, more than the {MAX_MODULES} allowed"):
        RegorusEngine(policy_of(MAX_MODULES + 1, 0))


def test_as_many_bytes_as_are_allowed_load() -> None:
    assert RegorusEngine(policy_of(40, MAX_POLICY_BYTES)).report(DOCUMENT) == b"1"
    with pytest.raises(PolicyError, match=f"{MAX_POLICY_BYTES + 1} bytes, more than the {MAX_POLICY_BYTES} allowed"):
        RegorusEngine(policy_of(40, MAX_POLICY_BYTES + 1))


def test_long_lines_and_many_mistakes_are_cut_in_messages() -> None:
    with pytest.raises(PolicyError) as caught:
        RegorusEngine(Modules({MAIN: "package gate.main\n\nreport := 1" + "+1" * 9000}))
    assert str(caught.value).endswith("exceeds maximum column width of 1024")
    assert max(map(len, str(caught.value).splitlines())) < 350
    with pytest.raises(PolicyError, match=r"\(4900 more lines\)$") as caught:
        RegorusEngine(Modules({MAIN: f"package gate.main\n\nreport := 1\n{many(1000, 'r@ := nobody@(1)')}"}))
    assert len(str(caught.value).splitlines()) == 101
