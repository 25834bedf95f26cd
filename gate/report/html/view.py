"""What the page shows of a decision, part by part, in the order in which it is read.

All texts made here hold text from outside as it came; the template escapes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gate.formats.rfc3339 import format_time, parse_time
from gate.model.control import Mode
from gate.model.decision import ControlDecision, DecidedViolation, Decision, Outcome, VerifiedItem
from gate.model.evidence import Concern, Rejected, SignerIdentity, TimeSource
from gate.report import summary
from gate.report.explain import Explainer, Group
from gate.report.html.heat import artifacts_of, controls_of

MAX_FINDINGS: Final = 20_000
MAX_EVIDENCE: Final = 20_000
"""Rows of a table; what has no room is counted, and the report in JSON holds it."""
_REASONS: Final = 10
_COMMANDS: Final = 3
_STANZAS: Final = 5
_DAY_S: Final = 86_400
_REFUSES: Final = frozenset({Outcome.FAIL, Outcome.ERROR})
_ORDER: Final = ("refuses", "warns", "waived", "reused")


@dataclass(frozen=True, slots=True)
class Card:
    """A control that refuses or warns: why, and what to do about it.

    `commands` are what to run, `stanzas` the waivers to ask for in lines; `more` counts the other waivers.
    """

    control: ControlDecision
    groups: tuple[Group, ...]
    covered: int
    fix: str
    commands: tuple[str, ...]
    stanzas: tuple[tuple[str, ...], ...]
    more: int
    page: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A violation. `effect` is `refuses`, `warns`, `waived` or `reused`; `place` is the path it is about."""

    control: ControlDecision
    entry: DecidedViolation
    effect: str
    place: str | None

    @property
    def cover(self) -> str:
        """What accepts it, or stands for what is missing."""
        return self.entry.waiver or self.entry.reuse or ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A statement that counts, or a piece of evidence that does not. `payload` is `None` for the second."""

    state: str
    claim: str
    origin: str
    artifacts: tuple[str, ...]
    signers: tuple[str, ...]
    age: str
    times: tuple[str, ...]
    detail: str
    payload: str | None
    digest: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A control as the list of all shows it. `state` says what it means for the verdict."""

    control: ControlDecision
    state: str
    basis: str


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers that stand for names where the page's script compares them: no name gets into an attribute for that."""

    controls: Mapping[str, int]
    artifacts: Mapping[str, int]
    frameworks: Mapping[str, int]

    def of(self, control: ControlDecision) -> str:
        """Those of the frameworks that a control names."""
        return " ".join(str(self.frameworks[name]) for name in sorted(control.info.frameworks))

    def of_artifacts(self, names: Iterable[str]) -> str:
        """Those of artifacts, as far as they are known."""
        return " ".join(str(self.artifacts[name]) for name in names if name in self.artifacts)


def numbers(decision: Decision) -> Numbers:
    """The numbers of all names, in the order in which the page offers them."""
    named = (entry.violation.artifact for control in controls_of(decision) for entry in control.violations)
    artifacts = {*artifacts_of(decision), *(name for name in named if name is not None)}
    frameworks = {name for control in controls_of(decision) for name in control.info.frameworks}
    return Numbers(
        *({name: n for n, name in enumerate(sorted(names))} for names in (decision.controls, artifacts, frameworks))
    )


def cards(controls: Sequence[ControlDecision], explainer: Explainer) -> tuple[Card, ...]:
    """Why controls refuse or warn, in the order given."""
    return tuple(_card(control, explainer) for control in controls)


def _card(control: ControlDecision, explainer: Explainer) -> Card:
    stanzas = explainer.stanzas(control) if control.mode is Mode.ENFORCE else ()
    return Card(
        control,
        tuple(explainer.reasons(control)),
        sum(entry.is_covered for entry in control.violations),
        explainer.fix(control),
        explainer.commands(control)[:_COMMANDS],
        tuple(tuple(stanza.split("\n")) for stanza in stanzas[:_STANZAS]),
        max(len(stanzas) - _STANZAS, 0),
        explainer.page(control),
    )


def explainer_of(decision: Decision) -> Explainer:
    """What explains the controls of a decision on this page."""
    return Explainer(decision, _REASONS)


def findings(decision: Decision, explainer: Explainer) -> list[Finding]:
    """All violations, those first that refuse."""
    found = [
        Finding(
            control, entry, _effect(control, entry), explainer.place(entry.violation.artifact, entry.violation.file)
        )
        for control in controls_of(decision)
        for entry in control.violations
    ]
    return sorted(found, key=lambda finding: _ORDER.index(finding.effect))


