"""Frameworks and the matrix: every id is listed or said not to be, every gap is seen from both sides."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gate import resources
from gate.errors import PolicyError
from gate.evaluate.frameworks import known_frameworks, matrix, packaged_frameworks, read_framework
from gate.formats.schema import problem
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
    return read_framework("lists/f.json", json.dumps(FRAMEWORK | changes).encode())


def control(name: str, **frameworks: tuple[str, ...]) -> ControlInfo:
    return info(name, frameworks={key: FrameworkReference("supports", ids) for key, ids in frameworks.items()})


def test_a_framework_keeps_its_order() -> None:
    found = read()
    assert (found.id, found.title, found.version, found.complete, found.scope) == ("F", "Title", "1", True, "both")
    assert list(found.requirements.items()) == [("2", "Two"), ("1", "One")]


@pytest.mark.parametrize("field", FRAMEWORK)
def test_nothing_may_be_missing(field: str) -> None:
    rest = {name: value for name, value in FRAMEWORK.items() if name != field}
    with pytest.raises(PolicyError, match=f"lists/f.json has no {field}"):
        read_framework("lists/f.json", json.dumps(rest).encode())


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"id": ""}, "expected text"),
        ({"complete": "yes"}, "expected true or false"),
        ({"requirements": {"1": ""}}, "expected text"),
        ({"requirements": ["1"]}, "expected a mapping"),
        ({"notes": "x"}, "unknown key 'notes'"),
        ({"controls": {"a.one": {"relation": "covers", "ids": ["1"]}}}, "'covers' is not one of"),
        (
            {"controls": {"a.one": {"relation": "supports", "ids": ["3"]}}},
            "there is no requirement '3'; known",
        ),
    ],
)
def test_a_malformed_framework_is_refused_with_its_place(changes: dict[str, Any], match: str) -> None:
    with pytest.raises(PolicyError, match=f"lists/f.json: line 1: .*{match}"):
        read(**changes)


def test_a_packaged_list_has_the_name_of_its_file() -> None:
    with pytest.raises(PolicyError, match="place: line 1: 'F' is not one of G"):
        read_framework("place", json.dumps(FRAMEWORK).encode(), "G")


def test_a_list_may_be_yaml_with_comments() -> None:
    found = read_framework(
        "f.yaml",
        b"id: F\ntitle: T\nversion: '1'\ncomplete: false\nscope: some  # so far\nsource: intranet\n"
        b"requirements: {'1': One}\ncontrols:\n  a.one: {relation: partly supports, ids: ['1']}\n",
    )
    assert (found.source, dict(found.controls)) == (
        "intranet",
        {"a.one": FrameworkReference("partly supports", ("1",))},
    )


def test_a_list_maps_controls_beside_what_they_say_themselves() -> None:
    mapped = {"a.one": {"relation": "partly supports", "ids": ["2"]}, "a.gone": {"relation": "supports", "ids": ["1"]}}
    framework = read(controls=mapped)
    one, other = control("a.one", F=("1", "2")), control("b.other")
    assert dict(framework.relations(one)) == {"1": "supports", "2": "partly supports"}
    assert dict(framework.relations(other)) == {}
    found = matrix(framework, [one, other])
    assert [(row.id, [support.relation for support in row.supports]) for row in found.rows] == [
        ("2", ["partly supports"]),
        ("1", ["supports"]),
    ]
    assert found.unmapped == (other,)


def test_a_teams_own_lists_are_known_beside_the_packaged_ones() -> None:
    found = known_frameworks([control("a.one", F=("1",), ACME=("A-1",))], [read()])
    assert set(found) == {*packaged_frameworks(), "F", "ACME"}
    assert found["F"].complete


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
        assert framework.source
        assert not framework.controls, "packaged controls say themselves what they support"
        assert all(id_ == id_.strip() and title == title.strip() for id_, title in framework.requirements.items())


@pytest.mark.parametrize("name", sorted(resources.framework_files()))
def test_each_packaged_list_fits_the_published_schema(name: str) -> None:
    assert problem("framework.json", json.loads(resources.framework_files()[name])) is None


def test_the_lists_are_as_long_as_their_sources() -> None:
    assert {name: len(item.requirements) for name, item in packaged_frameworks().items() if item.complete} == {
        "ISO-42001": 38,
        "NIST-800-218A": 48,
        "NIST-AI-RMF-1.0": 72,
        "OWASP-AISVS-1.0": 191,
        "OWASP-LLM-2025": 10,
        "OWASP-ML-2023": 10,
        "OpenSSF-Baseline": 64,
        "S2C2F": 25,
        "SLSA-1.2": 7,
    }


def test_every_packaged_list_has_requirements_that_controls_support() -> None:
    controls = packaged().catalogue.values()
    for framework in packaged_frameworks().values():
        found = matrix(framework, controls)
        assert len(found.gaps) < len(found.rows), framework.id
        assert all(row.listed for row in found.rows), framework.id


def test_a_small_list_says_that_it_is_not_complete() -> None:
    """The lists of what the gate maps have no requirement without a control but those kept for their family."""
    frameworks = packaged_frameworks()
    assert {name for name, item in frameworks.items() if not item.complete} == {
        "CoSAI",
        "EU-AI-Act",
        "MITRE-ATLAS-5",
        "NIST-800-53r5",
    }
    gaps = matrix(frameworks["NIST-800-53r5"], packaged().catalogue.values()).gaps
    assert all(row.id.startswith("SR-") for row in gaps)


BROAD = {"NIST-AI-RMF-1.0", "EU-AI-Act", "ISO-42001"}


@pytest.mark.parametrize("name", sorted(packaged().catalogue))
def test_every_packaged_control_is_mapped_to_risks_to_techniques_and_to_management(name: str) -> None:
    """What a control is for is said to engineers, to those who secure software, and to those who manage risks."""
    references = packaged().catalogue[name].frameworks
    assert references.keys() & {"OWASP-LLM-2025", "OWASP-ML-2023", "CoSAI"}
    assert references.keys() & {"NIST-800-218A", "NIST-800-53r5", "MITRE-ATLAS-5"}
    assert "NIST-AI-RMF-1.0" in references
    full = {framework for framework in BROAD & references.keys() if references[framework].relation == "supports"}
    assert full <= {"ISO-42001"}, "a technical check alone does no more than partly support a duty of an organisation"


@pytest.mark.parametrize("name", sorted(packaged().catalogue))
def test_every_mapping_of_a_packaged_control_is_listed(name: str) -> None:
    frameworks = packaged_frameworks()
    references = packaged().catalogue[name].frameworks
    assert references
    assert all(len(set(reference.ids)) == len(reference.ids) for reference in references.values())
    for framework, reference in references.items():
        assert reference.ids
        assert set(reference.ids) <= set(frameworks[framework].requirements), framework
