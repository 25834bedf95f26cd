"""What `gate scan` says as SARIF 2.1.0 (OASIS).

Only files that were judged are listed with a digest. Each file that was not is an error of the run, which then says
that it did not succeed, so that no reader takes what is left out for harmless.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import quote_from_bytes

from gate.formats.secrets import redact
from gate.model.digest import hex_of
from gate.model.json import JsonObject, JsonValue
from gate.model.path import path_bytes
from gate.model.scan import Category, Finding, Severity
from gate.model.scanned import Scanned, ScannedFile, State
from gate.report import escape
from gate.report.scan_rules import rule_help, what_to_do

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {
    Severity.NONE: "none",
    Severity.LOW: "note",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}
_SCORES: Final = {
    Severity.NONE: "0.0",
    Severity.LOW: "3.0",
    Severity.MEDIUM: "5.0",
    Severity.HIGH: "8.0",
    Severity.CRITICAL: "9.5",
}
_TAGS: Final = {
    Category.CONFIGURATION: "misconfiguration",
    Category.SECRET: "secret",
    Category.VULNERABILITY: "vulnerability",
}
"""What readers of SARIF call our categories; others have their own name."""
_NOTICE: Final = "not-judged"


def sarif(found: Scanned) -> JsonObject:
    """The log, of one run."""
    files = list(found.files)
    by_rule: dict[str, list[Finding]] = {}
    for _, file in files:
        for item in file.findings:
            by_rule.setdefault(item.rule, []).append(item)
    rules = sorted(by_rule)
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "gate",
                        "semanticVersion": found.version,
                        "rules": [_rule(rule, by_rule[rule]) for rule in rules],
                        "notifications": [
                            {"id": _NOTICE, "shortDescription": {"text": "A file that nobody could judge"}}
                        ],
                    }
                },
                "invocations": [_invocation(found)],
                "artifacts": [_artifact(path, file) for path, file in files],
                "results": [
                    _result(path, number, item, rules.index(item.rule))
                    for number, (path, file) in enumerate(files)
                    for item in file.findings
                ],
                "columnKind": "utf16CodeUnits",
            }
        ],
    }


def _rule(rule: str, items: Sequence[Finding]) -> JsonObject:
    told = rule_help(rule)
    worst = max((item.severity for item in items), key=tuple(Severity).index)
    tags = sorted({_TAGS.get(item.category, item.category.value) for item in items})
    return {
        "id": rule,
        "shortDescription": {"text": told.about},
        "fullDescription": {"text": f"{told.about}."},
        "help": {"text": told.fix, "markdown": told.fix},
        "properties": {"security-severity": _SCORES[worst], "tags": ["security", *tags]},
    }


def _invocation(found: Scanned) -> JsonObject:
    notices = list(_notices(found))
    return {
        "executionSuccessful": not notices,
        "exitCode": found.exit_code,
        "exitCodeDescription": found.problem or "every file was judged",
        "toolExecutionNotifications": notices,
    }


def _notices(found: Scanned) -> Iterator[JsonValue]:
    for number, (path, file) in enumerate(found.files):
        if file.state is not State.JUDGED:
            yield {
                "descriptor": {"id": _NOTICE},
                "level": "error",
                "message": {"text": escape.sarif(f"{path} was not judged: {file.reason}. {what_to_do(file.state)}")},
                "locations": [_location(path, number)],
            }
    if not any(True for _ in found.files):
        yield {"descriptor": {"id": _NOTICE}, "level": "error", "message": {"text": escape.sarif(found.problem or "")}}


def _artifact(path: str, file: ScannedFile) -> JsonObject:
    shown: dict[str, JsonValue] = {"location": {"uri": uri(path)}, "properties": {"format": file.format}}
    if file.digest is not None:
        shown["length"] = file.bytes
    if file.state is State.JUDGED and file.digest is not None:
        shown["hashes"] = {"sha-256": hex_of(file.digest)}
    return shown


def _result(path: str, number: int, item: Finding, rule: int) -> JsonObject:
    same = f"{item.rule}\n{path}\n{item.message}"
    return {
        "ruleId": item.rule,
        "ruleIndex": rule,
        "level": _LEVELS[item.severity],
        "message": {"text": escape.sarif(f"{item.message}. {rule_help(item.rule).fix}", 2000)},
        "locations": [_location(path, number)],
        "partialFingerprints": {"gate/v1": hashlib.sha256(same.encode("utf-8", "backslashreplace")).hexdigest()},
        "properties": {"security-severity": _SCORES[item.severity]},
    }


def _location(path: str, number: int) -> JsonObject:
    return {"physicalLocation": {"artifactLocation": {"uri": uri(path), "index": number}}}


def uri(path: str) -> str:
    """The URI of a path as it is shown: relative, or of a file where it is absolute."""
    quoted = quote_from_bytes(path_bytes(redact(path)), safe="/!$&'()*+,;=@~")
    if quoted.startswith("/"):
        return f"file://{quoted}"
    return quoted
