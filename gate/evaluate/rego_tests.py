"""Runs Rego unit tests on the embedded engine: every rule `test_*`, case by case, and says why one failed."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from gate.errors import PolicyError
from gate.evaluate.interface import TIME_LIMIT_S
from gate.evaluate.regorus import CompiledRules, Lines
from gate.evaluate.syntax import Rule, parse
from gate.evaluate.trace import Tracer, Wanted
from gate.evaluate.trace_rules import indexes
from gate.model.json import JsonObject, JsonValue
from gate.model.policy_test import CaseResult, TestOutcome
from gate.model.trace import BodyTrace

EMPTY_INPUT: Final = b"{}"
_EXPLAINED: Final = 20
_THREADS: Final = 4
_FORM: Final = "a test's head is a plain name, or one with one variable in brackets, such as test_x[name]"
_NOBODY: Final[Callable[[int], None]] = lambda _: None  # noqa: E731 - the default of `progress`


@dataclass(frozen=True, slots=True)
class UnitTest:
    """A rule `test_*` or `todo_*`. `name` is its reference without `data.`; `rules` are its definitions."""

    name: str
    path: str
    line: int
    rules: tuple[Rule, ...]

    @property
    def is_skipped(self) -> bool:
        """Whether it is written, but not meant to pass yet."""
        return self.rules[0].name[0].startswith("todo_")

    @property
    def has_cases(self) -> bool:
        """Whether it has a value for each of some cases."""
        return any(indexes(rule.head) for rule in self.rules)

    @property
    def is_well_formed(self) -> bool:
        """Whether both engines take it for the same tests."""
        heads = [indexes(rule.head) for rule in self.rules]
        return all(
            len(rule.name) == 1 and len(head) <= 1 and all(node.kind == "Var" for node in head)
            for rule, head in zip(self.rules, heads, strict=True)
        )


@dataclass(frozen=True, slots=True)
class SuiteRun:
    """All results in the order of files and lines; `lines` are those reached by file, `None` if nobody counted."""

    results: tuple[CaseResult, ...]
    lines: Mapping[str, Lines] | None


def find_tests(modules: Mapping[str, str]) -> list[UnitTest]:
    """The tests of some modules by file and line; raises `PolicyError` for a module that does not parse."""
    found: dict[str, UnitTest] = {}
    for path, source in sorted(modules.items()):
        if "test_" not in source and "todo_" not in source:
            continue
        module = parse(path, source)
        for rule in module.rules:
            if rule.kind != "function" and rule.name[0].startswith(("test_", "todo_")):
                name = ".".join((*module.package, rule.name[0]))
                first = found.get(name, UnitTest(name, path, rule.node.line, ()))
                found[name] = dataclasses.replace(first, rules=(*first.rules, rule))
    return list(found.values())


def run_tests(
    modules: Mapping[str, str],
    tests: Sequence[UnitTest],
    *,
    coverage: bool,
    time_limit_s: float = TIME_LIMIT_S,
    progress: Callable[[int], None] = _NOBODY,
) -> SuiteRun:
    """Runs tests, each on its own with an empty input; raises `PolicyError` when the modules do not load.

    A test passes when its value is `true`, and one with cases when it is for every case; nothing else does. The first
    twenty that do not pass are explained. `progress` is told how many tests are done.
    """
    wanted = [test for test in tests if test.is_well_formed and not test.is_skipped]
    workers = max(min(_THREADS, os.cpu_count() or 1, len(wanted) // 20 + 1), 1)
    threads = range(workers if wanted else 0)
    runners = [_Runner(modules, coverage=coverage, time_limit_s=time_limit_s) for _ in threads]
    done = {test.name: [skipped(test) if test.is_skipped else _malformed(test)] for test in tests}
    with ThreadPoolExecutor(workers) as pool:
        # Each thread has an engine of its own and takes every n-th test.
        for count in range(0, len(wanted), workers):
            some = wanted[count : count + workers]
            for test, results in zip(some, pool.map(_Runner.run, runners, some), strict=False):
                done[test.name] = results
            progress(count + len(some))
    results = [result for test in tests for result in done[test.name]]
    lines = merged(one.lines for one in runners) if coverage else None
    return SuiteRun(tuple(explained(modules, tests, results, time_limit_s)), lines)


def merged(runs: Iterable[Mapping[str, Lines]]) -> dict[str, Lines]:
    """The lines that any of some runs reached, and those that none did."""
    found: dict[str, Lines] = {}
    for run in runs:
        for path, lines in run.items():
            before = found.get(path, Lines(frozenset(), frozenset()))
            covered = before.covered | lines.covered
            found[path] = Lines(covered, (before.missed | lines.missed) - covered)
    return found


class _Runner:
    """One thread's engine, and the lines it has reached so far."""

    def __init__(self, modules: Mapping[str, str], *, coverage: bool, time_limit_s: float) -> None:
        self._modules = modules
        self._coverage = coverage
        self._time_limit_s = time_limit_s
        self._rules = CompiledRules(modules)
        self.lines: dict[str, Lines] = {}

    def run(self, test: UnitTest) -> list[CaseResult]:
        """The results of one test, which are several if it has cases."""
        began = time.perf_counter()
        try:
            value = self._value(test)
            judged = self._cases(test, value) if test.has_cases else [(None, *_judge(value))]
        except PolicyError as error:
            judged = [(None, TestOutcome.ERROR, str(error))]
        seconds = time.perf_counter() - began
        return [
            CaseResult(test.name, case, test.path, test.line, outcome, message, seconds / len(judged))
            for case, outcome, message in judged
        ]

    def _value(self, test: UnitTest) -> str | None:
        rule = f"data.{test.name}"
        if not self._coverage:
            return self._rules.value(rule, EMPTY_INPUT, time_limit_s=self._time_limit_s)
        value, lines = self._rules.value_and_lines(rule, EMPTY_INPUT, time_limit_s=self._time_limit_s)
        self.lines = merged((self.lines, lines))
        return value

    def _cases(self, test: UnitTest, value: str | None) -> list[tuple[str | None, TestOutcome, str]]:
        """Each case there should be and each there is; no case at all proves nothing."""
        answered: JsonObject = json.loads(value or "{}")
        tracer = Tracer(self._modules, EMPTY_INPUT, time_limit_s=self._time_limit_s)
        wanted = [case for rule in test.rules for case in tracer.cases(test.path, rule) or []]
        names = dict.fromkeys([*(case_name(next(iter(case.values()))) for case in wanted), *sorted(answered)])
        if not names:
            return [(None, TestOutcome.FAIL, "it has no case")]
        return [(name, *_judge(json.dumps(answered[name]) if name in answered else None)) for name in names]


