from __future__ import annotations

from typing import Any

import pytest

from gate.formats.reports import read_report
from gate.model.artifact import ArtifactFile
from gate.model.digest import hex_of, sha256_digest
from gate.model.scan import Finding, FindingStatus, Scan, ScanStatus, Severity
from tests.support.reports import ARTIFACTS, CONFIG, WEIGHTS, artifact, listed, location, raw, result, run, sarif


def read(data: bytes, about: str | None = None) -> Scan:
    return read_report(raw("sarif", data, artifact=about), ARTIFACTS)


def only(data: bytes) -> Finding:
    findings = read(data).findings
    assert len(findings) == 1
    return findings[0]


def test_a_clean_report() -> None:
    scan = read(sarif())
    assert (scan.tool, scan.version, scan.artifact) == ("modelaudit", "0.2.54", "model")
    assert (scan.status, scan.problem, scan.findings) == (ScanStatus.COMPLETE, None, ())
    assert scan.coverage.scanned == {"model.bin": WEIGHTS}
    assert set(scan.coverage.missing) == {"sub/config.json"}
    assert scan.arguments == ("scan", ".")


def test_without_digests_it_covers_no_file() -> None:
    for artifacts in ([], [{"location": {"uri": "models/m/model.bin"}}], [listed(digest="ff")], ...):
        scan = read(sarif(run(artifacts=artifacts)), "model")
        assert scan.coverage.scanned == {}
        assert set(scan.coverage.missing) == {"model.bin", "sub/config.json"}


def test_a_report_about_other_bytes() -> None:
    scan = read(
        sarif(run(artifacts=[listed(digest=hex_of(CONFIG)), listed("models/m/sub/config.json", hex_of(CONFIG))]))
    )
    assert scan.status is ScanStatus.INCOMPLETE
    assert scan.coverage.errors == {"model.bin": "the report is about other bytes of this file"}
    assert scan.coverage.scanned == {"sub/config.json": CONFIG}


def test_a_report_about_other_files() -> None:
    scan = read(sarif(run(artifacts=[listed("other/model.bin")])), "model")
    assert (scan.status, scan.problem and scan.problem[:12]) == (ScanStatus.INCOMPLETE, "other target")


@pytest.mark.parametrize(
    "uri",
    [
        "models/m/model.bin",
        "./models/m/model.bin",
        "models//m/./model.bin",
        "models/m/model%2Ebin",
        "file:///ci/repo/models/m/model.bin",
        "file://localhost/ci/models/m/model.bin",
        "file:/ci/models/m/model.bin",
        "/ci/repo/models/m/model.bin",
        "FILE:///x/models/m/model.bin",
        "models/m/model.bin (pos 31)",
        "models/m/model.bin:archive/data.pkl",
        "models/m/model.bin:archive/data.pkl (pos 7)",
        "models/m/model.bin#L1",
        "models/m/model.bin?x=1",
    ],
)
def test_every_way_to_write_a_path(uri: str) -> None:
    found = only(sarif(run(results=[result(uri)])))
    assert (found.artifact, found.file) == ("model", "model.bin")


@pytest.mark.parametrize(
    "uri",
    [
        "https://example.com/models/m/model.bin",
        "../models/m/model.bin",
        "models/m/../m/model.bin",
        "model.bin",
        "",
        "models/m/other",
        "/model.bin",
        "%FF",
    ],
)
def test_paths_of_nobody_keep_the_finding(uri: str) -> None:
    found = only(sarif(run(results=[result(uri)])))
    assert (found.artifact, found.file) == (None, None)


def test_paths_relative_to_the_artifact_that_it_is_about() -> None:
    scan = read(sarif(run(results=[result("sub/config.json"), result("app/system.txt")])), "model")
    assert [(f.artifact, f.file) for f in scan.findings] == [("model", "sub/config.json"), (None, None)]


def test_names_that_are_not_text() -> None:
    files: dict[str, Any] = {"\\xff\\\\.bin": ArtifactFile(WEIGHTS, 1)}
    odd = {"m": artifact("m", "models", **files)}
    scan = read_report(raw("sarif", sarif(run(results=[result("models/%FF%5C.bin")]))), odd)
    assert scan.findings[0].file == "\\xff\\\\.bin"


