from __future__ import annotations

from typing import Any

import pytest

from gate.formats.reports import read_report
from gate.model.artifact import ArtifactFile
from gate.model.digest import sha256_digest
from gate.model.scan import Basis, Scan, ScanStatus, Severity
from tests.support.reports import ARTIFACTS, CONFIG, SYSTEM, WEIGHTS, artifact, issue, modelscan, raw


def read(data: bytes, about: str | None = "model") -> Scan:
    return read_report(raw("modelscan", data, artifact=about), ARTIFACTS)


def test_a_clean_report() -> None:
    data = modelscan()
    scan = read(data)
    assert (scan.tool, scan.version, scan.basis, scan.artifact) == ("modelscan", "0.8.8", Basis.OBSERVED, "model")
    assert (scan.status, scan.problem, scan.findings) == (ScanStatus.COMPLETE, None, ())
    assert scan.report == sha256_digest(data)
    assert scan.coverage.expected == 2
    assert scan.coverage.scanned == {"model.bin": WEIGHTS, "sub/config.json": CONFIG}
    assert (scan.coverage.missing, scan.coverage.errors) == ({}, {})


@pytest.mark.parametrize(
    ("target", "files"),
    [
        ("models/m", ["model.bin"]),
        ("./models/m/", ["./model.bin"]),
        ("models/m/model.bin", ["model.bin"]),
        ("models", ["m/model.bin"]),
        (".", ["models/m/model.bin"]),
        ("models/m", ["models/m/model.bin"]),
        ("/ci/checkout/models/m", ["model.bin"]),
        ("/ci/checkout/models/m", ["/ci/checkout/models/m/model.bin"]),
        ("m", ["model.bin:a:b"]),
        ("/ci/models/m/model.bin", ["model.bin"]),
        ("models/m", ["model.bin:archive/data.pkl", "model.bin:archive/other.pkl"]),
    ],
)
@pytest.mark.parametrize("about", ["model", None])
def test_names_are_found_relative_to_what_was_scanned(target: str, files: list[str], about: str | None) -> None:
    if (target, about) == ("m", None):
        return
    scan = read(modelscan(files, target=target), about)
    assert scan.artifact == "model"
    assert scan.coverage.scanned == {"model.bin": WEIGHTS}
    assert scan.coverage.missing == {"sub/config.json": "the report does not name it"}
    assert scan.status is ScanStatus.COMPLETE


def test_a_single_file() -> None:
    scan = read(modelscan(["system.txt"], target="app/system.txt"), None)
    assert (scan.artifact, scan.coverage.scanned) == ("prompt", {"system.txt": SYSTEM})


@pytest.mark.parametrize(
    ("target", "files"),
    [
        ("models/other", ["x.bin"]),
        ("other", ["model.bin.bak", "../model.bin"]),
        ("models/other", ["model.bin"]),
        ("models/other", ["m/model.bin", "models/m/model.bin"]),
        ("/ci/models/other", ["model.bin", "/ci/models/m/model.bin"]),
        ("other.bin", ["other.bin", "model.bin"]),
        ("/elsewhere", ["x/config.json"]),
        ("models/m", ["../../etc/passwd", "a\\b", "\u202e", ""]),
    ],
)
def test_a_report_about_other_files_is_incomplete(target: str, files: list[str]) -> None:
    scan = read(modelscan(files, target=target))
    assert scan.status is ScanStatus.INCOMPLETE
    assert "other target" in (scan.problem or "")
    assert not scan.coverage.scanned


def test_a_bare_name_at_an_absolute_place_is_too_little() -> None:
    root = {"config": artifact("config", "config.json", folder=False, config_DOT_json=ArtifactFile(CONFIG, 1))}
    report = modelscan(["config.json"], target="/other/project")
    assert not read_report(raw("modelscan", report), root).coverage.scanned
    assert read_report(raw("modelscan", report, artifact="config"), root).coverage.scanned


def test_files_of_two_artifacts() -> None:
    scan = read(modelscan(["models/m/model.bin", "app/system.txt"], target="."), None)
    assert (scan.artifact, scan.status) == (None, ScanStatus.INCOMPLETE)
    scan = read(modelscan(["app/system.txt", "models/m/model.bin"], target="."), "model")
    assert scan.coverage.scanned == {"model.bin": WEIGHTS}


def test_nothing_scanned_is_not_clean() -> None:
    scan = read(modelscan([]))
    assert (scan.status, scan.problem) == (ScanStatus.INCOMPLETE, "nothing was scanned")
    assert set(scan.coverage.missing) == {"model.bin", "sub/config.json"}


def test_a_file_without_a_digest_is_not_covered() -> None:
    linked = {"model": artifact("model", "models/m", link_DOT_bin=ArtifactFile(None, 0, "symlink"))}
    scan = read_report(raw("modelscan", modelscan(["link.bin"]), artifact="model"), linked)
    assert (scan.coverage.scanned, scan.status) == ({}, ScanStatus.INCOMPLETE)


