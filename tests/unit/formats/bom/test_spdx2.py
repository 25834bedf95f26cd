"""SPDX 2.3 as facts: what is described, what it needs, hashes, licences and ancestors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gate.formats.bom.spdx2 import facts
from gate.formats.intoto import StatementError

VECTORS = Path(__file__).parents[3] / "vectors" / "bom" / "spdx"
DOCUMENT = "SPDXRef-DOCUMENT"


def package(ref: str, **more: Any) -> dict[str, Any]:
    return {"SPDXID": ref, "name": ref.lower(), "downloadLocation": "NOASSERTION", **more}


def bom(*edges: tuple[str, str, str], **more: Any) -> Any:
    """The facts of a document with three packages and some relationships."""
    relationships = [
        {"spdxElementId": first, "relationshipType": kind, "relatedSpdxElement": second}
        for first, kind, second in edges
    ]
    return facts(
        {
            "SPDXID": DOCUMENT,
            "spdxVersion": "SPDX-2.3",
            "documentNamespace": "https://example.com/x",
            "creationInfo": {"created": "2026-11-01T00:00:00Z", "creators": ["Tool: t"]},
            "packages": [package("A"), package("B"), package("C")],
            "relationships": relationships,
            **more,
        }
    )


def code(*edges: tuple[str, str, str], **more: Any) -> str:
    with pytest.raises(StatementError) as caught:
        bom(*edges, **more)
    return caught.value.code


DESCRIBES = (DOCUMENT, "DESCRIBES", "A")


def test_the_frame() -> None:
    found = bom()
    assert found["serial"] == "https://example.com/x"
    assert found["created_at_s"] == 1793491200
    assert (found["root"], found["completeness"]) == (None, "unknown")
    assert (found["cards"], found["datasets"], found["depends"], found["ancestors"]) == ({}, {}, {}, {})


@pytest.mark.parametrize(
    ("edges", "more", "root"),
    [
        ([DESCRIBES], {}, "A"),
        ([("A", "DESCRIBED_BY", DOCUMENT)], {}, "A"),
        ([], {"documentDescribes": ["B"]}, "B"),
        ([DESCRIBES], {"documentDescribes": ["A"]}, "A"),
        ([DESCRIBES], {"documentDescribes": ["B"]}, None),
        ([DESCRIBES, (DOCUMENT, "DESCRIBES", "C")], {}, None),
        ([(DOCUMENT, "DESCRIBES", "NOASSERTION")], {}, None),
        ([("B", "DESCRIBES", "A")], {}, None),
    ],
    ids=str,
)
def test_the_root_is_the_one_that_is_described(edges: Any, more: Any, root: str | None) -> None:
    assert bom(*edges, **more)["root"] == root


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        ([("A", "DEPENDS_ON", "NONE")], "complete"),
        ([("A", "CONTAINS", "NONE"), ("A", "DEPENDS_ON", "NONE")], "complete"),
        ([("A", "DEPENDS_ON", "NONE"), ("A", "DEPENDS_ON", "B")], "unknown"),
        ([("A", "DEPENDS_ON", "NOASSERTION")], "unknown"),
        ([("B", "DEPENDS_ON", "NONE")], "unknown"),
        ([], "unknown"),
    ],
    ids=str,
)
def test_only_none_is_complete(edges: Any, expected: str) -> None:
    assert bom(DESCRIBES, *edges)["completeness"] == expected
    assert bom(*edges)["completeness"] == "unknown"


def test_what_needs_what_is_read_in_both_directions() -> None:
    found = bom(
        ("A", "DEPENDS_ON", "B"),
        ("C", "BUILD_DEPENDENCY_OF", "B"),
        ("F", "CONTAINED_BY", "A"),
        ("A", "DEPENDS_ON", "DocumentRef-other:SPDXRef-x"),
        ("A", "DEPENDS_ON", "NOASSERTION"),
        ("A", "OTHER", "C"),
        files=[{"SPDXID": "F", "fileName": "./f"}, {"SPDXID": "G", "fileName": "./g"}],
        packages=[package("A", hasFiles=["G"]), package("B"), package("C")],
    )
    assert found["depends"] == {"A": ["B", "DocumentRef-other:SPDXRef-x", "F", "G"], "B": ["C"]}
    assert found["components"]["F"]["kind"] == "file"
    assert found["components"]["F"]["name"] == "./f"


def test_ancestors() -> None:
    packages = [
        package("A"),
        package("B", checksums=[{"algorithm": "SHA256", "checksumValue": "AB" * 32}]),
        package("C"),
    ]
    found = bom(
        ("A", "DESCENDANT_OF", "B"),
        ("C", "ANCESTOR_OF", "A"),
        ("A", "DESCENDANT_OF", "DocumentRef-x:SPDXRef-y"),
        ("A", "DESCENDANT_OF", "NOASSERTION"),
        (DOCUMENT, "DESCENDANT_OF", "A"),
        packages=packages,
    )
    assert found["ancestors"] == {
        "A": [
            {"name": "b", "purl": None, "digests": {"sha256": "ab" * 32}},
            {"name": "c", "purl": None, "digests": {}},
            {"name": "DocumentRef-x:SPDXRef-y", "purl": None, "digests": {}},
        ]
    }


def test_a_package() -> None:
    references = [
        {"referenceCategory": "SECURITY", "referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a"},
        {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:pypi/a@1"},
    ]
    found = bom(
        packages=[
            package(
                "A",
                versionInfo="1",
                externalRefs=references,
                licenseConcluded="MIT AND Apache-2.0",
                licenseDeclared="NOASSERTION",
                primaryPackagePurpose="FRAMEWORK",
            ),
            package("B", licenseConcluded="NONE", primaryPackagePurpose="OPERATING-SYSTEM"),
        ]
    )["components"]
    assert found["A"] == {
        "name": "a",
        "version": "1",
        "kind": "library",
        "purl": "pkg:pypi/a@1",
        "licenses": ["MIT AND Apache-2.0"],
        "digests": {},
    }
    assert (found["B"]["licenses"], found["B"]["kind"], found["B"]["purl"]) == (["NONE"], "other", None)


def test_licences_that_were_found_in_files_are_read() -> None:
    found = bom(
        packages=[
            package("A", licenseDeclared="MIT", licenseInfoFromFiles=["GPL-3.0-only", "NOASSERTION", "MIT"]),
            package("B", licenseConcluded="MIT", licenseInfoFromFiles=["NONE"]),
        ],
        files=[{"SPDXID": "F", "fileName": "./f", "licenseConcluded": "MIT", "licenseInfoInFiles": ["GPL-2.0-only"]}],
    )["components"]
    assert [found[name]["licenses"] for name in "ABF"] == [["GPL-3.0-only", "MIT"], ["MIT"], ["GPL-2.0-only", "MIT"]]


def test_a_reference_that_is_given_twice_is_refused() -> None:
    assert code(packages=[package("A"), package("A")]) == "duplicate"
    assert code(packages=[package(DOCUMENT)]) == "duplicate"
    assert code(files=[{"SPDXID": "A", "fileName": "./a"}]) == "duplicate"


def test_a_reference_to_nothing_is_refused() -> None:
    assert code(("A", "DEPENDS_ON", "D")) == "dangling"
    assert code(("D", "DEPENDS_ON", "A")) == "dangling"
    assert code(documentDescribes=["D"]) == "dangling"
    assert code(packages=[package("A", hasFiles=["D"])]) == "dangling"


def test_a_hash_that_is_none_is_refused() -> None:
    wrong = {"algorithm": "SHA256", "checksumValue": "ab" * 20}
    assert code(packages=[package("A", checksums=[wrong])]) == "digest"


def test_the_example_of_the_specification() -> None:
    found: Any = facts(json.loads((VECTORS / "SPDXJSONExample-v2.3.spdx.json").read_bytes()))
    assert found["root"] is None  # it describes a file and a package
    part = found["components"]["SPDXRef-Package"]
    assert part["licenses"] == [
        "(LGPL-2.0-only AND LicenseRef-3)",
        "(LGPL-2.0-only OR LicenseRef-3)",
        "GPL-2.0-only",
        "LicenseRef-1",
        "LicenseRef-2",
    ]
    assert set(part["digests"]) == {"md5", "sha1", "sha256", "blake2b384"}
