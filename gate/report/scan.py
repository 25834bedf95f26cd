"""What `gate scan` says, as text, as `urn:gate:scan:v1` and as SARIF."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gate.formats.canonical_json import pretty
from gate.model.json import JsonObject
from gate.model.scan import Finding, ScanStatus, Severity
from gate.model.scanned import Scanned, ScannedFile, State, Target
from gate.report.escape import terminal
from gate.report.scan_rules import rule_help, what_to_do

FORMATS: Final = ("text", "json", "sarif")
SCAN_SCHEMA: Final = "urn:gate:scan:v1"
_SHOWN: Final = 50
_FALLING: Final = tuple(reversed(Severity))
_HEADS: Final = {
    ScanStatus.COMPLETE: "every file was judged",
    ScanStatus.INCOMPLETE: "NOT EVERY FILE WAS JUDGED",
    ScanStatus.FAILED: "NOTHING WAS JUDGED",
}


def render_scan(form: str, found: Scanned) -> str:
    """The report in one of `FORMATS`."""
    if form == "sarif":
        from gate.report.scan_sarif import sarif

        return pretty(sarif(found))
    return pretty(scan_json(found)) if form == "json" else "\n".join(_text(found))


# -- JSON --------------------------------------------------------------------------------------------------------------


def scan_json(found: Scanned) -> JsonObject:
    """The document; nothing is left out of it or shortened."""
    return {
        "schema": SCAN_SCHEMA,
        "gate_version": found.version,
        "exit_code": found.exit_code,
        "status": found.status.value,
        "problem": found.problem,
        "fail_on": found.fail_on.value,
        "exclude": list(found.exclude),
        "allow_globals": list(found.allowed),
        "counts": {
            "files": sum(1 for _ in found.files),
            "bytes": sum(file.bytes for _, file in found.files),
            "findings": found.counted,
            **{state.value: found.count(state) for state in State},
        },
        "targets": [_target(target) for target in found.targets],
    }


def _target(target: Target) -> JsonObject:
    return {
        "path": target.path,
        "kind": "folder" if target.is_folder else "file",
        "digest": target.digest,
        "files": {name: _file(file) for name, file in target.files.items()},
    }


def _file(file: ScannedFile) -> JsonObject:
    return {
        "state": file.state.value,
        "digest": file.digest,
        "bytes": file.bytes,
        "format": file.format,
        "reason": file.reason,
        "fix": None if file.state is State.JUDGED else what_to_do(file.state),
        "findings": [_finding(item) for item in file.findings],
        "templates": {
            name: {"digest": template.digest, "problems": list(template.problems)}
            for name, template in file.templates.items()
        },
        "base": file.base,
    }


def _finding(item: Finding) -> JsonObject:
    return {
        "rule": item.rule,
        "severity": item.severity.value,
        "category": item.category.value,
        "message": item.message,
        "fix": rule_help(item.rule).fix,
    }


# -- text --------------------------------------------------------------------------------------------------------------


def _text(found: Scanned) -> Iterator[str]:
    names = ", ".join(target.path for target in found.targets[:4]) + (", ..." if len(found.targets) > 4 else "")
    yield f"SCAN  {terminal(names)}"
    listed = sorted(
        ((item, path) for path, file in found.files for item in file.findings),
        key=lambda pair: _FALLING.index(pair[0].severity),
    )
    for item, path in listed[:_SHOWN]:
        yield ""
        yield f"{item.severity.value:<9} {terminal(path)}"
        yield f"          {terminal(item.rule)}: {terminal(item.message)}"
        if item.severity is not Severity.NONE:
            yield f"          fix: {rule_help(item.rule).fix}"
    yield from _more(len(listed), "findings")
    unjudged = [(path, file) for path, file in found.files if file.state is not State.JUDGED]
    for state in State:
        of_state = [(path, file) for path, file in unjudged if file.state is state]
        if of_state:
            yield ""
            yield f"not judged: {state.value}, {len(of_state)}. {what_to_do(state)}"
        for path, file in of_state[:_SHOWN]:
            yield f"  {terminal(path)}: {terminal(file.reason or '')}"
        yield from _more(len(of_state), f"that are {state.value}")
    yield ""
    yield scan_summary(found)


def _more(count: int, what: str) -> Iterator[str]:
    if count > _SHOWN:
        yield f"  ... and {count - _SHOWN} more {what}; --format json lists all"


def scan_summary(found: Scanned) -> str:
    """The line that ends the text, alone: what is said where the report goes into a file."""
    total, judged = sum(1 for _ in found.files), found.count(State.JUDGED)
    listed = sum(len(file.findings) for _, file in found.files)
    least = "" if found.fail_on is Severity.LOW else f" at or above {found.fail_on.value}"
    beside = f" ({listed} listed)" if listed != found.counted else ""
    findings = f"{found.counted or 'no'} finding{'' if found.counted == 1 else 's'}{least}{beside}"
    judgement = f"{_HEADS[found.status]}: {judged} of {total}"
    return f"{judgement}, {findings}.   exit {found.exit_code}"
