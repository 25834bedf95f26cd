"""Reports of Trivy in JSON (`trivy image|fs|repo --format json`, schema version 2).

`Results` names each lock file or image that was looked at; without it nothing was, and without results about packages
no vulnerability was looked for. The report holds no date of the database, so its age is unknown. What Trivy was told to
ignore counts as suppressed (`--show-suppressed` lists it).
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
from gate.model.scan import Category, Finding, FindingStatus, RawReport, Scan, ScanStatus

_SCHEMA: Final = 2
_IMAGE: Final = "container_image"
_PACKAGES: Final = frozenset({"lang-pkgs", "os-pkgs"})
"""The classes of results that are about packages: with the others alone, Trivy looked for something else."""
_STATUS: Final[Mapping[str, FindingStatus]] = {
    "not_affected": FindingStatus.NOT_AFFECTED,
    "fixed": FindingStatus.NOT_AFFECTED,
}


def read(document: JsonObject, raw: RawReport, artifacts: Mapping[str, Artifact]) -> Scan:
    """The scan of what `Results` names. Values of secrets are not read."""
    if document.get("SchemaVersion") != _SCHEMA:
        raise ReportError(f"SchemaVersion is not {_SCHEMA}")
    target, kind = text_at(document, "ArtifactName"), optional_text(document, "ArtifactType")
    reading = Reading(raw, Names(Locator(artifacts, raw.artifact), "" if kind == _IMAGE else target))
    results = optional_objects(document, "Results")
    searched = [optional_text(result, "Class") in _PACKAGES for result in results]
    if results and not any(searched):
        problem = "no packages were looked at: Trivy names them with its scanner vuln only"
        reading.worse(ScanStatus.INCOMPLETE, problem)
    metadata = optional_object(document, "Metadata")
    if optional_object(metadata, "OS").get("EOSL"):
        problem = "the distribution is no longer supported: nobody reports its vulnerabilities"
        reading.worse(ScanStatus.INCOMPLETE, problem)
    if kind == _IMAGE and any(searched):
        reading.looked_at_image((*texts_at(metadata, "RepoDigests"), target))
    for result, is_search in zip(results, searched, strict=True):
        name = text_at(result, "Target")
        if kind != _IMAGE and is_search:
            reading.looked_at(name)
        _read_result(result, None if kind == _IMAGE else name, reading)
    return reading.scan("trivy", optional_text(optional_object(document, "Trivy"), "Version"))


def _read_result(result: JsonObject, name: str | None, reading: Reading) -> None:
    for item in optional_objects(result, "Vulnerabilities"):
        finding = _vulnerability(item)
        if optional_text(item, "Status") == "not_affected":
            finding = replace(finding, status=FindingStatus.NOT_AFFECTED, justification="so says the distribution")
        reading.found(finding, name)
    for item in optional_objects(result, "Misconfigurations"):
        if item.get("Status") != "PASS":
            reading.found(_configuration(item), name)
    for item in optional_objects(result, "Secrets"):
        reading.found(_secret(item), name)
    for item in optional_objects(result, "Licenses"):
        reading.found(_license(item), name)
    for item in optional_objects(result, "ExperimentalModifiedFindings"):
        reading.found(_modified(item), name)


def _vulnerability(item: JsonObject) -> Finding:
    package, version = optional_text(item, "PkgName"), optional_text(item, "InstalledVersion")
    title = optional_text(item, "Title") or "no title"
    return Finding(
        rule=cut(text_at(item, "VulnerabilityID"), 500),
        severity=severity_of(item.get("Severity")),
        message=cut(f"{package} {version}: {title}"),
        score_bp=_score(optional_object(item, "CVSS")),
        aliases=tuple(cut(text, 500) for text in texts_at(item, "VendorIDs")),
        purl=cut(optional_text(optional_object(item, "PkgIdentifier"), "PURL"), 500) or None,
        fixed_in=cut(optional_text(item, "FixedVersion"), 500) or None,
        category=Category.VULNERABILITY,
    )


def _score(sources: JsonObject) -> int:
    """The highest score that any source gives."""
    scores = (object_at(sources, name).get(key) for name in sources for key in ("V2Score", "V3Score", "V40Score"))
    return max((scored_severity(score)[1] for score in scores if score is not None), default=0)


def _configuration(item: JsonObject) -> Finding:
    return Finding(
        rule=cut(optional_text(item, "AVDID") or text_at(item, "ID"), 500),
        severity=severity_of(item.get("Severity")),
        message=cut(optional_text(item, "Message") or optional_text(item, "Title") or "no message"),
        status=FindingStatus.SUPPRESSED if item.get("Status") == "EXCEPTION" else FindingStatus.OPEN,
        category=Category.CONFIGURATION,
    )


def _secret(item: JsonObject) -> Finding:
    return Finding(
        rule=cut(text_at(item, "RuleID"), 500),
        severity=severity_of(item.get("Severity")),
        message=cut(f"a secret of the kind {optional_text(item, 'Category') or 'unknown'}"),
        category=Category.SECRET,
    )


def _license(item: JsonObject) -> Finding:
    return Finding(
        rule=cut(f"license.{optional_text(item, 'Name') or 'unknown'}", 500),
        severity=severity_of(item.get("Severity")),
        message=cut(f"{optional_text(item, 'PkgName') or 'a file'}: licence {optional_text(item, 'Category')}"),
        category=Category.CONFIGURATION,
    )


_KINDS: Final = {
    "vulnerability": _vulnerability,
    "misconfiguration": _configuration,
    "secret": _secret,
    "license": _license,
}


def _modified(item: JsonObject) -> Finding:
    """A finding that an ignore file or a VEX document took away; one of an unknown kind still counts."""
    kind = _KINDS.get(text_at(item, "Type"))
    if kind is None:
        return Finding("trivy.modified", severity_of(None), "a finding of an unknown kind was ignored")
    reasons = [optional_text(item, key) for key in ("Statement", "Source")]
    return replace(
        kind(object_at(item, "Finding")),
        status=_STATUS.get(text_at(item, "Status"), FindingStatus.SUPPRESSED),
        justification=cut(" ".join(reason for reason in reasons if reason), 500) or None,
    )
