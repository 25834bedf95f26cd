"""Statements about vulnerabilities in the formats of in-toto and cosign, as scans of what they name by digest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gate.model.artifact import Artifact
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import Verified
from gate.model.scan import Basis, Category, Scan, ScanStatus, Severity
from gate.normalize.sections.scans import attested_scans
from tests.support.evidence import folder, image
from tests.unit.formats.predicates.reading import read
from tests.unit.formats.predicates.test_typed_claims import REPORT, subjects_of

SERVER = image("server", "registry.example/server", sha256_digest(b"image"))
MODEL = folder("s", {"a.bin": "d", "b.bin": "m"})
FOUND = [
    {"id": "CVE-1", "severity": [{"method": "nvd", "score": "medium"}]},
    {"id": "CVE-2", "severity": [{"method": "own", "score": "who knows"}]},
]


def scans(
    artifact: Artifact, subjects: Mapping[str, Digest], kind: str = "https://in-toto.io/attestation/vulns/v0.2"
) -> tuple[Scan, ...]:
    scanner: dict[str, Any] = {
        "uri": "pkg:github/aquasecurity/trivy@1",
        "version": "0.69.3",
        "db": {"lastUpdate": "2026-11-19T06:31:00Z"},
        "result": FOUND,
    }
    times = {"scanStartedOn": "2026-11-20T10:00:00Z", "scanFinishedOn": "2026-11-20T10:01:00Z"}
    statement = read(kind, {"scanner": scanner, "metadata": times}, subjects_of(subjects))
    return attested_scans(
        [Verified(REPORT, REPORT, "vulns.json", statement, (), (artifact.name,))], {artifact.name: artifact}
    )


def test_an_image_was_scanned() -> None:
    assert SERVER.digest is not None
    [scan] = scans(SERVER, {"server": SERVER.digest})
    assert (scan.tool, scan.version) == ("in-toto-vulns", "pkg:github/aquasecurity/trivy@1 0.69.3")
    assert (scan.basis, scan.status, scan.artifact, scan.origin) == (
        Basis.ATTESTED,
        ScanStatus.COMPLETE,
        "server",
        "vulns.json",
    )
    assert (scan.coverage.expected, scan.coverage.scanned) == (1, {".": SERVER.digest})
    assert scan.database_at_s == 1_795_069_860
    assert [(item.rule, item.severity, item.category, item.artifact) for item in scan.findings] == [
        ("CVE-1", Severity.MEDIUM, Category.VULNERABILITY, "server"),
        ("CVE-2", Severity.CRITICAL, Category.VULNERABILITY, "server"),
    ]


def test_another_image_was_scanned() -> None:
    [scan] = scans(SERVER, {"server": sha256_digest(b"other")})
    assert (scan.status, scan.problem) == (ScanStatus.INCOMPLETE, "the statement names nothing of the artifact")
    assert scan.coverage.missing == {".": "the statement does not name it"}


def test_files_count_by_their_digests() -> None:
    digest = MODEL.files["a.bin"].digest
    assert digest is not None
    assert MODEL.digest is not None
    [scan] = scans(MODEL, {"anything": digest})
    assert (scan.coverage.scanned, set(scan.coverage.missing)) == ({"a.bin": digest}, {"b.bin"})
    [scan] = scans(MODEL, {"whole": MODEL.digest})
    assert (set(scan.coverage.scanned), scan.coverage.missing) == ({"a.bin", "b.bin"}, {})


def test_an_image_without_a_digest_was_not_scanned() -> None:
    [scan] = scans(image("server", "registry.example/server", None), {"server": sha256_digest(b"image")})
    assert (scan.status, scan.coverage.expected) == (ScanStatus.INCOMPLETE, 0)


def test_what_is_in_the_form_of_a_scanner_makes_no_scan() -> None:
    assert SERVER.digest is not None
    assert scans(SERVER, {"server": SERVER.digest}, "https://cosign.sigstore.dev/attestation/vuln/v1") == ()
