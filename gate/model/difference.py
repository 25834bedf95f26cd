"""What differs between two decisions or two input documents, and between a decision and its replay."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gate.model.control import Mode
from gate.model.decision import ControlDecision, DecidedViolation, Outcome
from gate.model.json import JsonValue
from gate.model.policy import Presence


class Kind(Enum):
    """What is compared."""

    DECISION = "decision"
    INPUT = "input document"


@dataclass(frozen=True, slots=True)
class Difference:
    """One place of a JSON document. What was added has no `old`, what was removed no `new`.

    Items of lists have no place of their own: they are added or removed at the place of the list.
    """

    path: tuple[str, ...]
    presence: Presence
    old: JsonValue = None
    new: JsonValue = None


@dataclass(frozen=True, slots=True)
class Turn:
    """A control whose outcome, mode or violations differ; `None` where it was not asked."""

    control: str
    old: ControlDecision | None
    new: ControlDecision | None
    gone: tuple[DecidedViolation, ...]
    came: tuple[DecidedViolation, ...]

    @property
    def refuses_now(self) -> bool:
        """Whether it stands in the way, and did not before."""
        return stands_in_the_way(self.new) and not stands_in_the_way(self.old)

    @property
    def refuses_no_more(self) -> bool:
        """Whether it stood in the way, and does not any more."""
        return stands_in_the_way(self.old) and not stands_in_the_way(self.new)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: where it was read, and what it is. An input document has no verdict; its id is its digest."""

    place: str
    id: str
    at: str
    verdict: str | None = None
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class Diff:
    """All differences, in the order of the documents. `turns` are those of controls, for decisions only.

    Ids, times of decision, verdicts and exit codes are in the sides.
    """

    kind: Kind
    old: Side
    new: Side
    turns: tuple[Turn, ...]
    differences: tuple[Difference, ...]

    @property
    def is_same(self) -> bool:
        """Whether both say the same, for the same reasons."""
        sides = (self.old.verdict, self.old.exit_code) == (self.new.verdict, self.new.exit_code)
        return sides and not self.turns and not self.differences


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of a recorded decision when it was made again from the record.

    `problems` say what of the record is not what the decision names; then nothing was evaluated and `diff` is `None`.
    `is_same_bytes` is about the canonical JSON of the whole decision. `makers` tell which gate and engine made it, and
    which made it again, where these differ: that alone makes no other decision.
    """

    id: str
    verdict: str
    problems: tuple[str, ...]
    diff: Diff | None
    makers: tuple[Difference, ...] = ()
    is_same_bytes: bool = False


def stands_in_the_way(control: ControlDecision | None) -> bool:
    """Whether a control keeps a decision from allowing."""
    return control is not None and control.mode is Mode.ENFORCE and control.outcome in {Outcome.FAIL, Outcome.ERROR}


def standing(control: ControlDecision | None) -> str:
    """What became of a control, in words that differ where outcome or mode do."""
    if control is None:
        return "not asked"
    how = {Mode.ENFORCE: "", Mode.WARN: " (warns)", Mode.OFF: " (off)"}[control.mode]
    return control.outcome.value.replace("_", " ") + how
