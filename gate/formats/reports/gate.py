"""Reports of the gate itself in JSON (`gate scan --format json`, `urn:gate:scan:v1`).

They hold the SHA-256 of each file that was read: a judged file counts if these are the bytes that it has now. What was
not judged is an error with its reason, and so covers nothing. A report that contradicts itself failed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from gate.formats.reports.common import (
    Locator,
    Place,
    ReportError,
    clean,
    count_at,
    cut,
    join,
    object_at,
    objects_at,
    optional_text,
    severity_of,
    text_at,
)
from gate.formats.reports.reading import Names, Reading
from gate.model.artifact import Artifact
from gate.model.digest import parse_digest
from gate.model.json import JsonObject
from gate.model.path import path_bytes
from gate.model.scan import Category, Finding, RawReport, Scan, ScanStatus
from gate.model.scanned import State

_SCHEMA: Final = "urn:gate:scan:v1"
_CATEGORIES: Final = {word.value: word for word in Category}


def read(document: JsonObject, raw: RawReport, artifacts: Mapping[str, Artifact]) -> Scan:
    """The scan of the files that were judged, if they have the digests that the report holds."""
    if document.get("schema") != _SCHEMA:
        raise ReportError(f"not {_SCHEMA}")
    reading = Reading(raw, Names(Locator(artifacts, raw.artifact), ""))
    states: Counter[str] = Counter()
    for target in objects_at(document, "targets"):
        files = object_at(target, "files")
        for name in files:
            file = object_at(files, name)
            states[_read_file(file, _place(target, name, reading), name, reading)] += 1
    counts = object_at(document, "counts")
    told = {state.value: count_at(counts, state.value) for state in State}
    if told != {state.value: states[state.value] for state in State}:
        reading.worse(ScanStatus.FAILED, "counts and files do not agree")
    _check_status(document, states, reading)
    return reading.scan("gate", optional_text(document, "gate_version"))


def _check_status(document: JsonObject, states: Mapping[str, int], reading: Reading) -> None:
    status = text_at(document, "status")
    is_complete = set(states) == {State.JUDGED.value}
    if status == ScanStatus.INCOMPLETE.value and states.get(State.JUDGED.value):
        reading.worse(ScanStatus.INCOMPLETE, optional_text(document, "problem") or "it is not complete")
    elif status != ScanStatus.COMPLETE.value or not is_complete:
        reading.worse(ScanStatus.FAILED, optional_text(document, "problem") or "status and files do not agree")


def _place(target: JsonObject, name: str, reading: Reading) -> Place | None:
    """The file that a name below a target stands for: from the root, or below the artifact that was the target."""
    locator = reading.names.locator
    path, file = _plain(text_at(target, "path")), _plain(name)
    if text_at(target, "kind") == "file":
        return locator.at(path) or locator.at(join(locator.about_path, file))
    place, folder = locator.at(join(path, file)), clean(path)
    if place is None and (not folder or f"/{locator.about_path}".endswith(f"/{folder}")):
        place = locator.at(join(locator.about_path, file))
    return place


def _plain(text: str) -> str:
    return path_bytes(text).decode("utf-8", "surrogateescape")


def _read_file(file: JsonObject, place: Place | None, name: str, reading: Reading) -> str:
    state = text_at(file, "state")
    digest = parse_digest(optional_text(file, "digest"))
    reading.named += 1
    if state != State.JUDGED.value:
        problem = cut(optional_text(file, "reason") or "it was not judged", 500)
        reading.errors[place.file if place else cut(name, 500)] = problem
    elif digest is None or file.get("reason") is not None:
        raise ReportError("a judged file has no digest, or a reason why it was not judged")
    elif place is not None and digest != reading.names.locator.digest(place):
        reading.errors[place.file] = "the report is about other bytes of this file"
    elif place is not None:
        reading.scanned[place] = digest
    for item in objects_at(file, "findings"):
        finding = Finding(
            rule=cut(text_at(item, "rule"), 500),
            severity=severity_of(item.get("severity")),
            message=cut(text_at(item, "message")),
            artifact=place.artifact if place else None,
            file=place.file if place else None,
            category=_CATEGORIES.get(optional_text(item, "category"), Category.OTHER),
        )
        reading.findings.append(finding)
    return state
