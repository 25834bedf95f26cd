"""The same tests in OPA's own test runner, for people whose controls are judged by an OPA server."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

from gate.errors import ConfigError, PolicyError
from gate.evaluate.rego_tests import SuiteRun, UnitTest, explained, skipped
from gate.evaluate.regorus import Lines
from gate.formats.opa_test_report import OpaTest, OpaTestError, parse_coverage, parse_tests
from gate.model.policy_test import CaseResult, TestOutcome

T = TypeVar("T")
_LIMIT_S: Final = 600
_SHORT: Final = 2_000


def find_opa(path: str | None) -> str:
    """The OPA program at a path, or on PATH; raises `ConfigError` when there is none."""
    found = shutil.which(path or "opa")
    if found is None:
        raise ConfigError(
            f"there is no program {path!r}" if path else "the program opa is not on PATH",
            hint="install OPA, name it with --opa PATH, or leave out --engine opa: the embedded engine needs nothing",
        )
    return str(Path(found).absolute())


def run_opa_tests(
    opa: str, modules: Mapping[str, str], tests: Sequence[UnitTest], *, coverage: bool
) -> tuple[SuiteRun, str]:
    """Runs `opa test` on the very same modules; the results, and the name and version of the engine.

    Raises `PolicyError` when OPA does not load them, or does not run a test that it should.
    """
    with tempfile.TemporaryDirectory(prefix="gate-opa-") as folder:
        for path, source in modules.items():
            place = Path(folder, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(source.encode("utf-8"))
        command = ["test", ".", "--format", "json"]
        answers = _asked(opa, command, folder, parse_tests)
        # OPA says nothing of lines, and not in JSON, when a test fails.
        is_good = not any(answer.failed or answer.error for answer in answers)
        reached = _asked(opa, [*command, "--coverage"], folder, parse_coverage) if coverage and is_good else None
        version = _run(opa, ["version"], folder).stdout.partition("\n")[0].removeprefix("Version: ")
    by_name = {answer.name: answer for answer in answers}
    missing = [test.name for test in tests if test.name not in by_name and not test.is_skipped]
    if missing:
        raise PolicyError(f"OPA does not run {', '.join(missing[:5])}")
    results = [result for test in tests for result in _results(test, by_name)]
    lines = {path: Lines(covered - missed, missed) for path, (covered, missed) in (reached or {}).items()}
    run = SuiteRun(tuple(explained(modules, tests, results)), None if reached is None else lines)
    return run, f"opa {version}"


def _asked(opa: str, arguments: Sequence[str], folder: str, parsed: Callable[[str], T]) -> T:
    done = _run(opa, arguments, folder)
    try:
        return parsed(done.stdout)
    except OpaTestError as error:
        said = (done.stderr or done.stdout).strip()[:_SHORT] or str(error)
        raise PolicyError(f"opa test does not run: {said}") from None


def _run(opa: str, arguments: Sequence[str], folder: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [opa, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PolicyError(f"{opa} does not run: {error}") from None


def _results(test: UnitTest, answers: Mapping[str, OpaTest]) -> Iterator[CaseResult]:
    if test.is_skipped:
        yield skipped(test)
        return
    answer = answers[test.name]
    if not answer.cases or not test.is_well_formed:
        yield _result(test, None, answer, answer.seconds)
        return
    for case in answer.cases:
        yield _result(test, case.name, case, answer.seconds / len(answer.cases))


def _result(test: UnitTest, case: str | None, answer: OpaTest, seconds: float) -> CaseResult:
    outcome, message = TestOutcome.PASS, ""
    if answer.error is not None:
        outcome, message = TestOutcome.ERROR, answer.error
    elif answer.failed:
        outcome, message = TestOutcome.FAIL, "it is not true"
    return CaseResult(test.name, case, test.path, test.line, outcome, message, seconds)
