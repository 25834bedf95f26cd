"""A decision as a flat list, for readers that know findings in files and nothing else: code scanning, annotations.

All texts made here hold text from outside as it came; the form that shows them escapes them.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from gate.model.control import Mode, Violation
from gate.model.decision import ControlDecision, DecidedViolation, Decision, Outcome, WaiverUse
from gate.model.evidence import Concern, Rejected
from gate.report import summary
from gate.report.explain import Explainer

CONFIGURATION: Final = "gate.yaml"
"""The file that is named for what lies in none: it says what is judged. Readers drop findings without a file."""
REJECTED: Final = "rejected/"
"""Begins the rule of a rejected item of evidence; no control's id has a slash."""
_ORIGIN: Final = re.compile(r"(?P<path>[^@]+?)(?:#(?P<line>[1-9][0-9]{0,8}))?")
# What changes from run to run in a message that stays the same.
_PASSING: Final = re.compile(
    r"\b(?:sha256:)?[0-9a-f]{8,}\b|\b[0-9]+(?= (?:of|times|seconds|days)\b)|(?<=\bof )[0-9]+\b"
)
_NAMED: Final = 10
"""Items of rejected evidence that are told with one violation; others have their own finding."""
_ADVICE: Final = "Find out where it comes from; remove it, or have it signed again by a signer trusted for its claim."


class Weight(Enum):
    """What a finding does to the verdict."""

    REFUSES = "refuses"
    WARNS = "warns"
    COVERED = "covered"
    """Somebody accepted it, or a trusted verifier verified before what it misses."""
    ASIDE = "aside"
    """It is about nothing at stake."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation, one control that came to no status, or one rejected item of evidence.

    `rule` is the control's id, or `rejected/<code>`. `path` is relative to the root, `None` where no file is to blame.
    `cover` says who accepted it. `fingerprint` is equal in two runs that find the same, and different in one run.
    """

    rule: str
    weight: Weight
    code: str
    message: str
    fix: str
    severity: str
    path: str | None
    line: int
    artifact: str | None
    cover: str | None = None
    fingerprint: str = ""

    @property
    def text(self) -> str:
        """What was found, and then who accepted it or what to do about it."""
        about = f" ({self.artifact})" if self.artifact and not self.path else ""
        said = f"{self.message}{about}"
        return f"{said}{'' if said.endswith('.') else '.'} {self.cover or self.fix}"


def findings(decision: Decision) -> tuple[Finding, ...]:
    """All findings: those that refuse first, in the order of their gravity, then warnings, then the rest.

    Every control that refuses or warns has one, also when it gives no violation. Rejected evidence is told with the
    violation that refuses it, else for itself.
    """
    maker = _Maker(decision)
    refused, warned = summary.refused(decision), summary.warned(decision)
    first = {control.info.id for control in (*refused, *warned)}
    others = (control for control in decision.controls.values() if control.info.id not in first)
    found = [finding for control in (*refused, *warned, *others) for finding in maker.of_control(control)]
    entries = (entry for control in refused for entry in control.violations if not entry.is_covered)
    told = {item.evidence for entry in entries for item in maker.named(entry)}
    found += (_of_evidence(item) for item in decision.rejected if item.evidence not in told)
    ranked = sorted(found, key=lambda finding: tuple(Weight).index(finding.weight))
    return tuple(_fingerprinted(ranked))


def severity_of(control: ControlDecision) -> str:
    """Its severity; one that is not known counts as the highest."""
    severity = control.info.severity
    return severity if severity in {"low", "medium", "high"} else "critical"


def verdict_words(decision: Decision) -> str:
    """The verdict in one line: what was judged, how many controls refused, what the exit code means."""
    return (
        f"{summary.VERDICTS[decision.verdict]}: {summary.judged(decision)} ({summary.tally(decision)}), "
        f"{summary.exit_words(decision)}, decision {decision.id}"
    )


def notes(decision: Decision) -> list[str]:
    """What a reader has to know beside the verdict: a dry run, an ALLOW that is missing without a reason, own rules."""
    found = (
        summary.dry_run_words(decision),
        summary.unexplained(decision),
        summary.own_configuration(decision),
        summary.own_controls(decision),
    )
    return [note for note in found if note is not None]


