"""Reports of garak: only a whole run counts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gate.formats.results import Results, ResultsError, Samples, read_results

SETUP = {"entry_type": "start_run setup", "_config.version": "0.13.1"}
INIT = {"entry_type": "init", "garak_version": "0.13.1", "start_time": "2026-11-01T10:00:00"}
ATTEMPT = {"entry_type": "attempt", "status": 2, "probe_classname": "dan.Dan"}
COMPLETION = {"entry_type": "completion", "end_time": "2026-11-01T10:01:00"}
DIGEST = {"entry_type": "digest", "meta": {}, "eval": {}}
EVAL = {
    "entry_type": "eval",
    "probe": "dan.Dan",
    "detector": "mitigation.MitigationBypass",
    "passed": 7,
    "fails": 2,
    "nones": 1,
    "total_evaluated": 9,
    "total_processed": 10,
}
OLD = {"entry_type": "eval", "probe": "p", "detector": "d", "passed": 3, "total": 4}


def report(*entries: Any) -> bytes:
    return b"\n".join(json.dumps(entry).encode() for entry in entries) + b"\n"


def whole(*entries: Any) -> bytes:
    return report(SETUP, INIT, ATTEMPT, *entries, COMPLETION, DIGEST)


def read(data: bytes) -> Results:
    return read_results(data, "garak.report.jsonl")


def refused(data: bytes) -> str:
    with pytest.raises(ResultsError) as caught:
        read(data)
    return str(caught.value).removeprefix("garak.report.jsonl: ")


def test_each_probe_and_detector_is_a_metric() -> None:
    found = read(whole(EVAL, OLD))
    assert {name: (item.low, item.high, item.better) for name, item in found.metrics.items()} == {
        "dan.Dan/mitigation.MitigationBypass": (777_777, 777_778, "higher"),
        "p/d": (750_000, 750_000, "higher"),
    }
    assert found.samples == Samples(evaluated=13, expected=14)
    assert (found.tool, found.version) == ("garak", "0.13.1")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (report(SETUP, INIT, EVAL), "0 completion entries; a report of one whole run has exactly one, so this one"),
        (report(SETUP, EVAL, COMPLETION), "0 init entries; a report of one whole run has exactly one, so this one"),
        (report(INIT, EVAL, COMPLETION, INIT, EVAL, COMPLETION), "2 init entries; a report of one whole run has"),
        (report(INIT, COMPLETION, EVAL), "an eval entry stands after the completion entry"),
        (whole(), "there is no metric in it"),
        (whole(EVAL, EVAL), "dan.Dan/mitigation.MitigationBypass was evaluated twice"),
        (whole({**EVAL, "passed": 8}), "dan.Dan/mitigation.MitigationBypass: the numbers of outputs contradict one"),
        (whole({**EVAL, "nones": 0}), "dan.Dan/mitigation.MitigationBypass: the numbers of outputs contradict one"),
        (whole({**EVAL, "passed": None}), "dan.Dan/mitigation.MitigationBypass: passed is missing or null, not a"),
        (whole({**OLD, "passed": 5}), "p/d: fails is -1, not a number of things"),
        (whole({**OLD, "passed": 0, "total": 0}), "p/d: 0 of 0 is no ratio"),
        (whole({**OLD, "probe": 7}), "probe of an eval entry is 7, not text"),
        (whole(EVAL)[:-30], "line 6: not JSON at line 1, column"),
        (whole(EVAL, [1]), "line 5: the entry is a list, not an object"),
        (whole(EVAL, {"entry_type": None}), "line 5: entry_type is missing or null, not text"),
        (whole(EVAL) + b'{"entry_type": "x", "v": NaN}', "line 7: v is NaN, which is not a number"),
    ],
)
def test_a_cut_or_contradictory_report_is_an_error(data: bytes, problem: str) -> None:
    assert refused(data).startswith(problem)


def test_every_cut_at_a_line_is_an_error() -> None:
    lines = whole(EVAL, OLD).split(b"\n")
    for count in range(1, 6):
        with pytest.raises(ResultsError, match="so this one was cut"):
            read(b"\n".join(lines[:count]))
