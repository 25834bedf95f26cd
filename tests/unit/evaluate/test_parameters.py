"""Values of parameters: a word that no rule knows, or a value of another type, is refused before anything is judged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gate.errors import ConfigError, PolicyError
from gate.evaluate.catalogue import load_profile, read_control
from gate.evaluate.parameters import settled
from gate.model.control import ControlInfo, Parameter
from tests.support.cases import packaged


def info(**fields: Any) -> ControlInfo:
    entry = Parameter(**{"name": "p", "type": "string", "meaning": "x", **fields})
    return ControlInfo("c.one", "t", "d", "high", (), (), (), True, "fix", {}, (entry,))


GOOD: list[tuple[dict[str, Any], Any, Any]] = [
    ({"type": "boolean"}, False, False),
    ({"type": "number"}, -1, -1),
    ({"type": "number", "least": 1}, 1, 1),
    ({"type": "seconds"}, 0, 0),
    ({"type": "seconds"}, "30d", 30 * 86400),
    ({"type": "numbers"}, {"a": 1}, {"a": 1}),
    ({"type": "numbers"}, {}, {}),
    ({"type": "object"}, {"a": {"b": []}}, {"a": {"b": []}}),
    ({"type": "list"}, [], []),
    ({"type": "list", "least": 1}, ["anything"], ["anything"]),
    ({"type": "list", "choices": ("a", "b")}, ["b", "a"], ["b", "a"]),
    ({"type": "list", "choices": ("<artifact-kinds>",)}, ["weights", "slo"], ["weights", "slo"]),
    ({"type": "list", "choices": ("<claims>",)}, ["sbom", "x.acme.energy", "https://example.com/a"], None),
    ({"type": "list", "choices": ("<packages>",)}, ["*", "torch", "@acme/tool", "golang.org/x/net", "_"], None),
    ({"type": "string"}, "anything", "anything"),
    ({"type": "string", "choices": ("low",)}, "low", "low"),
]


@pytest.mark.parametrize(("fields", "value", "wanted"), GOOD)
def test_a_value_that_fits_is_taken(fields: dict[str, Any], value: Any, wanted: Any) -> None:
    found = settled(info(**fields), {"p": value})
    assert found == {"p": value if wanted is None else wanted}


BAD: list[tuple[dict[str, Any], Any, str]] = [
    ({"type": "boolean"}, "true", "expected true or false"),
    ({"type": "number"}, "3", "expected a whole number"),
    ({"type": "number"}, True, "expected a whole number"),
    ({"type": "number", "least": 1}, 0, "expected a whole number of at least 1"),
    ({"type": "seconds"}, "soon", "expected a duration such as 30d, 12h or 90m, or seconds"),
    ({"type": "seconds"}, -1, "expected a duration such as 30d, 12h or 90m, or seconds"),
    ({"type": "numbers"}, {"a": "1"}, "expected a mapping from names to whole numbers"),
    ({"type": "numbers"}, [], "expected a mapping from names to whole numbers"),
    ({"type": "object"}, "x", "expected a mapping"),
    ({"type": "list"}, "weights", "expected a list of texts, such as [a, b]"),
    ({"type": "list"}, ["a", " "], "expected text"),
    ({"type": "list"}, [1], "expected text"),
    ({"type": "list", "least": 1}, [], "expected a list of at least 1"),
    ({"type": "list", "choices": ("<artifact-kinds>",)}, ["weigths"], "'weigths' is not a kind of artifact; did you"),
    ({"type": "list", "choices": ("<claims>",)}, ["sbmo"], "'sbmo' is not a claim; did you mean 'sbom'?"),
    ({"type": "list", "choices": ("<claims>",)}, ["artifact.*"], "'artifact.*' is not a claim"),
    ({"type": "list", "choices": ("<packages>",)}, ["a", "tor*"], "'tor*' is not the name of a package, without a"),
    ({"type": "list", "choices": ("<packages>",)}, ["torch==2.0"], "'torch==2.0' is not the name of a package"),
    ({"type": "list", "choices": ("<packages>",)}, ["left-pad@1.0"], "'left-pad@1.0' is not the name of a package"),
    ({"type": "string"}, None, "expected text"),
    ({"type": "string", "choices": ("low", "high")}, "hihg", "'hihg' is not one of low, high; did you mean 'high'?"),
]


@pytest.mark.parametrize(("fields", "value", "problem"), BAD)
def test_a_value_that_does_not_fit_is_named_with_what_was_expected(
    fields: dict[str, Any], value: Any, problem: str
) -> None:
    with pytest.raises(ValueError, match=r"^c\.one: p: ") as caught:
        settled(info(**fields), {"p": value})
    assert str(caught.value).startswith(f"c.one: p: {problem}")


def test_every_default_of_the_library_fits() -> None:
    for control in packaged().catalogue.values():
        values = {item.name: item.default for item in control.parameters if item.name != "<claim>"}
        assert settled(control, values) == values


def test_a_claim_stands_for_a_parameter_only_by_its_name() -> None:
    fresh = info(name="<claim>", type="seconds")
    assert settled(fresh, {"eval": "1d", "https://example.com/a": 5}) == {"eval": 86400, "https://example.com/a": 5}
    for name, near in (("<claim>", ""), ("evla", "; did you mean 'eval'?")):
        with pytest.raises(ValueError, match="has no parameter") as caught:
            settled(fresh, {name: 5})
        assert str(caught.value) == f"c.one has no parameter {name!r}{near}"


TYPING_ERRORS: list[tuple[str, dict[str, Any], str]] = [
    ("sbom.signed", {"apart_from": ["artifact.*"]}, "is not a claim"),
    ("sbom.signed", {"kinds": ["weigths"]}, "did you mean 'weights'"),
    ("sbom.complete", {"kinds": "weights"}, "expected a list"),
    ("sbom.complete", {"kinds": []}, "at least 1"),
    ("model.license", {"kinds": ["Weights"]}, "did you mean 'weights'"),
    ("model.card", {"required": []}, "at least 1"),
    ("project.health", {"kinds": ["wheel"]}, "is not a kind of artifact"),
    ("project.health", {"checks": {"Code-Review": "5000"}}, "whole numbers"),
    ("eval.binds", {"kinds": ["promt"]}, "did you mean 'prompt'"),
    ("eval.passed", {"at_least": {"accuracy": "0.9"}}, "whole numbers"),
    ("artifact.transparent", {"claims": ["sbmo"]}, "did you mean 'sbom'"),
    ("deps.pinned", {"attested": ["tor*"]}, "is not the name of a package"),
    ("build.level", {"minimum": "3"}, "a whole number of at least 1"),
    ("approval.human", {"minimum": 0}, "a whole number of at least 1"),
    ("approval.separated", {"duties": ["aproval"]}, "did you mean 'approval'"),
    ("source.reviewed", {"level": 0}, "a whole number of at least 1"),
    ("scan.malware", {"limit": "sever"}, "is not one of low, medium, high, critical"),
    ("change.attested", {"on_empty_diff": "alow"}, "did you mean 'allow'"),
    ("evidence.fresh", {"sbom": "1 month"}, "expected a duration"),
]


@pytest.mark.parametrize(("control", "values", "problem"), TYPING_ERRORS)
def test_a_typing_error_switches_nothing_off(control: str, values: dict[str, Any], problem: str) -> None:
    """Said with exit code 2, the control, the parameter and the place, in a profile and in the configuration."""
    document = {"controls": {control: {"mode": "enforce"}}}
    name = next(iter(values))
    for text, overrides, place in (
        ({**document, "parameters": {control: values}}, {}, f"profile mine: line 1: parameters: {control}: {name}: "),
        (document, {control: values}, f"ci/gate.yaml: parameters: {control}: {name}: "),
    ):
        with pytest.raises(ConfigError) as caught:
            load_profile(
                *("mine", json.dumps(text).encode(), packaged().catalogue, overrides), configuration="ci/gate.yaml"
            )
        assert caught.value.exit_code == 2
        assert str(caught.value).startswith(place)
        assert problem in str(caught.value)


HEAD = """# METADATA
# title: Title
# description: Description.
# custom:
#   severity: high
#   claims: [prompt]
#   artifacts: [weights]
#   targets: [deployment]
#   waivable: false
#   fix: Do it.
#   parameters:
#     - {name: p, meaning: x, %s}
package gate.controls.artifact.signed
"""
PATH = "gate/controls/artifact/signed/signed.rego"


@pytest.mark.parametrize(
    ("said", "choices", "least", "expected"),
    [
        ("type: list, choices: [a, b], least: 1", ("a", "b"), 1, "list of a, b, at least 1"),
        ("type: list, choices: artifact-kinds", ("<artifact-kinds>",), None, "list of artifact kinds"),
        ("type: number, least: 0", (), 0, "number, at least 0"),
        ("type: string", (), None, "string"),
    ],
)
def test_metadata_says_what_fits(said: str, choices: tuple[str, ...], least: int | None, expected: str) -> None:
    (found,) = read_control(PATH, HEAD % said).parameters
    assert (found.choices, found.least, found.expected) == (choices, least, expected)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("type: text", "'text' is not one of boolean, list"),
        ("type: list, choices: kinds", "'kinds' is not one of artifact-kinds, claims, packages"),
        ("type: list, choices: []", "expected at least one word"),
        ("type: number, choices: [a]", "choices are of a list or a string"),
        ("type: string, least: 1", "least is how many a list holds, or the least that a number is"),
        ("type: list, least: true", "expected a whole number"),
        ("default: 1", "type is missing"),
    ],
)
def test_metadata_that_says_something_else_is_refused(said: str, problem: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read_control(PATH, HEAD % said)
    assert problem in str(caught.value)
