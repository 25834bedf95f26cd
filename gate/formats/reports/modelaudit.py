"""Reports of modelaudit in JSON (`modelaudit scan --format json`).

`file_metadata` holds the sha-256 of each file that was read, so coverage is bound to bytes. A file whose analysis did
not come to its end says so in the details of an issue.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gate.formats.reports.common import (
    Locator,
    count_at,
    cut,
    object_at,
    objects_at,
    optional_object,
    optional_objects,
    optional_text,
    severity_of,
    text_at,
)
from gate.formats.reports.reading import Names, Reading
from gate.model.artifact import Artifact
from gate.model.digest import digest_from_hex
from gate.model.json import JsonObject
from gate.model.scan import Category, Finding, RawReport, Scan, ScanStatus, Severity

_POSITION: Final = re.compile(r" \([^()]*\)\Z")
_SEVERITIES: Final[Mapping[str, Severity]] = {
    "debug": Severity.NONE,
    "info": Severity.LOW,
    "warning": Severity.MEDIUM,
}
_UNFINISHED: Final = ("analysis_incomplete", "parsing_failed", "scan_truncated", "interrupted")


def read(document: JsonObject, raw: RawReport, artifacts: Mapping[str, Artifact]) -> Scan:
    """The scan of the files whose digests the report holds, if they are the digests that the files have."""
    reading = Reading(raw, Names(Locator(artifacts, raw.artifact), ""))
    files, issues = object_at(document, "file_metadata"), objects_at(document, "issues")
    for name in files:
        _read_file(name, object_at(files, name), reading)
    for asset in optional_objects(document, "assets"):
        if text_at(asset, "path") not in files:
            reading.met_error(text_at(asset, "path"), "the report holds no digest of it")
    for issue in issues:
        _read_issue(issue, reading)
    if document.get("has_errors") is not False:
        reading.worse(ScanStatus.INCOMPLETE, "the tool does not say that it met no errors")
    if document.get("success") is not True and not issues:
        reading.worse(ScanStatus.FAILED, "the tool does not say that it succeeded, nor why not")
    if count_at(document, "files_scanned") < len(files):
        reading.worse(ScanStatus.FAILED, "files_scanned and file_metadata do not agree")
    return reading.scan("modelaudit", optional_text(document, "version"))


def _read_file(name: str, metadata: JsonObject, reading: Reading) -> None:
    digest = digest_from_hex(optional_text(optional_object(metadata, "file_hashes"), "sha256").lower())
    place = reading.names.find(name)
    if place is None:
        reading.named += 1
    elif digest is None:
        reading.met_error(name, "the report holds no digest of it")
    elif digest != reading.names.locator.digest(place):
        reading.met_error(name, "the report is about other bytes of this file")
    else:
        reading.looked_at(name)


def _read_issue(issue: JsonObject, reading: Reading) -> None:
    location = optional_text(issue, "location")
    name = _POSITION.sub("", location)
    details = optional_object(issue, "details")
    if any(details.get(key) for key in _UNFINISHED):
        reading.met_error(name, "its analysis did not come to its end")
    word = text_at(issue, "severity").lower()
    finding = Finding(
        rule=cut(f"modelaudit.{optional_text(issue, 'rule_code') or optional_text(issue, 'type') or 'unknown'}", 500),
        severity=_SEVERITIES.get(word) or severity_of(word),
        message=cut(text_at(issue, "message")),
        category=Category.UNSAFE,
    )
    reading.found(finding, name)
