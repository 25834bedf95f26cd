"""A decision as comma-separated values: a line for the verdict, each control, violation, evidence and waiver."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Final

from gate.model.decision import ControlDecision, Decision
from gate.report import findings, summary
from gate.report.escape import spreadsheet
from gate.report.explain import Explainer

HEADS: Final = (
    *("line", "id", "status", "mode", "severity", "title", "code", "artifact", "file", "message", "fix", "evidence"),
    *("by", "time", "digest"),
)
"""The columns. What a line has no word for is empty."""
_CELL: Final = 4_000


def render_csv(decision: Decision) -> str:
    """The table (RFC 4180), every cell in quotes. The verdict is the first line after the heads.

    No cell begins a formula, also where a program splits at semicolons and heeds no quotes.
    """
    page = io.StringIO(newline="")
    writer = csv.writer(page, quoting=csv.QUOTE_ALL)
    writer.writerow(HEADS)
    for line in _lines(decision):
        writer.writerow([spreadsheet(line.get(head, ""), _CELL) for head in HEADS])
    return page.getvalue()


def _lines(decision: Decision) -> Iterator[dict[str, str]]:
    yield {
        "line": "verdict",
        "id": decision.id,
        "status": decision.verdict.value,
        "mode": "dry run" if decision.dry_run else "enforce",
        "code": str(decision.exit_code),
        "message": " ".join([f"{findings.verdict_words(decision)}.", *findings.notes(decision)]),
        "time": decision.decided_at,
        "digest": decision.digests.input,
    }
    explainer = Explainer(decision, 1)
    for control in decision.controls.values():
        yield from _control(explainer, control)
    yield from _evidence(decision)
    yield from _waivers(decision)
    for item in decision.reuse:
        yield {
            "line": "verified before",
            "id": item.statement,
            "status": "used" if item.used else "unused",
            "artifact": item.artifact,
            "message": summary.reuse_effect(decision, item),
            "by": item.verifier or "",
        }
    for name, reason in decision.skipped.items():
        yield {"line": "not checked", "id": name, "message": reason}


def _control(explainer: Explainer, control: ControlDecision) -> Iterator[dict[str, str]]:
    info = control.info
    shared = {"id": info.id, "mode": control.mode.value, "severity": info.severity, "title": info.title}
    yield {
        "line": "control",
        **shared,
        "status": control.outcome.value,
        "message": control.reason or "",
        "fix": info.fix,
        "evidence": " ".join(control.evidence),
    }
    fix = explainer.fix(control) if control.violations else ""
    for entry in control.violations:
        violation = entry.violation
        yield {
            "line": "violation",
            **shared,
            "status": "waived" if entry.waiver is not None else "reused" if entry.reuse is not None else "fail",
            "code": violation.code,
            "artifact": violation.artifact or "",
            "file": violation.file or "",
            "message": violation.message,
            "fix": fix,
            "evidence": " ".join(violation.evidence),
            "by": entry.waiver or entry.reuse or "",
            "digest": entry.digest or "",
        }


def _evidence(decision: Decision) -> Iterator[dict[str, str]]:
    for item in decision.verified:
        yield {
            "line": "evidence",
            "id": item.payload,
            "status": "verified",
            "code": item.claim,
            "artifact": " ".join(item.artifacts),
            "file": item.origin,
            "evidence": item.evidence,
            "by": ", ".join(signer.name for signer in item.signers),
            "time": "" if item.stated_at_s is None else summary.day(item.stated_at_s),
        }
    for refused in decision.rejected:
        yield {
            "line": "evidence",
            "id": refused.evidence,
            "status": "rejected" if refused.concern.value == "at_stake" else "rejected, about others",
            "code": refused.code,
            "artifact": " ".join(refused.artifacts),
            "file": refused.origin,
            "message": refused.detail,
            "title": refused.claimed or "",
        }


def _waivers(decision: Decision) -> Iterator[dict[str, str]]:
    for waiver in decision.waivers:
        yield {
            "line": "waiver",
            "id": waiver.id,
            "status": f"{waiver.state.value}, {'used' if waiver.used else 'unused'}",
            "code": waiver.control,
            "message": waiver.problem or findings.waiver_words(waiver),
            "by": waiver.approver,
            "time": summary.day(waiver.expires_s),
        }
