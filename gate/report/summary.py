"""What a decision says as a whole: which controls, in which order, the first and the last line.

All texts made here hold text from outside as it came; the form that shows them escapes them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from gate.formats.rfc3339 import format_time
from gate.model.control import Mode, Violation
from gate.model.decision import ControlDecision, Decision, Outcome, ReuseUse, Verdict
from gate.model.digest import Digest
from gate.model.evidence import SignerIdentity
from gate.model.json import JsonValue

VERDICTS: Final = {Verdict.ALLOW: "ALLOW", Verdict.DENY: "DENY", Verdict.ERROR: "NO DECISION"}
EXITS: Final = {
    0: "allow",
    1: "bug in the gate",
    2: "usage or configuration",
    3: "evidence could not be read",
    4: "policy could not be evaluated",
    5: "signing, publishing or writing failed",
    10: "required evidence missing",
    11: "signature or signer not accepted",
    12: "digest differs: the evidence is about other bytes",
    13: "a control refused",
    14: "schema, version or chain not valid",
}
"""What an exit code means (ARCHITECTURE 6)."""
_NAMES: Final = 8
_PRECEDENCE: Final = (11, 12, 14, 10, 13, 4)
_SEVERITIES: Final = ("critical", "high", "medium", "low")
_LONG_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{8})[0-9a-f]{56}")

# --- which controls ---------------------------------------------------------------------------------------------------


def refused(decision: Decision) -> list[ControlDecision]:
    """The enforced controls that stand in the way: by the precedence of their cause, severity, id."""
    bad = {Outcome.FAIL, Outcome.ERROR}
    found = [c for c in decision.controls.values() if c.mode is Mode.ENFORCE and c.outcome in bad]
    return _ordered(found, decision)


def warned(decision: Decision) -> list[ControlDecision]:
    """The controls that would stand in the way if they were enforced, in the same order."""
    bad = {Outcome.FAIL, Outcome.ERROR}
    found = [c for c in decision.controls.values() if c.mode is not Mode.ENFORCE and c.outcome in bad]
    return _ordered(found, decision)


def with_outcome(decision: Decision, outcome: Outcome) -> list[ControlDecision]:
    """The controls with an outcome, in the order of the decision."""
    return [control for control in decision.controls.values() if control.outcome is outcome]


def _ordered(controls: Sequence[ControlDecision], decision: Decision) -> list[ControlDecision]:
    stages = {item.evidence: item.stage.exit_code for item in decision.rejected}
    return sorted(controls, key=lambda control: _rank(control, stages))


def _rank(control: ControlDecision, stages: Mapping[Digest, int]) -> tuple[int, int, str]:
    causes = {_cause(entry.violation, stages) for entry in control.violations if not entry.is_covered}
    if control.outcome is Outcome.ERROR or not causes:
        causes = {4}
    severity = control.info.severity
    known = _SEVERITIES.index(severity) if severity in _SEVERITIES else -1
    return min(_PRECEDENCE.index(cause) for cause in causes), known, control.info.id


def _cause(violation: Violation, stages: Mapping[Digest, int]) -> int:
    """The exit code that a violation stands for: that of the rejected evidence it names, else 10 or 13."""
    named = rejection_rank(violation, stages)
    return _PRECEDENCE[named] if named < len(_PRECEDENCE) else 10 if violation.is_missing else 13


def rejection_rank(violation: Violation, stages: Mapping[Digest, int]) -> int:
    """How much the rejected evidence that a violation names decides, 0 the most; what names none comes last."""
    named = [_PRECEDENCE.index(stages[digest]) for digest in violation.evidence if digest in stages]
    return min(named, default=len(_PRECEDENCE))


# --- the first and the last line ------------------------------------------------------------------------------------


def judged(decision: Decision) -> str:
    """What was judged, in a few words."""
    change = member(decision.subject, "change")
    status = member(change, "status")
    if status == "everything":
        return "everything below the root"
    if status == "collected":
        return f"change against {str(member(change, 'merge_base') or 'an unknown base')[:12]}"
    return "nothing was collected"


def head_commit(decision: Decision) -> str | None:
    """The commit that was judged, shortened."""
    head = member(member(decision.subject, "change"), "head")
    return head[:12] if isinstance(head, str) else None


def tally(decision: Decision) -> str:
    """How many controls refused (or passed), and how much evidence was rejected."""
    total = len(decision.controls)
    if decision.verdict is Verdict.ALLOW:
        return f"{len(with_outcome(decision, Outcome.PASS))} of {counted(total, 'control')} passed"
    what = "could not be judged" if decision.verdict is Verdict.ERROR else "refused"
    text = f"{len(refused(decision))} of {counted(total, 'control')} {what}"
    if decision.rejected:
        text += f", {counted(len(decision.rejected), 'item')} of evidence rejected"
    return text


def setting(decision: Decision) -> tuple[str, str]:
    """The target and the profile."""
    target, profile = (member(decision.context, key) for key in ("target", "profile"))
    return str(target or "no target"), str(profile or "none")


def counts(decision: Decision) -> str:
    """How the controls fared."""
    number = {outcome: len(with_outcome(decision, outcome)) for outcome in Outcome}
    reused = f"{number[Outcome.REUSED]} reused, " if number[Outcome.REUSED] else ""
    return (
        f"{number[Outcome.PASS]} passed, {len(warned(decision))} warned, {number[Outcome.WAIVED]} waived, {reused}"
        f"{number[Outcome.NOT_APPLICABLE]} not applicable."
    )


def reuse_effect(decision: Decision, item: ReuseUse) -> str:
    """What a verification summary stands for in a decision, or why for nothing."""
    if item.problems:
        return "no effect: " + "; ".join(item.problems)
    if not item.used:
        return "no effect: no evidence is missing that it stands for"
    names = [
        name
        for name, control in decision.controls.items()
        if any((e.reuse, e.violation.artifact) == (item.statement, item.artifact) for e in control.violations)
    ]
    return f"verified before by {item.verifier}; stands for the evidence that {' and '.join(names)} would need"


def exit_words(decision: Decision) -> str:
    """The exit code with its meaning, and the other causes."""
    others = [str(code) for code in decision.causes if code != decision.exit_code]
    meaning = EXITS.get(decision.exit_code, "unknown") + (f"; also {', '.join(others)}" if others else "")
    return f"exit {decision.exit_code} ({meaning})"


def dry_run_words(decision: Decision) -> str | None:
    """What a dry run means here."""
    if not decision.dry_run:
        return None
    if decision.verdict is Verdict.DENY:
        code = decision.exit_code
        return f"DRY RUN: nothing is blocked. Without --dry-run this exits with {code}; now it exits with 0."
    return "DRY RUN: the verdict and the exit code are those of a real run."


def unexplained(decision: Decision) -> str | None:
    """Why there is no ALLOW when no control and no evidence says it."""
    if decision.verdict is Verdict.ALLOW or refused(decision) or decision.causes:
        return None
    return "No enforced control passed, so nothing was judged. That is no reason to let it through."


def own_configuration(decision: Decision) -> str | None:
    """A note when the change was judged under the configuration that it brings itself."""
    source = member(decision.context, "configuration_from")
    status = member(member(decision.subject, "change"), "status")
    if source != "worktree" or status != "collected":
        return None
    return "The configuration was read from the work tree, so the change was judged by what it brings itself."


def own_controls(decision: Decision) -> str | None:
    """Which of the team's own controls judged, those in the place of the library's first."""
    replaced, own = decision.policy.replaced, decision.policy.own
    added = [name for name in own if name not in replaced]
    parts = (("in the place of the library's", list(replaced)), ("beside the library's", added))
    found = [f"{_listed(names)} {what}" for what, names in parts if names]
    return f"Own controls judged: {'; '.join(found)}." if found else None


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMES]) + (f" and {len(names) - _NAMES} more" if len(names) > _NAMES else "")


# --- words ---------------------------------------------------------------------------------------------------------


def statements(decision: Decision) -> str:
    """The verified statements an ALLOW rests on: how many, of which claims, by whom, at which commit."""
    names = sorted({f"{item.claim} by {signers(item.signers)}" for item in decision.verified})
    listed = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    total = counted(len(decision.verified), "verified statement")
    head = head_commit(decision)
    return f"rests on {total}{f' ({listed})' if listed else ''}{f', head {head}' if head else ''}"


def signers(people: Sequence[SignerIdentity]) -> str:
    """The names of signers."""
    return " and ".join(person.name for person in people[:4]) + (" and others" if len(people) > 4 else "") or "nobody"


def counted(number: int, noun: str) -> str:
    """`1 control`, `2 controls`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def day(seconds: int) -> str:
    """`YYYY-MM-DD` of seconds since 1970, also for numbers that are no date."""
    try:
        return format_time(seconds)[:10]
    except (ValueError, OverflowError, OSError):
        return f"second {seconds}"


def short(text: str) -> str:
    """The text with its digests cut to eight digits, as people compare them."""
    return _LONG_DIGEST.sub(r"sha256:\1..", text)


def docs_page(decision: Decision, control: ControlDecision) -> str:
    """Where to read more: a control's page in the documentation, or the command that explains a team's own."""
    if control.info.id in decision.policy.own:
        return f"gate explain {control.info.id}"
    return f"docs/controls/{control.info.id.replace('.', '/')}.md"


def member(value: JsonValue, key: str) -> JsonValue:
    """A member of an object; `None` where there is none, or no object."""
    return value.get(key) if isinstance(value, Mapping) else None
