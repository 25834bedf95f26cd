"""Scenarios: what a gate is shown, what it has to answer, and what it answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

NO_THREAT: Final = "none"


class Expected(Enum):
    """What has to come out. UNSEEN is an attack that nothing tells, so that a static gate allows it."""

    ALLOW = "allow"
    DENY = "deny"
    ERROR = "error"
    UNSEEN = "unseen"


class Result(Enum):
    """How an answer is called, given what had to come out. Only the false ones are wrong."""

    TRUE_REFUSAL = "true_refusal"
    FALSE_ALLOW = "false_allow"
    TRUE_ALLOW = "true_allow"
    FALSE_REFUSAL = "false_refusal"
    UNSEEN = "unseen"


@dataclass(frozen=True, slots=True)
class OwnWords:
    """What this gate has to say beside its yes or no. `failing` and `waived` are complete, `passing` are some."""

    exit_code: int
    failing: tuple[str, ...]
    passing: tuple[str, ...]
    waived: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario. `name` is `<outcome>/<name>`, its folder; `against` is what its change is compared with.

    `twin` is the scenario without the attack that is nearest to it. `because` says why nothing tells an attack that is
    unseen, and `seen_by` are scenarios of the same attack in which something does.
    """

    name: str
    title: str
    threat: str
    kind: str
    target: str
    profile: str
    twin: str | None
    now_s: int
    against: str | None
    expected: Expected
    because: str | None
    seen_by: tuple[str, ...]
    own: OwnWords
    base_executable: tuple[str, ...] = ()
    executable: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    artifacts: tuple[str, ...] = ()

    @property
    def is_attack(self) -> bool:
        """Whether it must not be allowed, or would not be if it could be seen."""
        return self.expected is not Expected.ALLOW


@dataclass(frozen=True, slots=True)
class Threat:
    """What an attacker does, for people."""

    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Impossible:
    """Cells of the matrix that make no sense, with the reason; `None` stands for all."""

    kind: str | None
    threat: str | None
    target: str | None
    reason: str

    def covers(self, kind: str, threat: str, target: str) -> bool:
        """Whether a cell is among them."""
        pairs = ((self.kind, kind), (self.threat, threat), (self.target, target))
        return all(mine is None or mine == theirs for mine, theirs in pairs)


@dataclass(frozen=True, slots=True)
class ScenarioSet:
    """A folder of scenarios. The matrix is `kinds` x `threats_crossed` x `targets`; `digest` is over all files."""

    title: str
    threats: Mapping[str, Threat]
    kinds: tuple[str, ...]
    threats_crossed: tuple[str, ...]
    targets: tuple[str, ...]
    impossible: tuple[Impossible, ...]
    scenarios: tuple[Scenario, ...]
    digest: str

    def reason(self, kind: str, threat: str, target: str) -> str | None:
        """Why a cell makes no sense; `None` for one that does."""
        found = (one.reason for one in self.impossible if one.covers(kind, threat, target))
        return next(found, None)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a scenario ended. Whatever gate it was, exit code 0 is its only yes.

    The names of controls and claims are those of this gate, and empty for another one; `differences` are what it had
    to say and did not.
    """

    scenario: Scenario
    exit_code: int
    refusing: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()
    waived: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
    verified: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    why: str = ""
    differences: tuple[str, ...] = ()

    @property
    def is_allowed(self) -> bool:
        """Whether the gate said yes."""
        return self.exit_code == 0

    @property
    def result(self) -> Result:
        """How the answer is called."""
        if self.scenario.expected is Expected.ALLOW:
            return Result.TRUE_ALLOW if self.is_allowed else Result.FALSE_REFUSAL
        if not self.is_allowed:
            return Result.TRUE_REFUSAL
        return Result.UNSEEN if self.scenario.expected is Expected.UNSEEN else Result.FALSE_ALLOW

    @property
    def is_right(self) -> bool:
        """Whether it is neither a hole nor a refusal without reason, and the gate said what it had to."""
        return self.result not in {Result.FALSE_ALLOW, Result.FALSE_REFUSAL} and not self.differences


@dataclass(frozen=True, slots=True)
class Evaluator:
    """What decided: this gate, or another one's command, of which nothing more is known."""

    name: str
    version: str | None
    policy: str | None


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The scenarios of a set that were chosen, each as it ended, in the order of their names."""

    set: ScenarioSet
    by: Evaluator
    ended: tuple[Ended, ...]

    @property
    def is_right(self) -> bool:
        """Whether each ended as it has to."""
        return all(one.is_right for one in self.ended)
