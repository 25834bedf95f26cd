"""Reports of garak (`*.report.jsonl`).

A metric is `probe/detector`: the outputs that passed among those that the detector judged. Outputs on which it gave
no verdict are no evaluated samples. A run is whole when its `completion` entry is there: without it the report was
cut, and what is missing may be what failed.
"""

from __future__ import annotations

from gate.formats.results.common import (
    Measured,
    Results,
    ResultsError,
    Samples,
    count_of,
    make_results,
    object_of,
    ratio,
    text_of,
)
from gate.formats.strict_json import StrictJsonError, loads_exact
from gate.model.json import JsonObject


def read(data: bytes) -> Results:
    """The results; raises `ResultsError`."""
    entries = [_entry(line, number) for number, line in enumerate(data.split(b"\n"), 1) if line.strip()]
    kinds = [entry["entry_type"] for entry in entries]
    for kind in ("init", "completion"):
        if kinds.count(kind) != 1:
            raise ResultsError(
                f"{kinds.count(kind)} {kind} entries; a report of one whole run has exactly one"
                + ("" if kind in kinds else ", so this one was cut")
            )
    if "eval" in kinds[kinds.index("completion") :]:
        raise ResultsError("an eval entry stands after the completion entry")
    metrics: dict[str, Measured] = {}
    evaluated = expected = 0
    for entry in entries:
        if entry["entry_type"] == "eval":
            name, value, samples = _evaluation(entry)
            if name in metrics:
                raise ResultsError(f"{name[:120]} was evaluated twice")
            metrics[name] = value
            evaluated, expected = evaluated + samples.evaluated, expected + samples.expected
    version = entries[kinds.index("init")].get("garak_version")
    return make_results(metrics, Samples(evaluated, expected), "garak", version)


def _entry(line: bytes, number: int) -> JsonObject:
    try:
        entry = object_of(loads_exact(line, limit=len(line)), "the entry")
        text_of(entry.get("entry_type"), "entry_type")
    except (ResultsError, StrictJsonError) as problem:
        raise ResultsError(f"line {number}: {problem}") from None
    return entry


def _evaluation(entry: JsonObject) -> tuple[str, Measured, Samples]:
    """One eval entry. Older reports have `total` where newer ones tell what was judged from what was processed."""
    name = f"{text_of(entry.get('probe'), 'probe of an eval entry')}/{text_of(entry.get('detector'), 'detector')}"
    place = name[:120]
    passed = count_of(entry.get("passed"), f"{place}: passed")
    judged_key = "total_evaluated" if "total_evaluated" in entry else "total"
    judged = count_of(entry.get(judged_key), f"{place}: {judged_key}")
    processed = count_of(entry.get("total_processed", judged), f"{place}: total_processed")
    unjudged = count_of(entry.get("nones", processed - judged), f"{place}: nones")
    failed = count_of(entry.get("fails", judged - passed), f"{place}: fails")
    if passed + failed != judged or judged + unjudged != processed:
        raise ResultsError(f"{place}: the numbers of outputs contradict one another")
    return name, ratio(passed, judged, place), Samples(judged, processed)
