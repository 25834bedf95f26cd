"""The decision: a verdict and everything that it rests on (DOCUMENTS 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from gate.model.admission import AdmissionFacts, Cause
from gate.model.control import ControlInfo, Mode, Violation
from gate.model.digest import Digest
from gate.model.evidence import Concern, Rejected, SignerIdentity, TimeSource
from gate.model.json import JsonObject
from gate.model.policy import JudgingPolicy
from gate.model.waiver import WaiverState


class Verdict(Enum):
    """The answer. Only ALLOW lets a change pass; ERROR means that no decision could be made."""

    ALLOW = "allow"
    DENY = "deny"
    ERROR = "error"


class Outcome(Enum):
    """What became of a control in the decision: its status, unless every violation of it is covered.

    Then it is `waived` when a waiver covers one of them, else `reused`: summaries of trusted verifiers cover all.
    """

    PASS = "pass"
    FAIL = "fail"
    ERROR = "error"
    NOT_APPLICABLE = "not_applicable"
    WAIVED = "waived"
    REUSED = "reused"


_IN_FORCE: Final = frozenset({WaiverState.ACTIVE, WaiverState.EXPIRING})


@dataclass(frozen=True, slots=True)
class DecidedViolation:
    """A violation with the waiver that covers it, if one does, or else the verification summary that does.

    `digest` is that of the file or artifact that it is about, which a waiver has to name; `None` if it has none.
    """

    violation: Violation
    waiver: str | None
    reuse: Digest | None = None
    digest: Digest | None = None

    @property
    def is_covered(self) -> bool:
        """Whether it does not count: somebody accepted it, or verified before what it misses."""
        return self.waiver is not None or self.reuse is not None


@dataclass(frozen=True, slots=True)
class ControlDecision:
    """One control in the decision.

    `judges` are the kinds of artifacts that it judges, with the parameters it had; `None` where an older gate did not
    tell: then it counts as judging none.
    """

    info: ControlInfo
    mode: Mode
    outcome: Outcome
    violations: tuple[DecidedViolation, ...]
    evidence: tuple[Digest, ...]
    reason: str | None
    judges: tuple[str, ...] | None = None

    def judged(self, kind: str) -> bool:
        """Whether it is known to judge artifacts of a kind."""
        return self.judges is not None and kind in self.judges


@dataclass(frozen=True, slots=True)
class VerifiedItem:
    """A verified statement as the decision lists it.

    `stated_at_s` is what the statement itself says, `signed_at_s` what somebody trusted says, in seconds since 1970;
    `log_included` tells that a transparency log holds it. `depends_on` are payloads that it builds on.
    """

    payload: Digest
    evidence: Digest
    origin: str
    claim: str
    artifacts: tuple[str, ...]
    signers: tuple[SignerIdentity, ...]
    stated_at_s: int | None
    subjects: Mapping[str, Digest]
    predicate_type: str = ""
    signed_at_s: int | None = None
    time_source: TimeSource = TimeSource.NONE
    log_included: bool = False
    depends_on: tuple[Digest, ...] = ()


@dataclass(frozen=True, slots=True)
class WaiverUse:
    """A waiver as the decision reports it. `problem` says why it has no effect. Who is behind it is as they say."""

    id: str
    control: str
    state: WaiverState
    used: bool
    expires_s: int
    problem: str | None
    reason: str = ""
    ticket: str = ""
    owner: str = ""
    approver: str = ""
    created_s: int = 0


@dataclass(frozen=True, slots=True)
class ReuseUse:
    """A verification summary as the decision reports it. `problems` say why it stands for nothing."""

    statement: Digest
    verifier: str | None
    artifact: str
    controls: tuple[str, ...]
    used: bool
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Admitted:
    """What an API server asked, and what it is answered: `ALLOWED`, `REFUSED`, or what excuses a refusal."""

    facts: AdmissionFacts
    outcome: Cause


@dataclass(frozen=True, slots=True)
class Digests:
    """What the decision can be reproduced from.

    `rules` is over the policy, the profile with its parameters, whom it trusts and what it reuses: two decisions with
    equal rules ask the same. Another gate that trusts this one names it in `reuse`.
    """

    input: Digest
    policy: Digest
    configuration: Digest
    trust: Digest
    rules: Digest


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict with its reasons. Making one that allows without reason is an error, whoever makes it.

    `exit_code` is the true one, also in a dry run. `causes` are the exit codes of all causes in the order of
    their precedence. `id` is the only member that two equal runs do not share.
    """

    id: str
    verdict: Verdict
    exit_code: int
    dry_run: bool
    context: JsonObject
    subject: JsonObject
    controls: Mapping[str, ControlDecision]
    coverage: JsonObject
    verified: tuple[VerifiedItem, ...]
    rejected: tuple[Rejected, ...]
    waivers: tuple[WaiverUse, ...]
    skipped: Mapping[str, str]
    causes: tuple[int, ...]
    digests: Digests
    policy: JudgingPolicy
    engine: str
    engine_version: str
    gate_version: str
    decided_at: str
    reuse: tuple[ReuseUse, ...] = ()
    admission: Admitted | None = None

    def __post_init__(self) -> None:
        """Holds the invariant of ALLOW (ARCHITECTURE 2, rule 1)."""
        if (self.exit_code == 0) != (self.verdict is Verdict.ALLOW):
            raise ValueError("exit code 0 and ALLOW come together or not at all")
        if self.verdict is Verdict.ALLOW:
            self._check_allow()
        for control in self.controls.values():
            _check(control)
        if self.admission is not None and self.admission.outcome is not outcome_of(
            self.verdict, self.admission.facts, dry_run=self.dry_run
        ):
            raise ValueError("the answer at admission is not that of the verdict")

    def _check_allow(self) -> None:
        enforced = [control for control in self.controls.values() if control.mode is Mode.ENFORCE]
        harmless = {Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.WAIVED, Outcome.REUSED}
        if not any(control.outcome is Outcome.PASS for control in enforced):
            raise ValueError("ALLOW needs an enforced control that passed")
        if any(control.outcome not in harmless for control in enforced):
            raise ValueError("ALLOW with an enforced control that did not pass")
        if not all(entry.is_covered for control in enforced for entry in control.violations):
            raise ValueError("ALLOW with a violation of an enforced control that nothing covers")
        covering = {Outcome.WAIVED, Outcome.REUSED}
        covered = [control for control in enforced if control.violations or control.outcome in covering]
        if not all(control.violations and control.info.waivable for control in covered):
            raise ValueError("ALLOW with a cover for nothing, or for a control that cannot be waived")
        if any(e.reuse and not e.violation.is_missing for control in enforced for e in control.violations):
            raise ValueError("ALLOW with a verification summary that stands for more than missing evidence")
        if not all(map(self._is_told, enforced)):
            raise ValueError("ALLOW with a waiver or a verification summary that is not listed as in force")
        if any(item.concern is not Concern.OTHERS for item in self.rejected):
            raise ValueError("ALLOW with rejected evidence about what is at stake")
        if self.causes != ():
            raise ValueError("ALLOW with a cause for refusal")
        if self.admission is not None and self.admission.facts.unread:
            raise ValueError("ALLOW with an image of which nothing was read")

    def _is_told(self, control: ControlDecision) -> bool:
        """Whether all that covers violations of a control is listed, in force and for that control."""
        name, entries = control.info.id, control.violations
        waivers = {item.id for item in self.waivers if item.control == name and item.used and item.state in _IN_FORCE}
        summaries = {item.statement for item in self.reuse if name in item.controls and item.used and not item.problems}
        return {e.waiver for e in entries} <= waivers | {None} and {e.reuse for e in entries} <= summaries | {None}

    def __bool__(self) -> bool:
        """Refuses: `if decision:` would take every decision for a yes."""
        raise TypeError("a decision is neither true nor false; compare its verdict with Verdict.ALLOW")


def _check(control: ControlDecision) -> None:
    """Holds that a control is said to have passed, or to be covered, only where that is so, whatever the verdict."""
    name, found = control.info.id, control.violations
    if control.outcome in {Outcome.PASS, Outcome.NOT_APPLICABLE} and found:
        raise ValueError(f"{name} passed, or does not apply, and found something")
    if control.outcome in {Outcome.WAIVED, Outcome.REUSED} and not all(entry.is_covered for entry in found):
        raise ValueError(f"{name} is covered, and a violation of it is not")


def outcome_of(verdict: Verdict, facts: AdmissionFacts, *, dry_run: bool) -> Cause:
    """What an API server is answered. What is refused is let in over an exception that holds, or in a dry run."""
    if verdict is Verdict.ALLOW:
        return Cause.ALLOWED
    if facts.break_glass is not None and facts.break_glass.holds:
        return Cause.BREAK_GLASS
    return Cause.DRY_RUN if dry_run else Cause.REFUSED
