"""Paths of configured places: names, each item, and what may be absent."""

from __future__ import annotations

from typing import Any

import pytest

from gate.formats.workloads.places import MAX_STEPS, steps_of, values_at

DOCUMENT: Any = {
    "spec": {"groups": [{"image": "a"}, {"image": "b"}], "named": {"x": {"image": "c"}, "y": {}}, "text": "t"}
}


def found(path: str) -> tuple[list[tuple[str, object]], list[str]]:
    problems: list[str] = []
    return list(values_at(DOCUMENT, path, problems)), problems


def test_names_and_each_item() -> None:
    assert found("spec.text") == ([("spec.text", "t")], [])
    assert found("spec.groups.*.image") == ([("spec.groups[0].image", "a"), ("spec.groups[1].image", "b")], [])
    assert found("*.text") == ([("spec.text", "t")], [])


def test_what_is_not_there_is_a_problem_unless_it_may_be_absent() -> None:
    assert found("spec.named.*.image") == ([("spec.named.x.image", "c")], ["spec.named.y.image is not there"])
    assert found("spec.named.*.image?") == ([("spec.named.x.image", "c")], [])
    assert found("spec.more?.image") == ([], [])
    assert found("more") == ([], ["more is not there"])


def test_what_has_another_shape_is_a_problem() -> None:
    assert found("spec.text.image") == ([], ["spec.text is not an object, so it has no image"])
    assert found("spec.text.image?") == ([], ["spec.text is not an object, so it has no image"])
    assert found("spec.text.*") == ([], ["spec.text is neither a list nor an object"])
    assert found("spec.groups.image") == ([], ["spec.groups is not an object, so it has no image"])
    problems: list[str] = []
    assert not list(values_at("x", "*", problems))
    assert not list(values_at("x", "a", problems))
    assert problems == ["the object is neither a list nor an object", "the object is not an object, so it has no a"]


@pytest.mark.parametrize(
    "path", ["", ".", "a..b", ".a", "a.", "a b", "a[0]", "$.a", "a.?", "a??", "**", "*?", "a/b", "é"]
)
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(ValueError, match="is not a path"):
        steps_of(path)


def test_paths_are_bounded() -> None:
    assert len(steps_of(".".join(["a"] * MAX_STEPS))) == MAX_STEPS
    with pytest.raises(ValueError, match="is not a path"):
        steps_of(".".join(["a"] * (MAX_STEPS + 1)))
