"""The report for the summary page of a CI job: what a pull request's comment says, and the evidence behind it.

A summary has room for a mebibyte, so nothing is shortened that people compare: digests, times, signers, waivers with
their reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

from gate.formats.rfc3339 import parse_time
from gate.model.control import Mode
from gate.model.decision import ControlDecision, Decision, Outcome, VerifiedItem, WaiverUse
from gate.model.json import JsonValue
from gate.report import markdown as comment
from gate.report import summary
from gate.report.escape import markdown, markdown_code
from gate.report.explain import Explainer
from gate.report.sections import Section, details, fit, row, table

MAX_CHARACTERS: Final = 250_000
"""A job's summary has room for 1,048,576 bytes, of which no character takes more than four."""
_NOTE_ROOM: Final = 1_000
_REASONS: Final = 200
_DAY_S: Final = 86_400
_BREAK: Final = "<br>"
_WORDS: Final = {
    Outcome.PASS: "passed",
    Outcome.FAIL: "failed",
    Outcome.ERROR: "could not be judged",
    Outcome.NOT_APPLICABLE: "not applicable",
    Outcome.WAIVED: "waived",
    Outcome.REUSED: "verified before",
}


def render_summary(decision: Decision) -> str:
    """The page, at most `MAX_CHARACTERS` long; what was left out for that is counted at its end.

    All text from outside is plain words or in code spans, as in the comment.
    """
    explainer = Explainer(decision, _REASONS)
    sections = (
        comment.refused(decision, explainer),
        comment.stanzas(decision, explainer),
        comment.rejected(decision),
        comment.warned(decision, explainer),
        _artifacts(decision),
        _controls(decision, explainer),
        _evidence(decision),
        comment.waivers(decision, explainer),
        _accepted(decision),
        comment.reused(decision),
        comment.left_out(decision),
    )
    start = "\n".join([*comment.heading(decision), "", *_coverage(decision)]) + "\n"
    end = "\n".join(comment.footer(decision)) + "\n"
    body, dropped = fit(sections, MAX_CHARACTERS - len(start) - len(end) - _NOTE_ROOM)
    note = f"\nLeft out for lack of room: {', '.join(dropped)}. The JSON report holds all.\n" if dropped else ""
    return start + body + note + end


def _coverage(decision: Decision) -> Iterator[str]:
    """How much of what was to be judged has evidence, as far as the decision tells."""
    for noun, part, whole in (
        ("artifacts with verified evidence", "with_verified_evidence", "total"),
        ("controls evaluated", "evaluated", "total"),
    ):
        counts = summary.member(decision.coverage, noun.partition(" ")[0])
        yield f"- {noun}: {_number(counts, part)} of {_number(counts, whole)}"
    files = summary.member(decision.coverage, "files")
    yield f"- files: {_number(files, 'changed')} changed, {_number(files, 'in_artifacts')} in artifacts"


def _number(counts: JsonValue, key: str) -> int:
    found = summary.member(counts, key)
    return found if isinstance(found, int) else 0


def _artifacts(decision: Decision) -> Section:
    found = summary.member(decision.subject, "artifacts")
    artifacts: Mapping[str, JsonValue] = found if isinstance(found, Mapping) else {}
    entries: list[Callable[[], str]] = [partial(_artifact_row, decision, *pair) for pair in sorted(artifacts.items())]
    return table("artifact", "Artifacts", ("Artifact", "Kind", "Where", "Digest", "Evidence"), entries)


def _artifact_row(decision: Decision, name: str, artifact: JsonValue) -> str:
    kind, path, reference, digest, base = (
        summary.member(artifact, key) for key in ("kind", "path", "reference", "digest", "base")
    )
    claims = sorted({item.claim for item in decision.verified if name in item.artifacts})
    return row(
        (
            _code(name),
            f"{_code(kind)}{f' made from {_code(base)}' if base else ''}",
            _code(path or reference),
            _code(digest) or "none",
            _BREAK.join(_code(claim) for claim in claims) or "none",
        )
    )


def _controls(decision: Decision, explainer: Explainer) -> Section:
    controls = sorted(decision.controls.values(), key=lambda control: control.info.id)
    entries: list[Callable[[], str]] = [partial(_control_row, explainer, control) for control in controls]
    title = f"All {summary.counted(len(controls), 'control')}"
    return details("control", title, ("Control", "Title", "Severity", "Status", "Because"), entries)


def _control_row(explainer: Explainer, control: ControlDecision) -> str:
    status = _WORDS[control.outcome] + ("" if control.mode is Mode.ENFORCE else ", only warns")
    basis = explainer.basis(control) if control.outcome is Outcome.PASS else control.reason
    return row(
        (
            markdown_code(control.info.id, 120),
            markdown(control.info.title, 200),
            markdown(control.info.severity, 40),
            status,
            markdown(basis or "", 400),
        )
    )


def _evidence(decision: Decision) -> Section:
    now_s = parse_time(decision.decided_at)
    entries: list[Callable[[], str]] = [partial(_evidence_row, item, now_s) for item in decision.verified]
    title = f"{summary.counted(len(decision.verified), 'verified statement')}"
    return details("statement", title, ("Claim", "About", "Signed by", "When", "From", "Payload"), entries)


def _evidence_row(item: VerifiedItem, now_s: int | None) -> str:
    signers = _BREAK.join(_code(signer.name) for signer in item.signers)
    about = _BREAK.join(_code(name) for name in item.artifacts) or "no artifact"
    return row(
        (_code(item.claim), about, signers, _BREAK.join(_times(item, now_s)), _code(item.origin), _code(item.payload))
    )


def _times(item: VerifiedItem, now_s: int | None) -> Iterator[str]:
    """When it was made, as it says itself, and when it was signed, as somebody trusted says."""
    for what, at_s in (("stated", item.stated_at_s), ("signed", item.signed_at_s)):
        if at_s is not None:
            days = None if now_s is None else (now_s - at_s) // _DAY_S
            age = f", {summary.counted(days, 'day')} old" if days is not None and days > 0 else ""
            source = f" by {_code(item.time_source.value)}" if what == "signed" else ""
            yield f"{what} {_code(summary.day(at_s))}{source}{age}"
    if item.log_included:
        yield "in a transparency log"


def _accepted(decision: Decision) -> Section:
    """Who is behind each waiver that is used: the page is read by those who have to answer for it."""
    entries: list[Callable[[], str]] = [partial(_accepted_row, waiver) for waiver in decision.waivers if waiver.used]
    return table("waiver", "Who accepted what", ("Waiver", "Reason", "Ticket", "Owner", "Approver"), entries)


def _accepted_row(waiver: WaiverUse) -> str:
    reason = markdown(waiver.reason, 1000)
    return row((_code(waiver.id), reason, _code(waiver.ticket), _code(waiver.owner), _code(waiver.approver)))


def _code(value: JsonValue) -> str:
    """A code span; nothing for what is empty or absent."""
    return markdown_code(str(value), 400) if value else ""
