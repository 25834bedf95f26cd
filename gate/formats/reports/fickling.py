"""Reports of fickling in JSON (`fickling --check-safety --json-output FILE model.pkl`).

The report names no file, so `gate.yaml` has to name an artifact that has one file only. fickling says how likely a
pickle is safe, never that it is: only its best answer makes no finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.formats.reports.common import Locator, cut, object_at, text_at
from gate.formats.reports.reading import Names, Reading
from gate.model.artifact import Artifact
from gate.model.json import JsonObject
from gate.model.scan import Category, Finding, RawReport, Scan, ScanStatus, Severity

_SAFE: Final = "LIKELY_SAFE"
_SEVERITIES: Final[Mapping[str, Severity]] = {
    "POSSIBLY_UNSAFE": Severity.MEDIUM,
    "SUSPICIOUS": Severity.HIGH,
    "LIKELY_UNSAFE": Severity.HIGH,
}


def read(document: JsonObject, raw: RawReport, artifacts: Mapping[str, Artifact]) -> Scan:
    """The scan of the one file of the artifact that the report is said to be about."""
    reading = Reading(raw, Names(Locator(artifacts, raw.artifact), ""))
    word, analysis, details = text_at(document, "severity"), text_at(document, "analysis"), _details(document)
    if word != _SAFE or details:
        for rule in details or ("unknown",):
            reading.found(
                Finding(
                    rule=cut(f"fickling.{rule}", 500),
                    severity=_SEVERITIES.get(word, Severity.CRITICAL),
                    message=cut(analysis.strip() or "no analysis"),
                    category=Category.UNSAFE,
                )
            )
    if word == _SAFE and details:
        reading.worse(ScanStatus.FAILED, "severity and detailed_results do not agree")
    if raw.artifact is not None and len(reading.names.locator.files(raw.artifact)) == 1:
        reading.looked_at_all()
    else:
        reading.worse(ScanStatus.INCOMPLETE, "it does not say which file was scanned: name an artifact of one file")
    return reading.scan("fickling")


def _details(document: JsonObject) -> tuple[str, ...]:
    details = object_at(document, "detailed_results")
    return tuple(dict.fromkeys(rule for kind in details for rule in object_at(details, kind)))
