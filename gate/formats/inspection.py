"""What one process says to another about a file that it read, as JSON and back.

It is read as data and runs nothing; what is not exactly of this form is `ValueError`.
"""

from __future__ import annotations

from gate.model.digest import Digest, parse_digest
from gate.model.json import JsonValue
from gate.model.scan import Category, FileInspection, Finding, FindingStatus, Severity, Template


def to_json(found: FileInspection) -> JsonValue:
    """The inspection as JSON."""
    return [
        found.format,
        found.inspected,
        found.reason,
        [_finding(item) for item in found.findings],
        {name: [template.digest, list(template.problems)] for name, template in found.templates.items()},
        found.base,
    ]


def from_json(value: JsonValue) -> FileInspection:
    """The inspection that `to_json` wrote; raises `ValueError`."""
    match value:
        case [str(name), bool(inspected), str() | None as reason, list(findings), dict(templates), base]:
            return FileInspection(
                name,
                inspected,
                reason,
                tuple(_to_finding(item) for item in findings),
                {place: _to_template(item) for place, item in templates.items()},
                _text(base),
            )
        case _:
            raise ValueError("no inspection")


def _finding(item: Finding) -> JsonValue:
    return [
        [item.rule, item.severity.value, item.message, item.category.value, item.status.value, item.score_bp],
        [item.artifact, item.file, item.purl, item.fixed_in, item.justification],
        list(item.aliases),
    ]


def _to_finding(value: JsonValue) -> Finding:
    match value:
        case [
            [str(rule), str(severity), str(message), str(category), str(status), int(score_bp)],
            [artifact, file, purl, fixed_in, justification],
            list(aliases),
        ]:
            return Finding(
                rule=rule,
                severity=Severity(severity),
                message=message,
                artifact=_text(artifact),
                file=_text(file),
                score_bp=score_bp,
                aliases=_texts(aliases),
                purl=_text(purl),
                fixed_in=_text(fixed_in),
                status=FindingStatus(status),
                justification=_text(justification),
                category=Category(category),
            )
        case _:
            raise ValueError("no finding")


def _to_template(value: JsonValue) -> Template:
    match value:
        case [str(digest), list(problems)]:
            return Template(_digest(digest), _texts(problems))
        case _:
            raise ValueError("no template")


def _digest(text: str) -> Digest:
    digest = parse_digest(text)
    if digest is None:
        raise ValueError("no digest")
    return digest


def _text(value: JsonValue) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise ValueError("no text")


def _texts(values: list[JsonValue]) -> tuple[str, ...]:
    found = tuple(value for value in values if isinstance(value, str))
    if len(found) != len(values):
        raise ValueError("something else than texts")
    return found
