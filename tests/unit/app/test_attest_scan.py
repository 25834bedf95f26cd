"""Statements about reports: of which artifact they are, and which reports make none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gate.app.attest_create import TypedRequest, create_typed
from gate.app.attest_scan import ScanRequest, create_scan
from gate.app.produce import Place
from gate.errors import GateError
from gate.formats.intoto import StatementError, parse_statement
from gate.formats.predicates import read_statement
from gate.model.digest import sha256_digest
from gate.model.evidence import Statement, Verified
from gate.model.scan import Basis, Scan, ScanStatus
from gate.normalize.sections.scans import attested_scans
from tests.support.evidence import image, single_file
from tests.unit.formats.predicates.reading import changed

DIGEST = sha256_digest(b"image")
IMAGE = f"registry.example/server@{DIGEST}"
LOCK = "requests==2.32.0\n"
CONFIG = f"""
version: 1
target: deployment
environment: production
profile: baseline
artifacts:
  deps: {{kind: package, path: requirements.lock}}
  server: {{kind: container, image: "{IMAGE}"}}
  tagged: {{kind: container, image: "registry.example/server:latest"}}
evidence: [{{directory: .gate/attestations}}]
reports:
  - {{tool: pip-audit, path: reports/audit.json, artifact: deps}}
  - {{tool: grype, path: "reports/*.grype.json"}}
  - {{tool: trivy, path: "reports/*.json", artifact: server}}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "reports").mkdir()
    (tmp_path / "gate.yaml").write_text(CONFIG)
    (tmp_path / "requirements.lock").write_text(LOCK)
    write(tmp_path, "audit.json", audit({"name": "requests", "version": "2.32.0", "vulns": []}))
    write(tmp_path, "image.grype.json", grype(str(DIGEST)))
    return tmp_path


def write(root: Path, name: str, value: Any) -> None:
    (root / "reports" / name).write_text(json.dumps(value))


def audit(*dependencies: Any) -> Any:
    return {"dependencies": list(dependencies), "fixes": []}


def grype(digest: str, built: str | None = "2026-11-19T06:31:00Z", **source: Any) -> Any:
    match = {
        "vulnerability": {"id": "CVE-2026-0001", "severity": "High"},
        "artifact": {"name": "a", "version": "1", "purl": "pkg:deb/debian/a@1"},
    }
    return {
        "matches": [match],
        "source": {"type": "image", "target": {"manifestDigest": digest}, **source},
        "descriptor": {"name": "grype", "version": "1", "db": {} if built is None else {"built": built}},
    }


def make(root: Path, report: str, artifact: str, tool: str | None = None) -> Path:
    return create_scan(ScanRequest(Place(root, root), Path("reports", report), artifact, tool)).path


def refused(root: Path, report: str, artifact: str, tool: str | None = None) -> str:
    with pytest.raises(GateError) as caught:
        make(root, report, artifact, tool)
    assert not (root / ".gate").exists()
    return str(caught.value)


def statement(path: Path, at: str = "", new: Any = ...) -> Statement:
    value = json.loads(path.read_bytes())
    data = json.dumps(changed(value, at, new) if at else value).encode()
    return read_statement(parse_statement(data, limit=len(data)))


def scan_of(found: Statement, *, other: bytes | None = None) -> Scan:
    """The scan that the statement makes of the artifact of its own kind, with other bytes if there are any."""
    if found.predicate.get("image"):
        artifact = image("it", "registry.example/server", DIGEST if other is None else sha256_digest(other))
    else:
        artifact = single_file("it", "requirements.lock", LOCK if other is None else other)
    digest = sha256_digest(b"s")
    [scan] = attested_scans([Verified(digest, digest, "s.json", found, (), ("it",))], {"it": artifact})
    return scan


def test_a_file(root: Path) -> None:
    path = make(root, "audit.json", "deps")
    assert path == root / ".gate/statements/deps-pip-audit.scan.json"
    found = statement(path)
    assert found.located
    scan = scan_of(found)
    assert (scan.tool, scan.basis, scan.status, scan.problem) == (
        "pip-audit",
        Basis.ATTESTED,
        ScanStatus.COMPLETE,
        None,
    )
    assert scan.coverage.scanned == {"requirements.lock": sha256_digest(LOCK.encode())}
    assert scan.database_at_s == 0
    assert scan_of(found, other=b"other").coverage.scanned == {}


def test_an_image(root: Path) -> None:
    path = make(root, "image.grype.json", "server", "grype")
    found = statement(path)
    assert not found.located
    assert {item.name: item.digest for item in found.subjects}[IMAGE] == DIGEST
    scan = scan_of(found)
    assert (scan.tool, scan.status, scan.coverage.expected) == ("grype", ScanStatus.COMPLETE, 1)
    assert scan.coverage.scanned == {".": DIGEST}
    assert scan.database_at_s == 1_795_069_860, "as the report says it"
    assert [item.rule for item in scan.findings] == ["CVE-2026-0001"]
    elsewhere = scan_of(found, other=b"other")
    assert (elsewhere.coverage.scanned, set(elsewhere.coverage.missing)) == ({}, {"."})


