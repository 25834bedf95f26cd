"""Validation against the packaged JSON Schemas. Nothing is ever fetched (SECURITY 19).

Every schema of the gate is self-contained, and the validator gets a registry that holds nothing else and refuses to
look anything up. Those of other projects (`vendor/`) refer to one another: their registry is closed over three names.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final, Never

import jsonschema_rs

from gate import resources
from gate.formats.strict_json import loads_object
from gate.model.json import JsonObject, JsonValue

_SCHEMA_BYTES: Final = 4 << 20
_VENDOR: Final = "vendor/"
_SHARED: Final = {
    f"http://cyclonedx.org/schema/{name}": f"{_VENDOR}{name}"
    for name in ("cryptography-defs.schema.json", "jsf-0.82.schema.json", "spdx.schema.json")
}
"""What the schemas of CycloneDX refer to, by its name there."""


def problem(name: str, value: JsonValue) -> str | None:
    """What is wrong with a value under the schema `name`, with its place; `None` when it is valid."""
    return _problem(_validator(name), value)


def compiled(schema: JsonObject) -> Callable[[JsonValue], str | None]:
    """The same for a schema from elsewhere; raises `ValueError` where it is no schema, or refers to another one."""
    return functools.partial(_problem, _compile(schema))


def _problem(validator: Any, value: JsonValue) -> str | None:
    if validator.is_valid(value):
        return None
    error = next(iter(validator.iter_errors(value)))
    place = "/".join(str(part) for part in error.instance_path) or "the document"
    return f"{_shorten(place)}: {_shorten(error.message)}"


@functools.cache
def members(name: str) -> frozenset[str]:
    """The members that the schema `name` describes for its object."""
    found = loads_object(resources.schema(name), limit=_SCHEMA_BYTES)["properties"]
    return frozenset(found) if isinstance(found, dict) else frozenset()


@functools.cache
def _validator(name: str) -> Any:
    schema = loads_object(resources.schema(name), limit=_SCHEMA_BYTES)
    if name.startswith(_VENDOR):  # of the draft that it names; its formats, such as times, are part of it
        return jsonschema_rs.validator_for(dict(schema), retriever=_shared, validate_formats=True)
    return _compile(schema)


def _compile(schema: JsonObject) -> Any:
    return jsonschema_rs.Draft202012Validator(dict(schema), retriever=_refuse)


def _shared(uri: str) -> Any:
    name = _SHARED.get(uri)
    return _refuse(uri) if name is None else loads_object(resources.schema(name), limit=_SCHEMA_BYTES)


def _refuse(uri: str) -> Never:
    raise ValueError(f"a schema refers to {uri}, which is not part of it")


def _shorten(text: str) -> str:
    return text if len(text) <= 240 else f"{text[:160]} ... {text[-70:]}"
