"""The packaged schemas: valid themselves, explained, never fetched, and read alike by two implementations."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import referencing
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gate import resources
from gate.formats import schema
from gate.formats.strict_json import loads
from gate.model.json import JsonValue

SCHEMAS = Path(__file__).parents[3] / "schemas"
ALL = sorted(path.relative_to(SCHEMAS).as_posix() for path in SCHEMAS.rglob("*.json") if "examples" not in path.parts)
VENDOR = [name for name in ALL if name.startswith("vendor/")]
NAMES = [name for name in ALL if name not in VENDOR]
DIGEST = "sha256:" + "a" * 64


def schema_of(name: str) -> Any:
    return json.loads(resources.schema(name))


def oracle(name: str, value: object) -> bool:
    """What the other implementation says; its registry is empty as well."""
    return jsonschema.Draft202012Validator(schema_of(name), registry=referencing.Registry()).is_valid(value)


def fields(part: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """The schema of each field of an object, with its place; conditions describe nothing."""
    if isinstance(part, dict):
        named = part["properties"].items() if isinstance(part.get("properties"), dict) else ()
        for name, field in named:
            yield f"{place}/{name}", field
        for key, item in part.items():
            if key not in {"if", "then", "else", "anyOf", "not"}:
                yield from fields(item, f"{place}/{key}")
    elif isinstance(part, list):
        for number, item in enumerate(part):
            yield from fields(item, f"{place}/{number}")


class TestS19Schemas:
    @pytest.mark.parametrize("name", NAMES)
    def test_s19_each_schema_fits_the_meta_schema_and_names_itself(self, name: str) -> None:
        document = schema_of(name)
        jsonschema.Draft202012Validator.check_schema(document)
        assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert document["$id"].startswith("urn:gate:")
        assert document["title"]
        assert document["description"]

    @pytest.mark.parametrize("name", NAMES)
    def test_s19_each_reference_points_into_its_own_schema(self, name: str) -> None:
        references = [part["$ref"] for part in _objects(schema_of(name)) if "$ref" in part]
        assert all(reference.startswith("#/$defs/") for reference in references)
        assert not [part for part in _objects(schema_of(name)) if "$dynamicRef" in part or "$recursiveRef" in part]

    @pytest.mark.parametrize("name", [name for name in NAMES if "/" not in name])
    def test_every_field_of_a_document_is_described(self, name: str) -> None:
        assert [
            place
            for place, field in fields(schema_of(name))
            # `false` says that a field may not be there.
            if field is not False and not field.get("description") and "oneOf" not in field
        ] == []

    def test_the_identifiers_are_unique(self) -> None:
        identifiers = [schema_of(name)["$id"] for name in NAMES]
        assert len(set(identifiers)) == len(identifiers)


def _objects(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
    for item in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _objects(item)


@pytest.fixture
def requests() -> Iterator[tuple[str, list[str]]]:
    """A server on the loopback interface, its address and what was asked of it."""
    seen: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"true")

        def log_message(self, *_: object) -> None:
            """Keeps quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", seen
        server.shutdown()
        thread.join()


