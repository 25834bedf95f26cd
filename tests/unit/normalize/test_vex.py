"""Which VEX statements speak of which findings: attacks first, each of which would hide a vulnerability."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gate.formats.members import member, text
from gate.formats.predicates.vex import OPENVEX
from gate.model.digest import sha256_digest
from gate.model.evidence import SignerIdentity, Verified
from gate.model.json import JsonObject
from gate.model.scan import Basis, Category, Coverage, Finding, Scan, ScanStatus, Severity
from gate.normalize.sections.scans import scans_sections
from gate.normalize.sections.vex import is_same_component, judged_findings
from tests.support.evidence import folder, image
from tests.unit.formats.predicates.reading import read
from tests.unit.formats.vex.test_vex_documents import DIGEST, kind_of, vector

PURL = "pkg:pypi/urllib3@2.0.0"
SERVER = image("server", "registry.example/server", sha256_digest(b"image"))
SITE = folder("site", {"a.lock": "a", "b.lock": "b"})
ARTIFACTS = {"server": SERVER, "site": SITE}
HEX = str(SERVER.digest).partition(":")[2]
FINDING = Finding("CVE-2026-0001", Severity.HIGH, "m", "server", purl=PURL, category=Category.VULNERABILITY)
NOW = "2026-11-12T00:00:00Z"
NOW_S = 1795176000
VENDOR, SECURITY = (SignerIdentity(name, "key", None) for name in ("vendor", "security"))


def scan(*findings: Finding, basis: Basis = Basis.OBSERVED) -> Scan:
    return Scan("grype", "1", basis, "server", None, ScanStatus.COMPLETE, Coverage(1), findings)


def statement(products: Any, name: str = "CVE-2026-0001", status: str = "fixed", **more: Any) -> JsonObject:
    aliases = more.pop("aliases", [])
    return {"vulnerability": {"name": name, "aliases": aliases}, "status": status, "products": products, **more}


def document(*statements: JsonObject) -> JsonObject:
    return {"@context": "https://openvex.dev/ns/v0.2.0", "timestamp": NOW, "statements": list(statements)}


def verified(
    value: Any,
    *signers: SignerIdentity,
    artifacts: tuple[str, ...] = ("server",),
    kind: str = OPENVEX,
) -> Verified:
    payload = sha256_digest(repr(value).encode())
    return Verified(payload, payload, "vex.json", read(kind, value), signers or (VENDOR,), artifacts)


def said(item: Verified, finding: Finding = FINDING, *others: Scan) -> JsonObject | None:
    found = judged_findings([scan(finding), *others], [item], ARTIFACTS, NOW_S)
    return found[0, 0][item.payload] if (0, 0) in found else None  # type: ignore[return-value]


def status(products: Any, finding: Finding = FINDING, **more: Any) -> Any:
    word = said(verified(document(statement(products, **more))), finding)
    return None if word is None else word["status"]


@pytest.mark.parametrize(
    "product",
    [
        {"@id": PURL},
        {"@id": "pkg:pypi/URLLib3@2.0.0"},
        {"@id": "urn:product", "identifiers": {"purl": PURL}},
        {"hashes": {"sha-256": HEX}},
        {"hashes": {"sha-256": HEX.upper()}},
        {"@id": f"pkg:oci/server@sha256%3A{HEX}"},
        {"@id": f"pkg:oci/server@sha256:{HEX}?repository_url=registry.example"},
        {"hashes": {"sha-256": HEX}, "subcomponents": [{"@id": PURL}]},
        {"hashes": {"sha-256": HEX}, "subcomponents": [{"@id": "pkg:pypi/other@1"}, {"@id": PURL}]},
    ],
)
def test_the_very_product(product: Any) -> None:
    assert status([product]) == "fixed"


@pytest.mark.parametrize(
    "product",
    [
        {},
        {"@id": "*"},
        {"@id": ""},
        {"@id": "urllib3"},
        {"@id": "server"},
        {"@id": "pkg:pypi/urllib3"},
        {"@id": "pkg:pypi/urllib3@"},
        {"@id": "pkg:pypi/urllib3@*"},
        {"@id": "pkg:pypi/urllib3@2.0.1"},
        {"@id": "pkg:pypi/urllib3@2"},
        {"@id": "pkg:pypi/urllib3@2.0.0#src"},
        {"@id": "pkg:pypi/urllib3@2.0.0?arch=amd64"},
        {"@id": "pkg:npm/urllib3@2.0.0"},
        {"@id": "pkg:pypi/vendor/urllib3@2.0.0"},
        {"@id": "pkg:oci/server"},
        {"@id": "pkg:oci/server@latest"},
        {"@id": f"pkg:oci/server@sha256:{'0' * 64}"},
        {"@id": f"pkg:generic/server@sha256:{HEX}"},
        {"hashes": {"sha-256": "0" * 64}},
        {"hashes": {"sha-256": HEX[:-1]}},
        {"hashes": {"sha-512": HEX}},
        {"hashes": {"sha-256": HEX}, "subcomponents": []},
        {"hashes": {"sha-256": HEX}, "subcomponents": [{"@id": "urllib3"}]},
        {"hashes": {"sha-256": HEX}, "subcomponents": [{"@id": "pkg:pypi/urllib3@2.0.1"}]},
        {"hashes": {"sha-256": "0" * 64}, "subcomponents": [{"@id": PURL}]},
        {"@id": PURL, "subcomponents": [{"@id": PURL}]},
    ],
)
def test_another_product(product: Any) -> None:
    assert status([product]) is None


def test_without_a_product_nothing_is_meant() -> None:
    assert status([]) is None


def test_a_finding_without_a_component_is_met_by_the_whole_artifact_alone() -> None:
    nameless = replace(FINDING, purl=None)
    assert status([{"@id": PURL}], nameless) is None
    assert status([{"hashes": {"sha-256": HEX}, "subcomponents": [{"@id": PURL}]}], nameless) is None
    assert status([{"hashes": {"sha-256": HEX}}], nameless) == "fixed"


def test_a_file_is_met_by_its_own_digest() -> None:
    digest = str(SITE.files["a.lock"].digest).partition(":")[2]
    item = verified(document(statement([{"hashes": {"sha-256": digest}}])), artifacts=("site",))
    for file, word in (("a.lock", "fixed"), ("b.lock", None), ("c.lock", None)):
        found = said(item, replace(FINDING, artifact="site", file=file))
        assert (found and found["status"]) == word


def test_a_statement_about_other_bytes_says_nothing() -> None:
    value = document(statement([{"@id": PURL}, {"hashes": {"sha-256": HEX}}]))
    assert said(verified(value, artifacts=())) is None
    assert said(verified(value, artifacts=("site",))) is None
    assert said(verified(value), replace(FINDING, artifact="site")) is None
    assert said(verified(value), replace(FINDING, artifact=None)) is None
    assert said(verified(value), replace(FINDING, artifact="elsewhere")) is None


def test_only_vulnerabilities_are_judged() -> None:
    for category in Category:
        found = status([{"@id": PURL}], replace(FINDING, category=category))
        assert found == ("fixed" if category is Category.VULNERABILITY else None)


def test_a_vulnerability_is_met_by_any_of_its_names() -> None:
    finding = replace(FINDING, rule="GHSA-aaaa-bbbb-cccc", aliases=("CVE-2026-0001",))
    for name in ("CVE-2026-0001", "cve-2026-0001", "GHSA-AAAA-bbbb-cccc"):
        assert status([{"@id": PURL}], finding, name=name) == "fixed"
    assert status([{"@id": PURL}], finding, name="X-1", aliases=["CVE-2026-0001"]) == "fixed"
    for name in ("CVE-2026-00010", "CVE-2026", "*", "CVE-2026-0002"):
        assert status([{"@id": PURL}], finding, name=name) is None


def test_other_scans_add_names_of_the_same_component() -> None:
    item = verified(document(statement([{"@id": PURL}, {"@id": "pkg:pypi/other@1"}], name="GHSA-aaaa-bbbb-cccc")))
    linking = replace(FINDING, rule="GHSA-aaaa-bbbb-cccc", aliases=("CVE-2026-0001",))
    assert said(item) is None
    assert said(item, FINDING, scan(linking)) is not None
    assert said(item, replace(FINDING, purl="pkg:pypi/other@1"), scan(linking)) is None
    assert said(item, FINDING, scan(replace(linking, artifact="site"))) is None


def test_an_unsigned_report_renames_nothing_that_is_signed() -> None:
    """Without it, whoever writes a file into the workspace chooses which vulnerability a VEX statement is about."""
    item = verified(document(statement([{"@id": PURL}], name="CVE-2020-1111")))
    linking = replace(FINDING, rule="X-1", aliases=("CVE-2020-1111", "GHSA-aaaa-bbbb-cccc"))
    found = replace(FINDING, rule="GHSA-aaaa-bbbb-cccc")
    for basis, other, is_meant in (
        (Basis.ATTESTED, Basis.OBSERVED, False),
        (Basis.ATTESTED, Basis.INSPECTED, False),
        (Basis.INSPECTED, Basis.OBSERVED, False),
        (Basis.ATTESTED, Basis.ATTESTED, True),
        (Basis.OBSERVED, Basis.ATTESTED, True),
        (Basis.OBSERVED, Basis.OBSERVED, True),
    ):
        scans = [scan(found, basis=basis), scan(linking, basis=other)]
        assert ((0, 0) in judged_findings(scans, [item], ARTIFACTS, NOW_S)) is is_meant


def test_an_advisory_of_several_vulnerabilities_makes_them_no_one() -> None:
    """A distribution's advisory is an alias of each of its CVEs."""
    item = verified(document(statement([{"@id": PURL}], name="CVE-2026-0001")))
    one, other = (replace(FINDING, rule=rule, aliases=("DSA-1",)) for rule in ("CVE-2026-0001", "CVE-2026-0002"))
    found = judged_findings([scan(one, other)], [item], ARTIFACTS, NOW_S)
    assert set(found) == {(0, 0)}
    assert said(item, replace(FINDING, rule="GHSA-x", aliases=("CVE-2026-0001", "CVE-2026-0002"))) is None


