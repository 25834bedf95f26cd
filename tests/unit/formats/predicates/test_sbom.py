"""Bills of materials as predicates: types, versions, schemas, and real documents in one shape of facts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gate.formats.predicates import claims_of
from gate.formats.predicates.sbom import CYCLONEDX, SPDX, is_bill, read_enveloped
from gate.formats.strict_json import loads
from gate.model.evidence import Subject
from tests.unit.formats.predicates.reading import SUBJECTS, changed, code_of, read

VECTORS = Path(__file__).parents[3] / "vectors" / "bom"
MEMBERS = {
    "format", "version", "serial", "created_at_s", "root", "completeness", "components", "depends", "ancestors",
    "cards", "datasets", "enveloped_signature",
}  # fmt: skip
GOOD = sorted([*(VECTORS / "cyclonedx").glob("valid-*.json"), *(VECTORS / "cyclonedx").glob("[mc]*.json"),
               *(VECTORS / "spdx").glob("*spdx*.json"), VECTORS / "spdx" / "no_elements_missing.json"])  # fmt: skip
GOOD = [path for path in GOOD if not path.name.startswith("missing_")]
BAD = sorted([*(VECTORS / "cyclonedx").glob("invalid-*.json"), *(VECTORS / "spdx").glob("missing_*.json")])
BOM: dict[str, Any] = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "metadata": {
        "component": {
            "type": "machine-learning-model",
            "name": "summarizer",
            "bom-ref": "model",
            "hashes": [{"alg": "SHA-256", "content": "AB" * 32}, {"alg": "SHA-512", "content": "cd" * 64}],
        }
    },
}


def document(path: Path) -> Any:
    return loads(path.read_bytes())


def kind(path: Path) -> str:
    return CYCLONEDX if path.parent.name == "cyclonedx" else SPDX


def plain(value: Any) -> bool:
    """Nothing but objects, lists, texts, integers, booleans and null."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and plain(item) for key, item in value.items())
    return all(map(plain, value)) if isinstance(value, list) else value is None or isinstance(value, str | int)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_documents_of_real_projects_have_one_shape(path: Path) -> None:
    statement = read(kind(path), document(path))
    assert statement.claim == "sbom"
    assert statement.subjects == statement.resources == SUBJECTS
    assert statement.facts.keys() == MEMBERS
    facts: Any = statement.facts
    assert plain(json.loads(json.dumps(facts)))
    assert facts["enveloped_signature"] is False
    assert facts["root"] is None or facts["root"] in facts["components"]
    for part in facts["components"].values():
        assert part.keys() == {"name", "version", "kind", "purl", "licenses", "digests"}
    for card in facts["cards"].values():
        assert card.keys() == {
            "intended_use", "limitations", "considerations", "datasets", "task", "architecture",
        }  # fmt: skip
    for dataset in facts["datasets"].values():
        assert dataset.keys() == {"owner", "classification", "personal_data", "licenses"}
    assert statement.stated_at_s == facts["created_at_s"]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_documents_that_are_wrong_are_refused(path: Path) -> None:
    assert code_of(kind(path), document(path)) in {"predicate", "dangling"}


def test_the_place_of_what_does_not_fit_is_named() -> None:
    broken = changed(BOM, "metadata.component.type", "model")
    with pytest.raises(ValueError, match="metadata/component/type"):
        read(CYCLONEDX, broken)


@pytest.mark.parametrize("version", ["1.4", "1.5", "1.6", "1.7"])
def test_a_type_with_a_version_is_for_that_version(version: str) -> None:
    old = changed(changed(BOM, "specVersion", version), "metadata.component.type", "library") | {"version": 1}
    assert read(CYCLONEDX, old).facts["version"] == version
    assert read(f"{CYCLONEDX}/v{version}", old).facts["version"] == version
    others = {f"{CYCLONEDX}/v{other}" for other in ("1.4", "1.5", "1.6", "1.7") if other != version}
    assert {code_of(other, old) for other in others} == {"bom_version"}
    assert code_of(SPDX, old) == "bom_version"


def test_versions_of_spdx_are_not_mixed_up() -> None:
    old = document(VECTORS / "spdx" / "osv-scanner-alpine-3.17.spdx.json")
    new = document(VECTORS / "spdx" / "ai-example05.spdx3.json")
    assert read(f"{SPDX}/v2.3", old).facts["version"] == "2.3"
    assert {read(f"{SPDX}/{name}", new).facts["version"] for name in ("v3", "v3.0.1")} == {"3.0.1"}
    assert code_of(f"{SPDX}/v2.3", new) == code_of(f"{SPDX}/v3", old) == code_of(CYCLONEDX, new) == "bom_version"


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"bomFormat": "CycloneDX"},
        {"bomFormat": "CycloneDX", "specVersion": "1.3"},
        {"bomFormat": "CycloneDX", "specVersion": 1.6},
        {"bomFormat": "cyclonedx", "specVersion": "1.6"},
        {"spdxVersion": "SPDX-2.2"},
        {"@context": ["https://spdx.org/rdf/3.0.1/spdx-context.jsonld", {"name": "comment"}]},
        {"@context": "https://spdx.org/rdf/3.0.0/spdx-context.jsonld"},
    ],
    ids=str,
)
def test_s10_other_versions_are_refused_by_name(other: Any) -> None:
    assert code_of(CYCLONEDX, other) == code_of(SPDX, other) == "bom_version"


@pytest.mark.parametrize("name", [CYCLONEDX.upper(), f"{CYCLONEDX}/", f"{CYCLONEDX}/v1.3", f"{SPDX}/v3.0", f"{SPDX}/3"])
def test_s10_other_types_are_not_known(name: str) -> None:
    assert claims_of(name) == ()
    assert code_of(name, BOM) == "predicate_unknown"


def test_a_time_that_is_none_is_refused() -> None:
    assert code_of(CYCLONEDX, changed(BOM, "metadata.timestamp", "1969-12-31T00:00:00Z")) == "time"


def test_the_types_make_the_claim() -> None:
    assert claims_of(f"{SPDX}/v3.0.1") == ("sbom",)
    assert claims_of(CYCLONEDX) == ("sbom", "vex")


def test_a_document_that_was_signed_inside_is_about_its_main_component() -> None:
    statement = read_enveloped(BOM)
    assert statement.subjects == (Subject("summarizer", f"sha256:{'ab' * 32}", {"sha512": "cd" * 64}),)  # type: ignore[arg-type]
    assert statement.facts["enveloped_signature"] is True


@pytest.mark.parametrize("hashes", [..., [], [{"alg": "SHA-1", "content": "ab" * 20}]])
def test_without_a_secure_hash_it_is_about_nothing(hashes: Any) -> None:
    assert read_enveloped(changed(BOM, "metadata.component.hashes", hashes)).subjects == ()
    assert read_enveloped(changed(BOM, "metadata", ...)).subjects == ()


def test_a_hash_of_another_length_is_refused_before_it_is_believed() -> None:
    short = changed(BOM, "metadata.component.hashes.0.content", "ab" * 20)
    with pytest.raises(ValueError, match="sha256"):
        read_enveloped(short)
    twice = changed(BOM, "metadata.component.hashes.1", {"alg": "SHA-256", "content": "cd" * 32})
    with pytest.raises(ValueError, match="two different values"):
        read_enveloped(twice)


def test_what_says_that_it_is_a_bill_is_told_apart() -> None:
    assert [is_bill(item) for item in ({"bomFormat": 1}, {"spdxVersion": ""}, {"@context": "spdx.org"})] == [True] * 3
    assert not is_bill({"@context": "https://schema.org", "payload": ""})
