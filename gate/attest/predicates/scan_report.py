"""Scans: a report of a known tool is read as the gate reads it; of any other tool somebody says what it found.

Findings are part of the statement either way: a scan of which nobody says what it found is no clean one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from gate.attest.collector import Collected, Collector, Files, Found
from gate.attest.predicates.values import Tree, items, members, optional_text, tree, trees
from gate.errors import AttestError
from gate.formats.predicates.scan_report import CLAIM
from gate.formats.reports import TOOLS, read_report
from gate.formats.strict_yaml import Node
from gate.model.artifact import Artifact, ArtifactFile, ArtifactKind
from gate.model.json import JsonObject, JsonValue
from gate.model.scan import Category, FindingStatus, RawReport, Scan, ScanStatus, Severity

_ARTIFACT: Final = "artifact"
_SAID: Final = ("status", "scanned", "findings")
"""What has to be said of a report that the gate cannot read, and must not be said of one that it can."""
_CATEGORIES: Final = tuple(word.value for word in Category)
_MAY_BE_SAID: Final = ("version", "errors", "problem")
_FINDING_TEXTS: Final = ("file", "purl", "fixed_in", "justification")


def _collect(fields: Mapping[str, Node], files: Files) -> Collected:
    report, data = files.content(fields["report"])
    found = tree(fields["artifact"], files)
    said = _read(fields, report, data, found) if fields["tool"].text() in TOOLS else _said(fields, found, files)
    return Collected(
        roles={"report": [report], "artifact": found.files},
        members={
            "arguments": [node.text() for node in items(fields, "arguments")],
            "report": report.digest,
            "artifact": found.path,
            "artifact_digest": found.digest,
            "database_at": optional_text(fields, "database_at"),
            **said,
        },
        folders=found.folders("artifact"),
        main=report,
    )


def _read(fields: Mapping[str, Node], report: Found, data: bytes, found: Tree) -> JsonObject:
    for key in (*_SAID, *_MAY_BE_SAID):
        if key in fields:
            raise fields[key].error(f"{key} stands in the report, and is read from there")
    entries = {path: ArtifactFile(digest, 0) for path, digest in found.below.items()}
    artifact = Artifact(
        _ARTIFACT, ArtifactKind.WEIGHTS, found.path, None, False, None, found.digest, entries, found.is_folder
    )
    raw = RawReport(fields["tool"].text(), report.path, _ARTIFACT, data)
    scan = read_report(raw, {_ARTIFACT: artifact})
    if scan.status is ScanStatus.FAILED:
        raise AttestError(f"{report.path}: {scan.problem}", hint="run the scanner again")
    return {
        "tool": scan.tool,
        "version": scan.version,
        "status": scan.status.value,
        "problem": scan.problem,
        "coverage": _coverage(found, scan.coverage.scanned, dict(scan.coverage.errors), scan.coverage.missing),
        "findings": _findings(scan),
    }


def _findings(scan: Scan) -> list[JsonValue]:
    return [
        {
            "rule": item.rule,
            "message": item.message,
            "aliases": list(item.aliases),
            "severity": item.severity.value,
            "score_bp": item.score_bp,
            "file": item.file,
            "purl": item.purl,
            "fixed_in": item.fixed_in,
            "status": item.status.value,
            "justification": item.justification,
            "category": item.category.value,
        }
        for item in scan.findings
    ]


def _said(fields: Mapping[str, Node], found: Tree, files: Files) -> JsonObject:
    for key in _SAID:
        if key not in fields:
            known = ", ".join(TOOLS)
            raise fields["tool"].error(f"the gate reads no reports of this tool (it reads {known}), so {key} is needed")
    named, _ = trees(fields["scanned"].items(), files)
    below = {item.path: path for item, path in zip(found.files, found.below, strict=True)}
    for item in named:
        if item.path not in below:
            raise fields["scanned"].error(f"{item.path} is no file of {found.path}")
    errors = {path: node.text() for path, node in members(fields, "errors").items()}
    return {
        "tool": fields["tool"].text(),
        "version": optional_text(fields, "version") or "",
        "status": fields["status"].choice(*(status.value for status in ScanStatus)),
        "problem": optional_text(fields, "problem"),
        "coverage": _coverage(found, {below[item.path] for item in named}, errors, {}),
        "findings": [_finding(node) for node in fields["findings"].items()],
    }


def _coverage(found: Tree, scanned: Iterable[str], errors: JsonObject, missing: Mapping[str, str]) -> JsonObject:
    """What came of each file; one that is neither scanned nor met an error is missing."""
    judged = sorted(path for path in scanned if path not in errors)
    left_out = sorted(found.below.keys() - {*judged, *errors})
    return {
        "scanned": judged,
        "missing": {path: missing.get(path, "it was not scanned") for path in left_out},
        "errors": errors,
    }


def _finding(node: Node) -> JsonObject:
    fields = node.fields("rule", "message", "aliases", "severity", "status", "category", *_FINDING_TEXTS)
    for key in ("rule", "severity"):
        if key not in fields:
            raise node.error(f"a finding needs {key}")
    status = FindingStatus.OPEN.value
    return {
        "rule": fields["rule"].text(),
        "message": optional_text(fields, "message") or "",
        "aliases": [item.text() for item in items(fields, "aliases")],
        "severity": fields["severity"].choice(*(severity.value for severity in Severity)),
        "score_bp": 0,
        "status": fields["status"].choice(*(word.value for word in FindingStatus)) if "status" in fields else status,
        "category": fields["category"].choice(*_CATEGORIES) if "category" in fields else Category.OTHER.value,
        **{name: optional_text(fields, name) for name in _FINDING_TEXTS},
    }


_REQUIRED: Final = ("tool", "report", "artifact")
COLLECTOR = Collector(
    claim=CLAIM,
    keys=(*_REQUIRED, *_SAID, *_MAY_BE_SAID, "arguments", "database_at"),
    required=_REQUIRED,
    collect=_collect,
)
