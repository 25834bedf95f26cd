"""One SARIF result as findings: its rule, its severity, whether somebody judged it already (3.27)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
from gate.formats.reports.redaction import is_about_secrets, redacted
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
_UNNAMED: Final = "unknown"
_UNDECIDED: Final = frozenset({"open", "review"})


class Rules:
    """The rules of the components of one run's tool; each list is looked through once, when a result needs it."""

    def __init__(self, tool: JsonObject, invocations: Sequence[JsonObject]) -> None:
        self._driver = object_at(tool, "driver")
        self._extensions = optional_objects(tool, "extensions")
        self._known: dict[int, tuple[Sequence[JsonObject], Mapping[str, int]]] = {}
        self._anywhere: dict[str, JsonObject] | None = None
        self.tool = optional_text(self._driver, "name").lower()
        self._levels: dict[str, list[JsonValue]] = {}
        for invocation in invocations:
            for override in optional_objects(invocation, "ruleConfigurationOverrides"):
                self._override(override)

    def _override(self, override: JsonObject) -> None:
        level = optional_object(override, "configuration").get("level")
        if level is not None:
            rule, name = self.find("", optional_object(override, "descriptor"))
            self._levels.setdefault(optional_text(rule, "id") or name, []).append(level)

    def levels(self, rule: JsonObject, name: str) -> Sequence[JsonValue]:
        """The levels that results of a rule may have by default: its own, and those that the run gave it (3.20.5)."""
        own = optional_object(rule, "defaultConfiguration").get("level", "warning")
        names = dict.fromkeys((name, optional_text(rule, "id") or name, _UNNAMED))
        return (own, *(level for item in names for level in self._levels.get(item, ())))

    def find(self, name: str, reference: JsonObject, index: JsonValue = None) -> tuple[JsonObject, str]:
        """The description of a rule, if the report holds it in the component that is meant or elsewhere, and its id."""
        name = name or optional_text(reference, "id")
        listed, by_id = self.of(optional_object(reference, "toolComponent").get("index"))
        index = reference.get("index") if index is None else index
        if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(listed):
            named = optional_text(listed[index], "id")
            if not name or name == named or name.startswith(f"{named}/"):
                return listed[index], name or named or _UNNAMED
        if not name:
            return {}, _UNNAMED
        parts = name.split("/", _PARTS)
        names = (name, *("/".join(parts[:end]) for end in range(1, len(parts))))
        known = [by_id[item] for item in names if item in by_id]
        if known:
            return listed[min(known)], name
        return next((rule for item in names if (rule := self.anywhere.get(item)) is not None), {}), name

    @property
    def anywhere(self) -> Mapping[str, JsonObject]:
        """The rules of all components by id: of several with one id, that of the first component."""
        if self._anywhere is None:
            self._anywhere = {}
            for at in range(-1, len(self._extensions)):
                listed, by_id = self.of(at)
                for name, number in by_id.items():
                    self._anywhere.setdefault(name, listed[number])
        return self._anywhere

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

    A result that says that a check passed or did not apply is none, unless it has a level all the same (3.27.10).
    Suppressed results and those absent since the baseline stay in the list, with their status.
    """
    if optional_text(result, "kind") in _NO_FINDING and result.get("level", "none") == "none":
        return ()
    reference = optional_object(result, "rule")
    rule, rule_id = rules.find(optional_text(result, "ruleId"), reference, result.get("ruleIndex"))
    severity, score = _severity(result, rule, rules.levels(rule, rule_id))
    status, justification = _status(result)
    message = optional_object(result, "message")
    text = optional_text(message, "text") or optional_text(message, "id") or "no message"
    category = _category(rule, rules.tool)
    is_secret = category is Category.SECRET or any(map(is_about_secrets, (text, rule_id, *_words(rule))))
    values = _snippets(result) if is_secret else ()
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
    """What the rule's tags say it is about, or what the tool is known to look for; OTHER where that is several things.

    A tag does not turn what a tool for unsafe code found into something that is no malware.
    """
    told = {_TAGS[tag] for tag in _tags(rule) if tag in _TAGS}
    known = _TOOLS.get(tool, Category.OTHER)
    if known is Category.UNSAFE or not told:
        told.add(known)
    return told.pop() if len(told) == 1 else Category.OTHER


def _tags(rule: JsonObject) -> tuple[str, ...]:
    tags = optional_object(rule, "properties").get("tags")
    listed = tags if isinstance(tags, Sequence) and not isinstance(tags, str) else ()
    return tuple(tag for tag in listed if isinstance(tag, str))


def _words(rule: JsonObject) -> Iterator[str]:
    """What a rule says of itself."""
    yield from (optional_text(rule, "name"), *_tags(rule))
    for key in ("shortDescription", "fullDescription"):
        yield optional_text(optional_object(rule, key), "text")


def _snippets(result: JsonObject) -> tuple[str, ...]:
    """The texts of the places that a result names: values of secrets, when it is about one."""
    physical = [optional_object(item, "physicalLocation") for item in optional_objects(result, "locations")]
    regions = [optional_object(item, key) for item in physical for key in ("region", "contextRegion")]
    return tuple(optional_text(optional_object(region, "snippet"), "text") for region in regions)


def _severity(result: JsonObject, rule: JsonObject, levels: Sequence[JsonValue]) -> tuple[Severity, int]:
    """The worst of level and scores, and the highest score. One that is there but cannot be read is the worst."""
    found, points = _leveled(result, levels), 0
    for holder in (result, rule):
        score = optional_object(holder, "properties").get("security-severity")
        if score is not None:
            severity, high = scored_severity(score)
            found, points = max(found, severity, key=_RISING.index), max(points, high)
    return found, points


def _leveled(result: JsonObject, levels: Sequence[JsonValue]) -> Severity:
    """The severity of a result's level, or of the worst of its rule's."""
    kind = result.get("kind", "fail")
    level = result.get("level")
    if level is None and kind in _UNDECIDED:
        level = "warning"
    elif level is None and kind == "informational":
        level = "none"
    found = levels if level is None else (level,)
    return max(
        (_LEVELS.get(word, Severity.CRITICAL) if isinstance(word, str) else Severity.CRITICAL for word in found),
        key=_RISING.index,
    )


def _status(result: JsonObject) -> tuple[FindingStatus, str | None]:
    """Whether it counts. It is suppressed only if no suppression is still under review or was rejected (3.27.23)."""
    if result.get("baselineState") == "absent":
        return FindingStatus.NOT_AFFECTED, "absent from this run, known from the baseline"
    suppressions = optional_objects(result, "suppressions")
    if not suppressions or any(item.get("status", "accepted") != "accepted" for item in suppressions):
        return FindingStatus.OPEN, None
    reasons: Sequence[str] = [text for item in suppressions if (text := optional_text(item, "justification"))]
    return FindingStatus.SUPPRESSED, cut("; ".join(reasons), 500) or None