def case_name(value: JsonValue) -> str:
    """A case's name as the key of an object: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))


def _judge(value: str | None) -> tuple[TestOutcome, str]:
    if value == "true":
        return TestOutcome.PASS, ""
    if value is None:
        return TestOutcome.FAIL, "undefined: no body of it holds"
    return TestOutcome.FAIL, "it is false" if value == "false" else f"it is {value}, not true"


def skipped(test: UnitTest) -> CaseResult:
    """The result of a test that is still to do."""
    return CaseResult(test.name, None, test.path, test.line, TestOutcome.SKIPPED, "to do")


def _malformed(test: UnitTest) -> CaseResult:
    return CaseResult(test.name, None, test.path, test.line, TestOutcome.ERROR, _FORM)


def explained(
    modules: Mapping[str, str],
    tests: Sequence[UnitTest],
    results: Sequence[CaseResult],
    time_limit_s: float = TIME_LIMIT_S,
) -> list[CaseResult]:
    """The results with the conditions that did not hold, for the first twenty that failed."""
    by_name = {test.name: test for test in tests if test.is_well_formed}
    failed = [i for i, one in enumerate(results) if one.outcome is TestOutcome.FAIL and one.name in by_name]
    tracer = Tracer(modules, EMPTY_INPUT, time_limit_s=time_limit_s)
    wanted = [
        (place, Wanted(test.path, rule, _only(rule, tracer, test.path, results[place].case)))
        for place in failed[:_EXPLAINED]
        for test in [by_name[results[place].name]]
        for rule in test.rules
    ]
    found: dict[int, tuple[BodyTrace, ...]] = {}
    for (place, _), bodies in zip(wanted, tracer.trace([item for _, item in wanted]), strict=True):
        found[place] = (*found.get(place, ()), *bodies)
    return [dataclasses.replace(one, traces=found.get(place, ())) for place, one in enumerate(results)]


def _only(rule: Rule, tracer: Tracer, path: str, name: str | None) -> Mapping[str, JsonValue]:
    """The value of the variable in the head for one case."""
    cases = tracer.cases(path, rule) or [] if name is not None else []
    return next((case for case in cases if case_name(next(iter(case.values()))) == name), {})