@pytest.mark.parametrize(
    ("where", "bases"),
    [
        ({"uri": "model.bin", "uriBaseId": "M"}, {"M": {"uri": "models/m/"}}),
        (
            {"uri": "model.bin", "uriBaseId": "M"},
            {"M": {"uri": "m/", "uriBaseId": "R"}, "R": {"uri": "file:///ci/models/"}},
        ),
        ({"uri": "models/m/model.bin", "uriBaseId": "%SRCROOT%"}, {}),
        ({"uri": "models/m/model.bin", "uriBaseId": "%SRCROOT%"}, {"%SRCROOT%": {"description": {"text": "x"}}}),
        ({"uri": "models/m/model.bin", "uriBaseId": "R"}, {"R": {"uri": "file:///ci/my%20repo/"}}),
        ({"index": 0}, {}),
    ],
)
def test_base_ids_and_indices(where: Any, bases: Any) -> None:
    hit = {**result(None), "locations": [{"physicalLocation": {"artifactLocation": where}}]}
    found = only(sarif(run(results=[hit], originalUriBaseIds=bases)))
    assert found.file == "model.bin"


def test_base_ids_in_a_circle_and_indices_into_nothing() -> None:
    circle = {"A": {"uri": "a/", "uriBaseId": "B"}, "B": {"uri": "b/", "uriBaseId": "A"}}
    for where in ({"uri": "model.bin", "uriBaseId": "A"}, {"index": 7}, {"index": -1}, {"index": "0"}, {}):
        hit = {**result(None), "locations": [{"physicalLocation": {"artifactLocation": where}}]}
        assert only(sarif(run(results=[hit], originalUriBaseIds=circle))).file is None


def test_one_finding_for_each_file() -> None:
    places = [
        location("models/m/model.bin"),
        location("models/m/model.bin"),
        location("app/system.txt"),
        location("x"),
        {},
    ]
    scan = read(sarif(run(results=[result(locations=places)])))
    assert [(f.artifact, f.file) for f in scan.findings] == [("model", "model.bin"), ("prompt", "system.txt")]
    assert scan.artifact is None


@pytest.mark.parametrize(
    ("more", "severity"),
    [
        ({}, Severity.HIGH),
        ({"level": "error"}, Severity.HIGH),
        ({"level": "warning"}, Severity.MEDIUM),
        ({"level": "note"}, Severity.LOW),
        ({"level": "none"}, Severity.NONE),
        ({"level": "fatal"}, Severity.CRITICAL),
        ({"level": 3}, Severity.CRITICAL),
        ({"ruleId": "other"}, Severity.MEDIUM),
        ({"ruleId": "other", "kind": "informational"}, Severity.NONE),
        ({"ruleId": "other", "kind": "review"}, Severity.MEDIUM),
        ({"kind": "open"}, Severity.MEDIUM),
        ({"kind": "odd"}, Severity.HIGH),
        ({"kind": "fail"}, Severity.HIGH),
    ],
)
def test_levels_and_their_defaults(more: Any, severity: Severity) -> None:
    assert only(sarif(run(results=[result(**more)]))).severity is severity


@pytest.mark.parametrize("kind", ["pass", "notApplicable"])
def test_passed_checks_are_no_findings(kind: str) -> None:
    assert read(sarif(run(results=[result(kind=kind)]))).findings == ()


@pytest.mark.parametrize(
    ("score", "severity", "points"),
    [
        ("9.8", Severity.CRITICAL, 9800),
        ("7.0", Severity.HIGH, 7000),
        (6.9, Severity.MEDIUM, 6900),
        ("0.1", Severity.LOW, 100),
        ("0.0", Severity.NONE, 0),
        (10, Severity.CRITICAL, 10000),
        ("9,8", Severity.CRITICAL, 10000),
        ("", Severity.CRITICAL, 10000),
        ("nan", Severity.CRITICAL, 10000),
        ("-1", Severity.CRITICAL, 10000),
        ("1e9", Severity.CRITICAL, 10000),
        (True, Severity.CRITICAL, 10000),
        ([], Severity.CRITICAL, 10000),
        ("critical", Severity.CRITICAL, 10000),
    ],
)
def test_scores(score: Any, severity: Severity, points: int) -> None:
    for hit, rules in (
        (result(level="none", properties={"security-severity": score}), []),
        (result(level="none"), [{"id": "S201", "properties": {"security-severity": score}}]),
    ):
        found = only(sarif(run(results=[hit], tool={"driver": {"name": "x", "rules": rules}})))
        assert (found.severity, found.score_bp) == (severity, points)