def test_the_last_word_of_a_statement_counts() -> None:
    early, late = "2026-11-01T00:00:00Z", "2026-11-11T00:00:00Z"
    products = [{"@id": PURL}]
    value = document(
        statement(products, status="affected", timestamp=early),
        statement(products, status="not_affected", justification="component_not_present", timestamp=late),
    )
    assert said(verified(value)) == {
        "author": "vendor",
        "status": "not_affected",
        "justification": "component_not_present",
        "at_s": 1_794_355_200,
    }


@pytest.mark.parametrize("words", [("fixed", "not_affected"), ("not_affected", "affected"), ("affected", "fixed")])
def test_of_two_words_at_one_time_the_graver_counts(words: tuple[str, str]) -> None:
    products = [{"@id": PURL}]
    grave = max(words, key=["fixed", "not_affected", "under_investigation", "affected"].index)
    for first, second in (words, words[::-1]):
        word = said(verified(document(statement(products, status=first), statement(products, status=second))))
        assert word is not None
        assert word["status"] == grave


def test_of_two_equal_words_the_first_counts() -> None:
    products, reasons = [{"@id": PURL}], ("component_not_present", "vulnerable_code_not_present")
    words = [
        statement(products, name=name, status="not_affected", justification=reason)
        for name in ("CVE-2026-0001", "GHSA-aaaa-bbbb-cccc", "X-1", "X-2")
        for reason in reasons
    ]
    finding = replace(FINDING, aliases=("GHSA-aaaa-bbbb-cccc", "X-1", "X-2"))
    word = said(verified(document(*words)), finding)
    assert word is not None
    assert word["justification"] == reasons[0]