class _Maker:
    """Makes the findings of one decision's controls."""

    def __init__(self, decision: Decision) -> None:
        self._decision = decision
        self._explainer = Explainer(decision, 1)
        self._rejected = {item.evidence: item for item in decision.rejected}
        self._waivers = {waiver.id: waiver for waiver in decision.waivers}

    def named(self, entry: DecidedViolation) -> list[Rejected]:
        """The rejected evidence that a violation names, as far as it is told with it."""
        return [self._rejected[digest] for digest in entry.violation.evidence if digest in self._rejected][:_NAMED]

    def of_control(self, control: ControlDecision) -> Iterator[Finding]:
        """A finding for each violation, and one for a control that refuses without one."""
        weight = Weight.REFUSES if control.mode is Mode.ENFORCE else Weight.WARNS
        fix = self._advice(control)
        for entry in control.violations:
            named = self.named(entry)
            path, line = self._place(entry, named)
            yield Finding(
                rule=control.info.id,
                weight=Weight.COVERED if entry.is_covered else weight,
                code=entry.violation.code,
                message="; ".join([entry.violation.message, *(_detail(entry.violation, item) for item in named)]),
                fix=fix,
                severity=severity_of(control),
                path=path,
                line=line,
                artifact=entry.violation.artifact,
                cover=self._cover(entry),
            )
        stands = control.outcome in {Outcome.FAIL, Outcome.ERROR}
        if stands and (control.outcome is Outcome.ERROR or all(entry.is_covered for entry in control.violations)):
            yield self._unjudged(control, weight)

    def _advice(self, control: ControlDecision) -> str:
        """What to do about it, and what to run where that is one command for all that the control refuses."""
        commands = self._explainer.commands(control)
        return self._explainer.fix(control) + (f" Run `{commands[0]}`." if len(commands) == 1 else "")

    def _unjudged(self, control: ControlDecision, weight: Weight) -> Finding:
        why = f": {control.reason}" if control.reason else ""
        return Finding(
            rule=control.info.id,
            weight=weight,
            code=f"{control.info.id}.error",
            message=f"could not be judged: its rule came to no status for this input{why}",
            fix=f"read {self._explainer.page(control)}",
            severity=severity_of(control),
            path=None,
            line=1,
            artifact=None,
        )

    def _place(self, entry: DecidedViolation, named: Sequence[Rejected]) -> tuple[str | None, int]:
        """The file that is to blame, and its line: that of the violation, else of the evidence that it names."""
        violation = entry.violation
        if violation.artifact is not None:
            artifact = summary.member(summary.member(self._decision.subject, "artifacts"), violation.artifact)
            if isinstance(summary.member(artifact, "path"), str):
                return self._explainer.place(violation.artifact, violation.file), 1
        elif violation.file is not None:
            return violation.file, 1
        return _origin(named[0]) if named else (None, 1)

    def _cover(self, entry: DecidedViolation) -> str | None:
        if entry.waiver is not None:
            found = self._waivers.get(entry.waiver)
            return waiver_words(found) if found is not None else f"waiver {entry.waiver} accepts it"
        if entry.reuse is None:
            return None
        verifiers = [item.verifier for item in self._decision.reuse if item.statement == entry.reuse and item.verifier]
        by = verifiers[0] if verifiers else "a trusted verifier"
        return f"verified before by {by}, in {summary.short(entry.reuse)}"


def _of_evidence(item: Rejected) -> Finding:
    path, line = _origin(item)
    claimed = f"{item.claimed} " if item.claimed else ""
    return Finding(
        rule=f"{REJECTED}{item.code}",
        weight=Weight.REFUSES if item.concern is Concern.AT_STAKE else Weight.ASIDE,
        code=item.code,
        message=f"{claimed}evidence in {item.origin} does not count: {summary.short(item.detail)}",
        fix=_ADVICE,
        severity="critical" if item.concern is Concern.AT_STAKE else "low",
        path=path,
        line=line,
        artifact=item.artifacts[0] if item.artifacts else None,
    )


def _origin(item: Rejected) -> tuple[str | None, int]:
    """The file that evidence came from, and its line there; none for what a registry holds."""
    place = _ORIGIN.fullmatch(item.origin)
    return (place["path"], int(place["line"] or 1)) if place is not None else (None, 1)


def _detail(violation: Violation, item: Rejected) -> str:
    is_named = item.code in violation.message and item.origin in violation.message
    return f"{'' if is_named else f'{item.code} in {item.origin}: '}{summary.short(item.detail)}"


def waiver_words(waiver: WaiverUse) -> str:
    """Who accepted what a waiver covers, why, and until when."""
    people = (
        ("ticket", waiver.ticket),
        ("owner", waiver.owner),
        ("approved by", waiver.approver),
    )
    told = ", ".join(f"{what} {who}" for what, who in people if who)
    return (
        f"waiver {waiver.id} accepts it until {summary.day(waiver.expires_s)}"
        + (f": {waiver.reason}" if waiver.reason else "")
        + (f" ({told})" if told else "")
    )


def _fingerprinted(found: Iterable[Finding]) -> Iterator[Finding]:
    seen: Counter[str] = Counter()
    for finding in found:
        parts = (
            finding.rule,
            finding.code,
            finding.artifact or "",
            finding.path or "",
            _PASSING.sub("*", finding.message),
        )
        same = digest_of(parts)
        seen[same] += 1
        yield replace(finding, fingerprint=same if seen[same] == 1 else digest_of((same, str(seen[same]))))


def digest_of(parts: Sequence[str]) -> str:
    """A fingerprint of some texts: SHA-256 in hex."""
    whole = "\0".join(part.replace("\0", "\0\0") for part in parts)
    return hashlib.sha256(whole.encode("utf-8", "backslashreplace")).hexdigest()


def rejected_rules(found: Iterable[Finding]) -> Mapping[str, str]:
    """The rules of rejected evidence among some findings, with what they are about, in order."""
    codes = sorted({finding.rule: finding.code for finding in found if finding.rule.startswith(REJECTED)}.items())
    return {rule: f"Evidence that does not count: {code}" for rule, code in codes}
