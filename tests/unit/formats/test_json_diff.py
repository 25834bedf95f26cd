"""Differences of JSON values: complete, by place, and none where two are the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.formats.canonical_json import CanonicalJsonError, dumps
from gate.formats.json_diff import differences
from gate.model.difference import Difference
from gate.model.policy import Presence

ADDED, REMOVED, CHANGED = Presence.ADDED, Presence.REMOVED, Presence.CHANGED
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("xy", max_size=2), inner, max_size=3),
    max_leaves=8,
)


def found(old: Any, new: Any) -> list[Difference]:
    return list(differences(old, new))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [Difference(("a",), CHANGED, 1, 2)]),
        ({"a": {"b": 1}}, {"a": {"b": None}}, [Difference(("a", "b"), CHANGED, 1, None)]),
        ({"a": 1}, {"b": 1}, [Difference(("a",), REMOVED, old=1), Difference(("b",), ADDED, new=1)]),
        ({"a": 1}, {"a": True}, [Difference(("a",), CHANGED, 1, True)]),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": None}, {}, [Difference(("a",), REMOVED)]),
        ({"a": {}}, {"a": []}, [Difference(("a",), CHANGED, {}, [])]),
        ({"a": "x"}, {"a": ["x"]}, [Difference(("a",), CHANGED, "x", ["x"])]),
        ({"a": [1, 2]}, {"a": [2, 3]}, [Difference(("a",), REMOVED, old=1), Difference(("a",), ADDED, new=3)]),
        ({"a": [1, 1]}, {"a": [1]}, [Difference(("a",), REMOVED, old=1)]),
        ({"a": [1, 2]}, {"a": [2, 1]}, [Difference(("a",), CHANGED, [1, 2], [2, 1])]),
        ({"a": [{"b": 1, "c": 2}]}, {"a": [{"c": 2, "b": 1}]}, []),
        ("x", "y", [Difference((), CHANGED, "x", "y")]),
    ],
)
def test_each_place_that_differs_is_named_once(old: Any, new: Any, expected: list[Difference]) -> None:
    assert found(old, new) == expected


@given(JSON, JSON)
def test_there_is_a_difference_exactly_where_canonical_forms_differ(old: Any, new: Any) -> None:
    assert bool(found(old, new)) == (dumps(old) != dumps(new))
    assert len(found(old, new)) == len(found(new, old))


def test_what_has_no_canonical_form_is_not_compared() -> None:
    with pytest.raises(CanonicalJsonError):
        found({"a": 1 << 60}, {"a": 1})
