"""Frameworks and the matrix: every id is listed or said not to be, every gap is seen from both sides."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gate.errors import PolicyError
from gate.evaluate.frameworks import known_frameworks, matrix, packaged_frameworks, read_framework
from gate.model.control import ControlInfo, FrameworkReference
from gate.model.framework import Framework
from tests.support.cases import packaged
from tests.support.decisions import info

FRAMEWORK: dict[str, Any] = {
    "id": "F",
    "title": "Title",
    "version": "1",
    "complete": True,
    "scope": "both",
    "requirements": {"2": "Two", "1": "One"},
}


def read(**changes: Any) -> Framework:
    return read_framework("F", json.dumps(FRAMEWORK | changes).encode())


def control(name: str, **frameworks: tuple[str, ...]) -> ControlInfo:
    return info(name, frameworks={key: FrameworkReference("supports", ids) for key, ids in frameworks.items()})


def test_a_framework_keeps_its_order() -> None:
    found = read()
    assert (found.id, found.title, found.version, found.complete, found.scope) == ("F", "Title", "1", True, "both")
    assert list(found.requirements.items()) == [("2", "Two"), ("1", "One")]


@pytest.mark.parametrize("field", FRAMEWORK)
def test_nothing_may_be_missing(field: str) -> None:
    rest = {name: value for name, value in FRAMEWORK.items() if name != field}
    with pytest.raises(PolicyError, match=f"the list of the framework F has no {field}"):
        read_framework("F", json.dumps(rest).encode())


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"id": "G"}, "'G' is not one of F"),
        ({"complete": "yes"}, "expected true or false"),
        ({"requirements": {"1": ""}}, "expected text"),
        ({"requirements": ["1"]}, "expected a mapping"),
        ({"notes": "x"}, "unknown key 'notes'"),
    ],
)
def test_a_malformed_framework_is_refused_with_its_place(changes: dict[str, Any], match: str) -> None:
    with pytest.raises(PolicyError, match=f"the list of the framework F: line 1: .*{match}"):
        read(**changes)


def test_a_matrix_has_a_row_for_each_requirement() -> None:
    one, other, third = control("a.one", F=("1", "1")), control("a.other", G=("1",)), control("a.third", F=())
    found = matrix(read(), [one, other, third])
    assert [(row.id, row.title, row.listed) for row in found.rows] == [("2", "Two", True), ("1", "One", True)]
    assert [[support.control.id for support in row.supports] for row in found.rows] == [[], ["a.one"]]
    assert [row.id for row in found.gaps] == ["2"]
    assert found.unmapped == (other, third)


def test_an_id_that_only_a_control_names_is_a_row_and_no_gap() -> None:
    found = matrix(read(), [control("a.one", F=("9",))])
    assert [(row.id, row.title, row.listed) for row in found.rows][-1] == ("9", "", False)
    assert [row.id for row in found.gaps] == ["2", "1"]


def test_a_framework_that_only_controls_name_is_known_without_a_list() -> None:
    found = known_frameworks([control("a.one", ACME=("A-1",))])
    assert set(found) == {*packaged_frameworks(), "ACME"}
    assert list(found)[-1] == "ACME"
    assert (found["ACME"].complete, dict(found["ACME"].requirements)) == (False, {})


def test_each_packaged_list_says_what_it_holds() -> None:
    for name, framework in packaged_frameworks().items():
        assert framework.id == name
        assert framework.requirements
        assert all(id_ == id_.strip() and title == title.strip() for id_, title in framework.requirements.items())


def test_the_lists_are_as_long_as_their_sources() -> None:
    assert {name: len(item.requirements) for name, item in packaged_frameworks().items() if item.complete} == {
        "NIST-800-218A": 48,
        "OWASP-AISVS-1.0": 191,
        "OWASP-LLM-2025": 10,
        "S2C2F": 25,
        "SLSA-1.2": 7,
    }


@pytest.mark.parametrize("name", sorted(packaged().catalogue))
def test_every_mapping_of_a_packaged_control_is_listed(name: str) -> None:
    frameworks = packaged_frameworks()
    references = packaged().catalogue[name].frameworks
    assert references
    for framework, reference in references.items():
        assert reference.ids
        assert set(reference.ids) <= set(frameworks[framework].requirements), framework
