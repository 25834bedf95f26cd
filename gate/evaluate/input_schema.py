"""What the input document can hold, read from its schema: the shapes that lint follows a reference through."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from gate import resources
from gate.formats.strict_json import loads_object
from gate.model.json import JsonObject, JsonValue

_SCHEMA_BYTES: Final = 4 << 20
_SCALARS: Final = frozenset({"string", "integer", "number", "boolean", "null"})


class Kind(Enum):
    """What can be asked of a value. `ANY` can hold everything, so nothing asked of it is wrong."""

    ANY = "any"
    SCALAR = "scalar"
    OBJECT = "object"
    MAP = "map"
    LIST = "list"
    SET = "set"


@dataclass(frozen=True, slots=True)
class Shape:
    """A value's fields (`OBJECT`), or the shape of its members (`MAP`, `LIST`, `SET`)."""

    kind: Kind
    fields: Mapping[str, Shape] | None = None
    member: Shape | None = None

    def at(self, key: str | None) -> Shape | None:
        """The shape below a constant key, or below one that is not known; `None` when there can be nothing."""
        if self.kind is Kind.OBJECT and self.fields is not None:
            return ANY if key is None else self.fields.get(key)
        if self.kind is Kind.SCALAR or (self.kind is Kind.LIST and key is not None):
            return None
        return self.each

    @property
    def each(self) -> Shape:
        """The shape of what `some .. in` goes over."""
        return ANY if self.member is None else self.member

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that there are."""
        return tuple(sorted(self.fields or ()))


ANY: Final = Shape(Kind.ANY)


@functools.cache
def input_shape() -> Shape:
    """The shape of the whole input document."""
    schema = loads_object(resources.schema("input.json"), limit=_SCHEMA_BYTES)
    return _shape(schema, schema)


def _shape(node: JsonValue, root: JsonObject) -> Shape:
    """Anything that this reader does not know for sure is `ANY`."""
    if not isinstance(node, dict):
        return ANY
    if "$ref" in node:
        return _shape(_definition(str(node["$ref"]), root), root)
    if "oneOf" in node:
        return _alternative(node["oneOf"], root)
    properties, more, items = node.get("properties"), node.get("additionalProperties"), node.get("items")
    if isinstance(properties, dict):
        if more is not False:
            return ANY
        return Shape(Kind.OBJECT, {name: _shape(value, root) for name, value in properties.items()})
    if isinstance(more, dict):
        return Shape(Kind.MAP, member=_shape(more, root))
    if isinstance(items, dict):
        return Shape(Kind.LIST, member=_shape(items, root))
    return Shape(Kind.SCALAR) if _is_scalar(node) else ANY


def _alternative(options: JsonValue, root: JsonObject) -> Shape:
    """The one alternative that is not null."""
    listed = options if isinstance(options, list) else []
    real = [option for option in listed if option != {"type": "null"}]
    return _shape(real[0], root) if len(real) == 1 else ANY


def _definition(reference: str, root: JsonObject) -> JsonValue:
    node: JsonValue = root
    for part in reference.removeprefix("#/").split("/"):
        node = node.get(part) if isinstance(node, dict) else None
    return node


def _is_scalar(node: JsonObject) -> bool:
    if "const" in node or "enum" in node:
        return True
    kind = node.get("type")
    words = set(kind) if isinstance(kind, list) else {kind}
    return words <= _SCALARS
