"""A decision as SARIF 2.1.0 (OASIS): for code scanning and for whatever else shows findings in files.

Controls are the rules. What refuses is an error and what warns a warning; what a waiver or an earlier verification
covers is a suppressed result, with who accepted it. A verdict that is not ALLOW has at least one error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote, quote_from_bytes

from gate.formats.canonical_json import pretty
from gate.formats.rfc3339 import parse_time
from gate.formats.secrets import redact
from gate.model.control import Mode
from gate.model.decision import ControlDecision, Decision, Verdict
from gate.model.json import JsonObject, JsonValue
from gate.model.path import path_bytes
from gate.report import escape, findings, summary
from gate.report.findings import CONFIGURATION, Finding, Weight

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
SCORES: Final[Mapping[str, str]] = {"low": "3.0", "medium": "5.0", "high": "8.0", "critical": "9.5"}
"""What readers of `security-severity` sort by, as the scores of CVSS."""
_LEVELS: Final = {Weight.REFUSES: "error", Weight.WARNS: "warning", Weight.ASIDE: "note"}
_VERDICT: Final = "verdict"
_NOTE: Final = "note"
_UNCHECKED: Final = "not-checked"
_TAGS: Final = 20


def render_sarif(decision: Decision) -> str:
    """The log, of one run, in printable ASCII; results in the order of their gravity."""
    found = findings.findings(decision)
    rules = list(_rules(decision, found))
    places = {str(rule["id"]): number for number, rule in enumerate(rules)}
    results: list[JsonValue] = [_result(finding, places[_id(finding.rule)]) for finding in found]
    if decision.verdict is not Verdict.ALLOW and not any(finding.weight is Weight.REFUSES for finding in found):
        results.insert(0, _no_allow(decision, places[_VERDICT]))
    run: JsonObject = {
        "tool": {
            "driver": {
                "name": "gate",
                "version": escape.terminal(decision.gate_version, 80),
                "rules": list(rules),
                "notifications": [
                    {"id": _NOTE, "shortDescription": {"text": "What a reader has to know beside the results"}},
                    {"id": _UNCHECKED, "shortDescription": {"text": "What was not checked"}},
                ],
            }
        },
        "automationDetails": {"id": _category(decision)},
        "invocations": [_invocation(decision)],
        "results": results,
        "properties": _properties(decision),
        "columnKind": "utf16CodeUnits",
    }
    return pretty({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}) + "\n"


def _rules(decision: Decision, found: tuple[Finding, ...]) -> Iterator[JsonObject]:
    for control in decision.controls.values():
        yield _rule(decision, control)
    for rule, about in findings.rejected_rules(found).items():
        yield _own_rule(rule, about, "Only evidence that meets every obligation counts.")
    yield _own_rule(_VERDICT, "The verdict", "An ALLOW needs an enforced control that passed.")


def _own_rule(rule: str, about: str, advice: str) -> JsonObject:
    return {
        "id": _id(rule),
        "shortDescription": {"text": escape.sarif(about)},
        "fullDescription": {"text": escape.sarif(about)},
        "help": {"text": advice, "markdown": advice},
        "helpUri": _help_uri(rule),
        "defaultConfiguration": {"level": "error"},
        "properties": {"security-severity": SCORES["critical"], "tags": ["security"]},
    }


def _rule(decision: Decision, control: ControlDecision) -> JsonObject:
    info, page = control.info, summary.docs_page(decision, control)
    frameworks = [f"{name}/{item}" for name, reference in info.frameworks.items() for item in reference.ids]
    return {
        "id": _id(info.id),
        "shortDescription": {"text": escape.sarif(info.title, 200)},
        "fullDescription": {"text": escape.sarif(info.description, 1000)},
        "help": {
            "text": escape.sarif(f"{info.fix} More: {page}", 2000),
            "markdown": f"{escape.markdown(info.fix, 2000)} More: {escape.markdown_code(page, 200)}",
        },
        "helpUri": _help_uri(info.id),
        "defaultConfiguration": {
            "enabled": True,
            "level": "error" if control.mode is Mode.ENFORCE else "warning",
        },
        "properties": {
            "security-severity": SCORES[findings.severity_of(control)],
            "tags": ["security", *(escape.terminal(tag, 100) for tag in dict.fromkeys(frameworks))][:_TAGS],
            "mode": control.mode.value,
            "status": control.outcome.value,
            "waivable": info.waivable,
        },
    }


def _id(rule: str) -> str:
    return escape.terminal(rule, 200)


def _help_uri(rule: str) -> str:
    """A name for the rule's page. The pages have no address of their own: they come with the gate."""
    return f"urn:gate:rule:{quote(rule.encode('utf-8', 'backslashreplace'), safe='/')}"