def test_the_same_report_gives_the_same_statement(root: Path) -> None:
    first = make(root, "audit.json", "deps").read_bytes()
    assert make(root, "audit.json", "deps").read_bytes() == first


def test_what_was_left_out_stays_left_out(root: Path) -> None:
    skipped = {"name": "own", "skip_reason": "not on an index"}
    write(root, "audit.json", audit({"name": "requests", "version": "2.32.0", "vulns": []}, skipped))
    scan = scan_of(statement(make(root, "audit.json", "deps")))
    assert scan.status is ScanStatus.INCOMPLETE
    assert "1 dependencies were not audited" in str(scan.problem)


def test_what_makes_no_statement(root: Path) -> None:
    write(root, "other.grype.json", grype(f"sha256:{'0' * 64}"))
    write(root, "empty.json", {})
    (root / "reports/cut.json").write_bytes((root / "reports/audit.json").read_bytes()[:20])
    for name, artifact, tool, word in (
        ("other.grype.json", "server", "grype", "other target"),
        ("image.grype.json", "deps", "grype", "other target"),
        ("audit.json", "server", "grype", "descriptor is not an object"),
        ("empty.json", "deps", "pip-audit", "dependencies is not a list"),
        ("cut.json", "deps", "pip-audit", "cannot be read"),
        ("missing.json", "deps", "pip-audit", "missing.json"),
        ("audit.json", "deps", "finder", "the gate reads no reports of it"),
        ("audit.json", "nothing", "pip-audit", "deps, server, tagged"),
        ("image.grype.json", "tagged", "grype", "named with its digest"),
    ):
        assert word in refused(root, name, artifact, tool)
    with pytest.raises(GateError, match="does not lie below"):
        create_scan(ScanRequest(Place(root, root), Path("/etc/passwd"), "deps", "pip-audit"))


def test_the_tool_of_gate_yaml(root: Path) -> None:
    assert make(root, "audit.json", "deps").name == "deps-pip-audit.scan.json"
    write(root, "lock.json", audit())
    assert "does not say which tool" in refused_after(root, "lock.json", "deps")
    assert "does not say which tool" in refused_after(root, "image.grype.json", "server"), "two of them match"


def refused_after(root: Path, report: str, artifact: str) -> str:
    with pytest.raises(GateError) as caught:
        make(root, report, artifact)
    return str(caught.value)


def typed(root: Path, **fields: Any) -> str:
    (root / "scan.yaml").write_text(json.dumps(fields))
    with pytest.raises(GateError) as caught:
        create_typed(TypedRequest(Place(root, root), "scan", Path("scan.yaml")))
    return str(caught.value)


def test_a_configuration_names_one_thing(root: Path) -> None:
    known = {"tool": "grype", "report": "reports/image.grype.json"}
    assert "one of artifact" in typed(root, **known)
    assert "one of artifact" in typed(root, **known, artifact="requirements.lock", image=IMAGE)
    assert "scan.yaml:1" in typed(root, **known, image="NOT AN IMAGE")
    assert "read from there" in typed(root, **known, image=IMAGE, database_at="2026-11-20T00:00:00Z")
    said = {"status": "complete", "scanned": [], "findings": []}
    assert "only a report that the gate reads" in typed(root, **{**known, "tool": "finder"}, image=IMAGE, **said)


def test_a_report_without_a_date_takes_that_of_the_configuration(root: Path) -> None:
    write(root, "image.grype.json", grype(str(DIGEST), None))
    fields = {"tool": "grype", "report": "reports/image.grype.json", "image": IMAGE}
    (root / "scan.yaml").write_text(json.dumps({**fields, "database_at": "2026-11-20T00:00:00Z"}))
    path = create_typed(TypedRequest(Place(root, root), "scan", Path("scan.yaml"))).path
    assert scan_of(statement(path)).database_at_s == 1_795_132_800


@pytest.mark.parametrize(
    ("at", "new"),
    [
        ("predicate.artifact", "registry.example/server"),
        ("predicate.artifact", f"registry.example/server@sha256:{'0' * 64}"),
        ("predicate.artifact", "*"),
        ("predicate.artifact_digest", f"sha256:{'0' * 64}"),
        ("predicate.roles.artifact", []),
        ("predicate.image", False),
        ("predicate.image", ...),
    ],
)
def test_a_statement_about_an_image_is_about_its_digest(root: Path, at: str, new: Any) -> None:
    path = make(root, "image.grype.json", "server", "grype")
    with pytest.raises(StatementError):
        statement(path, at, new)


def test_the_digest_of_a_file_is_no_image(root: Path) -> None:
    """Un-located statements match by digest alone; one that calls a file an image has scanned no path of it."""
    value = json.loads(make(root, "image.grype.json", "server", "grype").read_bytes())
    lock = sha256_digest(LOCK.encode())
    text = json.dumps(value).replace(str(DIGEST).removeprefix("sha256:"), lock.removeprefix("sha256:"))
    found = read_statement(parse_statement(text.encode(), limit=len(text)))
    digest = sha256_digest(b"s")
    artifact = single_file("it", "requirements.lock", LOCK)
    [scan] = attested_scans([Verified(digest, digest, "s.json", found, (), ("it",))], {"it": artifact})
    assert scan.coverage.scanned == {}
