"""Reports of trufflehog: JSON lines, its findings and its log (`trufflehog filesystem --json PATH > FILE 2>&1`).

Without the log a run that found nothing and one that never ran look alike: the scan is complete only if the log says
that it finished, looked at something and met no error. The report does not say what was scanned, so `gate.yaml` has
to. No value of a secret is taken over, and wherever else it stands it is blotted out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gate.formats.reports.common import (
    Locator,
    ReportError,
    count_at,
    cut,
    object_at,
    optional_object,
    optional_text,
    text_at,
)
from gate.formats.reports.reading import Names, Reading
from gate.formats.reports.redaction import redacted
from gate.formats.strict_json import loads_object
from gate.model.artifact import Artifact
from gate.model.json import JsonObject, JsonValue
from gate.model.scan import Category, Finding, RawReport, Scan, ScanStatus, Severity
from gate.model.settings import Limits

_FINISHED = "finished scanning"


def read_bytes(data: bytes, raw: RawReport, artifacts: Mapping[str, Artifact]) -> Scan:
    """The scan of the artifact that the report is said to be about."""
    reading = Reading(raw, Names(Locator(artifacts, raw.artifact), ""))
    lines = [loads_object(line, limit=Limits().report_bytes) for line in data.splitlines() if line.strip()]
    if not data.endswith(b"\n"):
        raise ReportError("its last line is cut")
    found = [line for line in lines if "DetectorName" in line]
    log = [line for line in lines if "DetectorName" not in line]
    for item in found:
        _read_finding(item, reading)
    _read_log(log, len(found), reading)
    return reading.scan("trufflehog", next((text for line in log if (text := _version(line))), ""))


def _version(line: JsonObject) -> str:
    return optional_text(line, "trufflehog_version")


def _read_log(log: list[JsonObject], found: int, reading: Reading) -> None:
    ends = [line for line in log if text_at(line, "msg") == _FINISHED]
    if len(ends) != 1:
        reading.worse(ScanStatus.FAILED, "the log does not say once that the scan finished: keep stderr too")
        return
    for line in log:
        if text_at(line, "level") in {"error", "fatal", "panic", "dpanic"} or line.get("errors"):
            reading.worse(ScanStatus.INCOMPLETE, "the log holds an error")
    if not count_at(ends[0], "chunks"):
        reading.worse(ScanStatus.INCOMPLETE, "nothing was scanned")
        return
    if count_at(ends[0], "verified_secrets") + count_at(ends[0], "unverified_secrets") > found:
        reading.worse(ScanStatus.INCOMPLETE, "more was found than is listed")
    reading.looked_at_all()


def _read_finding(item: JsonObject, reading: Reading) -> None:
    """One finding. A value that was verified is critical, one that was not is high."""
    values = tuple(text for key in ("Raw", "RawV2", "Redacted") for text in _texts(item.get(key)))
    name, line = _place(item)
    where = "somewhere" if name is None else name if line is None else f"{name} line {line}"
    verified = item.get("Verified") is not False
    detector = redacted(text_at(item, "DetectorName"), values)
    finding = Finding(
        rule=cut(f"trufflehog.{detector}", 500),
        severity=Severity.CRITICAL if verified else Severity.HIGH,
        message=cut(f"{redacted(where, values)}: a secret, {'verified' if verified else 'not verified'}"),
        category=Category.SECRET,
    )
    if name is not None and reading.raw.artifact is not None and reading.names.find(name) is None:
        reading.worse(ScanStatus.INCOMPLETE, "other target: it found something that is no file of the artifact")
    reading.found(finding, name)


def _texts(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value


def _place(item: JsonObject) -> tuple[str | None, int | None]:
    """The file and line of the one source that a finding names, whatever its kind."""
    sources = optional_object(optional_object(item, "SourceMetadata"), "Data")
    for kind in sources:
        source = object_at(sources, kind)
        line = source.get("line")
        number = line if isinstance(line, int) and not isinstance(line, bool) else None
        if optional_text(source, "file"):
            return text_at(source, "file"), number
    return None, None
