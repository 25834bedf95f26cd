"""What a change of policy does to past decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from gate.model.digest import Digest


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One of the two policies: where its configuration was read, its digest, and the profile that asks."""

    source: str
    policy: Digest
    profile: str


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a policy decides about a past case. Without a decision `verdict` is `error`, and `problem` may say why."""

    verdict: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ControlTurn:
    """A control whose outcome or mode is another one under the new policy, in words; it may now refuse, or no more."""

    control: str
    old: str
    new: str
    refuses_now: bool
    refuses_no_more: bool


@dataclass(frozen=True, slots=True)
class PastCase:
    """A past decision, or an input document, under both policies.

    `recorded` is what was decided then, `None` for a document alone; `asked_by` is the profile that asked then.
    """

    place: str
    at: str
    artifacts: tuple[str, ...]
    recorded: str | None
    asked_by: str
    old: Opinion
    new: Opinion
    turns: tuple[ControlTurn, ...]

    @property
    def is_turned(self) -> bool:
        """Whether its verdict is another one."""
        return self.old.verdict != self.new.verdict

    @property
    def is_loosened(self) -> bool:
        """Whether it is allowed now, and was not."""
        return self.is_turned and self.new.verdict == "allow"


@dataclass(frozen=True, slots=True)
class Impact:
    """All past cases under both policies; `unread` says by place what could not be judged again, and why."""

    old: Rulebook
    new: Rulebook
    cases: tuple[PastCase, ...]
    unread: Mapping[str, str]

    @property
    def verdicts(self) -> Mapping[tuple[str, str], int]:
        """How many cases there are by old and new verdict, those that turned first."""
        counts = Counter((case.old.verdict, case.new.verdict) for case in self.cases)
        return dict(sorted(counts.items(), key=lambda item: (item[0][0] == item[0][1], item[0])))

    @property
    def controls(self) -> Mapping[str, tuple[int, int, int]]:
        """By control that turned anywhere: in how many cases it refuses now, refuses no more, differs otherwise."""
        found: dict[str, list[int]] = {}
        for case in self.cases:
            for turn in case.turns:
                counts = found.setdefault(turn.control, [0, 0, 0])
                counts[0 if turn.refuses_now else 1 if turn.refuses_no_more else 2] += 1
        return {name: (now, no_more, other) for name, (now, no_more, other) in sorted(found.items())}

    @property
    def decided_otherwise(self) -> int:
        """How many recorded verdicts are not what the old policy says now."""
        return sum(case.recorded not in {None, case.old.verdict} for case in self.cases)

    @property
    def asked_otherwise(self) -> Mapping[str, int]:
        """By profile how many cases were asked by another one than the old policy has."""
        return dict(sorted(Counter(c.asked_by for c in self.cases if c.asked_by != self.old.profile).items()))
