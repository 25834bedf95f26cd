"""Reports of OSV-Scanner in JSON (`osv-scanner --format json --all-packages`).

`results` names the lock files, bills of materials and images that were looked at; with `--all-packages` also those
without vulnerabilities. Those inside of an image are files of another place. The report holds neither the version of
the tool nor the date of the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.formats.reports.common import (
    Locator,
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
from gate.model.artifact import Artifact
from gate.model.json import JsonObject
from gate.model.scan import Category, Finding, RawReport, Scan, ScanStatus, Severity

# By the first part of the ecosystem's name: that of Rust is the host of its registry.
_PURL_TYPES: Final[Mapping[str, str]] = {
    "crates": "cargo",
    "Go": "golang",
    "Maven": "maven",
    "npm": "npm",
    "NuGet": "nuget",
    "Packagist": "composer",
    "PyPI": "pypi",
    "RubyGems": "gem",
}
_RISING: Final = tuple(Severity)


def read(document: JsonObject, raw: RawReport, artifacts: Mapping[str, Artifact]) -> Scan:
    """The scan of the sources that the report names: one finding for each vulnerability of each package."""
    reading = Reading(raw, Names(Locator(artifacts, raw.artifact), ""))
    # The paths in an image are not those of the workspace, whatever their ends.
    is_image = bool(optional_object(document, "image_metadata"))
    if is_image:
        problem = "other target: it is about an image, and does not say which by its digest"
        reading.worse(ScanStatus.INCOMPLETE, problem)
    for result in objects_at(document, "results"):
        source = text_at(object_at(result, "source"), "path")
        if not is_image:
            reading.looked_at(source)
        for entry in objects_at(result, "packages"):
            for finding in _findings(entry):
                reading.found(finding, None if is_image else source)
    return reading.scan("osv-scanner")


def _findings(entry: JsonObject) -> list[Finding]:
    package = object_at(entry, "package")
    known = {text_at(item, "id"): item for item in optional_objects(entry, "vulnerabilities")}
    groups = optional_objects(entry, "groups")
    ids = dict.fromkeys((*known, *(name for group in groups for name in texts_at(group, "ids"))))
    return [_finding(name, known.get(name, {}), groups, package) for name in ids]


def _finding(name: str, record: JsonObject, groups: tuple[JsonObject, ...], package: JsonObject) -> Finding:
    aliases = dict.fromkeys(texts_at(record, "aliases"))
    severities: list[Severity] = []
    score = 0
    word = optional_object(record, "database_specific").get("severity")
    if word is not None:
        severities.append(severity_of(word))
    for group in groups:
        if name in texts_at(group, "ids"):
            aliases.update(dict.fromkeys((*texts_at(group, "ids"), *texts_at(group, "aliases"))))
            if optional_text(group, "max_severity"):
                severity, score = scored_severity(group["max_severity"])
                severities.append(severity)
    title = f"{optional_text(package, 'name')} {optional_text(package, 'version')}"
    return Finding(
        rule=cut(name, 500),
        severity=max(severities, key=_RISING.index, default=Severity.CRITICAL),
        message=cut(f"{title}: {optional_text(record, 'summary') or 'no summary'}"),
        score_bp=score,
        aliases=tuple(cut(alias, 500) for alias in aliases if alias != name),
        purl=_purl(package),
        category=Category.VULNERABILITY,
    )


def _purl(package: JsonObject) -> str | None:
    name, version = optional_text(package, "name"), optional_text(package, "version")
    kind = _PURL_TYPES.get(optional_text(package, "ecosystem").partition(".")[0])
    if kind is None or not name or not version:
        return None
    path = name.replace(":", "/") if kind == "maven" else name
    return cut(f"pkg:{kind}/{path.replace('@', '%40')}@{version}", 500)
