"""A decision as JUnit XML: for CI services that show the results of tests.

JUnit knows no warning and no waiver. Both are skipped cases that say what they are, never passed ones. The first case
is the verdict: a report of a refusal has a failure, whatever the controls say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gate.model.control import Mode
from gate.model.decision import ControlDecision, Decision, Outcome, Verdict
from gate.model.evidence import Concern
from gate.report import findings, summary
from gate.report.explain import Explainer
from gate.report.findings import waiver_words
from gate.report.junit import Case, junit

_REASONS: Final = 100
_VERDICT: Final = "verdict"
_ENFORCED: Final = "controls"
_WARNING: Final = "controls that only warn"
_EVIDENCE: Final = "rejected evidence"
_UNCHECKED: Final = "not checked"


def render_junit(decision: Decision) -> str:
    """The document: suites for the verdict, the controls by what the profile wants, rejected evidence, and the rest."""
    explainer = Explainer(decision, _REASONS)
    cases = [_verdict(decision), *_controls(decision, explainer), *_evidence(decision)]
    cases += [Case(_UNCHECKED, name, skipped=f"not checked: {reason}") for name, reason in decision.skipped.items()]
    return junit("gate", cases, _properties(decision)) + "\n"


def _properties(decision: Decision) -> dict[str, str]:
    target, profile = summary.setting(decision)
    return {
        "decision": decision.id,
        "verdict": decision.verdict.value,
        "exit_code": str(decision.exit_code),
        "dry_run": "true" if decision.dry_run else "false",
        "target": target,
        "profile": profile,
        "decided_at": decision.decided_at,
        "input": decision.digests.input,
        "policy": decision.digests.policy,
    }


def _verdict(decision: Decision) -> Case:
    words = " ".join([f"{findings.verdict_words(decision)}.", *findings.notes(decision)])
    failure = (f"exit {decision.exit_code}", words)
    name = "the verdict is ALLOW"
    if decision.verdict is Verdict.ALLOW:
        return Case(_VERDICT, name, out=words)
    if decision.verdict is Verdict.DENY:
        return Case(_VERDICT, name, failures=(failure,))
    return Case(_VERDICT, name, errors=(failure,))


def _controls(decision: Decision, explainer: Explainer) -> Iterator[Case]:
    """Those that refuse first, as the other reports have them."""
    first = [*summary.refused(decision), *summary.warned(decision)]
    ids = {control.info.id for control in first}
    for control in (*first, *(c for c in decision.controls.values() if c.info.id not in ids)):
        yield _control(decision, explainer, control)


def _control(decision: Decision, explainer: Explainer, control: ControlDecision) -> Case:
    suite = _ENFORCED if control.mode is Mode.ENFORCE else _WARNING
    name, outcome = control.info.id, control.outcome
    if outcome is Outcome.PASS:
        return Case(suite, name, out=f"{control.info.title}: {explainer.basis(control)}")
    if outcome is Outcome.NOT_APPLICABLE:
        return Case(suite, name, skipped=f"not applicable: {control.reason or 'no reason given'}")
    if outcome in {Outcome.WAIVED, Outcome.REUSED}:
        return Case(suite, name, skipped=f"{outcome.value}: {'; '.join(_covers(decision, control))}")
    reasons = tuple(_reasons(explainer, control))
    if suite is _WARNING:
        return Case(suite, name, skipped="warning: " + "\n".join(text for _, text in reasons))
    return Case(suite, name, errors=reasons) if outcome is Outcome.ERROR else Case(suite, name, failures=reasons)


def _reasons(explainer: Explainer, control: ControlDecision) -> Iterator[tuple[str, str]]:
    """Codes with what was found, where, and what to do about it."""
    fix = f"fix: {explainer.fix(control)}"
    groups = explainer.reasons(control) if control.outcome is Outcome.FAIL else []
    for group in groups:
        for reason in group.reasons:
            more = f" and {reason.more} more" if reason.more else ""
            places = f" ({', '.join(reason.places)}{more})" if reason.places else ""
            yield group.code, "; ".join([f"{reason.message}{places}", *reason.found, fix])
        if group.more:
            yield group.code, f"and {group.more} more; {fix}"
    if not groups:
        why = f": {control.reason}" if control.reason else ""
        yield f"{control.info.id}.error", f"could not be judged: its rule came to no status for this input{why}"


def _covers(decision: Decision, control: ControlDecision) -> list[str]:
    """Who accepted what, or verified it before."""
    used = dict.fromkeys(entry.waiver for entry in control.violations if entry.waiver is not None)
    covers = [waiver_words(waiver) for waiver in decision.waivers if waiver.id in used]
    statements = {entry.reuse for entry in control.violations if entry.reuse is not None}
    covers += [summary.reuse_effect(decision, item) for item in decision.reuse if item.statement in statements]
    return list(dict.fromkeys(covers)) or ["a waiver or an earlier verification covers it"]


def _evidence(decision: Decision) -> Iterator[Case]:
    for item in decision.rejected:
        detail = f"{item.claimed or 'unknown'}: {summary.short(item.detail)}"
        if item.concern is Concern.AT_STAKE:
            yield Case(_EVIDENCE, item.origin, failures=((item.code, detail),))
        else:
            yield Case(_EVIDENCE, item.origin, skipped=f"about nothing at stake: {item.code}: {detail}")
