"""The samples in tests/vectors/reports: what a report of each tool comes to when it is good, cut, hostile ..."""

from __future__ import annotations

import json

import pytest

from gate.formats.reports import TOOLS, read_report
from gate.model.digest import sha256_digest
from gate.model.scan import Category, Finding, FindingStatus, Scan, ScanStatus, Severity
from tests.support.reports import (
    ABOUT,
    CONFIG,
    IMAGE_DIGEST,
    REQUIREMENTS,
    SAMPLED,
    SOURCE,
    VECTORS,
    WEIGHTS,
    raw,
)

KINDS = {"good", "partial", "empty", "cut", "wrong-target", "hostile"}
MODEL = {"model.bin": WEIGHTS, "sub/config.json": CONFIG}
APP = {"requirements.txt": REQUIREMENTS, "main.py": SOURCE}


def sample(name: str, about: str | None = None) -> Scan:
    tool, kind = name.split("/")
    [path] = (VECTORS / tool).glob(f"{kind}.*")
    scan = read_report(raw(tool, path.read_bytes(), artifact=about or ABOUT.get(tool)), SAMPLED)
    assert scan.report == sha256_digest(path.read_bytes())
    assert scan.status is ScanStatus.COMPLETE or scan.problem
    return scan


def brief(finding: Finding) -> tuple[str, str, str, str | None]:
    return finding.category.value, finding.rule, finding.severity.value, finding.file


@pytest.mark.parametrize("tool", TOOLS)
def test_each_tool_has_all_kinds_of_samples(tool: str) -> None:
    assert {path.stem for path in (VECTORS / tool).iterdir()} >= KINDS


@pytest.mark.parametrize(
    ("name", "artifact", "scanned"),
    [
        ("fickling/good", "pickle", {"p.pkl": WEIGHTS}),
        ("fickling/found", "pickle", {"p.pkl": WEIGHTS}),
        ("gate/good", "model", MODEL),
        ("gitleaks/good", "app", APP),
        ("gitleaks/empty", "app", APP),
        ("grype/good", "app", APP),
        ("grype/image", "server", {".": IMAGE_DIGEST}),
        ("modelaudit/good", "model", MODEL),
        ("modelscan/good", "model", MODEL),
        ("osv-scanner/good", "app", APP),
        ("osv-scanner/partial", "app", {"requirements.txt": REQUIREMENTS}),
        ("picklescan/good", "model", MODEL),
        ("picklescan/file", "pickle", {"p.pkl": WEIGHTS}),
        ("pip-audit/good", "app", APP),
        ("sarif/good", "model", MODEL),
        ("trivy/good", "app", {"requirements.txt": REQUIREMENTS}),
        ("trivy/image", "server", {".": IMAGE_DIGEST}),
        ("trivy/partial", "app", {"requirements.txt": REQUIREMENTS}),
        ("trufflehog/good", "app", APP),
        ("trufflehog/clean", "app", APP),
    ],
)
def test_what_is_complete(name: str, artifact: str, scanned: dict[str, str]) -> None:
    scan = sample(name)
    assert (scan.status, scan.problem, scan.artifact) == (ScanStatus.COMPLETE, None, artifact)
    assert scan.coverage.scanned == scanned
    assert scan.coverage.expected == len(scan.coverage.scanned) + len(scan.coverage.missing)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("gate/partial", "1 of 2 files were not judged"),
        ("gate/wrong-target", "other target"),
        ("grype/empty", "nothing is named as scanned"),
        ("grype/partial", "its database is not valid"),
        ("grype/wrong-target", "other target"),
        ("grype/hostile", "other target"),
        ("modelaudit/empty", "nothing is named"),
        ("modelaudit/partial", "1 things met an error"),
        ("modelaudit/wrong-target", "other target"),
        ("modelscan/empty", "nothing was scanned"),
        ("modelscan/partial", "1 files met an error"),
        ("modelscan/wrong-target", "other target"),
        ("osv-scanner/empty", "nothing is named"),
        ("osv-scanner/wrong-target", "other target"),
        ("osv-scanner/hostile", "other target"),
        ("picklescan/empty", "nothing was scanned"),
        ("picklescan/partial", "left out by options"),
        ("picklescan/wrong-target", "other target"),
        ("pip-audit/empty", "nothing is named"),
        ("pip-audit/partial", "1 dependencies were not audited: inhouse"),
        ("pip-audit/hostile", "1 dependencies were not audited: x"),
        ("sarif/partial", "the tool met an error"),
        ("sarif/wrong-target", "other target"),
        ("trivy/empty", "nothing is named"),
        ("trivy/wrong-target", "other target"),
        ("trivy/hostile", "other target"),
        ("trufflehog/partial", "the log holds an error"),
        ("trufflehog/wrong-target", "other target"),
        ("trufflehog/hostile", "other target"),
        ("gitleaks/wrong-target", "other target"),
        ("gitleaks/hostile", "other target"),
    ],
)
def test_what_is_incomplete(name: str, problem: str) -> None:
    scan = sample(name)
    assert scan.status is ScanStatus.INCOMPLETE
    assert problem in (scan.problem or "")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        *((f"{tool}/cut", "") for tool in TOOLS),
        ("fickling/empty", "severity is not text"),
        ("fickling/partial", "do not agree"),
        ("gate/empty", "there is no file"),
        ("gate/hostile", "do not agree"),
        ("modelaudit/hostile", "do not agree"),
        ("modelscan/hostile", "do not agree"),
        ("picklescan/hostile", "do not fit together"),
        ("sarif/empty", "nothing was scanned"),
        ("sarif/failed", "does not say that it ran successfully"),
        ("trufflehog/empty", "its last line is cut"),
    ],
)
def test_what_failed(name: str, problem: str) -> None:
    scan = sample(name)
    assert scan.status is ScanStatus.FAILED
    assert problem in (scan.problem or "")


