"""Reports of pip-audit in JSON (`pip-audit --format json`).

The report does not say what was audited, so `gate.yaml` has to. A dependency that was skipped was not audited: the
tool ends well all the same, the scan does not. No severity is given, so each vulnerability is critical.
"""

from __future__ import annotations

from collections.abc import Mapping

from gate.formats.reports.common import (
    Locator,
    cut,
    objects_at,
    optional_text,
    text_at,
    texts_at,
)
from gate.formats.reports.reading import Names, Reading
from gate.model.artifact import Artifact
from gate.model.json import JsonObject
from gate.model.scan import Category, Finding, RawReport, Scan, ScanStatus, Severity


def read(document: JsonObject, raw: RawReport, artifacts: Mapping[str, Artifact]) -> Scan:
    """The scan of the artifact that the report is said to be about."""
    reading = Reading(raw, Names(Locator(artifacts, raw.artifact), ""))
    dependencies = objects_at(document, "dependencies")
    skipped = []
    for dependency in dependencies:
        name = text_at(dependency, "name")
        if dependency.get("skip_reason") is not None:
            skipped.append(f"{name}: {text_at(dependency, 'skip_reason')}")
            continue
        version = text_at(dependency, "version")
        for item in objects_at(dependency, "vulns"):
            reading.found(_finding(item, name, version))
    if skipped:
        reading.worse(ScanStatus.INCOMPLETE, f"{len(skipped)} dependencies were not audited: {'; '.join(skipped)}")
    if dependencies:
        reading.looked_at_all()
    return reading.scan("pip-audit")


def _finding(item: JsonObject, name: str, version: str) -> Finding:
    return Finding(
        rule=cut(text_at(item, "id"), 500),
        severity=Severity.CRITICAL,
        message=cut(f"{name} {version}: {optional_text(item, 'description') or 'no description'}"),
        aliases=tuple(cut(alias, 500) for alias in texts_at(item, "aliases")),
        purl=cut(f"pkg:pypi/{name}@{version}", 500),
        fixed_in=cut(", ".join(texts_at(item, "fix_versions")), 500) or None,
        category=Category.VULNERABILITY,
    )
