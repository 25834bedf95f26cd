"""Reports of Grype in JSON (`grype -o json`), with the database in its old and its new place.

Grype names the folder, file or image that it looked at, and no files. What it was told to ignore counts as
suppressed, or as not affected where a VEX document said so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from gate.formats.reports.common import (
    Locator,
    ReportError,
    cut,
    object_at,
    objects_at,
    optional_object,
    optional_objects,
    optional_text,
    scored_severity,
    severity_of,
    text_at,
    texts_at,
)
from gate.formats.reports.reading import Names, Reading
from gate.formats.rfc3339 import parse_time
from gate.model.artifact import Artifact
from gate.model.json import JsonObject
from gate.model.scan import Category, Finding, FindingStatus, RawReport, Scan, ScanStatus

_NOT_AFFECTED: Final = frozenset({"fixed", "not_affected"})


def read(document: JsonObject, raw: RawReport, artifacts: Mapping[str, Artifact]) -> Scan:
    """The scan of the source that the report names."""
    descriptor = object_at(document, "descriptor")
    if descriptor.get("name") != "grype":
        raise ReportError("descriptor does not name grype")
    source = object_at(document, "source")
    target = source.get("target")
    reading = Reading(raw, Names(Locator(artifacts, raw.artifact), target if isinstance(target, str) else ""))
    kind = optional_text(source, "type")
    if kind == "image":
        image = object_at(source, "target")
        reading.looked_at_image((optional_text(image, "manifestDigest"), *texts_at(image, "repoDigests")))
    elif kind in {"directory", "file"}:
        reading.looked_below(text_at(source, "target"))
    if optional_object(descriptor, "configuration").get("exclude"):
        reading.worse(ScanStatus.INCOMPLETE, "files were left out by the option exclude")
    for match in objects_at(document, "matches"):
        reading.found(_finding(match), _location(match, reading))
    for match in optional_objects(document, "ignoredMatches"):
        reading.found(_ignored(match), _location(match, reading))
    return reading.scan("grype", optional_text(descriptor, "version"), _database(descriptor, reading))


def _database(descriptor: JsonObject, reading: Reading) -> int:
    """When the database was built; 0 if the report does not say it."""
    database = optional_object(descriptor, "db")
    status = optional_object(database, "status") or database
    if status.get("valid") is False or optional_text(status, "error"):
        reading.worse(ScanStatus.INCOMPLETE, "the tool says that its database is not valid")
    return parse_time(optional_text(status, "built")) or 0


def _location(match: JsonObject, reading: Reading) -> str | None:
    """The first file that a match names. Paths may start at the folder that was scanned, as if it were the root."""
    locations = optional_objects(object_at(match, "artifact"), "locations")
    path = next((path for item in locations if (path := optional_text(item, "path"))), None)
    return path if path is None or reading.names.find(path) is not None else path.lstrip("/")


def _finding(match: JsonObject) -> Finding:
    vulnerability, package = object_at(match, "vulnerability"), object_at(match, "artifact")
    fixed = texts_at(optional_object(vulnerability, "fix"), "versions")
    related = (text_at(item, "id") for item in optional_objects(match, "relatedVulnerabilities"))
    name, version = optional_text(package, "name"), optional_text(package, "version")
    return Finding(
        rule=cut(text_at(vulnerability, "id"), 500),
        severity=severity_of(vulnerability.get("severity")),
        message=cut(f"{name} {version}: {optional_text(vulnerability, 'description') or 'no description'}"),
        score_bp=max((_score(item) for item in optional_objects(vulnerability, "cvss")), default=0),
        aliases=tuple(dict.fromkeys(cut(text, 500) for text in related)),
        purl=cut(optional_text(package, "purl"), 500) or None,
        fixed_in=cut(", ".join(fixed), 500) or None,
        category=Category.VULNERABILITY,
    )


def _score(item: JsonObject) -> int:
    score = optional_object(item, "metrics").get("baseScore")
    return 0 if score is None else scored_severity(score)[1]


def _ignored(match: JsonObject) -> Finding:
    """A match that rules took away. It is not affected only if each rule is of a VEX document that says so."""
    rules = optional_objects(match, "appliedIgnoreRules")
    judged = bool(rules) and all(optional_text(rule, "vex-status") in _NOT_AFFECTED for rule in rules)
    reasons = [
        text for rule in rules if (text := optional_text(rule, "vex-justification") or optional_text(rule, "reason"))
    ]
    return replace(
        _finding(match),
        status=FindingStatus.NOT_AFFECTED if judged else FindingStatus.SUPPRESSED,
        justification=cut("; ".join(reasons), 500) or None,
    )
