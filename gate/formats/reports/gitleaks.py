"""Reports of gitleaks in JSON (`gitleaks dir|git --report-format json`): a list, empty if nothing was found.

The report does not say what was scanned, so `gate.yaml` has to. The values that it holds are never taken over: not the
match, not the secret, not the author or message of a commit, and wherever else they stand they are blotted out.
"""

from __future__ import annotations

from collections.abc import Mapping

from gate.formats.reports.common import Locator, ReportError, cut, objects_at, optional_text, text_at
from gate.formats.reports.reading import Names, Reading
from gate.formats.reports.redaction import redacted
from gate.formats.strict_json import loads
from gate.model.artifact import Artifact
from gate.model.json import JsonObject
from gate.model.scan import Category, Finding, RawReport, Scan, ScanStatus, Severity
from gate.model.settings import Limits


def read_bytes(data: bytes, raw: RawReport, artifacts: Mapping[str, Artifact]) -> Scan:
    """The scan of the artifact that the report is said to be about. A secret is critical: its use is not known."""
    reading = Reading(raw, Names(Locator(artifacts, raw.artifact), ""))
    document = loads(data, limit=Limits().report_bytes)
    if not isinstance(document, list):
        raise ReportError("not a list of findings")
    reading.looked_at_all()
    for item in objects_at({"report": document}, "report"):
        values = (optional_text(item, "Secret"), optional_text(item, "Match"))
        name = text_at(item, "File")
        if raw.artifact is not None and reading.names.find(name) is None:
            reading.worse(ScanStatus.INCOMPLETE, "other target: it found something that is no file of the artifact")
        reading.found(_finding(item, name, values), name)
    return reading.scan("gitleaks")


def _finding(item: JsonObject, name: str, values: tuple[str, ...]) -> Finding:
    line = item.get("StartLine")
    where = f"{name} line {line}" if isinstance(line, int) and not isinstance(line, bool) else name
    return Finding(
        rule=cut(redacted(text_at(item, "RuleID"), values), 500),
        severity=Severity.CRITICAL,
        message=cut(redacted(f"{where}: {optional_text(item, 'Description') or 'a secret'}", values)),
        category=Category.SECRET,
    )
