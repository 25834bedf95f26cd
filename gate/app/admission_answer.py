"""The answer of a webhook. Nothing else in the gate makes one that lets anything in.

1. What a decision allows is let in, in every mode
2. What is not allowed is let in over an exception that holds, if the decision is recorded
3. In a dry run it is let in all the same, and told as a warning and in the audit log of the API server
4. What is no judgement of an object (a request that is none, a log, a clock, a lack of time) refuses in every mode
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gate.app.admit import UNJUDGED, Reason, reasons
from gate.decide import EXIT_MISSING
from gate.formats.rfc3339 import format_time
from gate.model.admission import AdmissionFacts, Answer, BreakGlass, Cause, refusal
from gate.model.admission_settings import AdmissionMode
from gate.model.control import Mode
from gate.model.decision import Admitted, Decision, Outcome, Verdict

MESSAGE: Final = 1000
"""The most characters of a message."""
_REASONS: Final = 3
_WARNINGS: Final = 3
_SHOWN: Final = 400
JUDGED: Final = frozenset({Cause.REFUSED, Cause.OBJECT, Cause.REFERENCE, Cause.EVIDENCE, Cause.REGISTRY, Cause.POLICY})
"""What is said of an object, and what a dry run only tells."""
_LET_IN: Final = frozenset({Cause.ALLOWED, Cause.BREAK_GLASS, Cause.DRY_RUN})
_CODES: Final[Mapping[Cause, int]] = {
    Cause.REVIEW: 400,
    Cause.REGISTRY: 503,
    Cause.DEADLINE: 503,
    Cause.OVERLOADED: 503,
    Cause.STOPPING: 503,
    Cause.POLICY: 500,
    Cause.RECORD: 500,
    Cause.CLOCK: 500,
    Cause.CONFIGURATION: 500,
    Cause.BUG: 500,
}


@dataclass(frozen=True, slots=True)
class Undecided:
    """Why no decision could be made; `hint` says what to do about it."""

    cause: Cause
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, and whether it is on disk. `notes` are told as warnings."""

    decision: Decision
    is_recorded: bool
    notes: tuple[str, ...] = ()


def answer_of(uid: str, mode: AdmissionMode, found: Decided | Undecided) -> Answer:
    """The answer to a review. `allowed` is true here and nowhere else."""
    if isinstance(found, Undecided):
        cause, message = Cause.BUG if found.cause in _LET_IN else found.cause, _undecided(found)
        annotations: dict[str, str] = {}
        notes: tuple[str, ...] = ()
    else:
        cause, message = _decided(found)
        annotations, notes = _annotations(found.decision), _notes(found)
    annotations["cause"] = cause.value
    if cause in {Cause.ALLOWED, Cause.BREAK_GLASS}:
        if cause is Cause.BREAK_GLASS:
            notes = (f"let in over an exception, and recorded: {message}", *notes)
        return Answer(uid, True, cause, message, 200, notes, annotations)
    if mode is AdmissionMode.DRY_RUN and cause in JUDGED:
        annotations = {**annotations, "cause": Cause.DRY_RUN.value, "would-refuse": f"{cause.value}: {message}"}
        notes = (f"let in although it would be refused, since gate runs dry: {message}", *notes)
        return Answer(uid, True, Cause.DRY_RUN, message, 200, notes, annotations)
    return Answer(uid, False, cause, message, _CODES.get(cause, 403), notes, annotations)


def unread(uid: str | None, cause: Cause, message: str) -> Answer:
    """The refusal of a request that nobody can judge, such as one that is no review."""
    return refusal(uid or "", cause, message[:MESSAGE], _CODES.get(cause, 403))


def _decided(found: Decided) -> tuple[Cause, str]:
    """The cause, and what is said. The decision has its own word for it, which has to be the same."""
    decision, admitted = found.decision, found.decision.admission
    name = f"(decision {decision.id})"
    if admitted is None:
        return Cause.BUG, f"refused by gate {name}: it is no decision about an object"
    glass = admitted.facts.break_glass
    if decision.verdict is Verdict.ALLOW and admitted.outcome is Cause.ALLOWED:
        return Cause.ALLOWED, f"allowed by gate {name}"
    if decision.verdict is not Verdict.ALLOW and admitted.outcome is Cause.BREAK_GLASS and glass and glass.holds:
        if not found.is_recorded:
            return Cause.RECORD, f"refused by gate {name}: the exception is not recorded"
        return Cause.BREAK_GLASS, f"exception {glass.ticket} of {', '.join(glass.signers)} {name}: {glass.reason}"
    cause = Cause.POLICY if decision.verdict is Verdict.ERROR else Cause.REFUSED
    return cause, _refusal(decision, admitted.facts)


