"""The schemas of other projects: nothing is fetched for them, and another implementation reads them alike."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import referencing
from referencing.jsonschema import DRAFT7

from gate import resources
from gate.formats import schema

VECTORS = Path(__file__).parents[2] / "vectors" / "bom"
SCHEMAS = Path(__file__).parents[3] / "schemas"
NAMES = sorted(path.relative_to(SCHEMAS).as_posix() for path in (SCHEMAS / "vendor").glob("*.json"))
SHARED = ("cryptography-defs.schema.json", "jsf-0.82.schema.json", "spdx.schema.json")
CASES = sorted((VECTORS / "cyclonedx").glob("*valid-*-1.[4567].json"))


@functools.cache
def content(name: str) -> Any:
    return json.loads(resources.schema(name))


@functools.cache
def oracle(version: str) -> Any:
    registry: Any = referencing.Registry().with_resources(
        (f"http://cyclonedx.org/schema/{name}", DRAFT7.create_resource(content(f"vendor/{name}"))) for name in SHARED
    )
    return jsonschema.Draft7Validator(content(f"vendor/bom-{version}.schema.json"), registry=registry)


def references(part: Any) -> set[str]:
    if isinstance(part, dict):
        own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
        return own.union(*map(references, part.values()))
    return set().union(*map(references, part)) if isinstance(part, list) else set()


@pytest.mark.parametrize("name", NAMES)
def test_s19_it_refers_to_itself_or_to_one_of_three_files_beside_it(name: str) -> None:
    outside = {found.partition("#")[0] for found in references(content(name))} - {""}
    assert outside <= set(SHARED)
    jsonschema.validators.validator_for(content(name)).check_schema(content(name))


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_says_where_it_is_from(name: str) -> None:
    file = name.removeprefix("vendor/")
    family = "`bom-1.4.schema.json` ... `bom-1.7.schema.json`" if file.startswith("bom-") else f"`{file}`"
    assert f"| {family} |" in (SCHEMAS.parent / "docs/explanation/vendored-schemas.md").read_text()


def test_s19_what_is_not_in_the_registry_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = {"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "http://127.0.0.1:1/spdx.schema.json"}
    monkeypatch.setattr(resources, "schema", lambda _: json.dumps(hostile).encode())
    schema._validator.cache_clear()
    try:
        with pytest.raises(ValueError, match="refers to"):
            schema.problem("vendor/hostile.json", {})
    finally:
        schema._validator.cache_clear()


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_cases_of_the_project_are_judged_as_it_says(path: Path) -> None:
    version = path.stem.rpartition("-")[2]
    document = json.loads(path.read_bytes())
    found = schema.problem(f"vendor/bom-{version}.schema.json", document)
    assert (found is None) == path.name.startswith("valid-"), found
    # Formats such as times are not asserted by the oracle, whose checkers are a choice of what is installed.
    if "timestamp" not in path.name and "signatures" not in path.name:
        assert oracle(version).is_valid(document) == (found is None)
