"""Why a control says what it says of one input document: for a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from gate.formats.canonical_json import pretty
from gate.model.control import ControlInfo
from gate.model.explanation import Explanation, RuleExplanation, ViolationExplanation
from gate.model.json import JsonObject
from gate.report.escape import terminal
from gate.report.summary import counted
from gate.report.trace import body_lines, shown, trace_json

_VIOLATIONS = 10
_EVIDENCE = 3


def explanation_text(explanation: Explanation) -> str:
    """The status, the violations with the nearest evidence and the fix, then each rule with its conditions."""
    info = explanation.info
    lines = [f"{terminal(info.id)}: {terminal(explanation.status, 40)}  ({terminal(info.title, 200)})"]
    if explanation.asked is None:
        lines.append("  the document's profile does not name this control, so no decision depends on it")
    elif explanation.asked != "enforce":
        lines.append(f"  mode: {terminal(explanation.asked, 40)}")
    if explanation.reason is not None and explanation.status in {"pass", "not_applicable"}:
        lines.append(f"  reason: {terminal(explanation.reason, 300)}")
    if explanation.evidence:
        some = ", ".join(terminal(item, 80) for item in explanation.evidence[:_EVIDENCE])
        lines.append(f"  rests on {counted(len(explanation.evidence), 'item')} of evidence: {some}")
    for item in explanation.violations[:_VIOLATIONS]:
        lines += ["", *_violation(item)]
    if len(explanation.violations) > _VIOLATIONS:
        lines += ["", f"  ... and {counted(len(explanation.violations) - _VIOLATIONS, 'violation')} more"]
    if explanation.status != "pass":
        lines += ["", f"  fix: {terminal(info.fix, 500)}"]
    lines.append(f"  more: gate controls show {terminal(info.id)}")
    for rule in explanation.rules:
        lines += ["", *_rule(rule)]
    return "\n".join(lines)


def _violation(item: ViolationExplanation) -> Iterator[str]:
    violation = item.violation
    place = " ".join(terminal(part, 200) for part in (violation.artifact, violation.file) if part is not None)
    yield f"  {terminal(violation.code, 120)}  {place}{': ' if place else ''}{terminal(violation.message, 400)}"
    if item.expected is not None:
        yield f"    expected: {terminal(item.expected, 300)}"
    for sentence in item.nearest:
        yield f"    nearest:  {terminal(sentence, 400)}"


def _rule(rule: RuleExplanation) -> Iterator[str]:
    place = f"{terminal(rule.path, 200)}:{rule.line}"
    if rule.kind == "function":
        yield f"{terminal(rule.name, 80)}(...)  function, {place}"
        return
    if rule.problem:
        value = f"failed: {terminal(' '.join(rule.problem.split()), 300)}"
    else:
        value = "is undefined" if rule.is_undefined else f"= {shown(rule.value, 300)}"
    yield f"{terminal(rule.name, 80)} {value}  {place}"
    for count, body in enumerate(rule.bodies):
        if count:
            yield "  or"
        # The rule and its place stand above already.
        yield from list(body_lines(body))[1:]


def explanation_json(explanation: Explanation) -> str:
    """All of it as JSON; of the choices of variables the first few."""
    return pretty(
        {
            "control": explanation.info.id,
            "title": explanation.info.title,
            "status": explanation.status,
            "reason": explanation.reason,
            "mode": explanation.asked,
            "evidence": list(explanation.evidence),
            "violations": [_violation_json(item) for item in explanation.violations],
            "fix": explanation.info.fix,
            "rules": [_rule_json(rule) for rule in explanation.rules],
        }
    )


def _violation_json(item: ViolationExplanation) -> JsonObject:
    violation = item.violation
    return {
        "code": violation.code,
        "message": violation.message,
        "artifact": violation.artifact,
        "file": violation.file,
        "evidence": list(violation.evidence),
        "expected": item.expected,
        "nearest": list(item.nearest),
    }


def _rule_json(rule: RuleExplanation) -> JsonObject:
    return {
        "name": rule.name,
        "kind": rule.kind,
        "file": rule.path,
        "line": rule.line,
        "defined": not rule.is_undefined and not rule.problem and rule.kind != "function",
        "value": rule.value,
        "problem": rule.problem or None,
        "bodies": [trace_json(body) for body in rule.bodies],
    }


def without_input_text(about: str, info: ControlInfo) -> str:
    """What a control checks, and how to get a document to explain it for."""
    lines = [about, "", "Why it passes or refuses, condition by condition:"]
    lines += ["  gate input > input.json", f"  gate explain {terminal(info.id)} --input input.json"]
    return "\n".join(lines)