@pytest.mark.parametrize(
    ("level", "score", "severity"),
    [
        ("error", "0.0", Severity.HIGH),
        ("error", "0.05", Severity.HIGH),
        ("error", "9.0", Severity.CRITICAL),
        ("note", "7.5", Severity.HIGH),
        ("note", "0.0", Severity.LOW),
        ("fatal", "1.0", Severity.CRITICAL),
        (None, "0.0", Severity.HIGH),
    ],
)
def test_the_worse_of_level_and_score_counts(level: str | None, score: str, severity: Severity) -> None:
    more = {} if level is None else {"level": level}
    assert only(sarif(run(results=[result(properties={"security-severity": score}, **more)]))).severity is severity


RULES = [
    {"id": "A", "defaultConfiguration": {"level": "note"}},
    {"id": "B", "defaultConfiguration": {"level": "error"}},
]


@pytest.mark.parametrize(
    ("hit", "rule", "severity"),
    [
        ({"ruleId": "B"}, "B", Severity.HIGH),
        ({"ruleIndex": 1}, "B", Severity.HIGH),
        ({"rule": {"id": "A"}}, "A", Severity.LOW),
        ({"rule": {"index": 1}}, "B", Severity.HIGH),
        ({"ruleId": "B/sub"}, "B/sub", Severity.HIGH),
        ({"ruleId": "B/sub", "ruleIndex": 1}, "B/sub", Severity.HIGH),
        ({"ruleId": "B", "ruleIndex": 0}, "B", Severity.HIGH),
        ({"ruleId": "C", "ruleIndex": 9}, "C", Severity.MEDIUM),
        ({"ruleIndex": True}, "unknown", Severity.MEDIUM),
        ({"ruleIndex": -1}, "unknown", Severity.MEDIUM),
        ({}, "unknown", Severity.MEDIUM),
        ({"rule": {"index": 0, "toolComponent": {"index": 0}}}, "E", Severity.NONE),
        ({"rule": {"index": 0, "toolComponent": {"index": 5}}}, "A", Severity.LOW),
    ],
)
def test_how_a_result_names_its_rule(hit: Any, rule: str, severity: Severity) -> None:
    tool = {
        "driver": {"name": "x", "rules": RULES},
        "extensions": [{"name": "y", "rules": [{"id": "E", "defaultConfiguration": {"level": "none"}}]}],
    }
    found = only(sarif(run(results=[{"message": {"id": "text"}, **hit}], tool=tool)))
    assert (found.rule, found.severity, found.message) == (rule, severity, "text")


@pytest.mark.parametrize(
    ("more", "status", "reason"),
    [
        ({"suppressions": [{"kind": "external", "status": "accepted", "justification": "no"}]}, "suppressed", "no"),
        ({"suppressions": [{"kind": "inSource"}]}, "suppressed", None),
        ({"suppressions": [{"status": "accepted"}, {"status": "underReview"}]}, "open", None),
        ({"suppressions": [{"status": "rejected"}]}, "open", None),
        ({"suppressions": [{"status": "odd"}]}, "open", None),
        ({"suppressions": []}, "open", None),
        ({"suppressions": None}, "open", None),
        ({"baselineState": "absent"}, "not_affected", "absent from this run, known from the baseline"),
        ({"baselineState": "unchanged"}, "open", None),
        ({"baselineState": "odd"}, "open", None),
    ],
)
def test_suppressed_is_not_absent(more: Any, status: str, reason: str | None) -> None:
    found = only(sarif(run(results=[result(**more)])))
    assert (found.status, found.justification) == (FindingStatus(status), reason)


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"results": ...}, ScanStatus.FAILED),
        ({"results": None}, ScanStatus.FAILED),
        ({"invocations": [{"executionSuccessful": False}]}, ScanStatus.FAILED),
        ({"invocations": [{}]}, ScanStatus.FAILED),
        ({"invocations": [{"executionSuccessful": "true"}]}, ScanStatus.FAILED),
        ({"invocations": [{"executionSuccessful": True}, {"executionSuccessful": False}]}, ScanStatus.FAILED),
        ({"invocations": [{"executionSuccessful": True, "exitSignalName": "SIGKILL"}]}, ScanStatus.FAILED),
        ({"invocations": [{"executionSuccessful": True, "processStartFailureMessage": "x"}]}, ScanStatus.FAILED),
        (
            {"invocations": [{"executionSuccessful": True, "exitCodeDescription": "Coverage incomplete"}]},
            ScanStatus.INCOMPLETE,
        ),
        ({"externalPropertyFileReferences": {"results": [{"location": {"uri": "x"}}]}}, ScanStatus.FAILED),
        ({"externalPropertyFileReferences": {"artifacts": [{"location": {"uri": "x"}}]}}, ScanStatus.INCOMPLETE),
        ({"externalPropertyFileReferences": {}}, ScanStatus.COMPLETE),
        ({"invocations": ...}, ScanStatus.COMPLETE),
        ({"invocations": []}, ScanStatus.COMPLETE),
        ({"invocations": [{"executionSuccessful": True, "arguments": "x"}]}, ScanStatus.COMPLETE),
        ({"tool": None}, ScanStatus.FAILED),
        ({"tool": {}}, ScanStatus.FAILED),
        ({"results": {}}, ScanStatus.FAILED),
        ({"results": "x"}, ScanStatus.FAILED),
        ({"results": [1]}, ScanStatus.FAILED),
        ({"results": [{"ruleId": 1}]}, ScanStatus.FAILED),
        ({"results": [{"locations": [{"physicalLocation": {"artifactLocation": {"uri": 1}}}]}]}, ScanStatus.FAILED),
        ({"artifacts": [{"hashes": []}]}, ScanStatus.FAILED),
        ({"invocations": {}}, ScanStatus.FAILED),
        ({"tool": {"driver": {}}}, ScanStatus.COMPLETE),
        ({"x-unknown": [1]}, ScanStatus.COMPLETE),
    ],
)
def test_when_a_run_came_to_its_end(more: Any, status: ScanStatus) -> None:
    scan = read(sarif(run(**more)))
    assert scan.status is status
    assert (scan.problem is None) == (status is ScanStatus.COMPLETE)