def _result(finding: Finding, rule: int) -> JsonObject:
    """A result; one that is covered has the level of its rule, and so weighs what it would without the cover."""
    # An empty list says that nobody accepted it; no list would say that nobody looked.
    suppressions: list[JsonValue] = []
    shown: dict[str, JsonValue] = {}
    if finding.cover is not None:
        justification = escape.sarif(finding.cover, 1000)
        suppressions.append({"kind": "external", "status": "accepted", "justification": justification})
    else:
        shown["level"] = _LEVELS[finding.weight]
    return shown | {
        "ruleId": _id(finding.rule),
        "ruleIndex": rule,
        "kind": "fail",
        "message": {"text": escape.sarif(finding.text, 2000)},
        "locations": [_location(finding)],
        "partialFingerprints": {"gate/v1": finding.fingerprint, "primaryLocationLineHash": f"{finding.fingerprint}:1"},
        "suppressions": suppressions,
        "properties": {"code": escape.sarif(finding.code, 200), "security-severity": SCORES[finding.severity]},
    }


def _no_allow(decision: Decision, rule: int) -> JsonObject:
    """The result of a run that refuses without a finding: nothing was judged, and that is told too."""
    same = findings.digest_of((_VERDICT, decision.verdict.value))
    return {
        "ruleId": _VERDICT,
        "ruleIndex": rule,
        "kind": "fail",
        "level": "error",
        "message": {"text": escape.sarif(f"{findings.verdict_words(decision)}. {' '.join(findings.notes(decision))}")},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": CONFIGURATION}, "region": {"startLine": 1}}}],
        "partialFingerprints": {"gate/v1": same, "primaryLocationLineHash": f"{same}:1"},
        "suppressions": [],
        "properties": {"code": _VERDICT, "security-severity": SCORES["critical"]},
    }


def _location(finding: Finding) -> JsonObject:
    """The file, or the configuration; the artifact by its name. Readers ask for a line, so files without have one."""
    place: dict[str, JsonValue] = {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(finding.path or CONFIGURATION)},
            "region": {"startLine": finding.line},
        }
    }
    if finding.artifact is not None:
        place["logicalLocations"] = [{"name": escape.sarif(finding.artifact, 200), "kind": "resource"}]
    return place


def _uri(path: str) -> str:
    """The reference of a path below the root; a colon in it begins no scheme, a slash before it no host."""
    try:
        raw = path_bytes(redact(path))
    except UnicodeEncodeError:
        raw = redact(path).encode("utf-8", "backslashreplace")
    return quote_from_bytes(raw.lstrip(b"/"), safe="/!$&'()*+,;=@~") or CONFIGURATION


def _category(decision: Decision) -> str:
    """What tells this run from others of the same commit, then the run: readers keep the newest run of each."""
    target, profile = summary.setting(decision)
    environment = str(summary.member(decision.context, "environment") or "none")
    names = ("gate", target, environment, profile, decision.id)
    return "/".join(escape.terminal(name.replace("/", "-"), 100) for name in names)


def _invocation(decision: Decision) -> JsonObject:
    notices = [_notice(_NOTE, "warning", note) for note in findings.notes(decision)]
    notices += [
        _notice(_UNCHECKED, "note", f"{name} was not checked: {reason}") for name, reason in decision.skipped.items()
    ]
    shown: dict[str, JsonValue] = {
        "executionSuccessful": decision.verdict is not Verdict.ERROR,
        "exitCode": decision.exit_code,
        "exitCodeDescription": escape.sarif(
            " ".join([summary.exit_words(decision) + ".", summary.dry_run_words(decision) or ""]).strip()
        ),
        "toolExecutionNotifications": notices,
    }
    if parse_time(decision.decided_at) is not None:
        shown["endTimeUtc"] = decision.decided_at
    return shown


def _notice(kind: str, level: str, text: str) -> JsonObject:
    return {"descriptor": {"id": kind}, "level": level, "message": {"text": escape.sarif(text)}}


def _properties(decision: Decision) -> JsonObject:
    """The decision itself, for whoever reads more than results."""
    digests = decision.digests
    return {
        "decision": escape.terminal(decision.id, 100),
        "verdict": decision.verdict.value,
        "exitCode": decision.exit_code,
        "dryRun": decision.dry_run,
        "summary": escape.sarif(findings.verdict_words(decision)),
        "input": escape.terminal(digests.input, 100),
        "policy": escape.terminal(digests.policy, 100),
        "rules": escape.terminal(digests.rules, 100),
    }
