"""Results of lm-evaluation-harness (`results_*.json`).

A metric is `task/metric`, or `task/metric,filter` where the filter is not `none`; groups are tasks too. What is
better is in `higher_is_better`. Samples are the sums of `n-samples`: fewer `effective` than `original` is what
`--limit` leaves. Standard errors are no metrics.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.formats.results.common import (
    HIGHER,
    LOWER,
    Measured,
    Results,
    ResultsError,
    Samples,
    add,
    count_of,
    make_results,
    measured,
    object_of,
    short,
    text_of,
)
from gate.formats.strict_json import loads_exact
from gate.model.json import JsonObject, JsonValue

_NOT_MEASURED: Final = frozenset({"alias", "name", "sample_len", " "})
"""Members of a task beside its metrics. A group without a value of its own has a member whose name is a space."""


def read(data: bytes) -> Results:
    """The results; raises `ResultsError` or `StrictJsonError`."""
    document = object_of(loads_exact(data, limit=len(data)), "the document")
    directions = object_of(document.get("higher_is_better", {}), "higher_is_better")
    metrics: dict[str, Measured] = {}
    for section in ("results", "groups"):
        if section == "results" or section in document:
            for task, values in object_of(document.get(section), section).items():
                _add_task(metrics, task, object_of(values, f"{section}.{task[:80]}"), directions)
    tasks = object_of(document["results"], "results").keys()
    samples = _samples(document, set(tasks)) if "n-samples" in document else None
    return make_results(metrics, samples, "lm-eval", document.get("lm_eval_version"))


def _add_task(metrics: dict[str, Measured], task: str, values: JsonObject, directions: JsonObject) -> None:
    for key, value in values.items():
        metric, _, chosen = key.partition(",")
        if key in _NOT_MEASURED or metric.endswith("_stderr"):
            continue
        place = f"{task}/{metric}" if chosen in {"", "none"} else f"{task}/{key}"
        add(metrics, place, measured(value, place, _better(directions.get(task), metric, place)))


def _better(task: JsonValue, metric: str, place: str) -> str | None:
    said = task.get(metric) if isinstance(task, Mapping) else task
    if said is None:
        return None
    if not isinstance(said, bool):
        raise ResultsError(f"higher_is_better of {place} is {short(said)}, neither true nor false")
    return HIGHER if said else LOWER


def _samples(document: JsonObject, tasks: set[str]) -> Samples:
    """The sums over all tasks; every task with results that is no group must have its numbers."""
    counts = object_of(document["n-samples"], "n-samples")
    evaluated = expected = 0
    for task, value in counts.items():
        place = f"n-samples.{text_of(task, 'a task')[:80]}"
        fields = object_of(value, place)
        effective = count_of(fields.get("effective"), f"{place}.effective")
        original = count_of(fields.get("original"), f"{place}.original")
        if effective > original:
            raise ResultsError(f"{place}: {effective} samples were evaluated of {original}")
        evaluated, expected = evaluated + effective, expected + original
    groups = {
        task for task, members in object_of(document.get("group_subtasks", {}), "group_subtasks").items() if members
    }
    uncounted = sorted(tasks - counts.keys() - groups)
    if uncounted:
        raise ResultsError(f"n-samples lacks {uncounted[0][:80]}, which has results")
    return Samples(evaluated, expected)
