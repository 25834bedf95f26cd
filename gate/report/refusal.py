"""One control of a decision, explained in full: for a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from gate.formats.canonical_json import pretty
from gate.model.decision import ControlDecision, DecidedViolation, Decision, Outcome
from gate.model.json import JsonObject
from gate.report.escape import terminal
from gate.report.explain import Explainer
from gate.report.remedy import Remedy
from gate.report.summary import counted

_VIOLATIONS = 50


def refusal_text(decision: Decision, control: ControlDecision) -> str:
    """Of each violation what was expected and found, the nearest evidence and what to run; and the waivers to ask for.

    The stanzas stand at the margin, to be copied.
    """
    explainer, info = Explainer(decision, 0, repeats=True), control.info
    lines = [f"{terminal(info.id)}: {control.outcome.value}  ({terminal(info.title, 200)})"]
    lines += [
        f"  decision {terminal(decision.id, 80)} of {terminal(decision.decided_at, 40)}: {decision.verdict.value}"
    ]
    lines += [f"  mode: {control.mode.value}", f"  checks: {terminal(info.description, 2000)}"]
    if control.reason is not None:
        lines.append(f"  reason: {terminal(control.reason, 600)}")
    if control.outcome is Outcome.PASS:
        lines.append(f"  rests on {terminal(explainer.basis(control), 600)}")
    for entry in control.violations[:_VIOLATIONS]:
        lines += ["", *_violation(entry, explainer.place(entry.violation.artifact, entry.violation.file))]
        lines += _remedy(explainer.remedy(control, entry))
    if len(control.violations) > _VIOLATIONS:
        lines += ["", f"  ... and {counted(len(control.violations) - _VIOLATIONS, 'violation')} more"]
    if control.outcome in {Outcome.FAIL, Outcome.ERROR}:
        lines += ["", f"  fix: {terminal(explainer.fix(control), 500)}"]
        lines += _to_ask_for(explainer.stanzas(control), is_waivable=info.waivable)
    lines += ["", f"  more: {terminal(explainer.page(control), 200)}"]
    return "\n".join(lines)


def _violation(entry: DecidedViolation, place: str | None) -> Iterator[str]:
    violation = entry.violation
    yield f"  {terminal(violation.code, 120)}  {terminal(place, 200) if place is not None else ''}".rstrip()
    if entry.waiver is not None:
        yield f"    accepted by waiver {terminal(entry.waiver, 80)}"
    if entry.reuse is not None:
        yield f"    verified before: {entry.reuse}"
    yield f"    found:    {terminal(violation.message, 600)}"


def _remedy(remedy: Remedy) -> Iterator[str]:
    yield f"    expected: {terminal(remedy.expected, 400)}"
    for sentence in remedy.nearest:
        yield f"    nearest:  {terminal(sentence, 600)}"
    yield f"    run:      {terminal(remedy.command, 600)}"


def _to_ask_for(stanzas: tuple[str, ...], *, is_waivable: bool) -> Iterator[str]:
    if stanzas:
        count = counted(len(stanzas), "waiver")
        yield f"  {count} to ask for, approved by somebody else, under `waivers` in waivers.yaml:"
        for stanza in stanzas[:_VIOLATIONS]:
            yield from ("", *map(terminal, stanza.splitlines()))
    elif not is_waivable:
        yield "  No waiver can accept this."
    else:
        yield "  No waiver can accept this: one names the digest of a file or an artifact, and this is about none."


def refusal_json(decision: Decision, control: ControlDecision) -> str:
    """The same as JSON, with all violations."""
    explainer = Explainer(decision, 0, repeats=True)
    return pretty(
        {
            "decision": decision.id,
            "verdict": decision.verdict.value,
            "control": control.info.id,
            "title": control.info.title,
            "status": control.outcome.value,
            "mode": control.mode.value,
            "reason": control.reason,
            "violations": [_violation_json(entry, explainer.remedy(control, entry)) for entry in control.violations],
            "fix": explainer.fix(control),
            "stanzas": list(explainer.stanzas(control)),
        }
    )


def _violation_json(entry: DecidedViolation, remedy: Remedy) -> JsonObject:
    violation = entry.violation
    return {
        "code": violation.code,
        "message": violation.message,
        "artifact": violation.artifact,
        "file": violation.file,
        "digest": entry.digest,
        "waiver": entry.waiver,
        "reuse": entry.reuse,
        "evidence": list(violation.evidence),
        "expected": remedy.expected,
        "nearest": list(remedy.nearest),
        "command": remedy.command,
        "stanza": remedy.stanza,
    }
