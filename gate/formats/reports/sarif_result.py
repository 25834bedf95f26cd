"""One SARIF result as findings: its rule, its severity, whether somebody judged it already (3.27)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from gate.formats.reports.common import (
    cut,
    object_at,
    optional_object,
    optional_objects,
    optional_text,
    scored_severity,
)
from gate.formats.reports.redaction import redacted
from gate.formats.reports.sarif_uri import Uris
from gate.model.json import JsonObject, JsonValue
from gate.model.scan import Category, Finding, FindingStatus, Severity

_LEVELS: Final[Mapping[str, Severity]] = {
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "note": Severity.LOW,
    "none": Severity.NONE,
}
_TAGS: Final[Mapping[str, Category]] = {
    "misconfiguration": Category.CONFIGURATION,
    "secret": Category.SECRET,
    "vulnerability": Category.VULNERABILITY,
}
_TOOLS: Final[Mapping[str, Category]] = {
    "fickling": Category.UNSAFE,
    "gitleaks": Category.SECRET,
    "grype": Category.VULNERABILITY,
    "modelaudit": Category.UNSAFE,
    "modelscan": Category.UNSAFE,
    "osv-scanner": Category.VULNERABILITY,
    "picklescan": Category.UNSAFE,
    "pip-audit": Category.VULNERABILITY,
    "trufflehog": Category.SECRET,
}
_PARTS: Final = 16
"""Slashes of an id behind which a rule's own id is looked for (3.27.5)."""
_RISING: Final = tuple(Severity)
_NO_FINDING: Final = frozenset({"pass", "notApplicable"})
_UNDECIDED: Final = frozenset({"open", "review"})


class Rules:
    """The rules of the components of one run's tool; each list is looked through once, when a result needs it."""

    def __init__(self, tool: JsonObject) -> None:
        self._driver = object_at(tool, "driver")
        self._extensions = optional_objects(tool, "extensions")
        self._known: dict[int, tuple[Sequence[JsonObject], Mapping[str, int]]] = {}
        self.tool = optional_text(self._driver, "name").lower()

    def of(self, component: JsonValue) -> tuple[Sequence[JsonObject], Mapping[str, int]]:
        """The rules of an extension, by its index, or of the driver: as a list, and by the ids where they are first."""
        at = component if isinstance(component, int) and not isinstance(component, bool) else -1
        at = at if 0 <= at < len(self._extensions) else -1
        if at not in self._known:
            listed = optional_objects(self._driver if at < 0 else self._extensions[at], "rules")
            by_id: dict[str, int] = {}
            for number, rule in enumerate(listed):
                by_id.setdefault(optional_text(rule, "id"), number)
            self._known[at] = (listed, by_id)
        return self._known[at]


def read_result(result: JsonObject, rules: Rules, uris: Uris) -> tuple[Finding, ...]:
    """The findings of a result: one for each file of an artifact that it names, or one without a file.

    A result that says that a check passed or did not apply is none. Suppressed results and those absent since the
    baseline stay in the list, with their status.
    """
    if optional_text(result, "kind") in _NO_FINDING:
        return ()
    rule, rule_id = _rule(result, rules)
    severity, score = _severity(result, rule)
    status, justification = _status(result)
    message = optional_object(result, "message")
    text = optional_text(message, "text") or optional_text(message, "id") or "no message"
    category = _category(rule, rules.tool)
    values = _snippets(result) if category is Category.SECRET else ()
    places = uris.places(optional_objects(result, "locations"))
    base = Finding(
        rule=cut(redacted(rule_id, values), 500),
        severity=severity,
        message=cut(redacted(text, values)),
        score_bp=score,
        status=status,
        justification=justification if justification is None else redacted(justification, values),
        category=category,
    )
    return tuple(replace(base, artifact=place.artifact, file=place.file) for place in places) or (base,)


def _category(rule: JsonObject, tool: str) -> Category:
    """What the rule's tags say it is about, or what the tool is known to look for."""
    tags = optional_object(rule, "properties").get("tags")
    listed = tags if isinstance(tags, Sequence) and not isinstance(tags, str) else ()
    told = {_TAGS[tag] for tag in listed if isinstance(tag, str) and tag in _TAGS}
    if told:
        return told.pop() if len(told) == 1 else Category.OTHER
    return _TOOLS.get(tool, Category.OTHER)


def _snippets(result: JsonObject) -> tuple[str, ...]:
    """The texts of the places that a result names: values of secrets, when it is about one."""
    physical = [optional_object(item, "physicalLocation") for item in optional_objects(result, "locations")]
    regions = [optional_object(item, key) for item in physical for key in ("region", "contextRegion")]
    return tuple(optional_text(optional_object(region, "snippet"), "text") for region in regions)


def _rule(result: JsonObject, rules: Rules) -> tuple[JsonObject, str]:
    """The rule's description, if the report holds it, and its id."""
    reference = optional_object(result, "rule")
    rule_id = optional_text(result, "ruleId") or optional_text(reference, "id")
    listed, by_id = rules.of(optional_object(reference, "toolComponent").get("index"))
    index = result.get("ruleIndex", reference.get("index"))
    if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(listed):
        named = optional_text(listed[index], "id")
        if not rule_id or rule_id == named or rule_id.startswith(f"{named}/"):
            return listed[index], rule_id or named or "unknown"
    parts = rule_id.split("/", _PARTS)
    names = ["/".join(parts[:end]) for end in range(1, len(parts))]
    known = [by_id[name] for name in (rule_id, *names) if name in by_id] if rule_id else []
    return (listed[min(known)] if known else {}), rule_id or "unknown"


def _severity(result: JsonObject, rule: JsonObject) -> tuple[Severity, int]:
    """The worse of level and score, and the score. A score that is there but cannot be read counts as the worst."""
    level = _leveled(result, rule)
    for holder in (result, rule):
        score = optional_object(holder, "properties").get("security-severity")
        if score is not None:
            scored, points = scored_severity(score)
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


def _status(result: JsonObject) -> tuple[FindingStatus, str | None]:
    """Whether it counts. It is suppressed only if no suppression is still under review or was rejected (3.27.23)."""
    if result.get("baselineState") == "absent":
        return FindingStatus.NOT_AFFECTED, "absent from this run, known from the baseline"
    suppressions = optional_objects(result, "suppressions")
    if not suppressions or any(item.get("status", "accepted") != "accepted" for item in suppressions):
        return FindingStatus.OPEN, None
    reasons: Sequence[str] = [text for item in suppressions if (text := optional_text(item, "justification"))]
    return FindingStatus.SUPPRESSED, cut("; ".join(reasons), 500) or None
