"""`scans` and `findings`, each under an id that its content gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from gate.formats.canonical_json import dumps
from gate.formats.predicates.scan_report import attested_scan
from gate.model.artifact import Artifact
from gate.model.digest import hex_of, sha256_digest
from gate.model.evidence import Verified
from gate.model.json import JsonObject
from gate.model.scan import Finding, Scan
from gate.normalize.sections.groups import groups_of
from gate.normalize.sections.vex import Judged


def attested_scans(verified: Iterable[Verified], artifacts: Mapping[str, Artifact]) -> tuple[Scan, ...]:
    """The scans that verified statements bind to artifacts, one for each artifact that a statement covers."""
    found = (
        attested_scan(item.statement, artifacts[name], item.origin) for item in verified for name in item.artifacts
    )
    return tuple(scan for scan in found if scan is not None)


def scans_sections(scans: Sequence[Scan], judged: Judged = MappingProxyType({})) -> tuple[JsonObject, JsonObject]:
    """The two sections. A finding that VEX statements speak of has what they say, in `vex`."""
    found_scans: dict[str, JsonObject] = {}
    found_findings: dict[str, JsonObject] = {}
    groups = iter(groups_of([finding for scan in scans for finding in scan.findings]))
    for number, scan in enumerate(scans):
        value = _scan(scan)
        scan_id = _unique("scan", value, found_scans)
        found_scans[scan_id] = value
        for place, finding in enumerate(scan.findings):
            entry = _finding(finding, scan_id, next(groups))
            # What is said about a finding does not change its name, which waivers know.
            finding_id = _unique("finding", entry, found_findings)
            said = judged.get((number, place))
            found_findings[finding_id] = entry if said is None else {**entry, "vex": said}
    return found_scans, found_findings


def _unique(prefix: str, value: JsonObject, taken: dict[str, JsonObject]) -> str:
    base = f"{prefix}-{hex_of(sha256_digest(dumps(value)))[:16]}"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name


def _scan(scan: Scan) -> JsonObject:
    return {
        "tool": scan.tool,
        "version": scan.version,
        "basis": scan.basis.value,
        "artifact": scan.artifact,
        "report": scan.report,
        "origin": scan.origin,
        "database_at_s": scan.database_at_s,
        "arguments": list(scan.arguments),
        "status": scan.status.value,
        "problem": scan.problem,
        "coverage": {
            "expected": scan.coverage.expected,
            "scanned": len(scan.coverage.scanned),
            "missing": dict(scan.coverage.missing),
            "errors": dict(scan.coverage.errors),
        },
        "files": dict(scan.coverage.scanned),
    }


def _finding(finding: Finding, scan_id: str, group: str | None) -> JsonObject:
    return {
        "scan": scan_id,
        "group": group,
        "category": finding.category.value,
        "rule": finding.rule,
        "message": finding.message,
        "aliases": list(finding.aliases),
        "severity": finding.severity.value,
        "score_bp": finding.score_bp,
        "artifact": finding.artifact,
        "file": finding.file,
        "component": {"purl": finding.purl},
        "fixed_in": finding.fixed_in,
        "status": finding.status.value,
        "justification": finding.justification,
    }
