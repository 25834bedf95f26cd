"""SARIF 2.1.0 (OASIS), of any tool, with one or several runs.

A run that does not say that it succeeded, or holds no results at all, failed: an empty list and a missing one are not
the same (3.14.23). Coverage comes only from `artifacts` with their sha-256, compared with the files there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gate.formats.reports.common import (
    Locator,
    Place,
    ReportError,
    cut,
    object_at,
    objects_at,
    optional_object,
    optional_objects,
    optional_text,
)
from gate.formats.reports.redaction import redacted_arguments
from gate.formats.reports.sarif_result import Rules, read_result
from gate.formats.reports.sarif_uri import Uris
from gate.model.artifact import Artifact
from gate.model.digest import Digest, digest_from_hex, sha256_digest
from gate.model.json import JsonObject
from gate.model.scan import Basis, Coverage, Finding, RawReport, Scan, ScanStatus

_VERSION: Final = "2.1.0"
_RANK: Final = (ScanStatus.COMPLETE, ScanStatus.INCOMPLETE, ScanStatus.FAILED)


@dataclass(slots=True)
class _Reading:
    """What all runs come to. The worst status counts, with the first reason for it."""

    status: ScanStatus = ScanStatus.COMPLETE
    problem: str | None = None
    tools: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    scanned: dict[Place, Digest] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    named: int = 0

    def worse(self, status: ScanStatus, problem: str) -> None:
        """Lowers the status, if it is not as low already."""
        if _RANK.index(status) > _RANK.index(self.status):
            self.status, self.problem = status, problem


def read(document: JsonObject, raw: RawReport, artifacts: Mapping[str, Artifact]) -> Scan:
    """The scan of all runs together."""
    if document.get("version") != _VERSION:
        raise ReportError(f"not SARIF {_VERSION}")
    runs = objects_at(document, "runs")
    if not runs:
        raise ReportError("it holds no run")
    locator = Locator(artifacts, raw.artifact)
    reading = _Reading()
    for run in runs:
        _read_run(run, locator, reading)
    _read_elsewhere(optional_objects(document, "inlineExternalProperties"), reading)
    about = raw.artifact or _only_artifact(reading)
    if reading.named and not reading.scanned and not reading.errors and not any(f.artifact for f in reading.findings):
        reading.worse(ScanStatus.INCOMPLETE, "other target: none of the files that it lists is a file of an artifact")
    return Scan(
        tool=cut("+".join(dict.fromkeys(reading.tools)), 200),
        version=cut("+".join(dict.fromkeys(reading.versions)), 200),
        basis=Basis.OBSERVED,
        artifact=about,
        report=sha256_digest(raw.data or b""),
        status=reading.status,
        coverage=_coverage(reading, locator, about),
        findings=tuple(reading.findings),
        arguments=tuple(reading.arguments),
        origin=raw.origin,
        problem=reading.problem,
    )


def _only_artifact(reading: _Reading) -> str | None:
    """The artifact, if all that is known is about one."""
    names = {place.artifact for place in reading.scanned} | {finding.artifact for finding in reading.findings}
    return names.pop() if len(names) == 1 else None


def _coverage(reading: _Reading, locator: Locator, about: str | None) -> Coverage:
    if about is None:
        return Coverage(expected=0, errors=reading.errors)
    files = locator.files(about)
    scanned = {place.file: digest for place, digest in reading.scanned.items() if place.artifact == about}
    for file in reading.errors:
        scanned.pop(file, None)
    missing = {
        file: "the report does not name it with its sha-256"
        for file in files
        if file not in scanned and file not in reading.errors
    }
    return Coverage(expected=len(files), scanned=scanned, missing=missing, errors=reading.errors)


def _read_run(run: JsonObject, locator: Locator, reading: _Reading) -> None:
    tool = object_at(run, "tool")
    driver = object_at(tool, "driver")
    reading.tools.append(optional_text(driver, "name") or "unnamed")
    reading.versions.append(optional_text(driver, "semanticVersion") or optional_text(driver, "version"))
    uris = Uris(locator, optional_object(run, "originalUriBaseIds"), optional_objects(run, "artifacts"))
    for invocation in optional_objects(run, "invocations"):
        _read_invocation(invocation, uris, reading)
    _read_elsewhere((optional_object(run, "externalPropertyFileReferences"),), reading)
    _read_artifacts(uris, reading)
    if run.get("results") is None:
        reading.worse(ScanStatus.FAILED, "a run holds no results: nothing was scanned")
        return
    rules = Rules(tool, optional_objects(run, "invocations"))
    for result in objects_at(run, "results"):
        reading.findings.extend(read_result(result, rules, uris))


def _read_elsewhere(parts: Sequence[JsonObject], reading: _Reading) -> None:
    """Parts of runs that are kept outside of them (3.14.2, 3.13.5): they are not read, and must not hold results."""
    if any(part.get("results") for part in parts):
        reading.worse(ScanStatus.FAILED, "results elsewhere are not read")
    elif any(parts):
        reading.worse(ScanStatus.INCOMPLETE, "parts of the report are elsewhere")


def _read_invocation(invocation: JsonObject, uris: Uris, reading: _Reading) -> None:
    if invocation.get("executionSuccessful") is not True:
        reading.worse(ScanStatus.FAILED, "the tool does not say that it ran successfully")
    if invocation.get("exitSignalName") is not None or invocation.get("processStartFailureMessage") is not None:
        reading.worse(ScanStatus.FAILED, "the tool was stopped")
    if "incomplete" in optional_text(invocation, "exitCodeDescription").lower():
        reading.worse(ScanStatus.INCOMPLETE, "the tool says that its coverage is incomplete")
    arguments = invocation.get("arguments")
    if isinstance(arguments, Sequence) and not isinstance(arguments, str):
        told = redacted_arguments([argument for argument in arguments if isinstance(argument, str)])
        reading.arguments.extend(cut(argument, 500) for argument in told)
    for kind in ("toolExecutionNotifications", "toolConfigurationNotifications"):
        for notice in optional_objects(invocation, kind):
            level = notice.get("level", "warning")
            if not isinstance(level, str) or level not in {"none", "note", "warning"}:
                text = cut(optional_text(optional_object(notice, "message"), "text") or "no message", 500)
                reading.worse(ScanStatus.INCOMPLETE, f"the tool met an error: {text}")
                for place in uris.places(optional_objects(notice, "locations")):
                    reading.errors[place.file] = text


def _read_artifacts(uris: Uris, reading: _Reading) -> None:
    """Files listed with a digest: scanned, if it is the digest of the file; about other bytes, if not."""
    for artifact in uris.listed:
        digest = digest_from_hex(optional_text(optional_object(artifact, "hashes"), "sha-256").lower())
        reading.named += 1
        place = uris.place(optional_object(artifact, "location"))
        if place is None or digest is None:
            continue
        if uris.locator.digest(place) == digest:
            reading.scanned[place] = digest
        else:
            reading.errors[place.file] = "the report is about other bytes of this file"
            reading.worse(ScanStatus.INCOMPLETE, "the report is about other bytes of a file")
