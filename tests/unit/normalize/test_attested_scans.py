"""Attested scans: what a signed statement says of the very bytes that are there."""

from __future__ import annotations

from typing import Any

import pytest

from gate.model.evidence import Verified
from gate.model.scan import Basis, ScanStatus, Severity
from gate.normalize.sections.scans import attested_scans
from tests.support.evidence import folder
from tests.unit.formats.predicates.reading import read
from tests.unit.formats.predicates.test_typed_claims import GOOD, REPORT, read_good, subjects_of

MODEL = folder("s", {"a.bin": "d", "b.bin": "m"})


def scan(artifact: Any = MODEL, **changes: Any) -> Any:
    files, predicate = GOOD["scan.report"]
    statement = read("urn:promotion-gate:predicate:scan:v1", {**predicate, **changes}, subjects_of(files))
    item = Verified(REPORT, REPORT, "scan.json", statement, (), (artifact.name,))
    (found,) = attested_scans([item], {artifact.name: artifact})
    return found


def test_a_scan_is_told_with_its_coverage_and_findings() -> None:
    found = scan(database_at="2026-11-20T10:00:00Z", arguments=["-x"], problem="why")
    assert (found.basis, found.artifact, found.report, found.status) == (
        Basis.ATTESTED,
        "s",
        REPORT,
        ScanStatus.INCOMPLETE,
    )
    assert found.coverage.expected == 2
    assert found.coverage.scanned == {"a.bin": MODEL.files["a.bin"].digest}
    assert found.coverage.missing == {"b.bin": "no scanner"}
    assert (found.arguments, found.database_at_s, found.origin, found.problem) == (
        ("-x",),
        1795168800,
        "scan.json",
        "why",
    )
    (finding,) = found.findings
    assert (finding.severity, finding.artifact, finding.file, finding.score_bp) == (Severity.HIGH, "s", "a.bin", 9800)


def test_only_what_is_there_under_its_path_was_scanned() -> None:
    swapped = folder("s", {"a.bin": "m", "b.bin": "d", "c.bin": "new"})
    found = scan(swapped)
    assert found.coverage.scanned == {}
    assert found.coverage.missing == {
        "a.bin": "the statement does not say that these bytes were scanned",
        "b.bin": "no scanner",
        "c.bin": "the statement does not say that these bytes were scanned",
    }


def test_errors_are_kept() -> None:
    found = scan(coverage={"scanned": ["a.bin"], "missing": {}, "errors": {"b.bin": "broken", "inner": "x"}})
    assert found.coverage.errors == {"b.bin": "broken", "inner": "x"}
    assert found.coverage.missing == {}


@pytest.mark.parametrize("claim", ["dataset", "plain"])
def test_another_statement_is_no_scan(claim: str) -> None:
    plain = read("urn:promotion-gate:predicate:scan:v1", {"result": "passed"})
    statement = plain if claim == "plain" else read_good(claim)
    item = Verified(REPORT, REPORT, "x.json", statement, (), ("s",))
    assert attested_scans([item], {"s": MODEL}) == ()
