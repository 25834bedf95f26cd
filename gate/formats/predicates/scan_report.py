"""Scan report: any scanner's report by digest, with its coverage and findings in one shape for all tools.

The subjects are the report and all files of the artifact, whether they were scanned or not, so that the statement is
about exactly those files. An image is one subject, by its reference with its digest, and was scanned as a whole.
Facts: those of every collected statement, `tool`, `version`, `arguments`, `report`, `artifact` (its digest), `status`,
`problem`, `database_at_s`, `coverage` (as in `input.scans`), `files` (digests of the files that were judged, by path
below the artifact, `.` for an image) and `findings`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from gate.formats.image_reference import image_digest
from gate.formats.intoto import RawStatement, StatementError
from gate.formats.predicates.collected import reader
from gate.formats.predicates.common import member, names_in, text, time
from gate.formats.reports.common import severity_of
from gate.formats.reports.reading import WHOLE
from gate.model.artifact import Artifact, ArtifactFile, tree_digest
from gate.model.digest import Digest
from gate.model.evidence import Statement
from gate.model.json import JsonObject, JsonValue
from gate.model.scan import Basis, Category, Coverage, Finding, FindingStatus, Scan, ScanStatus

CLAIM: Final = "scan.report"
VULNERABILITIES: Final = "in-toto-vulns"
"""The tool of scans that statements in the format of in-toto make."""
_MEMBERS: Final = ("tool", "version", "arguments", "report", "status", "problem", "findings")


def _facts(raw: RawStatement, subjects: Mapping[str, Digest]) -> JsonObject:
    predicate = raw.predicate
    if [subjects[name] for name in names_in(member(predicate, "roles", "report"))] != [predicate["report"]]:
        raise StatementError("report", "the report is not the one subject in the role `report`")
    files = _files(predicate, subjects)
    scanned, missing, errors = (set(names_in(member(predicate, "coverage", word))) for word in _COVERAGE)
    if not (scanned | missing <= files.keys() <= scanned | missing | errors) or scanned & (missing | errors):
        raise StatementError("coverage", "the coverage does not say of each file of the artifact what came of it")
    if errors and predicate["status"] == "complete":
        raise StatementError("coverage", "a scan that met errors is not complete")
    return {
        **{name: predicate[name] for name in _MEMBERS},
        "artifact": predicate["artifact_digest"],
        "database_at_s": time(predicate, "database_at") or 0,
        "coverage": {
            "expected": len(files),
            "scanned": len(scanned),
            "missing": member(predicate, "coverage", "missing"),
            "errors": member(predicate, "coverage", "errors"),
        },
        "files": {path: files[path] for path in sorted(scanned)},
    }


def _files(predicate: JsonObject, subjects: Mapping[str, Digest]) -> Mapping[str, Digest]:
    """The files of the artifact by path below it; raises `StatementError` unless its digest is theirs."""
    artifact = text(predicate, "artifact") or ""
    names = names_in(member(predicate, "roles", "artifact"))
    whole: Digest | None
    if predicate.get("image") is True:
        whole = _digest_of_image(artifact)
        is_there = names == [artifact] and subjects[artifact] == whole
        files = {WHOLE: subjects[artifact]} if is_there else {}
    elif names == [artifact]:
        is_there, whole, files = True, subjects[artifact], {posixpath.basename(artifact): subjects[artifact]}
    else:
        is_there = all(name.startswith(f"{artifact}/") for name in names)
        files = {name.removeprefix(f"{artifact}/"): subjects[name] for name in names}
        whole = tree_digest({path: ArtifactFile(digest, 0) for path, digest in files.items()})
    if not is_there or whole != predicate["artifact_digest"]:
        raise StatementError("artifact", "the subjects in the role `artifact` are not those files, or lie elsewhere")
    return files


def _digest_of_image(reference: str) -> Digest | None:
    try:
        return image_digest(reference)
    except ValueError:
        return None


def _read(raw: RawStatement) -> Statement:
    """A statement; that about an image names no path of it below the root, where it would be looked for."""
    found = _COLLECTED[raw.predicate_type](raw)
    return replace(found, located=False) if raw.predicate.get("image") is True else found


def _places(artifact: Artifact) -> Mapping[str, Digest | None]:
    """What can have been scanned of an artifact, with its digests: its files, or an image as a whole."""
    if artifact.path is None:
        return {WHOLE: artifact.digest} if artifact.digest is not None else {}
    return {path: file.digest for path, file in artifact.files.items()}


def attested_scan(statement: Statement, artifact: Artifact, origin: str) -> Scan | None:
    """The scan of an artifact that a statement about it makes; `None` for a statement that makes none.

    What counts is what is there: a file is scanned only if these very bytes were, under this path.
    """
    facts = statement.facts
    if statement.claim != CLAIM:
        return None
    if facts["collected"] is not True:
        return _vulnerability_scan(facts, artifact, origin)
    stated, missing = member(facts, "files"), member(facts, "coverage", "missing")
    errors = {path: text(facts, "coverage", "errors", path) or "" for path in names_in(_errors(facts))}
    places = _places(artifact)
    scanned = {path: digest for path, digest in places.items() if digest is not None and text(stated, path) == digest}
    left_out = {
        path: text(missing, path) or "the statement does not say that these bytes were scanned"
        for path in places
        if path not in scanned and path not in errors
    }
    findings = facts["findings"]
    at_s = facts["database_at_s"]
    report = text(facts, "report")
    return Scan(
        tool=text(facts, "tool") or "",
        version=text(facts, "version") or "",
        basis=Basis.ATTESTED,
        artifact=artifact.name,
        report=None if report is None else Digest(report),
        status=ScanStatus(facts["status"]),
        coverage=Coverage(len(places), scanned, left_out, errors),
        findings=tuple(_finding(item, artifact) for item in findings) if isinstance(findings, list) else (),
        arguments=tuple(names_in(facts["arguments"])),
        database_at_s=at_s if isinstance(at_s, int) else 0,
        origin=origin,
        problem=text(facts, "problem"),
    )


def _vulnerability_scan(facts: JsonObject, artifact: Artifact, origin: str) -> Scan | None:
    """The scan that a statement about vulnerabilities makes of what it names by digest; `None` if it did not end.

    The tool is the format, so that it counts as a search for vulnerabilities alone; the scanner stands in `version`.
    """
    if member(facts, "status") != ScanStatus.COMPLETE.value:
        return None
    stated = member(facts, "files")
    digests = {text(stated, name) for name in (stated if isinstance(stated, Mapping) else ())}
    files = {path: file.digest for path, file in artifact.files.items() if file.digest is not None}
    if artifact.path is None and artifact.digest is not None:
        files = {WHOLE: artifact.digest}
    is_whole = artifact.digest in digests
    scanned = {path: digest for path, digest in files.items() if is_whole or digest in digests}
    missing = {path: "the statement does not name it" for path in (*artifact.files, *files) if path not in scanned}
    findings, at_s = facts["findings"], facts["database_at_s"]
    return Scan(
        tool=VULNERABILITIES,
        version=f"{text(facts, 'tool')} {text(facts, 'version')}".strip(),
        basis=Basis.ATTESTED,
        artifact=artifact.name,
        report=None,
        status=ScanStatus.COMPLETE if scanned else ScanStatus.INCOMPLETE,
        coverage=Coverage(len(scanned) + len(missing), scanned, missing),
        findings=tuple(_finding(item, artifact) for item in findings) if isinstance(findings, list) else (),
        database_at_s=at_s if isinstance(at_s, int) else 0,
        origin=origin,
        problem=None if scanned else "the statement names nothing of the artifact",
    )


def _errors(facts: JsonObject) -> JsonValue:
    return member(facts, "coverage", "errors")


def _finding(value: JsonValue, artifact: Artifact) -> Finding:
    score = member(value, "score_bp")
    return Finding(
        rule=text(value, "rule") or "",
        severity=severity_of(text(value, "severity")),
        message=text(value, "message") or "",
        artifact=artifact.name,
        file=text(value, "file"),
        score_bp=score if isinstance(score, int) else 0,
        aliases=tuple(names_in(member(value, "aliases"))),
        purl=text(value, "purl"),
        fixed_in=text(value, "fixed_in"),
        status=FindingStatus(text(value, "status")),
        justification=text(value, "justification"),
        category=Category(text(value, "category") or Category.OTHER.value),
    )


_COVERAGE: Final = ("scanned", "missing", "errors")
_COLLECTED: Final = reader(CLAIM, _facts)
READERS: Final[Mapping[str, Callable[[RawStatement], Statement]]] = dict.fromkeys(_COLLECTED, _read)
