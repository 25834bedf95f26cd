"""The Rego library's report (`urn:gate:report:v1`): bytes become typed results (DOCUMENTS 3).

Only its shape is judged here. Whether it is complete, consistent and about this input is judged by `evaluate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gate.formats import schema
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.control import ControlResult, Status, Violation
from gate.model.digest import Digest

_LIMIT: Final = 64 << 20


class ReportError(ValueError):
    """The bytes are no report."""


def parse_report(data: bytes) -> Mapping[str, ControlResult]:
    """The results by control, sorted, with sorted violations and evidence; raises `ReportError`."""
    try:
        value = loads_object(data, limit=_LIMIT)
    except StrictJsonError as error:
        raise ReportError(str(error)) from None
    problem = schema.problem("report.json", value)
    if problem is not None:
        raise ReportError(problem)
    controls: Any = value["controls"]
    return {name: _result(controls[name]) for name in sorted(controls)}


def _result(value: Any) -> ControlResult:
    violations = sorted((_violation(item) for item in value["violations"]), key=_order)
    return ControlResult(Status(value["status"]), tuple(violations), _digests(value["evidence"]), value["reason"])


def _violation(value: Any) -> Violation:
    return Violation(value["code"], value["message"], value["artifact"], value["file"], _digests(value["evidence"]))


def _digests(value: Any) -> tuple[Digest, ...]:
    return tuple(Digest(item) for item in sorted(value))


def _order(violation: Violation) -> tuple[str, str, str, str, tuple[Digest, ...]]:
    return violation.code, violation.artifact or "", violation.file or "", violation.message, violation.evidence
