"""One SARIF result as findings: its rule, its severity, whether somebody judged it already (3.27)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from gate.formats.reports.common import cut, object_at, optional_object, optional_objects, optional_text
from gate.formats.reports.sarif_uri import Uris
from gate.model.json import JsonObject, JsonValue
from gate.model.scan import Finding, FindingStatus, Severity

_LEVELS: Final[Mapping[str, Severity]] = {
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "note": Severity.LOW,
    "none": Severity.NONE,
}
_RISING: Final = tuple(Severity)
_NO_FINDING: Final = frozenset({"pass", "notApplicable"})
_UNDECIDED: Final = frozenset({"open", "review"})
_SCORES: Final = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.1, Severity.LOW))


def read_result(result: JsonObject, tool: JsonObject, uris: Uris) -> tuple[Finding, ...]:
    """The findings of a result: one for each file of an artifact that it names, or one without a file.

    A result that says that a check passed or did not apply is none. Suppressed results and those absent since the
    baseline stay in the list, with their status.
    """
    if result.get("kind") in _NO_FINDING:
        return ()
    rule, rule_id = _rule(result, tool)
    severity, score = _severity(result, rule)
    status, justification = _status(result)
    message = optional_object(result, "message")
    places = uris.places(optional_objects(result, "locations"))
    base = Finding(
        rule=cut(rule_id, 500),
        severity=severity,
        message=cut(optional_text(message, "text") or optional_text(message, "id") or "no message"),
        score_bp=score,
        status=status,
        justification=justification,
    )
    return tuple(replace(base, artifact=place.artifact, file=place.file) for place in places) or (base,)


def _rule(result: JsonObject, tool: JsonObject) -> tuple[JsonObject, str]:
    """The rule's description, if the report holds it, and its id."""
    reference = optional_object(result, "rule")
    rule_id = optional_text(result, "ruleId") or optional_text(reference, "id")
    component = object_at(tool, "driver")
    where = optional_object(reference, "toolComponent").get("index")
    extensions = optional_objects(tool, "extensions")
    if isinstance(where, int) and not isinstance(where, bool) and 0 <= where < len(extensions):
        component = extensions[where]
    rules = optional_objects(component, "rules")
    index = result.get("ruleIndex", reference.get("index"))
    if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(rules):
        named = optional_text(rules[index], "id")
        if not rule_id or rule_id == named or rule_id.startswith(f"{named}/"):
            return rules[index], rule_id or named or "unknown"
    for rule in rules:
        named = optional_text(rule, "id")
        if rule_id and (rule_id == named or rule_id.startswith(f"{named}/")):
            return rule, rule_id
    return {}, rule_id or "unknown"


def _severity(result: JsonObject, rule: JsonObject) -> tuple[Severity, int]:
    """The worse of level and score, and the score. A score that is there but cannot be read counts as the worst."""
    level = _leveled(result, rule)
    for holder in (result, rule):
        score = optional_object(holder, "properties").get("security-severity")
        if score is not None:
            scored, points = _scored(score)
            return max(level, scored, key=_RISING.index), points
    return level, 0


def _leveled(result: JsonObject, rule: JsonObject) -> Severity:
    kind = result.get("kind", "fail")
    level = result.get("level")
    if level is None and kind in _UNDECIDED:
        level = "warning"
    elif level is None and kind == "informational":
        level = "none"
    elif level is None:
        level = optional_object(rule, "defaultConfiguration").get("level", "warning")
    return _LEVELS.get(level, Severity.CRITICAL) if isinstance(level, str) else Severity.CRITICAL


def _scored(value: JsonValue) -> tuple[Severity, int]:
    try:
        score = float(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else math.nan
    except ValueError:
        score = math.nan
    if not 0 <= score <= 10:
        return Severity.CRITICAL, 10_000
    severity = next((severity for limit, severity in _SCORES if score >= limit), Severity.NONE)
    return severity, round(score * 1000)


def _status(result: JsonObject) -> tuple[FindingStatus, str | None]:
    """Whether it counts. It is suppressed only if no suppression is still under review or was rejected (3.27.23)."""
    if result.get("baselineState") == "absent":
        return FindingStatus.NOT_AFFECTED, "absent from this run, known from the baseline"
    suppressions = optional_objects(result, "suppressions")
    if not suppressions or any(item.get("status", "accepted") != "accepted" for item in suppressions):
        return FindingStatus.OPEN, None
    reasons: Sequence[str] = [text for item in suppressions if (text := optional_text(item, "justification"))]
    return FindingStatus.SUPPRESSED, cut("; ".join(reasons), 500) or None
