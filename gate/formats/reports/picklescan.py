"""What picklescan 1 prints (`picklescan -l DEBUG -p PATH`): lines of text, and a summary at the end.

Only with `-l DEBUG` does it name the files that it looked at. A name with line breaks in it could pretend to be other
lines, so each file must be named by its two lines, one right after the other, or the report is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gate.formats.reports.common import Locator, ReportError, cut
from gate.formats.reports.reading import Names, Reading
from gate.model.artifact import Artifact
from gate.model.scan import Category, Finding, RawReport, Scan, ScanStatus, Severity

_SUMMARY: Final = "----------- SCAN SUMMARY -----------"
_COUNTS: Final = ("Scanned files", "Infected files", "Suspicious globals", "Dangerous globals")
_COUNT: Final = re.compile(r"([A-Z][a-z]+ [a-z]+): ([0-9]{1,9})")
_OPENED: Final = re.compile(r"Scanning file (.*)|scan_file_path\((.*)\)")
_INSIDE: Final = re.compile(r"Scanning file .* in (?:zip|7z) archive .*")
_FINDING: Final = re.compile(r"(.*): ([a-z]+) import '(.*)' FOUND(?: \(promoted by --strict\))?")
_ERROR: Final = re.compile(
    r"ERROR: parsing pickle in (.*?): .*|WARNING: could not parse (.*) as pickle: .*"
    r"|Invalid file .* in zip archive (.*?): .*|(?:ERROR|WARNING): .*"
)
_FILTERED: Final = re.compile(r"(?:Excluding|Skipping) (?:file|directory) (.*) \((?:matched|no) --.*\)")


def read_bytes(data: bytes, raw: RawReport, artifacts: Mapping[str, Artifact]) -> Scan:
    """The scan of the files that are named. What picklescan could not parse was not judged."""
    reading = Reading(raw, Names(Locator(artifacts, raw.artifact), ""))
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise ReportError(f"not UTF-8 at byte {error.start}") from None
    if lines.count(_SUMMARY) != 1 or lines[-1]:
        raise ReportError("it does not end in one summary: picklescan failed, or the report was cut")
    at = lines.index(_SUMMARY)
    counts = _counts(lines[at + 1 : at + 5])
    _read_files(lines[:at], reading)
    dangerous = _read_findings(lines[:at], reading)
    if dangerous != counts["Dangerous globals"] or (counts["Infected files"] > 0) != (dangerous > 0):
        reading.worse(ScanStatus.FAILED, "the summary and the findings do not agree")
    if counts["Suspicious globals"]:
        message = f"{counts['Suspicious globals']} imports that picklescan does not know"
        reading.found(Finding("picklescan.suspicious", Severity.MEDIUM, message, category=Category.UNSAFE))
    if not counts["Scanned files"]:
        reading.worse(ScanStatus.INCOMPLETE, "nothing was scanned")
    return reading.scan("picklescan")


def _counts(lines: list[str]) -> Mapping[str, int]:
    found = [match for line in lines if (match := _COUNT.fullmatch(line))]
    if [match[1] for match in found] != list(_COUNTS):
        raise ReportError("its summary does not have the four counts")
    return {match[1]: int(match[2]) for match in found}


def _read_files(lines: list[str], reading: Reading) -> None:
    opened: str | None = None
    for line in lines:
        if opened is not None or line.startswith("scan_bytes("):
            if opened is None or line != f"scan_bytes({opened})":
                raise ReportError("the lines about a file do not fit together")
            reading.looked_at(opened)
            opened = None
        elif (match := _OPENED.fullmatch(line)) and not _INSIDE.fullmatch(line):
            opened = match[1] or match[2]
    if opened is not None:
        raise ReportError("the lines about a file do not fit together")


def _read_findings(lines: list[str], reading: Reading) -> int:
    """How many findings are listed."""
    found = 0
    for line in lines:
        if match := _FINDING.fullmatch(line):
            found += 1
            message = f"{match[2]} import {match[3]}"
            finding = Finding("picklescan.import", Severity.CRITICAL, cut(message), category=Category.UNSAFE)
            reading.found(finding, match[1])
        elif match := _ERROR.fullmatch(line):
            name = match[1] or match[2] or match[3] or "?"
            reading.met_error(name, "picklescan could not judge it")
        elif match := _FILTERED.fullmatch(line):
            reading.worse(ScanStatus.INCOMPLETE, "files were left out by options")
    return found