def test_results_outside_of_runs_are_not_read() -> None:
    assert read(sarif(inlineExternalProperties=[])).status is ScanStatus.COMPLETE
    assert read(sarif(inlineExternalProperties=[{"artifacts": [listed()]}])).status is ScanStatus.INCOMPLETE
    for parts in ([{"results": [result()]}], [{"guid": "x"}, {"results": [result()]}]):
        scan = read(sarif(inlineExternalProperties=parts))
        assert (scan.status, scan.problem) == (ScanStatus.FAILED, "results elsewhere are not read")
    assert read(sarif(inlineExternalProperties={})).status is ScanStatus.FAILED


def test_errors_of_the_tool_make_it_incomplete() -> None:
    for kind in ("toolExecutionNotifications", "toolConfigurationNotifications"):
        for level, status in (
            ("error", "incomplete"),
            ("odd", "incomplete"),
            ("warning", "complete"),
            (None, "incomplete"),
        ):
            notice = {"level": level, "message": {"text": "timeout"}, "locations": [location("models/m/model.bin")]}
            scan = read(sarif(run(invocations=[{"executionSuccessful": True, kind: [notice]}])))
            assert scan.status.value == status
            assert (scan.coverage.errors == {"model.bin": "timeout"}) == (status == "incomplete")
    bare = read(
        sarif(run(invocations=[{"executionSuccessful": True, "toolExecutionNotifications": [{"level": "error"}]}]))
    )
    assert bare.problem == "the tool met an error: no message"
    assert bare.coverage.scanned == {"model.bin": WEIGHTS}


def test_several_runs_count_together() -> None:
    other = run(
        tool={"driver": {"name": "semgrep", "semanticVersion": "1.2.3", "version": "x"}},
        results=[result()],
        artifacts=[],
    )
    scan = read(sarif(run(), other))
    assert (scan.tool, scan.version, len(scan.findings)) == ("modelaudit+semgrep", "0.2.54+1.2.3", 1)
    assert scan.status is ScanStatus.COMPLETE
    failed = read(sarif(run(results=None), other, run(invocations=[{"executionSuccessful": False}])))
    assert (failed.status, len(failed.findings)) == (ScanStatus.FAILED, 1)
    assert failed.problem == "a run holds no results: nothing was scanned"


@pytest.mark.parametrize(
    "more", [{"version": "2.0.0"}, {"version": 2.1}, {"version": None}, {"runs": []}, {"runs": None}]
)
def test_other_versions_and_no_runs_failed(more: Any) -> None:
    data = sarif(**more)
    scan = read(data)
    assert (scan.status, scan.report) == (ScanStatus.FAILED, sha256_digest(data))


def test_files_of_several_artifacts_without_one_named() -> None:
    scan = read(sarif(run(results=[result(), result("app/system.txt")])))
    assert (scan.artifact, scan.coverage.expected) == (None, 0)
    about = read(sarif(run(results=[result()])), "prompt")
    assert (about.artifact, about.coverage.scanned) == ("prompt", {})
