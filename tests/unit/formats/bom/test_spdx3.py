"""SPDX 3.0.1 as facts: the graph, its roots, completeness, licences, AI packages, datasets and hashes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from gate.formats.bom.spdx3 import CONTEXT, facts
from gate.formats.intoto import StatementError
from tests.unit.formats.predicates.reading import code_of, read

VECTORS = Path(__file__).parents[3] / "vectors" / "bom" / "spdx"
SPDX = "https://spdx.dev/Document/v3"
TERMS = "https://spdx.org/rdf/3.0.1/terms"
INFO = {
    "type": "CreationInfo",
    "@id": "_:info",
    "specVersion": "3.0.1",
    "created": "2026-11-01T00:00:00Z",
    "createdBy": ["urn:x:team"],
}


def node(kind: str, name: str, /, **more: Any) -> dict[str, Any]:
    return {"type": kind, "spdxId": f"urn:x:{name}", "creationInfo": "_:info", **more}


def edge(first: str, kind: str, /, *to: Any, **more: Any) -> dict[str, Any]:
    targets = [f"urn:x:{item}" if isinstance(item, str) and ":" not in item and len(item) < 9 else item for item in to]
    name = f"rel-{first}-{kind}-{hashlib.sha256(json.dumps(targets).encode()).hexdigest()}"
    return node("Relationship", name, relationshipType=kind, to=targets, **{"from": f"urn:x:{first}", **more})


def document(*nodes: Any, roots: Any = ("model",)) -> Any:
    main = node("SpdxDocument", "doc", rootElement=[f"urn:x:{root}" for root in roots])
    team = node("Organization", "team", name="The team")
    return {"@context": CONTEXT, "@graph": [INFO, team, main, node("ai_AIPackage", "model", name="m"), *nodes]}


def bom(*nodes: Any, **more: Any) -> Any:
    """The facts of a document that also fits the schema."""
    return read(SPDX, document(*nodes, **more)).facts


def code(*nodes: Any, **more: Any) -> str:
    return code_of(SPDX, document(*nodes, **more))


def test_the_frame() -> None:
    found = bom()
    assert (found["format"], found["version"], found["serial"]) == ("spdx", "3.0.1", "urn:x:doc")
    assert (found["created_at_s"], found["root"], found["completeness"]) == (1793491200, "urn:x:model", "unknown")
    assert found["components"] == {
        "urn:x:model": {"name": "m", "version": None, "kind": "model", "purl": None, "licenses": [], "digests": {}}
    }


def test_an_ai_package_of_a_public_example() -> None:
    found: Any = facts(json.loads((VECTORS / "ai-example05.spdx3.json").read_bytes()))
    name = "https://spdx.org/spdxdocs/ai-example05-a1b2c3d4-e5f6-7890-abcd-000000005001#"
    model, data = f"{name}AIPackage1", f"{name}DatasetPackage1"
    assert found["root"] == model
    assert found["components"][model]["licenses"] == ["LicenseRef-WarehouseDetect-Commercial"]
    assert found["components"][data]["kind"] == "data"
    card = found["cards"][model]
    assert card["datasets"] == [data]
    assert card["task"] == "computer vision, workplace safety, object detection"
    assert card["architecture"] == "convolutional neural network, object detection, real-time"
    assert card["considerations"] is True
    assert card["limitations"][0].startswith("Performance degrades")
    assert card["intended_use"].startswith("Deployed on")
    assert found["datasets"] == {
        data: {"owner": None, "classification": "amber", "personal_data": True, "licenses": []}
    }
    assert found["ancestors"] == {model: [{"name": "WarehouseSafety-Train", "purl": None, "digests": {}}]}


def test_a_dataset_with_an_owner() -> None:
    agent = node("Person", "ann", name="Ann")
    common = {"dataset_datasetType": ["text"], "name": "d"}
    found = bom(
        agent,
        node("dataset_DatasetPackage", "a", originatedBy=["urn:x:ann", "urn:x:team"], **common),
        node(
            "dataset_DatasetPackage",
            "b",
            suppliedBy="urn:x:team",
            dataset_hasSensitivePersonalInformation="no",
            **common,
        ),
        node("dataset_DatasetPackage", "c", dataset_hasSensitivePersonalInformation="noAssertion", **common),
        node("dataset_DatasetPackage", "d", suppliedBy=node("Agent", "bob", name="Bob"), **common),
        node("simplelicensing_LicenseExpression", "lic", simplelicensing_licenseExpression="CC-BY-4.0"),
        edge("a", "hasDeclaredLicense", "lic"),
    )["datasets"]
    assert [found[f"urn:x:{name}"]["owner"] for name in "abcd"] == ["Ann, The team", "The team", None, "Bob"]
    assert [found[f"urn:x:{name}"]["personal_data"] for name in "abcd"] == [None, False, None, None]
    assert found["urn:x:a"]["licenses"] == ["CC-BY-4.0"]


def test_an_owner_who_is_nowhere_is_refused() -> None:
    data = node("dataset_DatasetPackage", "a", originatedBy=["urn:x:nobody"], dataset_datasetType=["text"])
    assert code(data) == "dangling"


def test_the_root_is_found_through_bills() -> None:
    bill = node("software_Sbom", "bill", rootElement=["urn:x:inner"])
    inner = node("Bom", "inner", rootElement=["urn:x:model", "urn:x:bill"])
    assert bom(bill, inner, roots=["bill"])["root"] == "urn:x:model"
    assert bom(bill, inner, node("software_Package", "p"), roots=["bill", "p"])["root"] is None
    assert bom(roots=[])["root"] is None
    assert bom(roots=["team"])["root"] is None
    assert code(roots=["nobody"]) == "dangling"


def test_without_a_document_the_bills_name_the_root() -> None:
    value = document(node("software_Sbom", "bill", rootElement=["urn:x:model"]))
    value["@graph"] = [item for item in value["@graph"] if item["type"] != "SpdxDocument"]
    found = read(SPDX, value).facts
    assert (found["root"], found["serial"], found["created_at_s"]) == ("urn:x:model", None, None)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([], "unknown"),
        (["complete"], "complete"),
        (["complete", "complete"], "complete"),
        (["complete", None], "unknown"),
        (["complete", "noAssertion"], "unknown"),
        (["complete", "incomplete"], "incomplete"),
    ],
    ids=str,
)
def test_completeness_is_what_the_relationships_of_the_root_say(said: Any, expected: str) -> None:
    parts = [node("software_Package", f"p{number}", name="p") for number in range(len(said))]
    edges = [
        edge("model", "contains" if number else "dependsOn", f"p{number}", **({"completeness": word} if word else {}))
        for number, word in enumerate(said)
    ]
    other = edge("team", "contains", "model", completeness="incomplete")
    assert bom(*parts, *edges, other)["completeness"] == expected
    below = edge("p0", "contains", "p1", completeness="incomplete")
    assert len(said) < 2 or bom(*parts, *edges, below)["completeness"] == "incomplete"


WHOLE = {"completeness": "complete"}
LACKING = {"completeness": "incomplete"}
UNSAID = f"{TERMS}/Core/NoAssertionElement"


def scoped(scope: str, **more: Any) -> dict[str, Any]:
    return edge("model", "dependsOn", "p", scope=scope, **more) | {"type": "LifecycleScopedRelationship"}


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        ([edge("model", "hasOptionalComponent", "p", **WHOLE)], "unknown"),
        ([edge("model", "hasOptionalDependency", "p", **WHOLE)], "unknown"),
        ([edge("model", "hasStaticLink", "p", **WHOLE)], "unknown"),
        ([scoped("development", **WHOLE)], "unknown"),
        ([scoped("test", **WHOLE)], "unknown"),
        ([scoped("build", **WHOLE)], "unknown"),
        ([scoped("runtime", **WHOLE)], "complete"),
        ([edge("model", "contains", UNSAID, **WHOLE)], "unknown"),
        ([edge("model", "contains", "p", UNSAID, **WHOLE)], "unknown"),
        ([edge("model", "contains", "p", endTime="2020-01-01T00:00:00Z", **WHOLE)], "unknown"),
        ([edge("model", "contains", "p", endTime="2026-11-01T00:00:00Z", **WHOLE)], "unknown"),
        ([edge("model", "contains", "p", endTime="2026-11-01T00:00:01Z", **WHOLE)], "complete"),
        ([edge("model", "contains", "p", startTime="2026-11-01T00:00:01Z", **WHOLE)], "unknown"),
        ([edge("model", "contains", "p", startTime="2026-11-01T00:00:00Z", **WHOLE)], "complete"),
        ([edge("p", "contains", "model", **WHOLE)], "unknown"),
    ],
    ids=str,
)
def test_what_is_not_the_list_of_all_parts_makes_no_list_whole(edges: Any, expected: str) -> None:
    assert bom(node("software_Package", "p", name="p"), *edges)["completeness"] == expected


CONTAINS = edge("model", "contains", "p", **WHOLE)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (edge("model", "hasOptionalComponent", "p"), "complete"),
        (scoped("test"), "complete"),
        (edge("model", "dependsOn", "p", endTime="2020-01-01T00:00:00Z"), "complete"),
        (edge("model", "hasStaticLink", "p", **WHOLE), "complete"),
        (edge("model", "hasStaticLink", "p"), "unknown"),
        (edge("model", "dependsOn", UNSAID), "unknown"),
        (edge("model", "hasOptionalComponent", UNSAID, **WHOLE), "unknown"),
        (edge("model", "hasOptionalComponent", "p", **LACKING), "incomplete"),
        (scoped("development", **LACKING), "incomplete"),
        (edge("model", "dependsOn", "p", endTime="2020-01-01T00:00:00Z", **LACKING), "incomplete"),
    ],
    ids=str,
)
def test_a_whole_list_may_stand_beside_others(more: Any, expected: str) -> None:
    assert bom(node("software_Package", "p", name="p"), CONTAINS, more)["completeness"] == expected


def test_without_a_time_of_the_document_nothing_that_ends_is_whole() -> None:
    until = edge("model", "contains", "p", endTime="2030-01-01T00:00:00Z", **WHOLE)
    since = edge("model", "contains", "p", startTime="2020-01-01T00:00:00Z", **WHOLE)
    for more, expected in ((until, "unknown"), (since, "unknown"), (CONTAINS, "complete")):
        value = document(
            node("software_Package", "p", name="p"), node("software_Sbom", "bill", rootElement=["urn:x:model"]), more
        )
        value["@graph"] = [item for item in value["@graph"] if item["type"] != "SpdxDocument"]
        assert read(SPDX, value).facts["completeness"] == expected


def test_nothing_at_all_can_be_complete() -> None:
    found = bom(edge("model", "dependsOn", f"{TERMS}/Core/NoneElement", completeness="complete"))
    assert (found["completeness"], found["depends"]) == ("complete", {})


def test_what_needs_what() -> None:
    imported = {"type": "ExternalMap", "externalSpdxId": "urn:other:lib"}
    value = document(
        node("software_Package", "p", name="p"),
        node("software_File", "f", name="f"),
        edge("model", "contains", "p", "f"),
        edge("p", "dependsOn", "urn:other:lib"),
        edge("p", "other", "f"),
    )
    value["@graph"][2]["import"] = [imported]
    found: Any = read(SPDX, value).facts
    assert found["depends"] == {"urn:x:model": ["urn:x:f", "urn:x:p"], "urn:x:p": ["urn:other:lib"]}
    assert [found["components"][f"urn:x:{name}"]["kind"] for name in "fp"] == ["file", "other"]


def test_ancestors_are_here_or_elsewhere() -> None:
    hashed = {"type": "Hash", "algorithm": "sha256", "hashValue": "ab" * 32}
    value = document(
        node("ai_AIPackage", "base", name="base", verifiedUsing=[hashed], software_packageUrl="pkg:huggingface/a/b"),
        edge("model", "descendantOf", "base", "urn:other:old"),
        edge("base", "ancestorOf", "model"),
    )
    value["@graph"][2]["import"] = [{"type": "ExternalMap", "externalSpdxId": "urn:other:old"}]
    found: Any = read(SPDX, value).facts
    assert found["ancestors"] == {
        "urn:x:model": [
            {"name": "urn:other:old", "purl": None, "digests": {}},
            {"name": "base", "purl": "pkg:huggingface/a/b", "digests": {"sha256": "ab" * 32}},
        ]
    }


@pytest.mark.parametrize(
    ("license", "expected"),
    [
        ("https://spdx.org/licenses/MIT", ["MIT"]),
        ("expandedlicensing_NoneLicense", ["NONE"]),
        (f"{TERMS}/ExpandedLicensing/NoneLicense", ["NONE"]),
        ("expandedlicensing_NoAssertionLicense", []),
        (f"{TERMS}/ExpandedLicensing/NoAssertionLicense", []),
        ("own", ["urn:x:own"]),
        (
            node("simplelicensing_LicenseExpression", "on-the-spot", simplelicensing_licenseExpression="MIT OR ISC"),
            ["MIT OR ISC"],
        ),
    ],
    ids=str,
)
def test_licences(license: Any, expected: list[str]) -> None:  # noqa: A002 - the word of the format
    own = node("expandedlicensing_CustomLicense", "own", simplelicensing_licenseText="Do as you like")
    found = bom(own, edge("model", "hasConcludedLicense", license), edge("model", "hasEvidence", "team"))
    assert found["components"]["urn:x:model"]["licenses"] == expected


def test_hashes_stand_in_the_element_or_beside_it() -> None:
    beside = {"type": "Hash", "@id": "_:hash", "algorithm": "sha3_256", "hashValue": "AB" * 32}
    inside = {"type": "Hash", "algorithm": "sha512", "hashValue": "cd" * 64}
    code_ = {"type": "PackageVerificationCode", "algorithm": "sha1", "hashValue": "ef" * 20}
    part = node("software_Package", "p", verifiedUsing=["_:hash", inside, code_])
    found = bom(beside, part)["components"]["urn:x:p"]
    assert found["digests"] == {"sha3_256": "ab" * 32, "sha512": "cd" * 64}
    assert found["name"] == "urn:x:p"
    assert code(node("software_Package", "p", verifiedUsing=["_:nowhere"])) == "dangling"
    assert code(node("software_Package", "p", verifiedUsing=[inside, {**inside, "hashValue": "ab" * 64}])) == "digest"


def test_a_package_url_is_an_identifier_too() -> None:
    identifiers = [
        {"type": "ExternalIdentifier", "externalIdentifierType": "cve", "identifier": "CVE-1"},
        {"type": "ExternalIdentifier", "externalIdentifierType": "packageUrl", "identifier": "pkg:pypi/a@1"},
    ]
    part = node("software_Package", "p", externalIdentifier=identifiers, software_primaryPurpose="framework")
    found = bom(part)["components"]["urn:x:p"]
    assert (found["purl"], found["kind"]) == ("pkg:pypi/a@1", "library")


def test_what_is_given_twice_is_refused() -> None:
    assert code(node("software_Package", "model")) == "duplicate"
    assert code(node("software_Package", "p", suppliedBy=node("Agent", "team", name="Other"))) == "duplicate"
    assert code(node("SpdxDocument", "other")) == "duplicate"


@pytest.mark.parametrize(
    "wrong",
    [
        edge("model", "contains", "nobody"),
        edge("nobody", "contains", "model"),
        edge("model", "contains", {"type": "Hash", "algorithm": "sha1", "hashValue": "00"}),
    ],
    ids=str,
)
def test_a_reference_to_nothing_is_refused(wrong: Any) -> None:
    assert code(wrong) == "dangling"


@pytest.mark.parametrize(
    "wrong",
    [
        node("software_Package", "p", hasSensitivePersonalInformation="no"),
        node("software_Package", "p", **{f"{TERMS}/Core/name": "other"}),
        node("software_Package", "p", **{"@type": "software_File"}),
        node(f"{TERMS}/Software/Package", "p"),
        node("software_Package", "p", **{"@id": "urn:x:q"}),
        {"type": "software_Package", "spdxId": "_:p", "creationInfo": "_:info"},
        node("dataset_DatasetPackage", "p"),
        edge("model", "madeFrom", "team"),
        node("software_Package", "p", suppliedBy=node("Agent", "a", age=7)),
    ],
    ids=str,
)
def test_other_ways_to_say_something_do_not_fit_the_schema(wrong: Any) -> None:
    assert code(wrong) == "predicate"


def test_an_element_of_another_version_is_refused() -> None:
    assert code({**INFO, "@id": "_:old", "specVersion": "3.0.0"}) == "version"


def test_an_extension_hides_nothing() -> None:
    hidden = node("software_Package", "p", extension=[{"type": "https://example.com/x", "spdxId": "urn:x:model"}])
    assert list(bom(hidden)["components"]) == ["urn:x:model", "urn:x:p"]


def test_facts_refuse_with_the_errors_of_statements() -> None:
    with pytest.raises(StatementError, match="given twice"):
        facts({"@graph": [INFO, INFO]})
