"""What became of the tests of a policy, and which of its lines they reached."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gate.model.trace import BodyTrace


class TestOutcome(Enum):
    """What became of a test."""

    __test__ = False

    PASS = "pass"
    FAIL = "fail"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of a test or, with `case`, of one of its cases; `traces` say which condition did not hold."""

    name: str
    case: str | None
    path: str
    line: int
    outcome: TestOutcome
    message: str = ""
    seconds: float = 0.0
    traces: tuple[BodyTrace, ...] = ()


@dataclass(frozen=True, slots=True)
class FileCoverage:
    """How many lines with code of a file were reached, and the text of those that were not, by their number."""

    path: str
    covered: int
    missed: tuple[tuple[int, str], ...]

    @property
    def percent(self) -> float:
        """Of all lines with code, those that were reached; a file without code is covered."""
        total = self.covered + len(self.missed)
        return 100.0 * self.covered / total if total else 100.0


@dataclass(frozen=True, slots=True)
class PolicyTestReport:
    """A run of all tests of a policy. `coverage` is `None` where it was not asked for; `threshold` is in percent."""

    engine: str
    seconds: float
    results: tuple[CaseResult, ...]
    coverage: tuple[FileCoverage, ...] | None
    threshold: float

    def count(self, outcome: TestOutcome) -> int:
        """How many results are of a kind."""
        return sum(result.outcome is outcome for result in self.results)

    @property
    def below(self) -> tuple[FileCoverage, ...]:
        """The files that tests reach less of than the threshold."""
        return tuple(file for file in self.coverage or () if file.percent < self.threshold)

    @property
    def is_good(self) -> bool:
        """Whether nothing failed and all files are covered as far as they have to be."""
        return not self.below and not self.count(TestOutcome.FAIL) and not self.count(TestOutcome.ERROR)
