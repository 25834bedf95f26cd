"""Results in plain JSON: exact values, and no value where the file has none."""

from __future__ import annotations

import json

import pytest

from gate.formats.results import FORMS, MAX_BYTES, Results, ResultsError, Samples, read_results


def read(text: str | bytes, form: str | None = None) -> Results:
    data = text.encode() if isinstance(text, str) else text
    return read_results(data, "eval/candidate.json", form)


def refused(text: str | bytes, form: str | None = None) -> str:
    with pytest.raises(ResultsError) as caught:
        read(text, form)
    problem = str(caught.value)
    assert problem.startswith("eval/candidate.json: ")
    return problem.removeprefix("eval/candidate.json: ")


def test_values_are_exact_in_decimal_and_in_millionths() -> None:
    found = read('{"accuracy": 0.910, "loss": 1e-7, "delta": -0.0000015, "count": 12}')
    assert {name: (item.text, item.low, item.high) for name, item in found.metrics.items()} == {
        "accuracy": ("0.91", 910_000, 910_000),
        "count": ("12", 12_000_000, 12_000_000),
        "delta": ("-0.0000015", -2, -1),
        "loss": ("0.0000001", 0, 1),
    }
    assert found.samples is None
    assert (found.tool, found.version) == ("json", None)
    assert {item.better for item in found.metrics.values()} == {None}


def test_a_run_may_say_what_is_known_of_it() -> None:
    found = read(
        json.dumps(
            {
                "metrics": {"accuracy": 0.5, "loss": 2},
                "samples": {"evaluated": 99, "expected": 100},
                "better": {"accuracy": "higher", "loss": "lower"},
                "tool": "own",
                "version": "1.2",
            }
        )
    )
    assert found.samples == Samples(evaluated=99, expected=100)
    assert (found.tool, found.version) == ("own", "1.2")
    assert [item.better for item in found.metrics.values()] == ["higher", "lower"]
    assert read('{"metrics": {"a": 1}}').samples is None


def test_a_metric_may_be_called_metrics() -> None:
    assert list(read('{"metrics": 1}').metrics) == ["metrics"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the file is empty"),
        (" \n", "the file is empty"),
        ("{}", "there is no metric in it"),
        ('{"metrics": {}}', "there is no metric in it"),
        ('{"accuracy": NaN}', "accuracy is NaN, which is not a number"),
        ('{"metrics": {"a": [0, -Infinity]}}', "metrics.a.1 is -Infinity, which is not a number"),
        ('{"accuracy": 1e999}', "accuracy is 1e999, which is not a number"),
        ('{"accuracy": "0.91"}', "accuracy is '0.91', not a number"),
        ('{"accuracy": null}', "accuracy is missing or null, not a number"),
        ('{"accuracy": true}', "accuracy is True, not a number"),
        ('{"accuracy": {"value": 1}}', "accuracy is an object, not a number"),
        ('{"accuracy": [1]}', "accuracy is a list, not a number"),
        ('{"accuracy": 9007199255}', "accuracy: 9007199255 is out of range"),
        ('{"a": "' + "x" * 100 + '"}', "a is '" + "x" * 56 + "..., not a number"),
        ('{"accuracy": 0.9', "not JSON at line 1, column 17: Expecting ',' delimiter"),
        ('{"a": 1, "a": 2}', "duplicate key 'a'"),
        ("[1]", "not a JSON object"),
        ('{"": 1}', "'' is no name of a metric: 1 to 200 printable characters"),
        ('{"a\\u001b[2J": 1}', "'a\\x1b[2J' is no name of a metric: 1 to 200 printable characters"),
        ('{"metrics": {"a": 1}, "samlpes": {}}', "'samlpes' is not known beside metrics; known are better"),
        ('{"metrics": {"a": 1}, "samples": {"evaluated": 1}}', "samples has the members evaluated and expected"),
        (
            '{"metrics": {"a": 1}, "samples": {"evaluated": 1.0, "expected": 1}}',
            "samples.evaluated is 1.0, not a number of things",
        ),
        ('{"metrics": {"a": 1}, "samples": {"evaluated": 2, "expected": 1}}', "2 samples were evaluated of 1"),
        ('{"metrics": {"a": 1}, "better": {"a": "more"}}', "better.a must name a metric, and be higher or lower"),
        ('{"metrics": {"a": 1}, "better": {"b": "lower"}}', "better.b must name a metric"),
        ('{"metrics": {"a": 1}, "better": []}', "better is a list, not an object"),
        ('{"metrics": {"a": 1}, "tool": ""}', "tool is '', not text"),
        ('{"metrics": {"a": 1}, "version": 3}', "version is 3, not text"),
        (b'{"a": 1}\xff', "not UTF-8 at byte 8"),
        ("[" * 100 + "]" * 100, "more than 64 levels of nesting at byte 64"),
    ],
)
def test_what_is_no_number_is_an_error_that_names_it(text: str | bytes, problem: str) -> None:
    assert refused(text).startswith(problem)


def test_too_much_is_an_error() -> None:
    assert refused(b" " * (MAX_BYTES + 1)) == f"{MAX_BYTES + 1} bytes, more than the {MAX_BYTES} that are read"
    assert refused(json.dumps({f"m{n}": 1 for n in range(10_001)})) == "10001 metrics, at most 10000 are read"


def test_a_form_may_be_forced_and_must_be_known() -> None:
    assert read('{"results": 0.5}', "json").metrics["results"].low == 500_000
    assert refused('{"results": 0.5}', "lm-eval") == "results is 0.5, not an object"
    assert refused("{}", "yaml") == (
        "no results of the form 'yaml' are read; known are lm-eval, promptfoo, garak, junit, json"
    )
    assert FORMS == ("lm-eval", "promptfoo", "garak", "junit", "json")


@pytest.mark.parametrize("tool", ["garak", "Garak 0.13", " promptfoo", "lm-eval", "junit"])
def test_nobody_speaks_in_the_name_of_a_tool_whose_results_are_read(tool: str) -> None:
    text = json.dumps({"metrics": {"dan.Dan/dan.DAN": 1}, "better": {"dan.Dan/dan.DAN": "higher"}, "tool": tool})
    assert "whose own results are read: name its result file" in refused(text)


def test_a_tool_may_have_any_other_name() -> None:
    assert read('{"metrics": {"a": 1}, "tool": " "}').tool == " "
    assert read('{"metrics": {"a": 1}, "tool": "garakish"}').tool == "garakish"
