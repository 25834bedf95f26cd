"""A decision for GitLab: a code quality report for the merge request, and annotations of the job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gate.formats.canonical_json import pretty
from gate.model.decision import Decision, Outcome, Verdict
from gate.model.json import JsonObject, JsonValue
from gate.report import findings, summary
from gate.report.escape import terminal
from gate.report.findings import CONFIGURATION, Finding, Weight

_REFUSALS: Final = {"low": "major", "medium": "major", "high": "critical", "critical": "blocker"}
_SEVERITIES: Final = {Weight.WARNS: "minor", Weight.COVERED: "info", Weight.ASIDE: "info"}
_VERDICT: Final = "verdict"
_MAX_BYTES: Final = 76_000
"""Of the annotations: GitLab takes no file of more than 80 KiB. A rest of them is for the last entries."""
_JOB: Final = "#"
"""What an annotation leads to: the page of the job itself, whose log has the report."""


def render_codequality(decision: Decision) -> str:
    """The report: an array of issues, the verdict first. What refuses is major or more, a warning minor.

    Fingerprints are unique and stay from run to run, so that the merge request tells what is new and what was fixed.
    """
    issues: list[JsonValue] = [_verdict(decision), *(_issue(finding) for finding in findings.findings(decision))]
    return pretty(issues) + "\n"


def _verdict(decision: Decision) -> JsonObject:
    words = " ".join([f"{findings.verdict_words(decision)}.", *findings.notes(decision)])
    severity = "info" if decision.verdict is Verdict.ALLOW else "blocker"
    same = findings.digest_of((_VERDICT, decision.verdict.value))
    return _entry(_VERDICT, words, same, severity, CONFIGURATION, 1)


def _issue(finding: Finding) -> JsonObject:
    severity = _REFUSALS[finding.severity] if finding.weight is Weight.REFUSES else _SEVERITIES[finding.weight]
    return _entry(
        finding.rule, finding.text, finding.fingerprint, severity, finding.path or CONFIGURATION, finding.line
    )


def _entry(rule: str, text: str, same: str, severity: str, path: str, line: int) -> JsonObject:
    name = terminal(rule, 200)
    return {
        "type": "issue",
        "check_name": name,
        "description": terminal(f"{name}: {text}", 2000),
        "categories": ["Security"],
        "fingerprint": same,
        "severity": severity,
        "location": {"path": terminal(path, 1000), "lines": {"begin": line}},
    }


def render_annotations(decision: Decision) -> str:
    """The annotations: a list of links for each kind, whose labels say what was decided.

    GitLab knows no other annotation than a link, so all of them lead to the job. What has no room is counted.
    """
    sections: dict[str, list[JsonValue]] = {}
    dropped: dict[str, int] = {}
    room = _MAX_BYTES
    for section, label in _labels(decision):
        entry: JsonObject = {"external_link": {"label": terminal(label, 300), "url": _JOB}}
        room -= len(pretty({section: [entry]}))
        if room < 0:
            dropped[section] = dropped.get(section, 0) + 1
        else:
            sections.setdefault(section, []).append(entry)
    for section, count in dropped.items():
        label = f"and {count} more; the other reports hold all"
        sections.setdefault(section, []).append({"external_link": {"label": label, "url": _JOB}})
    return pretty(dict(sections)) + "\n"


def _labels(decision: Decision) -> Iterator[tuple[str, str]]:
    """Labels with their section. What refuses comes first, by the control, so that there is room for it."""
    verdict = f"gate: {summary.VERDICTS[decision.verdict]}"
    yield verdict, findings.verdict_words(decision)
    for note in findings.notes(decision):
        yield verdict, note
    for section, controls in (("refused", summary.refused(decision)), ("warned", summary.warned(decision))):
        for control in controls:
            yield f"gate: {section}", f"{control.info.id}: {control.info.title}"
    for control in summary.with_outcome(decision, Outcome.WAIVED):
        yield "gate: waived", f"{control.info.id}: {control.info.title}"
    for item in decision.rejected:
        yield "gate: rejected evidence", f"{item.code}: {item.origin}"