def test_without_a_reason_is_the_graver() -> None:
    products = [{"@id": PURL}]
    reasoned = statement(products, status="not_affected", justification="component_not_present")
    word = said(verified(document(reasoned, statement(products, status="not_affected"), reasoned)))
    assert word is not None
    assert word["justification"] is None


def test_an_author_is_who_signed() -> None:
    value = {**document(statement([{"@id": PURL}])), "author": "somebody trusted"}
    word = said(verified(value, VENDOR, SECURITY, VENDOR))
    assert word is not None
    assert word["author"] == "security and vendor"


@pytest.mark.parametrize("name", ["openvex", "csaf", "csaf-2.1", "cyclonedx"])
def test_each_format(name: str) -> None:
    server = replace(SERVER, digest=DIGEST)  # type: ignore[arg-type]
    item = verified(vector(name), kind=kind_of(name))
    found = judged_findings([scan(FINDING)], [item], {"server": server}, NOW_S)
    statuses = {"openvex": "not_affected", "cyclonedx": "not_affected"}
    assert found[0, 0][item.payload]["status"] == statuses.get(name, "affected")  # type: ignore[index, call-overload]


@pytest.mark.parametrize(
    "name",
    ["openvex-partial", "openvex-wrong-target", "openvex-hostile", "cyclonedx-wrong-target", "cyclonedx-hostile",
     "cyclonedx-partial"],
)  # fmt: skip
def test_bad_documents_speak_of_nothing(name: str) -> None:
    server = replace(SERVER, digest=DIGEST)  # type: ignore[arg-type]
    item = verified(vector(name), kind=kind_of(name))
    assert judged_findings([scan(FINDING)], [item], {"server": server}, NOW_S) == {}


