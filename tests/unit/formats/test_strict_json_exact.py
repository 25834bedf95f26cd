"""The exact mode of the JSON reader: floats keep their decimal text, and what is no number is named by its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.formats.strict_json import ExactFloat, StrictJsonError, loads, loads_exact


@pytest.mark.parametrize("text", ["0.1", "-0.0", "1e-7", "0.1000000000000000055511151231257827", "1E+2", "1e-999"])
def test_floats_keep_their_text(text: str) -> None:
    found = loads_exact(f'{{"a": [{text}]}}'.encode())
    assert found == loads(f'{{"a": [{text}]}}'.encode())
    assert isinstance(found, dict)
    (value,) = found["a"]
    assert isinstance(value, ExactFloat)
    assert value.text == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("NaN", "the document is NaN, which is not a number"),
        ('{"a": {"b": [1, Infinity]}}', "a.b.1 is Infinity, which is not a number"),
        ('{"a": -1e999}', "a is -1e999, which is not a number"),
        ('{"a": 9223372036854775808}', "an integer is outside the range of int64"),
        ('{"a": 1.0, "a": 1.0}', "duplicate key 'a'"),
    ],
)
def test_what_is_no_number_is_named(text: str, problem: str) -> None:
    with pytest.raises(StrictJsonError) as caught:
        loads_exact(text.encode())
    assert str(caught.value) == problem


def test_the_limit_holds() -> None:
    with pytest.raises(StrictJsonError, match="more than the 3 allowed"):
        loads_exact(b"0.25", limit=3)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_value_is_that_of_the_text(value: float) -> None:
    assert loads_exact(repr(value).encode()) == value
