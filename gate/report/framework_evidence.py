"""Which evidence of a decision supports which requirement of a framework, and what is missing on either side.

Whether a requirement is met, people judge. What is read here was written by whoever had the decision's file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from gate.model.control import ControlInfo
from gate.model.decision import ControlDecision, Decision, Outcome, VerifiedItem
from gate.model.digest import Digest
from gate.model.framework import Framework, Matrix, RequirementRow, Support
from gate.model.json import JsonObject
from gate.report import summary
from gate.report.tables import Table

SCHEMA: Final = "urn:gate:framework-evidence:v1"
_BAD: Final = frozenset({Outcome.FAIL, Outcome.ERROR})
_COVERED: Final = frozenset({Outcome.WAIVED, Outcome.REUSED})


class State(Enum):
    """What a decision says about a requirement; the worst that one of its controls came to is what counts."""

    FAILED = "failed"
    COVERED = "waived or reused"
    SUPPORTED = "supported"
    PARTLY = "partly supported"
    NOT_JUDGED = "not judged"
    NO_CONTROL = "no control"


@dataclass(frozen=True, slots=True)
class Judged:
    """A control that supports a requirement, and what became of it; `None` if the decision did not ask for it.

    `evidence` are the verified statements that it rests on, `reports` what else it names, by digest.
    """

    support: Support
    control: ControlDecision | None
    evidence: tuple[VerifiedItem, ...]
    reports: tuple[Digest, ...] = ()

    @property
    def outcome(self) -> str:
        """What became of it, in a word or two."""
        return "not asked for" if self.control is None else self.control.outcome.value.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement in a decision."""

    row: RequirementRow
    controls: tuple[Judged, ...]

    @property
    def state(self) -> State:
        """What the decision says about it."""
        if not self.controls:
            return State.NO_CONTROL
        outcomes = {item.control.outcome for item in self.controls if item.control is not None}
        if outcomes & _BAD:
            return State.FAILED
        if outcomes & _COVERED:
            return State.COVERED
        passed = [item for item in self.controls if item.control and item.control.outcome is Outcome.PASS]
        if not passed:
            return State.NOT_JUDGED
        return State.SUPPORTED if any(item.support.relation == "supports" for item in passed) else State.PARTLY


@dataclass(frozen=True, slots=True)
class Page:
    """One framework in a decision. `unmapped` are controls of the decision, `unused` verified statements, that support
    no requirement of it.
    """

    framework: Framework
    requirements: tuple[Requirement, ...]
    unmapped: tuple[ControlInfo, ...]
    unused: tuple[VerifiedItem, ...]

    def of(self, state: State) -> tuple[Requirement, ...]:
        """The requirements with that state."""
        return tuple(item for item in self.requirements if item.state is state)


def page_of(decision: Decision, matrix: Matrix) -> Page:
    """A framework in a decision; the matrix is that of its controls, and of others that it did not ask for."""
    verified = {item.payload: item for item in decision.verified}
    requirements = tuple(
        Requirement(row, tuple(_judged(decision, support, verified) for support in row.supports)) for row in matrix.rows
    )
    used = {
        item.payload
        for requirement in requirements
        for judged in requirement.controls
        if judged.outcome == Outcome.PASS.value
        for item in judged.evidence
    }
    return Page(
        matrix.framework,
        requirements,
        tuple(info for info in matrix.unmapped if info.id in decision.controls),
        tuple(item for item in decision.verified if item.payload not in used),
    )


def _judged(decision: Decision, support: Support, verified: Mapping[Digest, VerifiedItem]) -> Judged:
    control = decision.controls.get(support.control.id)
    named = () if control is None else dict.fromkeys(control.evidence)
    statements = tuple(verified[digest] for digest in named if digest in verified)
    return Judged(support, control, statements, tuple(digest for digest in named if digest not in verified))


def pages_json(decision: Decision, pages: Sequence[Page]) -> JsonObject:
    """A `urn:gate:framework-evidence:v1` document."""
    target, profile = summary.setting(decision)
    return {
        "schema": SCHEMA,
        "decision": {
            "id": decision.id,
            "verdict": decision.verdict.value,
            "exit_code": decision.exit_code,
            "dry_run": decision.dry_run,
            "decided_at": decision.decided_at,
            "target": target,
            "profile": profile,
            "input": decision.digests.input,
            "policy": decision.digests.policy,
        },
        "frameworks": [_page_json(page) for page in pages],
        "evidence": {item.payload: _item_json(item) for item in decision.verified},
    }