def test_findings_name_their_file() -> None:
    scan = read(modelscan(issues=[issue(), issue("models/m/sub/config.json", "LOW"), issue("elsewhere.bin", "HIGH")]))
    assert scan.status is ScanStatus.COMPLETE
    assert [(f.artifact, f.file, f.severity) for f in scan.findings] == [
        ("model", "model.bin", Severity.CRITICAL),
        ("model", "sub/config.json", Severity.LOW),
        (None, None, Severity.HIGH),
    ]
    assert scan.findings[0].rule == "modelscan.PickleUnsafeOpScan"
    assert "posix" in scan.findings[0].message


@pytest.mark.parametrize("severity", ["UNKNOWN", "", None, 9, ["LOW"], "9.8", "lowish"])
def test_a_severity_nobody_knows_is_critical(severity: Any) -> None:
    scan = read(modelscan(issues=[issue(severity=severity)]))
    assert scan.findings[0].severity is Severity.CRITICAL
    assert scan.status is ScanStatus.FAILED


def test_an_unknown_severity_that_is_counted_is_no_contradiction() -> None:
    counts = {"LOW": 0, "MEDIUM": 0, "HIGH": 0, "CRITICAL": 0, "WORSE": 1}
    scan = read(modelscan(issues=[issue(severity="WORSE")], total_issues_by_severity=counts))
    assert scan.findings[0].severity is Severity.CRITICAL
    assert scan.status is ScanStatus.COMPLETE


def test_a_message_is_cut() -> None:
    assert len(read(modelscan(issues=[issue(description="x" * 100_000)])).findings[0].message) < 2100


def test_errors_make_it_incomplete() -> None:
    error = {"category": "DEPENDENCY", "description": "install extras", "source": "models/m/model.bin"}
    scan = read(modelscan(errors=[error]))
    assert scan.status is ScanStatus.INCOMPLETE
    assert scan.coverage.errors == {"model.bin": "DEPENDENCY: install extras"}
    assert scan.coverage.scanned == {"sub/config.json": CONFIG}
    for bare, where in (({}, "?"), ({"source": "elsewhere"}, "elsewhere")):
        scan = read(modelscan(errors=[bare]))
        assert (scan.status, set(scan.coverage.errors)) == (ScanStatus.INCOMPLETE, {where})
        scan = read(modelscan(["nowhere"], errors=[bare]), None)
        assert (scan.status, set(scan.coverage.errors)) == (ScanStatus.INCOMPLETE, {where})


def test_skipped_files_are_not_scanned() -> None:
    passed = {"category": "SCAN_NOT_SUPPORTED", "description": "not scanned", "source": "sub/config.json"}
    scan = read(modelscan(["model.bin"], skipped=[passed]))
    assert scan.status is ScanStatus.COMPLETE
    assert scan.coverage.missing == {"sub/config.json": "modelscan has no scanner for it"}
    odd = {"category": "MAGIC_NUMBER", "description": "Invalid magic number", "source": "sub/config.json"}
    scan = read(modelscan(skipped=[odd, {**passed, "source": "elsewhere"}]))
    assert scan.status is ScanStatus.INCOMPLETE
    assert scan.coverage.errors == {"sub/config.json": "MAGIC_NUMBER: Invalid magic number"}
    assert read(modelscan(skipped=[{**passed, "source": 1}])).status is ScanStatus.FAILED


@pytest.mark.parametrize(
    "summary",
    [
        {"total_issues": 0},
        {"total_issues": 2},
        {"total_issues_by_severity": {"LOW": 0, "MEDIUM": 0, "HIGH": 0, "CRITICAL": 0}},
        {"total_issues_by_severity": {"LOW": 1, "MEDIUM": 0, "HIGH": 0, "CRITICAL": 1}},
        {"scanned": {"total_scanned": 0, "scanned_files": []}},
    ],
)
def test_totals_that_contradict_the_lists_failed_and_keep_the_findings(summary: Any) -> None:
    scan = read(modelscan(issues=[issue()], **summary))
    assert (scan.status, len(scan.findings)) == (ScanStatus.FAILED, 1)
    assert scan.problem


@pytest.mark.parametrize(
    "summary",
    [
        {"total_issues": True},
        {"total_issues": -1},
        {"total_issues": "0"},
        {"total_issues_by_severity": None},
        {"total_issues_by_severity": {"LOW": 0}},
        {"scanned": {"total_scanned": 3, "scanned_files": ["model.bin"]}},
        {"scanned": {"total_scanned": 1}},
        {"scanned": {"total_scanned": 9, "scanned_files": "model.bin"}},
        {"scanned": {"total_scanned": 1, "scanned_files": [1]}},
        {"scanned": None},
        {"input_path": None},
        {"modelscan_version": 8},
        {"skipped": {"skipped_files": {}}},
    ],
)
def test_shapes_that_modelscan_does_not_write_failed(summary: Any) -> None:
    assert read(modelscan(**summary)).status is ScanStatus.FAILED


@pytest.mark.parametrize(
    "issues", [[{"severity": "LOW"}], [{"source": "x", "severity": "LOW"}], [{**issue(), "source": 1}]]
)
def test_issues_of_unknown_shape_failed(issues: Any) -> None:
    assert read(modelscan(issues=issues)).status is ScanStatus.FAILED


def test_fields_nobody_knows_are_tolerated() -> None:
    assert read(modelscan(issues=[issue(severity="LOW", more=[1])], news={"a": 1})).status is ScanStatus.COMPLETE