@pytest.mark.parametrize("tool", ["gitleaks", "pip-audit", "trufflehog"])
def test_a_report_that_names_no_target_needs_one(tool: str) -> None:
    [path] = (VECTORS / tool).glob("good.*")
    scan = read_report(raw(tool, path.read_bytes()), SAMPLED)
    assert (scan.status, dict(scan.coverage.scanned)) == (ScanStatus.INCOMPLETE, {})
    assert "does not say what was scanned" in (scan.problem or "")


@pytest.mark.parametrize("about", ["model", None])
def test_fickling_speaks_of_one_file(about: str | None) -> None:
    data = (VECTORS / "fickling/wrong-target.json").read_bytes()
    scan = read_report(raw("fickling", data, artifact=about), SAMPLED)
    assert (scan.status, dict(scan.coverage.scanned)) == (ScanStatus.INCOMPLETE, {})


def test_findings_of_fickling() -> None:
    assert [brief(item) for item in sample("fickling/found").findings] == [
        ("unsafe", "fickling.UnsafeImports", "critical", None),
        ("unsafe", "fickling.UnusedVariables", "critical", None),
    ]
    [hostile] = sample("fickling/hostile").findings
    assert (hostile.severity, len(hostile.message)) == (Severity.CRITICAL, 2003)


def test_findings_of_picklescan() -> None:
    assert [brief(item) for item in sample("picklescan/good").findings] == [
        ("unsafe", "picklescan.import", "critical", "model.bin"),
        ("unsafe", "picklescan.suspicious", "medium", None),
    ]
    assert sample("picklescan/partial").coverage.errors == {"model.bin": "picklescan could not judge it"}


def test_findings_of_modelaudit() -> None:
    assert [brief(item) for item in sample("modelaudit/good").findings] == [
        ("unsafe", "modelaudit.S201", "critical", "model.bin"),
        ("unsafe", "modelaudit.pickle_check", "medium", "model.bin"),
        ("unsafe", "modelaudit.S201", "low", "model.bin"),
    ]
    hostile = sample("modelaudit/hostile")
    assert [brief(item) for item in hostile.findings] == [("unsafe", "modelaudit.unknown", "critical", None)]
    assert set(hostile.coverage.errors) == {"model.bin", "sub/config.json", "/ci/checkout/models/m/extra"}


def test_findings_of_trivy() -> None:
    scan = sample("trivy/good")
    assert [(*brief(item), item.status.value) for item in scan.findings] == [
        ("vulnerability", "CVE-2024-22195", "medium", "requirements.txt", "open"),
        ("vulnerability", "CVE-2020-28493", "medium", "requirements.txt", "not_affected"),
        ("secret", "github-pat", "critical", "requirements.txt", "suppressed"),
        ("secret", "aws-access-key-id", "critical", "main.py", "open"),
        ("configuration", "AVD-DS-0002", "high", None, "open"),
        ("configuration", "DS026", "low", None, "suppressed"),
        ("configuration", "license.Custom", "critical", None, "open"),
    ]
    first, second = scan.findings[:2]
    assert (first.score_bp, first.aliases, first.purl, first.fixed_in) == (
        6100, ("GHSA-h5c8-rqwp-cp95",), "pkg:pypi/jinja2@2.10", "3.1.3",
    )  # fmt: skip
    assert second.justification == "vulnerable_code_not_in_execute_path app.openvex.json"
    assert (scan.version, scan.database_at_s) == ("0.69.3", 0)


