"""What the conditions of a rule came to for one input document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from gate.model.json import JsonValue


class State(Enum):
    """Whether a condition holds for at least one choice of the variables."""

    HELD = "held"
    FAILED = "did not hold"
    UNREACHED = "not reached"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Operand:
    """A part of a condition that did not hold, with the distinct values it had there; none if it is undefined."""

    text: str
    values: tuple[JsonValue, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """One statement of a body. `bindings` are the values of the variables with which everything up to here holds."""

    text: str
    line: int
    state: State
    bindings: tuple[Mapping[str, JsonValue], ...] = ()
    operands: tuple[Operand, ...] = ()
    is_equality: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class BodyTrace:
    """One body of a rule, or the comprehension that is its value. `problem` says why there are no conditions.

    `calls` are the bodies that did not hold either, of the functions that the failed condition calls.
    """

    path: str
    rule: str
    line: int
    conditions: tuple[Condition, ...]
    problem: str = ""
    calls: tuple[BodyTrace, ...] = ()

    @property
    def failed(self) -> Condition | None:
        """The condition that did not hold, if there is one."""
        return next((condition for condition in self.conditions if condition.state is State.FAILED), None)