def refused_artifacts(decision: Decision) -> frozenset[str]:
    """The artifacts that an enforced control refuses."""
    return frozenset(
        finding.entry.violation.artifact
        for finding in findings(decision, explainer_of(decision))
        if finding.effect == "refuses" and finding.entry.violation.artifact is not None
    )


def judged(decision: Decision, explainer: Explainer) -> tuple[Judged, ...]:
    """All controls with what each rests on."""
    return tuple(
        Judged(control, control_state(control), _basis(control, explainer)) for control in controls_of(decision)
    )


def control_state(control: ControlDecision) -> str:
    """What a control means for the verdict, in a word."""
    if control.mode is not Mode.ENFORCE and control.outcome in _REFUSES:
        return "warns"
    words = {
        Outcome.FAIL: "refuses",
        Outcome.ERROR: "error",
        Outcome.PASS: "passed",
        Outcome.NOT_APPLICABLE: "not applicable",
        Outcome.WAIVED: "waived",
        Outcome.REUSED: "reused",
    }
    return words[control.outcome]


def evidence(decision: Decision) -> list[Evidence]:
    """All evidence, what was rejected first."""
    now_s = parse_time(decision.decided_at)
    aside = sorted(decision.rejected, key=lambda item: item.concern is Concern.OTHERS)
    return [*map(_rejected, aside), *(_verified(item, now_s) for item in decision.verified)]


def _effect(control: ControlDecision, entry: DecidedViolation) -> str:
    if entry.is_covered:
        return "waived" if entry.waiver is not None else "reused"
    return "refuses" if control.mode is Mode.ENFORCE else "warns"


def _basis(control: ControlDecision, explainer: Explainer) -> str:
    if control.outcome is Outcome.PASS:
        return explainer.basis(control)
    if control.violations:
        return summary.counted(len(control.violations), "finding")
    return control.reason or "no reason given"


def _verified(item: VerifiedItem, now_s: int | None) -> Evidence:
    return Evidence(
        state="verified",
        claim=item.claim,
        origin=item.origin,
        artifacts=item.artifacts,
        signers=tuple(map(_signer, item.signers)),
        age=_age(item, now_s),
        times=tuple(_times(item)),
        detail=item.predicate_type,
        payload=item.payload,
        digest=item.evidence,
    )


def _rejected(item: Rejected) -> Evidence:
    aside = "" if item.concern is Concern.AT_STAKE else " (about nothing at stake)"
    return Evidence(
        state="rejected",
        claim=f"{item.claimed or 'unreadable'} (as it says)",
        origin=item.origin,
        artifacts=item.artifacts,
        signers=(),
        age="",
        times=(),
        detail=f"{item.code}{aside}: {summary.short(item.detail)}",
        payload=None,
        digest=item.evidence,
    )


def _signer(signer: SignerIdentity) -> str:
    """Who signed, with what identifies them."""
    proof = " from ".join(filter(None, (signer.subject, signer.issuer))) or signer.spki
    return f"{signer.name} ({signer.kind}{f' {summary.short(proof)}' if proof else ''})"


def _age(item: VerifiedItem, now_s: int | None) -> str:
    """How old it was when it was judged, by trusted time where there is one."""
    at_s = item.stated_at_s if item.signed_at_s is None else item.signed_at_s
    if at_s is None or now_s is None:
        return "unknown"
    seconds = now_s - at_s
    if seconds < 0:
        return "from the future"
    return summary.counted(seconds // _DAY_S, "day") if seconds >= _DAY_S else "less than a day"


def _times(item: VerifiedItem) -> Iterator[str]:
    sources: Mapping[TimeSource, str] = {
        TimeSource.LOG: "by a transparency log",
        TimeSource.TIMESTAMP_AUTHORITY: "by a timestamp authority",
        TimeSource.NONE: "by nobody trusted",
    }
    if item.signed_at_s is not None:
        yield f"signed {_moment(item.signed_at_s)} {sources[item.time_source]}"
    if item.stated_at_s is not None:
        yield f"says {_moment(item.stated_at_s)}"
    if item.log_included:
        yield "in a transparency log"


def _moment(seconds: int) -> str:
    try:
        return format_time(seconds)
    except (ValueError, OverflowError, OSError):
        return summary.day(seconds)
