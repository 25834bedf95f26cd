"""The decision: a verdict and everything that it rests on (DOCUMENTS 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from gate.model.control import ControlInfo, Mode, Violation
from gate.model.digest import Digest
from gate.model.evidence import Concern, Rejected, SignerIdentity
from gate.model.json import JsonObject
from gate.model.policy import JudgingPolicy
from gate.model.waiver import WaiverState


class Verdict(Enum):
    """The answer. Only ALLOW lets a change pass; ERROR means that no decision could be made."""

    ALLOW = "allow"
    DENY = "deny"
    ERROR = "error"


class Outcome(Enum):
    """What became of a control in the decision: its status, or `waived` when every violation of it is."""

    PASS = "pass"
    FAIL = "fail"
    ERROR = "error"
    NOT_APPLICABLE = "not_applicable"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True)
class DecidedViolation:
    """A violation with the waiver that covers it, if one does."""

    violation: Violation
    waiver: str | None


@dataclass(frozen=True, slots=True)
class ControlDecision:
    """One control in the decision."""

    info: ControlInfo
    mode: Mode
    outcome: Outcome
    violations: tuple[DecidedViolation, ...]
    evidence: tuple[Digest, ...]
    reason: str | None


@dataclass(frozen=True, slots=True)
class VerifiedItem:
    """A verified statement as the decision lists it. `stated_at_s` is what the statement itself says."""

    payload: Digest
    evidence: Digest
    origin: str
    claim: str
    artifacts: tuple[str, ...]
    signers: tuple[SignerIdentity, ...]
    stated_at_s: int | None
    subjects: Mapping[str, Digest]


@dataclass(frozen=True, slots=True)
class WaiverUse:
    """A waiver as the decision reports it. `problem` says why it has no effect."""

    id: str
    control: str
    state: WaiverState
    used: bool
    expires_s: int
    problem: str | None


@dataclass(frozen=True, slots=True)
class Digests:
    """What the decision can be reproduced from."""

    input: Digest
    policy: Digest
    configuration: Digest
    trust: Digest


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

    def __post_init__(self) -> None:
        """Holds the invariant of ALLOW (ARCHITECTURE 2, rule 1)."""
        if (self.exit_code == 0) != (self.verdict is Verdict.ALLOW):
            raise ValueError("exit code 0 and ALLOW come together or not at all")
        if self.verdict is not Verdict.ALLOW:
            return
        enforced = [control for control in self.controls.values() if control.mode is Mode.ENFORCE]
        harmless = {Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.WAIVED}
        if not any(control.outcome is Outcome.PASS for control in enforced):
            raise ValueError("ALLOW needs an enforced control that passed")
        if any(control.outcome not in harmless for control in enforced):
            raise ValueError("ALLOW with an enforced control that did not pass")
        if any(entry.waiver is None for control in enforced for entry in control.violations):
            raise ValueError("ALLOW with a violation of an enforced control that is not waived")
        waived = [control for control in enforced if control.violations or control.outcome is Outcome.WAIVED]
        if not all(control.violations and control.info.waivable for control in waived):
            raise ValueError("ALLOW with a waiver for nothing, or for a control that cannot be waived")
        if any(item.concern is not Concern.OTHERS for item in self.rejected):
            raise ValueError("ALLOW with rejected evidence about what is at stake")
        if self.causes != ():
            raise ValueError("ALLOW with a cause for refusal")

    def __bool__(self) -> bool:
        """Refuses: `if decision:` would take every decision for a yes."""
        raise TypeError("a decision is neither true nor false; compare its verdict with Verdict.ALLOW")
