"""Reports that are narrower than they look, or that excuse or misname what they found."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gate.formats.reports import read_report
from gate.model.scan import Category, Finding, Scan, ScanStatus, Severity
from tests.support.reports import SAMPLED, VECTORS, raw, result, run, sarif

PROBLEM = "the tool says that it left something out"


def read(tool: str, document: Any, about: str | None = None) -> Scan:
    return read_report(raw(tool, json.dumps(document).encode(), artifact=about), SAMPLED)


def sample(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((VECTORS / f"{name}.json").read_bytes())
    return document


def only(data: bytes) -> Finding:
    [finding] = read_report(raw("sarif", data), SAMPLED).findings
    return finding


@pytest.mark.parametrize("kind", ["secret", "config", "license", "license-file", "custom", "", None])
def test_trivy_searched_for_vulnerabilities_only_where_it_looked_at_packages(kind: str | None) -> None:
    document = sample("trivy/partial")
    for item in document["Results"]:
        item["Class"] = kind
    scan = read("trivy", document)
    assert (scan.status, scan.coverage.scanned) == (ScanStatus.INCOMPLETE, {})
    assert scan.problem == "no packages were looked at: Trivy names them with its scanner vuln only"
    image = sample("trivy/image")
    image["Results"] = [{"Target": "/app/key.pem", "Class": kind}]
    scan = read("trivy", image)
    assert (scan.status, scan.coverage.scanned) == (ScanStatus.INCOMPLETE, {})


def test_trivy_knows_little_of_a_distribution_without_support() -> None:
    image = sample("trivy/image")
    image["Metadata"]["OS"] = {"Family": "alpine", "Name": "3.10", "EOSL": True}
    scan = read("trivy", image)
    assert (scan.status, scan.problem) == (
        ScanStatus.INCOMPLETE,
        "the distribution is no longer supported: nobody reports its vulnerabilities",
    )
    image["Metadata"]["OS"]["EOSL"] = False
    assert read("trivy", image).status is ScanStatus.COMPLETE


@pytest.mark.parametrize("left_out", [["./vendor/**"], "./vendor/**"])
def test_grype_says_what_it_left_out(left_out: Any) -> None:
    document = sample("grype/good")
    document["descriptor"]["configuration"] = {"exclude": left_out}
    scan = read("grype", document)
    assert (scan.status, scan.problem) == (ScanStatus.INCOMPLETE, "files were left out by the option exclude")
    unset: list[Any] = [[], None]
    for exclude in unset:
        document["descriptor"]["configuration"] = {"exclude": exclude}
        assert read("grype", document).status is ScanStatus.COMPLETE


def test_files_of_an_image_are_not_those_of_the_workspace() -> None:
    document = sample("osv-scanner/partial")
    document["image_metadata"] = {"os": "Alpine Linux v3.20", "layer_metadata": [], "base_images": []}
    scan = read("osv-scanner", document)
    assert (scan.status, scan.coverage.scanned) == (ScanStatus.INCOMPLETE, {})
    assert scan.problem == "other target: it is about an image, and does not say which by its digest"
    assert scan.findings == read("osv-scanner", document, "app").findings


@pytest.mark.parametrize("kind", ["pass", "notApplicable"])
def test_what_says_that_it_passed_has_no_level(kind: str) -> None:
    assert only(sarif(run(results=[result(kind=kind, level="error")]))).severity is Severity.HIGH
    assert only(sarif(run(results=[result(kind=kind, level=7)]))).severity is Severity.CRITICAL
    for fine in ({}, {"level": "none"}):
        assert read_report(raw("sarif", sarif(run(results=[result(kind=kind, **fine)]))), SAMPLED).findings == ()


def grave(name: str = "X1") -> dict[str, Any]:
    return {"id": name, "properties": {"security-severity": "9.8", "tags": ["vulnerability"]}}


@pytest.mark.parametrize(
    "reference",
    [
        {"ruleId": "X1"},
        {"ruleId": "X1/sub"},
        {"ruleId": "X1", "rule": {"toolComponent": {"name": "pack"}}},
        {"ruleId": "X1", "rule": {"toolComponent": {"guid": "11111111-1111-1111-8888-111111111111"}}},
        {"ruleId": "X1", "rule": {"toolComponent": {"index": 0}}},
        {"ruleId": "X1", "rule": {"index": 0, "toolComponent": {"index": 1}}},
        {"ruleId": "X1", "ruleIndex": 0},
    ],
)
def test_a_rule_keeps_its_severity_wherever_it_is_described(reference: dict[str, Any]) -> None:
    tool = {
        "driver": {"name": "finder", "rules": [{"id": "S1"}]},
        "extensions": [{"name": "none"}, {"name": "pack", "rules": [grave()]}],
    }
    found = only(sarif(run(tool=tool, results=[{"message": {"text": "m"}, **reference}])))
    assert (found.severity, found.score_bp, found.category) == (Severity.CRITICAL, 9800, Category.VULNERABILITY)


def test_a_severity_of_the_result_does_not_lower_that_of_the_rule() -> None:
    tool = {"driver": {"name": "finder", "rules": [grave()]}}
    item = {"ruleId": "X1", "message": {"text": "m"}, "properties": {"security-severity": "0.1"}, "level": "note"}
    found = only(sarif(run(tool=tool, results=[item])))
    assert (found.severity, found.score_bp) == (Severity.CRITICAL, 9800)


@pytest.mark.parametrize(
    "override",
    [
        {"descriptor": {"id": "S201"}, "configuration": {"level": "error"}},
        {"descriptor": {"index": 0}, "configuration": {"level": "error"}},
        {"configuration": {"level": "error"}},
    ],
)
def test_a_severity_that_the_run_raised_is_not_lost(override: dict[str, Any]) -> None:
    tool = {"driver": {"name": "finder", "rules": [{"id": "S201", "defaultConfiguration": {"level": "note"}}]}}
    ran = {"executionSuccessful": True, "ruleConfigurationOverrides": [override]}
    assert only(sarif(run(tool=tool, invocations=[ran], results=[result()]))).severity is Severity.HIGH
    other = {**override, "descriptor": {"id": "S9"}}
    ran["ruleConfigurationOverrides"] = [other, {"configuration": {"enabled": False}}]
    assert only(sarif(run(tool=tool, invocations=[ran], results=[result()]))).severity is Severity.LOW
    assert only(sarif(run(tool=tool, invocations=[ran], results=[result(level="note")]))).severity is Severity.LOW


@pytest.mark.parametrize(("tool", "tag"), [("modelaudit", "vulnerability"), ("modelscan", "secret")])
def test_a_tag_does_not_make_unsafe_code_something_else(tool: str, tag: str) -> None:
    driver = {"name": tool, "rules": [{"id": "S201", "properties": {"tags": [tag]}}]}
    assert only(sarif(run(tool={"driver": driver}, results=[result()]))).category is Category.OTHER


SECRET = "tok-5f1d0c7e9a"


@pytest.mark.parametrize(
    "arguments",
    [
        ["scan", "--token", SECRET, "."],
        ["scan", f"--token={SECRET}", "."],
        ["scan", f"--registry-password={SECRET}"],
        ["scan", "-H", f"Authorization: Bearer {SECRET}"],
        ["scan", f"https://someone:{SECRET}@example.com/model"],
        ["scan", "--api-key", SECRET],
    ],
)
def test_s35_no_secret_of_a_command_line_is_kept(arguments: list[str]) -> None:
    ran = {"executionSuccessful": True, "arguments": arguments}
    scan = read_report(raw("sarif", sarif(run(invocations=[ran]))), SAMPLED)
    assert SECRET not in repr(scan)
    assert scan.arguments[0] == "scan"


@pytest.mark.parametrize(
    "rule",
    [
        {"id": "S201", "name": "HardcodedPassword"},
        {"id": "S201", "properties": {"tags": ["security", "credentials"]}},
        {"id": "S201", "shortDescription": {"text": "An API token is in the code"}},
    ],
)
def test_s35_a_rule_of_any_tool_about_secrets_keeps_none(rule: dict[str, Any]) -> None:
    item = result(message={"text": f"found {SECRET} here"})
    item["locations"][0]["physicalLocation"]["region"] = {"snippet": {"text": SECRET}}
    scan = read_report(
        raw("sarif", sarif(run(tool={"driver": {"name": "f", "rules": [rule]}}, results=[item]))), SAMPLED
    )
    assert SECRET not in repr(scan)