def test_what_trivy_does_not_know_is_critical() -> None:
    [image] = sample("trivy/image").findings
    assert (image.severity, image.status) == (Severity.CRITICAL, FindingStatus.NOT_AFFECTED)
    unknown, modified = sample("trivy/hostile").findings
    assert (unknown.severity, unknown.score_bp, unknown.file) == (Severity.CRITICAL, 10_000, None)
    assert len(unknown.rule) == 503
    assert (modified.severity, modified.status, modified.category) == (
        Severity.CRITICAL, FindingStatus.OPEN, Category.OTHER,
    )  # fmt: skip


def test_findings_of_grype() -> None:
    scan = sample("grype/good")
    assert [(*brief(item), item.status.value, item.justification) for item in scan.findings] == [
        ("vulnerability", "GHSA-h5c8-rqwp-cp95", "medium", "requirements.txt", "open", None),
        ("vulnerability", "CVE-2020-28493", "medium", "requirements.txt", "not_affected",
         "vulnerable_code_not_in_execute_path"),
        ("vulnerability", "CVE-2019-10906", "medium", "requirements.txt", "suppressed", "sandbox is not used"),
    ]  # fmt: skip
    assert scan.findings[0].aliases == ("CVE-2024-22195",)
    assert scan.database_at_s == 1_795_069_860
    hostile, ignored = sample("grype/hostile").findings
    assert (hostile.severity, hostile.score_bp, hostile.file) == (Severity.CRITICAL, 10_000, None)
    assert ignored.status is FindingStatus.SUPPRESSED
    [image] = sample("grype/image").findings
    assert (image.severity, image.fixed_in, image.file) == (Severity.LOW, None, None)
    assert sample("grype/image").database_at_s == 1_795_069_860
    assert sample("grype/empty").database_at_s == 0


def test_findings_of_osv_scanner() -> None:
    assert [(*brief(item), item.aliases, item.purl) for item in sample("osv-scanner/good").findings] == [
        ("vulnerability", "GHSA-h5c8-rqwp-cp95", "medium", "requirements.txt", ("CVE-2024-22195",),
         "pkg:pypi/jinja2@2.10"),
        ("vulnerability", "PYSEC-2019-217", "critical", "requirements.txt", ("CVE-2019-10906", "GHSA-462w-v97r-4m45"),
         "pkg:pypi/jinja2@2.10"),
        ("vulnerability", "GHSA-462w-v97r-4m45", "critical", "requirements.txt", ("PYSEC-2019-217", "CVE-2019-10906"),
         "pkg:pypi/jinja2@2.10"),
        ("vulnerability", "GHSA-aaaa-bbbb-cccc", "critical", "main.py", (), "pkg:maven/org.x/y@1"),
        ("vulnerability", "DSA-1-1", "critical", "main.py", (), None),
    ]  # fmt: skip
    [hostile] = sample("osv-scanner/hostile").findings
    assert (hostile.severity, hostile.score_bp, hostile.purl) == (Severity.CRITICAL, 10_000, None)


def test_findings_of_pip_audit() -> None:
    [finding] = sample("pip-audit/good").findings
    assert brief(finding) == ("vulnerability", "PYSEC-2019-217", "critical", None)
    assert (finding.artifact, finding.purl, finding.fixed_in) == ("app", "pkg:pypi/jinja2@2.10", "2.10.1")


@pytest.mark.parametrize("tool", ["gitleaks", "sarif", "trivy", "trufflehog"])
def test_s35_no_value_of_a_secret_is_kept(tool: str) -> None:
    for path in (VECTORS / tool).iterdir():
        for about in (ABOUT.get(tool), None):
            scan = read_report(raw(tool, path.read_bytes(), artifact=about), SAMPLED)
            assert "EXAMPLE-VALUE" not in repr(scan), path
            assert "SECOND-0001" not in repr(scan), path


def test_findings_of_gitleaks() -> None:
    assert [brief(item) for item in sample("gitleaks/good").findings] == [
        ("secret", "generic-api-key", "critical", "main.py")
    ]
    assert sample("gitleaks/good").findings[0].message == "service/main.py line 3: Detected a Generic API Key"
    assert [item.message for item in sample("gitleaks/hostile").findings] == [
        "service/main.py line 3: found [redacted] in [redacted]",
        "[redacted]/x line 3: a secret",
    ]
    assert sample("gitleaks/partial").findings[0].message.startswith("service/main.py: ")


