"""Reports of modelscan 0.8 in JSON (`modelscan -r json`).

The report holds no digests: a file that it names counts as scanned with the digest that the file has now. What it does
not name was not scanned; modelscan passes over formats that it does not know without an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from gate.formats.reports.common import (
    Locator,
    Place,
    ReportError,
    count_at,
    cut,
    object_at,
    objects_at,
    optional_objects,
    optional_text,
    severity_of,
    text_at,
)
from gate.formats.reports.reading import Names
from gate.model.artifact import Artifact
from gate.model.digest import Digest, sha256_digest
from gate.model.json import JsonObject
from gate.model.scan import Basis, Category, Coverage, Finding, RawReport, Scan, ScanStatus

_LEVELS: Final = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
_PASSED_OVER: Final = "SCAN_NOT_SUPPORTED"
"""The only category of skipped files that is no failure: modelscan has no scanner for the format."""


def read(document: JsonObject, raw: RawReport, artifacts: Mapping[str, Artifact]) -> Scan:
    """The scan, FAILED when the report's totals contradict its lists; its findings count all the same."""
    summary = object_at(document, "summary")
    scanned_names = _scanned_names(object_at(summary, "scanned"))
    issues, errors = objects_at(document, "issues"), objects_at(document, "errors")
    target = text_at(summary, "input_path")
    names = Names(Locator(artifacts, raw.artifact), target)
    findings = tuple(_finding(issue, names) for issue in issues)
    places = [names.find(name) for name in scanned_names]
    known = [place for place in places if place is not None]
    about = raw.artifact or _only_artifact(known)
    coverage = _coverage(names, about, known, _failures(errors, _skipped(summary)), _passed_over(summary))
    problem, status = _contradiction(summary, issues, len(scanned_names)), ScanStatus.FAILED
    if problem is None:
        problem = _incompleteness(scanned_names, known, coverage, len(errors))
        status = ScanStatus.COMPLETE if problem is None else ScanStatus.INCOMPLETE
    return Scan(
        tool="modelscan",
        version=cut(text_at(summary, "modelscan_version"), 100),
        basis=Basis.OBSERVED,
        artifact=about,
        report=sha256_digest(raw.data or b""),
        status=status,
        coverage=coverage,
        findings=findings,
        origin=raw.origin,
        problem=problem,
    )


def _scanned_names(scanned: JsonObject) -> tuple[str, ...]:
    names = scanned.get("scanned_files", ())
    if not isinstance(names, Sequence) or isinstance(names, str):
        raise ReportError("scanned_files is not a list")
    found = tuple(name for name in names if isinstance(name, str))
    if len(found) != len(names):
        raise ReportError("scanned_files holds something else than names")
    if count_at(scanned, "total_scanned") != len(found):
        raise ReportError("total_scanned and scanned_files do not agree")
    return found


def _skipped(summary: JsonObject) -> tuple[JsonObject, ...]:
    return optional_objects(object_at(summary, "skipped"), "skipped_files") if "skipped" in summary else ()


def _passed_over(summary: JsonObject) -> tuple[str, ...]:
    return tuple(text_at(item, "source") for item in _skipped(summary) if item.get("category") == _PASSED_OVER)


def _failures(errors: Sequence[JsonObject], skipped: Sequence[JsonObject]) -> tuple[tuple[str, str], ...]:
    """The files that met an error, or were skipped for another reason than their format, with what was said."""
    bad = (*errors, *(item for item in skipped if item.get("category") != _PASSED_OVER))
    return tuple(
        (optional_text(item, "source"), f"{optional_text(item, 'category')}: {optional_text(item, 'description')}")
        for item in bad
    )


def _finding(issue: JsonObject, names: Names) -> Finding:
    place = names.find(text_at(issue, "source"))
    scanner = optional_text(issue, "scanner").rpartition(".")[2] or "unknown"
    return Finding(
        rule=cut(f"modelscan.{scanner}", 500),
        severity=severity_of(issue.get("severity")),
        message=cut(text_at(issue, "description")),
        artifact=place.artifact if place else None,
        file=place.file if place else None,
        category=Category.UNSAFE,
    )


def _only_artifact(places: Sequence[Place]) -> str | None:
    """The artifact, if all files are of one."""
    names = {place.artifact for place in places}
    return names.pop() if len(names) == 1 else None


def _coverage(
    names: Names,
    about: str | None,
    known: Sequence[Place],
    failures: Sequence[tuple[str, str]],
    passed_over: Sequence[str],
) -> Coverage:
    if about is None:
        return Coverage(expected=0, errors={cut(name, 500) or "?": cut(text, 500) for name, text in failures})
    files = names.locator.files(about)
    errors: dict[str, str] = {}
    for name, text in failures:
        place = names.find(name)
        errors[place.file if place else cut(name, 500) or "?"] = cut(text, 500)
    scanned: dict[str, Digest] = {}
    for place in known:
        digest = files[place.file] if place.artifact == about else None
        if digest is not None and place.file not in errors:
            scanned[place.file] = digest
    skipped = {place.file for name in passed_over if (place := names.find(name)) is not None}
    missing = {
        file: "modelscan has no scanner for it" if file in skipped else "the report does not name it"
        for file in files
        if file not in scanned and file not in errors
    }
    return Coverage(expected=len(files), scanned=scanned, missing=missing, errors=errors)


def _contradiction(summary: JsonObject, issues: Sequence[JsonObject], scanned: int) -> str | None:
    counts = object_at(summary, "total_issues_by_severity")
    if count_at(summary, "total_issues") != len(issues):
        return "total_issues and issues do not agree"
    for level in {*_LEVELS, *counts}:
        listed = sum(1 for issue in issues if issue.get("severity") == level)
        if count_at(counts, level) != listed:
            return f"total_issues_by_severity and issues do not agree about {cut(level, 50)}"
    if sum(count_at(counts, level) for level in counts) != len(issues):
        return "total_issues_by_severity and issues do not agree"
    return "there are issues, but nothing was scanned" if issues and not scanned else None


def _incompleteness(names: Sequence[str], known: Sequence[Place], coverage: Coverage, errors: int) -> str | None:
    """Why the scan did not come to its end, or is not about the artifacts."""
    if errors or coverage.errors:
        return f"{max(errors, len(coverage.errors))} files met an error"
    if not names:
        return "nothing was scanned"
    if not known:
        return "other target: none of the scanned files is a file of an artifact"
    if not coverage.scanned:
        return "the scanned files are not those of one artifact"
    return None