def _page_json(page: Page) -> JsonObject:
    framework = page.framework
    return {
        "id": framework.id,
        "title": framework.title,
        "version": framework.version,
        "complete": framework.complete,
        "scope": framework.scope,
        "source": framework.source,
        "requirements": [
            {
                "id": item.row.id,
                "title": item.row.title,
                "listed": item.row.listed,
                "state": item.state.value,
                "controls": [_judged_json(judged) for judged in item.controls],
            }
            for item in page.requirements
        ],
        "counts": {state.value: len(page.of(state)) for state in State},
        "gaps": {
            "requirements": [item.row.id for item in page.of(State.NO_CONTROL)],
            "controls": [info.id for info in page.unmapped],
            "evidence": [item.payload for item in page.unused],
        },
    }


def _judged_json(judged: Judged) -> JsonObject:
    control = judged.control
    return {
        "id": judged.support.control.id,
        "relation": judged.support.relation,
        "outcome": judged.outcome,
        "mode": control.mode.value if control else None,
        "evidence": [item.payload for item in judged.evidence],
        "reports": list(judged.reports),
        "refusals": [
            {
                "code": entry.violation.code,
                "message": entry.violation.message,
                "artifact": entry.violation.artifact,
                "file": entry.violation.file,
                "waiver": entry.waiver,
                "reuse": entry.reuse,
            }
            for entry in (control.violations if control else ())
        ],
    }


def _item_json(item: VerifiedItem) -> JsonObject:
    return {
        "claim": item.claim,
        "predicate_type": item.predicate_type,
        "origin": item.origin,
        "artifacts": list(item.artifacts),
        "signers": [signer.name for signer in item.signers],
        "stated_at_s": item.stated_at_s,
        "signed_at_s": item.signed_at_s,
        "log_included": item.log_included,
    }


def pages_table(pages: Sequence[Page]) -> Table:
    """For a spreadsheet: a row for each requirement, control and statement, one for each gap of the other side."""
    judged_heads = ("control", "relation", "mode", "outcome", "why")
    item_heads = ("claim", "signers", "stated", "signed", "payload", "origin")
    heads = ("framework", "requirement", "title", "state", *judged_heads, *item_heads)
    rows: list[tuple[str, ...]] = []
    for page in pages:
        name = page.framework.id
        for item in page.requirements:
            first = (name, item.row.id, item.row.title, item.state.value)
            found = [(*first, *cells) for judged in item.controls for cells in _judged_cells(judged)]
            rows += found or [(*first, *("",) * 11)]
        rows += [(name, "", "", "no requirement", info.id, *("",) * 10) for info in page.unmapped]
        rows += [(name, "", "", "no requirement", *("",) * 5, *_item_cells(item)) for item in page.unused]
    return Table(heads, tuple(rows))


def _judged_cells(judged: Judged) -> Iterator[tuple[str, ...]]:
    mode = judged.control.mode.value if judged.control else ""
    first = (judged.support.control.id, judged.support.relation, mode, judged.outcome, why(judged))
    for item in judged.evidence:
        yield (*first, *_item_cells(item))
    for digest in judged.reports:
        yield (*first, "report", "", "", "", digest, "")
    if not judged.evidence and not judged.reports:
        yield (*first, *("",) * 6)


def _item_cells(item: VerifiedItem) -> tuple[str, ...]:
    stated, signed = (summary.day(at) if at is not None else "" for at in (item.stated_at_s, item.signed_at_s))
    return item.claim, summary.signers(item.signers), stated, signed, item.payload, item.origin


def why(judged: Judged) -> str:
    """Why a control did not simply pass: its refusals by code, who accepted them, or its own words."""
    control = judged.control
    if control is None:
        return "the decision did not ask for it"
    codes: dict[str, int] = {}
    for entry in control.violations:
        by = f", waiver {entry.waiver}" if entry.waiver else ", a verification summary" if entry.reuse else ""
        words = f"{entry.violation.code}{by}"
        codes[words] = codes.get(words, 0) + 1
    said = [f"{words} ({number} times)" if number > 1 else words for words, number in codes.items()]
    return "; ".join(said) or control.reason or ""


def statement_words(item: VerifiedItem) -> str:
    """A verified statement in one line: claim, signers, when, and where it lies."""
    times = (("stated", item.stated_at_s), ("signed", item.signed_at_s))
    when = "".join(f", {word} {summary.day(at)}" for word, at in times if at is not None)
    return f"{item.claim} by {summary.signers(item.signers)}{when}, {summary.short(item.payload)}, {item.origin}"