def test_what_is_said_stands_beside_the_finding() -> None:
    """A finding is never taken out of the document: a reviewer sees it, and who said what of it."""
    item = verified(document(statement([{"@id": PURL}])))
    scans = [scan(replace(FINDING, rule="CVE-2026-0009"), FINDING)]
    _, plain = scans_sections(scans)
    _, findings = scans_sections(scans, judged_findings(scans, [item], ARTIFACTS, NOW_S))
    assert findings.keys() == plain.keys()
    by_rule = {text(entry, "rule"): entry for entry in findings.values()}
    assert member(by_rule["CVE-2026-0009"], "vex") is None
    assert text(by_rule["CVE-2026-0001"], "status") == "open"
    assert text(by_rule["CVE-2026-0001"], "vex", item.payload, "status") == "fixed"


@pytest.mark.parametrize(
    ("said", "found", "expected"),
    [
        ("pkg:deb/debian/a@1%2B2", "pkg:deb/debian/a@1+2?arch=amd64&distro=debian-12", True),
        ("pkg:deb/debian/a@1?arch=amd64", "pkg:deb/debian/a@1?distro=debian-12&arch=amd64", True),
        ("pkg:deb/debian/a@1?arch=arm64", "pkg:deb/debian/a@1?arch=amd64", False),
        ("pkg:deb/debian/a@1?arch=", "pkg:deb/debian/a@1", True),
        ("pkg:npm/%40acme/a@1", "pkg:npm/@acme/a@1", True),
        ("pkg:npm/@acme/a", "pkg:npm/@acme/a@1", False),
        ("pkg:npm/a@*", "pkg:npm/a@*", False),
        ("pkg:npm/a@1", "pkg:npm/a", False),
        ("pkg:golang/example.com/a@v1#sub", "pkg:golang/example.com/a@v1#sub", True),
        ("pkg:golang/example.com/a@v1", "pkg:golang/example.com/a@v1#sub", False),
        ("pkg@1", "pkg@1", False),
        ("", "", False),
    ],
)
def test_components(said: str, found: str, *, expected: bool) -> None:
    assert is_same_component(said, found) is expected


def test_what_is_said_of_the_future_hides_nothing_that_was_said_before() -> None:
    """The older word of another statement would be the last one of this author otherwise."""
    product = [{"hashes": {"sha-256": HEX}}]
    later = statement(
        product, status="not_affected", justification="component_not_present", timestamp="2036-01-01T00:00:00Z"
    )
    word = said(verified(document(statement(product, status="affected"), later)))
    assert word is not None
    assert (word["status"], word["at_s"]) == ("affected", 1794441600)
    alone = said(verified(document(later)))
    assert alone is not None
    assert alone["status"] == "not_affected"
