"""Why a control says what it says of one input document."""

from __future__ import annotations

from dataclasses import dataclass

from gate.model.control import ControlInfo, Violation
from gate.model.json import JsonValue
from gate.model.trace import BodyTrace


@dataclass(frozen=True, slots=True)
class RuleExplanation:
    """One rule of a control's module. `value` means nothing where the rule `is_undefined` or has a `problem`.

    A function has neither value nor bodies: what it gives depends on its arguments.
    """

    name: str
    kind: str
    path: str
    line: int
    value: JsonValue
    is_undefined: bool
    problem: str
    bodies: tuple[BodyTrace, ...]


@dataclass(frozen=True, slots=True)
class ViolationExplanation:
    """A violation, what would have proved the control instead, and the evidence that comes nearest."""

    violation: Violation
    expected: str | None
    nearest: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A control and one document. `asked` is the mode that the document's profile has for it, if it names it."""

    info: ControlInfo
    status: str
    reason: str | None
    asked: str | None
    violations: tuple[ViolationExplanation, ...]
    evidence: tuple[str, ...]
    rules: tuple[RuleExplanation, ...]
