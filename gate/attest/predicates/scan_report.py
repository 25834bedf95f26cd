"""Scans: a report of a known tool is read as the gate reads it; of any other tool somebody says what it found.

Findings are part of the statement either way: a scan of which nobody says what it found is no clean one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gate.attest.collector import Collected, Collector, Files, Found
from gate.attest.predicates.values import items, members, optional_text, tree, trees
from gate.errors import AttestError
from gate.formats.image_reference import image_digest
from gate.formats.predicates.scan_report import CLAIM
from gate.formats.reports import TOOLS, read_report
from gate.formats.reports.reading import WHOLE
from gate.formats.rfc3339 import format_time
from gate.formats.strict_yaml import Node
from gate.model.artifact import Artifact, ArtifactFile, ArtifactKind
from gate.model.digest import Digest
from gate.model.json import JsonObject, JsonValue
from gate.model.scan import Category, FindingStatus, RawReport, Scan, ScanStatus, Severity

_ARTIFACT: Final = "artifact"
_SAID: Final = ("status", "scanned", "findings")
"""What has to be said of a report that the gate cannot read, and must not be said of one that it can."""
_CATEGORIES: Final = tuple(word.value for word in Category)
_MAY_BE_SAID: Final = ("version", "errors", "problem")
_FINDING_TEXTS: Final = ("file", "purl", "fixed_in", "justification")


@dataclass(frozen=True, slots=True)
class _Scanned:
    """What a report is about: its files, and those by their path below it, `.` for an image."""

    path: str
    digest: Digest
    files: Sequence[Found]
    below: Mapping[str, Digest]
    folders: Mapping[str, str]
    is_folder: bool
    is_image: bool = False

    @property
    def artifact(self) -> Artifact:
        """The artifact that the reader of the report compares with."""
        if self.is_image:
            return Artifact(_ARTIFACT, ArtifactKind.CONTAINER, None, self.path, False, None, self.digest, {})
        entries = {path: ArtifactFile(digest, 0) for path, digest in self.below.items()}
        return Artifact(
            _ARTIFACT, ArtifactKind.WEIGHTS, self.path, None, False, None, self.digest, entries, self.is_folder
        )


def _collect(fields: Mapping[str, Node], files: Files) -> Collected:
    report, data = files.content(fields["report"])
    found = _scanned(fields, files)
    said = _read(fields, report, data, found) if fields["tool"].text() in TOOLS else _said(fields, found, files)
    return Collected(
        roles={"report": [report], "artifact": found.files},
        members={
            "arguments": [node.text() for node in items(fields, "arguments")],
            "report": report.digest,
            "artifact": found.path,
            **({"image": True} if found.is_image else {}),
            "artifact_digest": found.digest,
            "database_at": optional_text(fields, "database_at"),
            **said,
        },
        folders=found.folders,
        main=report,
    )


def _scanned(fields: Mapping[str, Node], files: Files) -> _Scanned:
    """The artifact: files of a path, or an image by its reference with a digest."""
    if len(fields.keys() & {"artifact", "image"}) != 1:
        raise AttestError("scan needs one of artifact (a path) and image (a reference with its digest)")
    if "artifact" in fields:
        found = tree(fields["artifact"], files)
        return _Scanned(found.path, found.digest, found.files, found.below, found.folders("artifact"), found.is_folder)
    reference = fields["image"].text()
    try:
        digest = image_digest(reference)
    except ValueError as error:
        raise fields["image"].error(str(error)) from None
    if digest is None:
        raise fields["image"].error("an image that was scanned is named with its digest: name@sha256:<64 digits>")
    return _Scanned(reference, digest, [Found(reference, digest)], {WHOLE: digest}, {}, is_folder=False, is_image=True)


def _read(fields: Mapping[str, Node], report: Found, data: bytes, found: _Scanned) -> JsonObject:
    for key in (*_SAID, *_MAY_BE_SAID):
        if key in fields:
            raise fields[key].error(f"{key} stands in the report, and is read from there")
    scan = read_report(RawReport(fields["tool"].text(), report.path, _ARTIFACT, data), {_ARTIFACT: found.artifact})
    if scan.status is ScanStatus.FAILED or not scan.coverage.scanned:
        hint = "run the scanner again, over what asks for admission"
        raise AttestError(f"{report.path}: {scan.problem or 'it is about nothing of the artifact'}", hint=hint)
    if scan.database_at_s and "database_at" in fields:
        raise fields["database_at"].error("database_at stands in the report, and is read from there")
    return {
        "tool": scan.tool,
        "version": scan.version,
        "status": scan.status.value,
        "problem": scan.problem,
        "coverage": _coverage(found, scan.coverage.scanned, dict(scan.coverage.errors), scan.coverage.missing),
        "findings": _findings(scan),
        **({"database_at": format_time(scan.database_at_s)} if scan.database_at_s else {}),
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


def _said(fields: Mapping[str, Node], found: _Scanned, files: Files) -> JsonObject:
    for key in _SAID:
        if key not in fields:
            known = ", ".join(TOOLS)
            raise fields["tool"].error(f"the gate reads no reports of this tool (it reads {known}), so {key} is needed")
    if found.is_image:
        raise fields["tool"].error("of an image, only a report that the gate reads says that it was scanned")
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


def _coverage(found: _Scanned, scanned: Iterable[str], errors: JsonObject, missing: Mapping[str, str]) -> JsonObject:
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


_REQUIRED: Final = ("tool", "report")
COLLECTOR = Collector(
    claim=CLAIM,
    keys=(*_REQUIRED, "artifact", "image", *_SAID, *_MAY_BE_SAID, "arguments", "database_at"),
    required=_REQUIRED,
    collect=_collect,
)