def _refusal(decision: Decision, facts: AdmissionFacts) -> str:
    """What refuses, up to three reasons, each whole if they fit, with what to do about it."""
    found = reasons(decision)
    said = [_reason(item, after) for item, after in zip(found, (*found[1:], None), strict=True)]
    if decision.exit_code == EXIT_MISSING and not refusing_controls(decision) and not decision.causes:
        kinds = sorted({image.role.kind.value for image in facts.images.values()})
        said = [f"the profile has no enforced control that judged what it asks for ({', '.join(kinds)})"]
    if errors := [name for name in refusing_controls(decision) if decision.controls[name].outcome is Outcome.ERROR]:
        said = [f"{', '.join(errors)} could not be judged", *(text for text in said if not text.startswith(UNJUDGED))]
    said += [f"what is attached to {name} could not be read: {why}" for name, why in facts.unread.items()]
    if facts.break_glass is not None and facts.break_glass.problems:
        said.insert(0, f"the exception does not hold: {facts.break_glass.problems[0]}")
    begin = f"refused by gate (decision {decision.id}): "
    shown = said[:_REASONS]
    more = f"; and {len(said) - len(shown)} more" if len(said) > len(shown) else ""
    room = (MESSAGE - len(begin) - len(more)) // max(len(shown), 1) - 2
    return begin + "; ".join(text if len(text) <= room else f"{text[: room - 3]}..." for text in shown) + more


def _reason(item: Reason, after: Reason | None) -> str:
    """One reason, with what to do about it unless the next one says that."""
    about = ", ".join(filter(None, (item.artifact, item.file)))
    start = item.control or item.code
    fix = "" if not item.fix or (after is not None and after.fix == item.fix) else f"; fix: {item.fix.rstrip('.')}"
    return f"{start}: {item.message}{f' ({about})' if about else ''}{fix}"


def _undecided(found: Undecided) -> str:
    hint = f"; {found.hint}" if found.hint else ""
    return f"refused by gate, {found.cause.value}: {found.message}{hint}"[:MESSAGE]


def _annotations(decision: Decision) -> dict[str, str]:
    found = {"decision": decision.id, "verdict": decision.verdict.value}
    if refusing := refusing_controls(decision):
        found["controls"] = ",".join(refusing)
    glass = decision.admission.facts.break_glass if decision.admission is not None else None
    if glass is not None:
        found["break-glass"] = _glass(glass)
    return found


def refusing_controls(decision: Decision) -> tuple[str, ...]:
    """The enforced controls that refuse, or could not be judged."""
    bad = {Outcome.FAIL, Outcome.ERROR}
    found = decision.controls.items()
    return tuple(name for name, control in found if control.mode is Mode.ENFORCE and control.outcome in bad)


def _glass(glass: BreakGlass) -> str:
    if glass.problems:
        return f"does not hold: {glass.problems[0]}"[:_SHOWN]
    until = "" if glass.expires_s is None else f" until {format_time(glass.expires_s)}"
    return f"{glass.ticket} by {', '.join(glass.signers)}{until}: {glass.statement}"[:_SHOWN]


def _notes(found: Decided) -> tuple[str, ...]:
    """Warnings for the person who asked: controls that only warn, lists that are not current, and others."""
    warned = [
        f"{name}: {entry.violation.message}"
        for name, control in found.decision.controls.items()
        if control.mode is Mode.WARN
        for entry in control.violations
        if not entry.is_covered
    ]
    return (*found.notes, *_stale(found.decision.admission), *warned[:_WARNINGS])


def _stale(admitted: Admitted | None) -> Sequence[str]:
    names = () if admitted is None else admitted.facts.last_seen
    return [
        f"the registry of {name} cannot be reached; judged by what was attached when it last could" for name in names
    ]
