"""Evaluation: measured values of a candidate and of its baseline, with thresholds and tolerances.

Facts: those of every collected statement, `suite`, `harness` (what measured), `samples`, and in millionths, for rules
that compare integers: `metrics` (`candidate` and `baseline` as `low` and `high`, equal where the value is exact;
`better`), `thresholds` (`min`, `max`) and `tolerances`. `result` is what the statement says; rules judge the values.
What is better must be what the one bound of a metric implies.
"""

from __future__ import annotations

from collections.abc import Mapping

from gate.formats.intoto import RawStatement, StatementError
from gate.formats.numbers import NumberError, high, low, parse_decimal
from gate.formats.predicates.collected import millionths, optional_millionths, reader
from gate.formats.predicates.common import member, text
from gate.model.digest import Digest
from gate.model.json import JsonObject, JsonValue

CLAIM = "eval"


def _facts(raw: RawStatement, _: Mapping[str, Digest]) -> JsonObject:
    predicate = raw.predicate
    tolerances = {name: millionths(predicate, "tolerances", name) for name in _names(predicate, "tolerances")}
    if any(value < 0 for value in tolerances.values()):
        raise StatementError("number", "a tolerance is negative")
    metrics: dict[str, JsonObject] = {
        name: {
            "candidate": _measured(predicate, "metrics", name, "candidate"),
            "baseline": _measured(predicate, "metrics", name, "baseline"),
            "better": member(predicate, "metrics", name, "better"),
        }
        for name in _names(predicate, "metrics")
    }
    thresholds: dict[str, JsonObject] = {
        name: {word: optional_millionths(predicate, "thresholds", name, word) for word in ("min", "max")}
        for name in _names(predicate, "thresholds")
    }
    for name in metrics.keys() & thresholds.keys():
        _check_direction(name, metrics[name]["better"], thresholds[name])
    return {
        "suite": predicate["suite"],
        "harness": predicate["harness"],
        "samples": predicate["samples"],
        "metrics": dict(metrics),
        "thresholds": dict(thresholds),
        "tolerances": dict(tolerances),
    }


def _check_direction(name: str, better: JsonValue, bounds: JsonObject) -> None:
    """Raises `StatementError` where less is better and the only bound is a minimum, or the reverse."""
    given = [word for word, bound in bounds.items() if bound is not None]
    if (better, given) in (("lower", ["min"]), ("higher", ["max"])):
        raise StatementError("direction", f"{better} is better for {name[:120]!r}, and its only bound is a {given[0]}")


def _names(predicate: JsonObject, section: str) -> list[str]:
    found = predicate[section]
    return sorted(found) if isinstance(found, Mapping) else []


def _measured(predicate: JsonObject, *keys: str) -> JsonValue:
    if member(predicate, *keys) is None:
        return None
    try:
        value = parse_decimal(text(predicate, *keys) or "")
    except NumberError as error:
        raise StatementError("number", f"{'.'.join(keys)}: {error}") from None
    return {"low": low(value), "high": high(value)}


READERS = reader(CLAIM, _facts)
