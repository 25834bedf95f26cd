"""Results of lm-evaluation-harness."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gate.formats.results import Results, ResultsError, Samples, read_results


def document(**changes: Any) -> dict[str, Any]:
    found = {
        "results": {
            "arc_easy": {
                "alias": "arc_easy",
                "acc,none": 0.7138047138047138,
                "acc_stderr,none": 0.009273908,
                "sample_len": 2376,
            },
            "gsm8k": {"alias": "gsm8k", "exact_match,strict-match": 0.25, "exact_match_stderr,strict-match": "N/A"},
            "wikitext": {"alias": "wikitext", "word_perplexity,none": 37.3698},
            "all": {" ": " ", "alias": "all", "acc,none": 0.5},
        },
        "groups": {"all": {" ": " ", "alias": "all", "acc,none": 0.5}},
        "group_subtasks": {"all": ["arc_easy", "gsm8k"], "arc_easy": [], "gsm8k": [], "wikitext": []},
        "higher_is_better": {
            "arc_easy": {"acc": True},
            "gsm8k": {"exact_match": True},
            "wikitext": {"word_perplexity": False},
            "all": {"acc": None},
        },
        "n-samples": {
            "arc_easy": {"original": 2376, "effective": 2376},
            "gsm8k": {"original": 1319, "effective": 1319},
            "wikitext": {"original": 62, "effective": 62},
        },
        "versions": {"arc_easy": 1.0},
        "lm_eval_version": "0.4.9",
    }
    return {key: value for key, value in {**found, **changes}.items() if value is not ...}


def read(**changes: Any) -> Results:
    return read_results(json.dumps(document(**changes)).encode(), "results.json")


def refused(**changes: Any) -> str:
    with pytest.raises(ResultsError) as caught:
        read(**changes)
    return str(caught.value).removeprefix("results.json: ")


def test_tasks_and_groups_are_metrics_with_what_is_better() -> None:
    found = read()
    assert {name: (item.text, item.better) for name, item in found.metrics.items()} == {
        "all/acc": ("0.5", None),
        "arc_easy/acc": ("0.7138047138047138", "higher"),
        "gsm8k/exact_match,strict-match": ("0.25", "higher"),
        "wikitext/word_perplexity": ("37.3698", "lower"),
    }
    assert found.metrics["arc_easy/acc"].low + 1 == found.metrics["arc_easy/acc"].high == 713_805
    assert found.samples == Samples(evaluated=3757, expected=3757)
    assert (found.tool, found.version) == ("lm-eval", "0.4.9")


def test_a_limited_run_shows_in_its_samples() -> None:
    counts = {**document()["n-samples"], "arc_easy": {"original": 2376, "effective": 10}}
    assert read(**{"n-samples": counts}).samples == Samples(evaluated=1391, expected=3757)


def test_older_files_say_less() -> None:
    changes: dict[str, Any] = {"n-samples": ..., "higher_is_better": ..., "groups": ..., "lm_eval_version": ...}
    found = read(**changes, results={"boolq": {"acc": 0.5, "acc_stderr": 0.01}})
    assert {name: item.better for name, item in found.metrics.items()} == {"boolq/acc": None}
    assert (found.samples, found.version) == (None, None)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"results": {}, "groups": ...}, "there is no metric in it"),
        ({"results": {"a": {"alias": "a"}}, "groups": ..., "n-samples": ...}, "there is no metric in it"),
        ({"results": {"a": {"acc,none": None}}}, "a/acc is missing or null, not a number"),
        ({"results": {"a": {"acc,none": "N/A"}}}, "a/acc is 'N/A', not a number"),
        ({"results": {"a": {"acc,none": float("nan")}}}, "results.a.acc,none is NaN, which is not a number"),
        ({"results": {"a": {"acc,none": 1, "acc": 0}}}, "a/acc is given twice, as 1 and 0"),
        ({"groups": {"all": {"acc,none": 0.9}}}, "all/acc is given twice, as 0.5 and 0.9"),
        ({"results": {"a": 1}}, "results.a is 1, not an object"),
        ({"groups": []}, "groups is a list, not an object"),
        ({"higher_is_better": {"arc_easy": {"acc": "yes"}}}, "higher_is_better of arc_easy/acc is 'yes', neither"),
        ({"higher_is_better": {"arc_easy": "yes"}}, "higher_is_better of arc_easy/acc is 'yes', neither"),
        ({"n-samples": {}}, "n-samples lacks arc_easy, which has results"),
        ({"n-samples": {"a": {"original": 1, "effective": 2}}}, "n-samples.a: 2 samples were evaluated of 1"),
        ({"n-samples": {"a": {"original": 1}}}, "n-samples.a.effective is missing or null, not a number of things"),
        ({"n-samples": {"": {}}}, "a task is '', not text"),
    ],
)
def test_what_is_missing_or_contradictory_is_an_error(changes: dict[str, Any], problem: str) -> None:
    assert refused(**changes).startswith(problem)


def test_a_cut_file_is_an_error() -> None:
    data = json.dumps(document()).encode()
    for length in range(1, len(data), 97):
        with pytest.raises(ResultsError, match=r"^results\.json: "):
            read_results(data[:length], "results.json")
