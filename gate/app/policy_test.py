"""`gate policy test`: unit tests and scenarios of controls, and which lines none of them reaches."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate.app.opa_test import run_opa_tests
from gate.app.workshop import Sources, load_sources
from gate.collect.files import read_folder
from gate.errors import ConfigError, PolicyError
from gate.evaluate.accept import check_results
from gate.evaluate.rego_tests import SuiteRun, UnitTest, find_tests, run_tests
from gate.evaluate.regorus import Lines, RegorusEngine
from gate.evaluate.syntax import Node, parse
from gate.formats import canonical_json, schema
from gate.formats.report_document import parse_report
from gate.formats.strict_json import loads_object
from gate.formats.strict_yaml import suggestion
from gate.model.control import Status
from gate.model.digest import sha256_digest
from gate.model.document import InputDocument
from gate.model.policy_test import CaseResult, FileCoverage, PolicyTestReport, TestOutcome
from gate.model.trace import BodyTrace

_FILES: Final = 10_000
_BYTES: Final = 64 << 20
_FOLDER: Final = "scenarios"

Progress = Callable[[str], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class PolicyTestRequest:
    """What to test. `opa` is the program to test with; `None` asks for the embedded engine."""

    start: Path
    directories: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    text: str = ""
    opa: str | None = None
    coverage: bool = True
    threshold: float = 100.0


def run_policy_tests(request: PolicyTestRequest, progress: Progress) -> PolicyTestReport:
    """Runs everything; raises `ConfigError` when there is nothing to run, and `PolicyError` for what does not load.

    Coverage is counted for the author's own modules, and only when all tests run.
    """
    began = time.monotonic()
    sources = load_sources(request.start, request.directories, request.tests)
    engine = RegorusEngine(sources.bundle)  # what the gate would not load passes no test
    tests = find_tests({**sources.own, **sources.tests})
    scenarios = read_scenarios(request.start, sources)
    chosen = [test for test in tests if request.text in test.name]
    acted = {name: files for name, files in scenarios.items() if request.text in name}
    if not chosen and not acted:
        known = sorted([test.name for test in tests] + list(scenarios))
        near = suggestion(request.text, known) if request.text else ""
        what = f"no test has {request.text!r} in its name{near}" if known else "there is no test here"
        raise ConfigError(what, hint="tests are rules named test_... in files named ..._test.rego, or below --tests")
    counts_lines = request.coverage and not request.text
    with progress(f"{len(chosen)} tests"):
        run, name = _run(request, sources, chosen, counts_lines)
    with progress(f"{len(acted)} scenarios"):
        played = [play_scenario(sources, engine, folder, files) for folder, files in sorted(acted.items())]
    return PolicyTestReport(
        engine=name,
        seconds=time.monotonic() - began,
        results=tuple(_placed(sources, result) for result in (*run.results, *played)),
        coverage=None if run.lines is None else tuple(_coverage(sources, run.lines)),
        threshold=request.threshold,
    )


def _run(
    request: PolicyTestRequest, sources: Sources, chosen: list[UnitTest], counts_lines: bool
) -> tuple[SuiteRun, str]:
    if request.opa is not None:
        return run_opa_tests(request.opa, sources.modules, chosen, coverage=counts_lines)
    return run_tests(sources.modules, chosen, coverage=counts_lines), "regorus"


def read_scenarios(start: Path, sources: Sources) -> dict[str, dict[str, bytes]]:
    """The files of each scenario by its folder: `<directory>/scenarios/<control>/<name>`."""
    found: dict[str, dict[str, bytes]] = {}
    for directory in sorted({place.removesuffix(f"/{path}") for path, place in sources.places.items()}):
        if not (start / directory / _FOLDER).is_dir():
            continue
        files = read_folder(start, f"{directory}/{_FOLDER}", lambda path: path.endswith(".json"), _FILES, _BYTES)
        for path, data in files.items():
            folder, _, name = path.rpartition("/")
            found.setdefault(f"{directory}/{_FOLDER}/{folder}", {})[name] = data
    return found


def play_scenario(sources: Sources, engine: RegorusEngine, name: str, files: Mapping[str, bytes]) -> CaseResult:
    """Whether a control says of a document exactly what is expected: its status, and the codes of its violations."""
    began = time.perf_counter()
    try:
        expected, document = _scenario(name, files)
        control = name.split("/")[-2]
        found = _answer(sources, engine, control, document)
        message = "" if found == expected else f"{_said(found)}, expected {_said(expected)}"
        outcome = TestOutcome.FAIL if message else TestOutcome.PASS
        if message:
            message += f"; see `gate explain {control} --input {name}/input.json`"
    except (ValueError, PolicyError) as error:
        outcome, message = TestOutcome.ERROR, str(error)
    return CaseResult(name, None, f"{name}/expected.json", 1, outcome, message, time.perf_counter() - began)


def _scenario(name: str, files: Mapping[str, bytes]) -> tuple[tuple[str, tuple[str, ...]], InputDocument]:
    missing = {"input.json", "expected.json"} - files.keys()
    if missing or name.count("/") < 2:
        raise ValueError(f"no {min(missing)} in {name}" if missing else f"{name} is no <control>/<name>")
    expected = loads_object(files["expected.json"])
    status, codes = expected.get("status"), expected.get("codes", [])
    if (
        status not in {one.value for one in Status}
        or not isinstance(codes, list)
        or expected.keys() - {"status", "codes"}
    ):
        raise ValueError('expected.json is not {"status": "pass|fail|error|not_applicable", "codes": [...]}')
    value = loads_object(files["input.json"], limit=_BYTES)
    problem = schema.problem("input.json", value)
    if problem is not None:
        raise ValueError(f"input.json does not fit the schema of input documents: {problem}")
    canonical = canonical_json.dumps(value)
    document = InputDocument(value, canonical, sha256_digest(canonical))
    return (str(status), tuple(sorted({str(code) for code in codes}))), document


def _answer(
    sources: Sources, engine: RegorusEngine, control: str, document: InputDocument
) -> tuple[str, tuple[str, ...]]:
    if control not in sources.bundle.catalogue:
        raise ValueError(f"there is no control {control}{suggestion(control, sorted(sources.bundle.catalogue))}")
    results = parse_report(engine.report(document))
    if control not in results:
        raise ValueError(f"input.json does not ask for {control}: its profile does not name it, or it is off")
    result = results[control]
    # A scenario that passes here must not be one that no decision could be made on.
    check_results({control: result}, document)
    return result.status.value, tuple(sorted({violation.code for violation in result.violations}))


def _said(answer: tuple[str, tuple[str, ...]]) -> str:
    status, codes = answer
    return f"{status} ({', '.join(codes)})" if codes else status


def _placed(sources: Sources, result: CaseResult) -> CaseResult:
    """The result with the places on disk."""
    traces = tuple(_placed_trace(sources, trace) for trace in result.traces)
    return dataclasses.replace(result, path=sources.place(result.path), traces=traces)


def _placed_trace(sources: Sources, trace: BodyTrace) -> BodyTrace:
    calls = tuple(_placed_trace(sources, call) for call in trace.calls)
    return dataclasses.replace(trace, path=sources.place(trace.path), calls=calls)


def _coverage(sources: Sources, lines: Mapping[str, Lines]) -> Iterator[FileCoverage]:
    for path, source in sorted(sources.own.items()):
        reached = lines.get(path) or Lines(frozenset(), _code_lines(path, source))
        texts = source.splitlines()
        missed = tuple((line, texts[line - 1].strip()) for line in sorted(reached.missed))
        yield FileCoverage(sources.place(path), len(reached.covered), missed)


def _code_lines(path: str, source: str) -> frozenset[int]:
    """The lines with code of a file that no test reaches."""
    rules = parse(path, source).rules
    nodes: list[Node] = [node for rule in rules for body in rule.bodies for node in body.statements]
    return frozenset(node.line for node in [*(rule.node for rule in rules), *nodes])
