"""CycloneDX as facts: completeness, references, hashes, licences, model cards, data and pedigree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gate.formats.bom.cyclonedx import facts
from gate.formats.intoto import StatementError

VECTORS = Path(__file__).parents[3] / "vectors" / "bom" / "cyclonedx"
ROOT = {"type": "machine-learning-model", "name": "m", "bom-ref": "root"}


def bom(root: Any = ROOT, **more: Any) -> Any:
    """The facts of a document."""
    return facts({"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"component": root}, **more})


def library(ref: str | None, **more: Any) -> dict[str, Any]:
    return {"type": "library", "name": ref or "l", **({} if ref is None else {"bom-ref": ref}), **more}


def code(root: Any = ROOT, **more: Any) -> str:
    with pytest.raises(StatementError) as caught:
        bom(root, **more)
    return caught.value.code


@pytest.mark.parametrize(
    ("compositions", "expected"),
    [
        ([], "unknown"),
        ([{"aggregate": "complete"}], "complete"),
        ([{"aggregate": "complete", "assemblies": ["root"]}], "complete"),
        ([{"aggregate": "complete", "dependencies": ["root"]}], "complete"),
        ([{"aggregate": "complete", "assemblies": ["part"]}], "unknown"),
        ([{"aggregate": "complete", "assemblies": []}], "unknown"),
        ([{"aggregate": "complete", "vulnerabilities": ["root"]}], "unknown"),
        ([{"aggregate": "complete", "assemblies": ["urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1"]}], "unknown"),
        ([{"aggregate": "complete"}, {"aggregate": "incomplete", "assemblies": ["root"]}], "incomplete"),
        ([{"aggregate": "complete"}, {"aggregate": "incomplete", "assemblies": ["part"]}], "incomplete"),
        ([{"aggregate": "complete"}, {"aggregate": "unknown", "dependencies": ["part"]}], "unknown"),
        ([{"aggregate": "complete"}, {"aggregate": "incomplete", "assemblies": []}], "incomplete"),
        ([{"aggregate": "incomplete_first_party_only"}], "incomplete"),
        ([{"aggregate": "complete"}, {"aggregate": "not_specified", "dependencies": ["root"]}], "unknown"),
        ([{"aggregate": "unknown"}], "unknown"),
    ],
    ids=str,
)
def test_completeness_is_what_is_said_of_the_root(compositions: Any, expected: str) -> None:
    assert bom(components=[library("part")], compositions=compositions)["completeness"] == expected


def test_without_a_root_nothing_is_complete() -> None:
    found = facts({"specVersion": "1.6", "compositions": [{"aggregate": "complete"}]})
    assert (found["root"], found["completeness"], found["components"]) == (None, "unknown", {})


def test_a_component_without_reference_is_named_by_its_place() -> None:
    found = bom({"type": "container", "name": "i", "components": [library(None, components=[library("deep")])]})
    assert list(found["components"]) == [
        "metadata/component",
        "metadata/component/components/0",
        "deep",
    ]
    assert found["depends"] == {
        "metadata/component": ["metadata/component/components/0"],
        "metadata/component/components/0": ["deep"],
    }


def test_a_reference_that_looks_like_the_place_of_another_is_refused() -> None:
    assert code(components=[library(None), library("components/0")]) == "duplicate"


@pytest.mark.parametrize(
    "more",
    [
        {"components": [library("root")]},
        {"components": [library("a"), library("a")]},
        {"components": [library("a", components=[library("a")])]},
        {"components": [library("a", data=[{"type": "dataset", "bom-ref": "a"}])]},
        {"components": [library("a", pedigree={"ancestors": [library("root")]})]},
        {"components": [library("a")], "services": [{"name": "s", "bom-ref": "a"}]},
    ],
    ids=str,
)
def test_a_reference_that_is_given_twice_is_refused(more: Any) -> None:
    assert code(**more) == "duplicate"


def test_references_that_become_no_facts_may_repeat() -> None:
    tool = {"components": [library("root"), library("tool")]}
    found: Any = facts(
        {
            "metadata": {"component": ROOT, "tools": tool},
            "annotations": [{"annotator": {"component": library("tool")}}],
            "formulation": [{"bom-ref": "x"}, {"bom-ref": "x"}],
        }
    )
    assert list(found["components"]) == ["root"]


@pytest.mark.parametrize(
    "more",
    [
        {"dependencies": [{"ref": "nobody"}]},
        {"dependencies": [{"ref": "root", "dependsOn": ["nobody"]}]},
        {"dependencies": [{"ref": "root", "dependsOn": ["urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#a"]}]},
        {"compositions": [{"aggregate": "complete", "assemblies": ["nobody"]}]},
        {"components": [library("a", modelCard={"modelParameters": {"datasets": [{"ref": "nobody"}]}})]},
    ],
    ids=str,
)
def test_a_reference_to_nothing_is_refused(more: Any) -> None:
    assert code(**more) == "dangling"


def test_dependencies_join_what_is_nested_and_leave_services_out() -> None:
    found = bom(
        ROOT | {"components": [library("inside")]},
        components=[library("a"), library("b")],
        services=[{"name": "s", "bom-ref": "service"}],
        dependencies=[
            {"ref": "root", "dependsOn": ["b", "a", "service"]},
            {"ref": "root", "dependsOn": ["a"]},
            {"ref": "service", "dependsOn": ["a"]},
            {"ref": "a"},
        ],
    )
    assert found["depends"] == {"root": ["a", "b", "inside"]}


def test_hashes_have_one_name_and_one_value() -> None:
    hashes = [
        {"alg": "SHA-256", "content": "AB" * 32},
        {"alg": "SHA-256", "content": "ab" * 32},
        {"alg": "SHA3-512", "content": "cd" * 64},
        {"alg": "BLAKE2b-384", "content": "ef" * 48},
        {"alg": "Streebog-256", "content": "00" * 32},
    ]
    assert bom(ROOT | {"hashes": hashes})["components"]["root"]["digests"] == {
        "sha256": "ab" * 32,
        "sha3_512": "cd" * 64,
        "blake2b384": "ef" * 48,
    }
    assert code(ROOT | {"hashes": [hashes[0], {"alg": "SHA-256", "content": "cd" * 32}]}) == "digest"
    assert code(ROOT | {"hashes": [{"alg": "SHA-256", "content": "ab" * 20}]}) == "digest"
    assert code(ROOT | {"hashes": [{"alg": "SHA-256", "content": "zz" * 32}]}) == "digest"


def test_licences_are_ids_expressions_or_names() -> None:
    licenses = [
        {"license": {"id": "MIT"}},
        {"license": {"name": "Our own"}},
        {"expression": "Apache-2.0 OR MIT"},
        {"license": {"id": "MIT"}},
        {"license": {}},
    ]
    seen = {"licenses": [{"license": {"id": "GPL-3.0-only"}}]}
    found = bom(ROOT | {"licenses": licenses, "evidence": seen})["components"]["root"]
    assert found["licenses"] == ["Apache-2.0 OR MIT", "GPL-3.0-only", "MIT", "NOASSERTION", "Our own"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("machine-learning-model", "model"),
        ("data", "data"),
        ("application", "application"),
        ("framework", "library"),
        ("library", "library"),
        ("container", "container"),
        ("file", "file"),
        ("firmware", "other"),
    ],
)
def test_kinds(kind: str, expected: str) -> None:
    assert bom(ROOT | {"type": kind})["components"]["root"]["kind"] == expected


def test_texts_are_cut() -> None:
    found = bom(ROOT | {"name": "n" * 5000, "version": "v" * 5000})["components"]["root"]
    assert (len(found["name"]), len(found["version"])) == (4096, 4096)


def test_a_model_card_with_its_datasets() -> None:
    found: Any = facts(json.loads((VECTORS / "model-card-with-dataset.json").read_bytes()))
    assert found["root"] == "component-support-triage-service"
    assert found["serial"] == "urn:uuid:df4f6ec7-6d36-47e6-a15b-640a0af54267"
    assert found["created_at_s"] == 1777377600
    assert found["components"]["component-support-ticket-classifier"]["kind"] == "model"
    assert found["cards"] == {
        "component-support-ticket-classifier": {
            "intended_use": "Suggest an initial support queue for a newly received support ticket.",
            "limitations": [
                "The example model is illustrative and should not be used to infer production readiness.",
            ],
            "considerations": True,
            "datasets": ["component-support-ticket-evaluation-data", "component-support-ticket-training-data"],
            "task": "text-classification",
            "architecture": "transformer, encoder-only transformer",
        }
    }
    said: Any = {"owner": None, "classification": "internal", "personal_data": None, "licenses": []}
    assert found["datasets"] == {
        f"{kind}-support-ticket-{part}-data": said
        for part in ("training", "evaluation")
        for kind in ("component", "data")
    }


def test_an_empty_card_says_nothing() -> None:
    assert bom(ROOT | {"modelCard": {"considerations": {"useCases": []}}})["cards"]["root"] == {
        "intended_use": None,
        "limitations": [],
        "considerations": False,
        "datasets": [],
        "task": None,
        "architecture": None,
    }
    assert bom(ROOT | {"modelCard": {}})["cards"]["root"]["considerations"] is False


def inline(*datasets: Any) -> Any:
    return ROOT | {"modelCard": {"modelParameters": {"datasets": list(datasets)}}}


def test_datasets_that_a_card_describes_itself() -> None:
    owner = {"organization": {"name": "Data team"}}
    found = bom(
        inline(
            {"type": "dataset", "name": "c4", "governance": {"owners": [owner]}, "sensitiveData": []},
            {"type": "dataset", "bom-ref": "d", "sensitiveData": ["names"]},
            {"type": "dataset"},
            {"ref": "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#data"},
        )
    )
    assert found["cards"]["root"]["datasets"] == [
        "c4",
        "d",
        "root/datasets/2",
        "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#data",
    ]
    assert found["datasets"] == {
        "c4": {"owner": "Data team", "classification": None, "personal_data": False, "licenses": []},
        "d": {"owner": None, "classification": None, "personal_data": True, "licenses": []},
        "root/datasets/2": {"owner": None, "classification": None, "personal_data": None, "licenses": []},
    }


def test_the_name_of_a_dataset_is_not_taken_for_another() -> None:
    governed = {"type": "dataset", "name": "c4", "classification": "public"}
    assert list(bom(inline(governed, governed))["datasets"]) == ["c4"]
    assert code(inline(governed, {"type": "dataset", "name": "c4"})) == "duplicate"
    assert code(inline({"type": "dataset", "name": "part"}), components=[library("part")]) == "duplicate"


def test_of_several_descriptions_each_must_say_it_and_personal_data_in_one_is_enough() -> None:
    def data(*entries: Any, **more: Any) -> Any:
        component = {"type": "data", "name": "d", "bom-ref": "d", "data": list(entries), **more}
        return bom(components=[component])["datasets"]["d"]

    def entry(**more: Any) -> Any:
        return {"type": "dataset", **more}

    contact = {"owners": [{"contact": {"name": "Ann"}}, {"contact": {"email": "b@example.com"}}]}
    full = entry(classification="internal", sensitiveData=[], governance=contact)
    mit = [{"license": {"id": "MIT"}}]
    assert data(full, full, licenses=mit) == {
        "owner": "Ann, b@example.com",
        "classification": "internal",
        "personal_data": False,
        "licenses": ["MIT"],
    }
    assert data(full, entry()) == {"owner": None, "classification": None, "personal_data": None, "licenses": []}
    assert data(full, entry(sensitiveData=["names"]), entry())["personal_data"] is True
    assert data()["personal_data"] is None


def test_ancestors_are_those_of_ancestors_too() -> None:
    base = {"type": "machine-learning-model", "name": "base", "purl": "pkg:huggingface/a/base@1"}
    mid = {
        "type": "machine-learning-model",
        "name": "mid",
        "hashes": [{"alg": "SHA-256", "content": "ab" * 32}],
        "pedigree": {"ancestors": [base]},
    }
    found = bom(ROOT | {"pedigree": {"ancestors": [mid], "descendants": [library("no")]}})
    assert found["ancestors"] == {
        "root": [
            {"name": "mid", "purl": None, "digests": {"sha256": "ab" * 32}},
            {"name": "base", "purl": "pkg:huggingface/a/base@1", "digests": {}},
        ]
    }
    assert list(found["components"]) == ["root"]
