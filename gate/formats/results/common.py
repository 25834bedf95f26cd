"""What the readers of evaluation results share: the shape they make, and typed access to what they read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from gate.formats import numbers
from gate.formats.numbers import NumberError, parse_decimal
from gate.formats.strict_json import ExactFloat
from gate.model.json import JsonObject, JsonValue

HIGHER: Final = "higher"
LOWER: Final = "lower"
_MAX_METRICS: Final = 10_000
_MAX_NAME: Final = 200
_MAX_COUNT: Final = 1 << 53
_RATIO_DIGITS: Final = 24


class ResultsError(ValueError):
    """The file holds no results that the gate reads. The text says which file, where in it, and why."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A measured value, exactly; `better` is `higher`, `lower`, or `None` when the file does not say."""

    value: Decimal
    better: str | None = None

    @property
    def text(self) -> str:
        """The value in decimal, without an exponent."""
        return numbers.decimal_text(self.value)

    @property
    def low(self) -> int:
        """The value in millionths, rounded down."""
        return numbers.low(self.value)

    @property
    def high(self) -> int:
        """The value in millionths, rounded up."""
        return numbers.high(self.value)


@dataclass(frozen=True, slots=True)
class Samples:
    """How many samples were to be evaluated, and how many were."""

    evaluated: int
    expected: int


@dataclass(frozen=True, slots=True)
class Results:
    """What an evaluation measured; there is at least one metric. `samples` is `None` when the file does not say."""

    metrics: Mapping[str, Measured]
    samples: Samples | None
    tool: str
    version: str | None


def make_results(
    metrics: Mapping[str, Measured], samples: Samples | None, tool: str, version: JsonValue = None
) -> Results:
    """The results, sorted by metric; raises `ResultsError` for none, too many, or names that nobody can read."""
    if not metrics:
        raise ResultsError("there is no metric in it")
    if len(metrics) > _MAX_METRICS:
        raise ResultsError(f"{len(metrics)} metrics, at most {_MAX_METRICS} are read")
    for name in metrics:
        if not name.strip() or len(name) > _MAX_NAME or not name.isprintable():
            raise ResultsError(f"{name[:80]!r} is no name of a metric: 1 to {_MAX_NAME} printable characters")
    if samples is not None and samples.evaluated > samples.expected:
        raise ResultsError(f"{samples.evaluated} samples were evaluated of {samples.expected}")
    known = version if isinstance(version, str) and 0 < len(version) <= _MAX_NAME else None
    return Results(dict(sorted(metrics.items())), samples, tool, known)


def measured(value: JsonValue, place: str, better: str | None = None) -> Measured:
    """A number of the file as a measured value; raises `ResultsError` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | ExactFloat):
        raise ResultsError(f"{place} is {short(value)}, not a number")
    try:
        return Measured(parse_decimal(value.text if isinstance(value, ExactFloat) else str(value)), better)
    except NumberError as error:
        raise ResultsError(f"{place}: {error}") from None


def ratio(part: int, whole: int, place: str, better: str | None = HIGHER) -> Measured:
    """`part / whole` as a measured value; raises `ResultsError` when it is a part of nothing.

    It is cut after 24 decimals. As counts are below 2**53, its millionths rounded down and up are those of the ratio.
    """
    if not 0 <= part <= whole or whole == 0:
        raise ResultsError(f"{place}: {part} of {whole} is no ratio")
    value = Decimal(part * 10**_RATIO_DIGITS // whole).scaleb(-_RATIO_DIGITS)
    return Measured(value, better)


def add(metrics: dict[str, Measured], name: str, value: Measured) -> None:
    """Adds a metric; raises `ResultsError` when the file gives it two values."""
    if metrics.setdefault(name, value) != value:
        raise ResultsError(f"{name} is given twice, as {metrics[name].text} and {value.text}")


def object_of(value: JsonValue, place: str) -> JsonObject:
    """A value that must be an object."""
    if not isinstance(value, Mapping):
        raise ResultsError(f"{place} is {short(value)}, not an object")
    return value


def list_of(value: JsonValue, place: str) -> Sequence[JsonValue]:
    """A value that must be a list."""
    if not isinstance(value, list):
        raise ResultsError(f"{place} is {short(value)}, not a list")
    return value


def text_of(value: JsonValue, place: str) -> str:
    """A value that must be text, and not empty."""
    if not isinstance(value, str) or not value:
        raise ResultsError(f"{place} is {short(value)}, not text")
    return value


def count_of(value: JsonValue, place: str) -> int:
    """A value that must be a number of things, below 2**53."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MAX_COUNT:
        raise ResultsError(f"{place} is {short(value)}, not a number of things")
    return value


def short(value: JsonValue) -> str:
    """A value for people; what is nested is named by its kind."""
    if value is None:
        return "missing or null"
    if isinstance(value, Mapping | list):
        return "an object" if isinstance(value, Mapping) else "a list"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
