"""Expressions against a policy: their values, what is undefined, and where a name is misspelt."""

from __future__ import annotations

import pytest

from gate.errors import ConfigError, PolicyError
from gate.evaluate.query import misspelt, query
from gate.model.json import JsonValue

MODULES = {"own.rego": 'package own.part\n\nimport future.keywords.not\n\nstatus := "fine"\n'}
DOCUMENT = b'{"list":[1,2],"map":{"a":{"kind":"weights"}}}'
VALUE: dict[str, JsonValue] = {"list": [1, 2], "map": {"a": {"kind": "weights"}}}


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("data.own.part.status", ["fine"]),
        ("input.list[_]", [1, 2]),
        ("some x in input.list; x + 1", [2, 3]),
        ("some x in input.list", [{"x": 1}, {"x": 2}]),
        ("x := input.list[_]\ny := x + 1", [{"x": 1, "y": 2}, {"x": 2, "y": 3}]),
        ("1 == 2", [False]),
        ("not input.nothing", [True]),
        ("every x in input.list { x < 3 }", [True]),
        ("input.list # said aside", [[1, 2]]),
        ('count(input.list) with input as {"list": []}', [True]),
        ("value := 1", [{"value": 1}]),
        ("some value in input.list; value", [1, 2]),
        ("value_ := 7; value := 1; value + value_", [8]),
        ("input.gate_query", []),
        ("input.nothing", []),
    ],
)
def test_values(expression: str, values: list[JsonValue]) -> None:
    assert query(MODULES, expression, DOCUMENT) == values


@pytest.mark.parametrize("expression", ["", "  ", "true\n}\nother if {\n\ttrue"])
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(ConfigError, match="not an expression"):
        query(MODULES, expression, DOCUMENT)


@pytest.mark.parametrize("expression", ["1 +", "http.send({})", "time.now_ns()", "data.own.part.statu"])
def test_the_static_checks_hold(expression: str) -> None:
    with pytest.raises(PolicyError, match="does not load"):
        query(MODULES, expression, DOCUMENT)


def test_the_time_is_limited() -> None:
    with pytest.raises(PolicyError, match="took longer"):
        query(
            MODULES,
            "count([1 | some i in numbers.range(1, 3000); some j in numbers.range(1, 3000); i == j])",
            DOCUMENT,
            time_limit_s=0.05,
        )


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("input.lits", "input has no 'lits'; did you mean 'list'?"),
        ("input.map.a.kin", "input.map.a has no 'kin'; did you mean 'kind'?"),
        ("data.own.part.statu", "data.own.part has no 'statu'; did you mean 'status'?"),
        ('data["own"].prat', "data.own has no 'prat'; did you mean 'part'?"),
        ("input.list[7]", ""),
        ("input.list.x", ""),
        ("data.own.part.status.below", ""),
        ("1 +", ""),
        ("count([1])", ""),
    ],
)
def test_a_misspelt_name_is_found(expression: str, said: str) -> None:
    assert misspelt(MODULES, expression, VALUE) == said
