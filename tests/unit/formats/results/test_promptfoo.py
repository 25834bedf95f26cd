"""Results of promptfoo."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gate.formats.results import Results, ResultsError, Samples, read_results

STATS = {"successes": 2, "failures": 1, "errors": 0, "tokenUsage": {"total": 10}}

YES = {"success": True, "score": 1}
NO = {"success": False, "score": 0}


def run(version: Any = 3, stats: Any = STATS, results: Any = (YES, NO, YES), **more: Any) -> dict[str, Any]:
    return {"version": version, "stats": stats, "results": results, "prompts": [], **more}


def read(document: Any) -> Results:
    return read_results(json.dumps(document).encode(), "out.json")


def refused(document: Any) -> str:
    with pytest.raises(ResultsError) as caught:
        read(document)
    return str(caught.value).removeprefix("out.json: ")


@pytest.mark.parametrize("version", [2, 3])
def test_cases_that_passed_are_the_rate(version: int) -> None:
    found = read({"evalId": "e", "results": run(version), "config": {}, "metadata": {"promptfooVersion": "0.118.0"}})
    rate = found.metrics["pass_rate"]
    assert (rate.low, rate.high, rate.better) == (666_666, 666_667, "higher")
    assert found.samples == Samples(evaluated=3, expected=3)
    assert (found.tool, found.version) == ("promptfoo", "0.118.0")


def test_the_oldest_form_has_its_summary_on_top() -> None:
    found = read(run(1, {"successes": 3, "failures": 0}, [YES, YES, YES]))
    assert found.metrics["pass_rate"].text == "1"
    assert found.version is None


def test_a_case_that_ended_in_an_error_has_not_passed_and_was_not_evaluated() -> None:
    found = read({"results": run(stats={"successes": 2, "failures": 0, "errors": 2}, results=[YES, YES, NO, NO])})
    assert found.metrics["pass_rate"].text == "0.5"
    assert found.samples == Samples(evaluated=2, expected=4)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"results": run(4)}, "the version of the results is 4; known are 1, 2 and 3"),
        ({"results": run(True)}, "the version of the results is True; known are 1, 2 and 3"),
        ({"results": run(None)}, "the version of the results is missing or null; known"),
        ({"results": run(stats=None)}, "stats is missing or null, not an object"),
        ({"results": run(stats={"successes": 1})}, "stats.failures is missing or null, not a number of things"),
        ({"results": run(stats={"successes": "2", "failures": 1})}, "stats.successes is '2', not a number of things"),
        ({"results": run(stats={"successes": -1, "failures": 1})}, "stats.successes is -1, not a number of things"),
        ({"results": run(stats={"successes": 0, "failures": 0}, results=[])}, "pass_rate: 0 of 0 is no ratio"),
        ({"results": run(results=[{}])}, "stats count 3 test cases, and 1 are listed"),
        ({"results": run(results=[YES, NO, NO])}, "stats count 2 successes, and 1 of the results are one"),
        ({"results": run(results=[YES, YES, YES])}, "stats count 2 successes, and 3 of the results are one"),
        ({"results": run(results=[YES, YES, {}])}, "results[2].success is missing or null, neither true nor false"),
        ({"results": run(results=[YES, YES, {"success": 0}])}, "results[2].success is 0, neither true nor false"),
        ({"results": run(results=[YES, YES, None])}, "results[2] is missing or null, not an object"),
        ({"results": run(results={})}, "results is an object, not a list"),
        ({"results": run(), "metadata": []}, "metadata is a list, not an object"),
        (run(3, results=None), "results is missing or null, not an object"),
    ],
)
def test_what_is_missing_or_contradictory_is_an_error(document: Any, problem: str) -> None:
    assert refused(document).startswith(problem)
