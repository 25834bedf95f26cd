"""VEX documents of three formats: what they judge, and what is no VEX document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gate.formats.predicates import claim_of, claims_of
from gate.formats.predicates.vex import CSAF, OPENVEX
from gate.formats.strict_json import StrictJsonError, loads
from tests.unit.formats.predicates.reading import changed, code_of, read

VECTORS = Path(__file__).resolve().parents[3] / "vectors" / "vex"
BOM = "https://cyclonedx.org/bom"
KINDS = {"openvex": OPENVEX, "csaf": CSAF["2.0"], "csaf-2.1": CSAF["2.1"], "cyclonedx": BOM}
PURL, DIGEST = "pkg:pypi/urllib3@2.0.0", f"sha256:{'ab' * 32}"
DAY_10, DAY_11, DAY_12 = 1_794_268_800, 1_794_355_200, 1_794_441_600


def vector(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text("utf-8"))


def facts(name: str, path: str = "", new: Any = ...) -> Any:
    value = vector(name)
    return read(kind_of(name), changed(value, path, new) if path else value).facts


def kind_of(name: str) -> str:
    return KINDS.get(name) or KINDS[name.partition("-")[0]]


def judged(name: str) -> list[tuple[Any, ...]]:
    return [
        (item["names"][0], item["status"], item["justification"], item["at_s"], *map(product, item["products"]))
        for item in facts(name)["judgements"]
    ]


def product(value: Any) -> tuple[Any, ...]:
    return value["digests"], value["purls"], value["components"]


def test_openvex() -> None:
    assert judged("openvex") == [
        (
            "CVE-2026-0001", "not_affected", "vulnerable_code_not_in_execute_path", DAY_11,
            ([DIGEST], [f"pkg:oci/server@sha256%3A{'ab' * 32}?repository_url=registry.example"], [PURL]),
        ),
        ("CVE-2026-0002", "fixed", None, DAY_12, ([DIGEST], [PURL], None)),
        ("CVE-2026-0003", "affected", None, DAY_12, ([], [PURL], None)),
        ("CVE-2026-0004", "under_investigation", None, DAY_12, ([], [PURL], None)),
    ]  # fmt: skip
    found = facts("openvex")
    assert found["judgements"][0]["names"] == ["CVE-2026-0001", "GHSA-aaaa-bbbb-cccc"]
    assert (found["format"], found["version"], found["author"]) == ("openvex", "0.2.0", "Product Security")
    assert read(OPENVEX, vector("openvex")).stated_at_s == DAY_12
    first = changed(vector("openvex"), "last_updated", ...)
    assert read("https://openvex.dev/ns/v0.2.0", first).stated_at_s == DAY_10


def test_what_openvex_leaves_out_widens_nothing() -> None:
    assert [item[1:] for item in judged("openvex-partial")] == [
        ("not_affected", "component_not_present", DAY_12),
        ("not_affected", None, DAY_12, ([], [], None)),
        ("fixed", None, DAY_12, ([DIGEST], [], [])),
    ]


def test_csaf() -> None:
    part: tuple[Any, ...] = ([DIGEST], [], [PURL])
    assert judged("csaf") == [
        ("CVE-2026-0001", "affected", "vulnerable_code_not_present", DAY_12, ([], [PURL], None)),
        ("CVE-2026-0001", "not_affected", "vulnerable_code_not_present", DAY_12, part),
        ("CVE-2026-0001", "not_affected", None, DAY_12, ([], [], None)),
        ("CVE-2026-0002", "fixed", None, DAY_12, ([DIGEST], [], None)),
        ("CVE-2026-0003", "affected", None, DAY_12, ([DIGEST], [], None)),
        ("CVE-2026-0003", "under_investigation", None, DAY_12, ([], [PURL], None)),
    ]
    assert facts("csaf")["judgements"][0]["names"] == ["CVE-2026-0001", "GHSA-aaaa-bbbb-cccc"]
    assert facts("csaf")["author"] == "Example Company"
    assert judged("csaf-2.1")[:4] == judged("csaf")[:4]
    assert judged("csaf-2.1")[4:] == [("CVE-2026-0003", "under_investigation", None, DAY_12, ([], [PURL], None))]


def test_cyclonedx() -> None:
    assert judged("cyclonedx") == [
        ("CVE-2026-0001", "not_affected", "code_not_reachable", DAY_11, ([DIGEST], [], None)),
        ("CVE-2026-0002", "fixed", None, DAY_12, ([], [PURL], None)),
        ("CVE-2026-0003", "affected", None, DAY_12, ([], [PURL], None)),
        ("CVE-2026-0004", "not_affected", None, DAY_12, ([], [PURL], None)),
        ("CVE-2026-0005", "under_investigation", None, DAY_12, ([], [PURL], None)),
    ]
    assert facts("cyclonedx")["author"] == "Product Security"
    assert facts("cyclonedx", "metadata.authors")["author"] is None
    assert facts("cyclonedx", "metadata.component")["judgements"][0]["products"][0]["digests"] == []


def test_a_range_of_versions_takes_nothing_away() -> None:
    assert [item[1:] for item in judged("cyclonedx-partial")] == [
        ("not_affected", "code_not_reachable", DAY_12),
        ("fixed", None, DAY_12),
    ]


def test_the_claim_is_vex_only_without_components() -> None:
    document = vector("cyclonedx")
    bill = {**document, "components": [{"type": "library", "name": "urllib3", "version": "2.0.0"}]}
    assert read(BOM, document).claim == claim_of(BOM, document) == "vex"
    assert read(BOM, bill).claim == claim_of(BOM, bill) == claim_of(BOM) == "sbom"
    assert read(BOM, vector("cyclonedx-empty")).claim == "sbom"
    assert claims_of(f"{BOM}/v1.6") == ("sbom", "vex")
    assert claims_of(OPENVEX) == claims_of(CSAF["2.1"]) == ("vex",)
    assert "judgements" not in read(BOM, bill).facts


@pytest.mark.parametrize(
    "name", ["openvex-wrong-target", "openvex-hostile", "cyclonedx-wrong-target", "cyclonedx-hostile"]
)
def test_other_products_are_read_as_what_they_are(name: str) -> None:
    for item in facts(name)["judgements"]:
        assert all(DIGEST not in product["digests"] and PURL not in product["purls"] for product in item["products"])


@pytest.mark.parametrize("name", ["openvex-cut", "csaf-cut", "cyclonedx-cut"])
def test_what_is_cut_is_no_json(name: str) -> None:
    with pytest.raises(StrictJsonError):
        loads((VECTORS / f"{name}.json").read_bytes(), limit=1 << 20)


@pytest.mark.parametrize(
    ("name", "path", "new", "code"),
    [
        ("openvex-empty", "version", 1, "vex_empty"),
        ("csaf-empty", "document.title", "", "vex_empty"),
        ("csaf-partial", "document.title", "", "vex_draft"),
        ("csaf-wrong-target", "document.title", "", "vex_version"),
        ("csaf-hostile", "document.title", "", "predicate"),
        ("openvex", "@context", "https://openvex.dev/ns", "vex_version"),
        ("openvex", "@context", ..., "vex_version"),
        ("openvex", "timestamp", ..., "time"),
        ("openvex", "timestamp", "yesterday", "time"),
        ("openvex", "timestamp", "1969-12-31T23:59:59Z", "time"),
        ("openvex", "last_updated", None, "time"),
        ("openvex", "statements.0.timestamp", 5, "time"),
        ("openvex", "statements", {}, "predicate"),
        ("openvex", "statements", ["x"], "predicate"),
        ("openvex", "statements.0.status", "harmless", "predicate"),
        ("openvex", "statements.0.status", None, "predicate"),
        ("openvex", "statements.0.vulnerability", "CVE-2026-0001", "predicate"),
        ("openvex", "statements.0.vulnerability.aliases", "x", "predicate"),
        ("openvex", "statements.0.vulnerability.aliases", [1], "predicate"),
        ("openvex", "statements.0.products", "x", "predicate"),
        ("openvex", "statements.0.products.0.subcomponents", "x", "predicate"),
        ("csaf", "document.csaf_version", "2.1", "vex_version"),
        ("csaf", "document.tracking.current_release_date", ..., "time"),
        ("csaf", "product_tree.full_product_names.0.product_id", ..., "predicate"),
        ("csaf", "product_tree.relationships.0.full_product_name.product_id", "LIB", "predicate"),
        ("csaf", "vulnerabilities.0.product_status.known_affected", ["ELSEWHERE"], "predicate"),
        ("csaf", "vulnerabilities.1.cve", ..., "predicate"),
        ("cyclonedx", "metadata.timestamp", ..., "time"),
        ("cyclonedx", "vulnerabilities.0.id", ..., None),
        ("cyclonedx", "vulnerabilities.1.id", ..., "predicate"),
        ("cyclonedx", "vulnerabilities.0.analysis.state", "harmless", "predicate"),
        ("cyclonedx", "specVersion", "0.1", "bom_version"),
    ],
)  # fmt: skip
def test_what_is_no_vex_document(name: str, path: str, new: Any, code: str | None) -> None:
    value = changed(vector(name), path, new)
    if code is None:
        assert read(kind_of(name), value).claim == "vex"
    else:
        assert code_of(kind_of(name), value) == code


def test_limits() -> None:
    value = vector("openvex")
    value["statements"] = value["statements"][:1] * 50_001
    assert code_of(OPENVEX, value) == "vex_size"
    branch: dict[str, Any] = {}
    for _ in range(40):
        branch = {"branches": [branch]}
    assert code_of(CSAF["2.0"], changed(vector("csaf"), "product_tree.branches", [branch])) == "predicate"


def test_a_csaf_document_without_products_judges_nothing() -> None:
    value = changed(vector("csaf"), "vulnerabilities", [{"cve": "CVE-2026-0001"}])
    assert code_of(CSAF["2.0"], value) == "vex_empty"