class TestS19NeverFetches:
    @pytest.mark.parametrize(
        "hostile",
        [
            {"$ref": "{}/s.json"},
            {"properties": {"a": {"$ref": "{}/s.json#/x"}}},
            {"$id": "{}/base.json", "$ref": "other.json"},
            {"$dynamicRef": "{}/s.json"},
            {"$defs": {"x": {"$ref": "{}/s.json"}}, "$ref": "#/$defs/x"},
        ],
        ids=str,
    )
    def test_s19_a_schema_that_refers_to_an_address_is_refused_without_a_request(
        self, hostile: dict[str, Any], requests: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        address, seen = requests
        text = json.dumps(hostile).replace("{}", address)
        monkeypatch.setattr(resources, "schema", lambda _: text.encode())
        schema._validator.cache_clear()
        try:
            with pytest.raises(ValueError, match=r"refers to|external resources is not supported"):
                schema.problem(f"hostile-{text}", {"a": 1})
        finally:
            schema._validator.cache_clear()
        assert seen == []

    def test_s19_an_unknown_dialect_is_not_looked_up(
        self, requests: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        address, seen = requests
        text = json.dumps({"$schema": f"{address}/meta.json", "type": "object"})
        monkeypatch.setattr(resources, "schema", lambda _: text.encode())
        assert schema.problem(f"dialect-{text}", 1) is not None
        assert seen == []

    def test_s19_a_file_is_not_read_either(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "s.json").write_text("true")
        text = json.dumps({"$ref": (tmp_path / "s.json").as_uri()})
        monkeypatch.setattr(resources, "schema", lambda _: text.encode())
        with pytest.raises(ValueError, match="refers to"):
            schema.problem(f"file-{text}", {})

    def test_s19_a_value_cannot_bring_its_schema(self, requests: tuple[str, list[str]]) -> None:
        address, seen = requests
        value: JsonValue = {"$schema": f"{address}/s.json", "$ref": f"{address}/s.json", "created_at": 1}
        assert schema.problem("predicates/frame.json", value) is not None
        assert seen == []


def test_a_problem_is_short_whatever_the_value() -> None:
    value: JsonValue = {"resources": [{"name": "a", "digest": "b", "algorithm": ["x" * 10_000]}], "serialization": {}}
    assert len(schema.problem("predicates/model-signature-v1.0.json", value) or "") < 500
    problem = schema.problem("report.json", {"schema": "urn:gate:report:v1", "controls": {"k" * 10_000: 1}})
    assert problem is not None
    assert len(problem) < 600
    assert schema.problem("report.json", 1) == 'the document: 1 is not of type "object"'


EXAMPLES = {"input.json": loads((SCHEMAS / "examples/input.json").read_bytes())}
CONFIGURATION = (SCHEMAS / "examples/config.yaml").read_bytes()


class TestExamples:
    def test_the_example_of_the_input_document_is_one(self) -> None:
        assert schema.problem("input.json", EXAMPLES["input.json"]) is None
        assert oracle("input.json", EXAMPLES["input.json"])

    def test_the_example_of_the_configuration_is_one(self) -> None:
        value = yaml.load(CONFIGURATION, Loader=yaml.BaseLoader)
        assert value["version"] == "1"

    def test_the_example_of_the_input_document_shows_every_section(self) -> None:
        example = EXAMPLES["input.json"]
        assert isinstance(example, dict)
        assert [name for name, value in example.items() if not value] == []


def _places(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield place
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _places(item, (*place, key))


def _replaced(value: Any, place: tuple[str | int, ...], new: Any) -> Any:
    if not place:
        return new
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = _replaced(value[place[0]], place[1:], new)
    return copy


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "new", [None, 1, -1, "x", "", True, [], {}, DIGEST, 1.5, [1], {"x": 1}, 2**53, "sha256:"], ids=str
)
def test_two_implementations_agree_about_every_retyped_field_of_the_input_document(new: object) -> None:
    example = EXAMPLES["input.json"]
    validator = jsonschema.Draft202012Validator(schema_of("input.json"), registry=referencing.Registry())
    refused = 0
    for place in _places(example):
        value = _replaced(example, place, new)
        problem = schema.problem("input.json", value)
        assert (problem is None) == validator.is_valid(value), place
        refused += problem is not None
    assert refused > 100


MEMBERS = [
    "result",
    "configuration",
    "passedTests",
    "resources",
    "serialization",
    "method",
    "hash_type",
    "name",
    "digest",
    "algorithm",
    "builder",
    "id",
    "buildType",
    "depends_on",
]
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.sampled_from(["PASSED", "FAILED", "files", "sha256", DIGEST, ""])
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "result",
                    "configuration",
                    "passedTests",
                    "resources",
                    "serialization",
                    "method",
                    "hash_type",
                    "name",
                    "digest",
                    "algorithm",
                    "builder",
                    "id",
                    "buildType",
                    "depends_on",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("predicates/")])
@given(value=json_values)
def test_two_implementations_agree_about_predicates(name: str, value: object) -> None:
    assert (schema.problem(name, value) is None) == oracle(name, value)  # type: ignore[arg-type]