def test_findings_of_trufflehog() -> None:
    scan = sample("trufflehog/good")
    assert [(*brief(item), item.message) for item in scan.findings] == [
        ("secret", "trufflehog.AWS", "critical", "main.py", "service/main.py line 3: a secret, verified"),
        ("secret", "trufflehog.AWS", "high", "requirements.txt",
         "service/requirements.txt line 3: a secret, not verified"),
    ]  # fmt: skip
    assert scan.version == "3.95.2"
    assert [item.message for item in sample("trufflehog/hostile").findings] == [
        "service/[redacted] line 3: a secret, verified",
        "somewhere: a secret, not verified",
    ]


def test_findings_of_sarif_say_what_they_are_about() -> None:
    assert [(*brief(item), item.status.value) for item in sample("sarif/good").findings] == [
        ("secret", "generic-api-key", "medium", "sub/config.json", "open"),
        ("secret", "generic-api-key", "medium", "sub/config.json", "suppressed"),
        ("secret", "generic-api-key", "medium", "sub/config.json", "not_affected"),
        ("vulnerability", "CVE-2024-22195", "medium", "sub/config.json", "open"),
        ("configuration", "DS002", "medium", "sub/config.json", "open"),
    ]
    [hostile] = sample("sarif/hostile").findings
    assert (hostile.category, hostile.severity, hostile.file) == (Category.OTHER, Severity.CRITICAL, None)


@pytest.mark.parametrize(
    ("chunks", "unverified", "problem"), [(0, 0, "nothing was scanned"), (7, 1, "more was found than is listed")]
)
def test_trufflehog_says_what_it_did(chunks: int, unverified: int, problem: str) -> None:
    counts = {"chunks": chunks, "verified_secrets": 0, "unverified_secrets": unverified}
    log = json.dumps({"level": "info-0", "msg": "finished scanning", **counts}) + "\n"
    scan = read_report(raw("trufflehog", log.encode(), artifact="app"), SAMPLED)
    assert (scan.status, scan.problem) == (ScanStatus.INCOMPLETE, problem)


def test_picklescan_says_what_came_of_the_last_file() -> None:
    data = (
        (VECTORS / "picklescan/empty.txt").read_bytes().replace(b"-----------", b"Scanning file x.pkl\n-----------", 1)
    )
    assert "do not fit together" in (read_report(raw("picklescan", data), SAMPLED).problem or "")


def test_text_that_is_no_text() -> None:
    assert "not UTF-8 at byte 1" in (read_report(raw("picklescan", b"a\xff"), SAMPLED).problem or "")


def test_a_list_of_texts_holds_texts() -> None:
    data = (VECTORS / "trivy/image.json").read_bytes().replace(b'"registry.example/server@', b'7, "x@', 1)
    assert "RepoDigests holds something else" in (read_report(raw("trivy", data), SAMPLED).problem or "")
    data = data.replace(b'"RepoDigests"', b'"RepoDigests": "x", "more"', 1)
    assert "RepoDigests is not a list" in (read_report(raw("trivy", data), SAMPLED).problem or "")


def test_a_report_may_be_about_an_image() -> None:
    data = (VECTORS / "trufflehog/clean.jsonl").read_bytes()
    scan = read_report(raw("trufflehog", data, artifact="server"), SAMPLED)
    assert (scan.status, scan.coverage.scanned) == (ScanStatus.COMPLETE, {".": IMAGE_DIGEST})


@pytest.mark.parametrize(
    ("target", "about", "scanned"),
    [
        ("service", None, APP),
        ("./service/", None, APP),
        ("service/main.py", None, {"main.py": SOURCE}),
        (".", "app", APP),
        ("/ci/checkout/service", "app", APP),
        ("/ci/checkout/service", None, {}),
        ("/ci/checkout/service/main.py", None, {"main.py": SOURCE}),
        ("/ci/checkout", "app", {}),
        ("services", "app", {}),
        ("../service", "app", {}),
        ("models", None, {}),
        ("models", "model", MODEL),
        ("models/p.pkl", None, {"p.pkl": WEIGHTS}),
    ],
)
def test_folders_that_were_scanned(target: str, about: str | None, scanned: dict[str, str]) -> None:
    report = {
        "matches": [],
        "source": {"type": "directory", "target": target},
        "descriptor": {"name": "grype", "version": "0.114.0"},
    }
    scan = read_report(raw("grype", json.dumps(report).encode(), artifact=about), SAMPLED)
    assert scan.coverage.scanned == scanned
    assert (scan.status is ScanStatus.COMPLETE) == bool(scanned)


def test_another_tool_is_not_grype() -> None:
    data = b'{"matches": [], "source": {}, "descriptor": {"name": "syft"}}'
    assert "does not name grype" in (read_report(raw("grype", data), SAMPLED).problem or "")
