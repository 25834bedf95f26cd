"""Where KServe gets models from. Only a model in a registry has a digest that evidence can be about.

Looked for wherever in `spec` they stand: the names of frameworks come and go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from gate.formats.workloads.places import below
from gate.model.json import JsonValue

GROUP: Final = "serving.kserve.io"
POD_ANNOTATION: Final = "internal.serving.kserve.io/storage-initializer-sourceuri"
"""On a pod: KServe puts a model from there into it."""
_SCHEME: Final = "oci://"
_URIS: Final = frozenset({"storageUri", "sourceModelUri"})
_VARIABLE: Final = "STORAGE_URI"
"""A variable of a container that KServe reads as `storageUri`."""


def model_reference(uri: JsonValue) -> str:
    """The image that holds a model; raises `ValueError` for a model that is held elsewhere."""
    if not isinstance(uri, str) or not uri.startswith(_SCHEME):
        raise ValueError(
            f"{str(uri)[:200]!r} is no model in a registry; only oci://registry/name@sha256:<64 digits> is judged"
        )
    return uri.removeprefix(_SCHEME)


def model_sources(spec: JsonValue, place: str = "spec") -> Iterator[tuple[str, JsonValue]]:
    """Each place that says where a model is from, and what it says there."""
    if isinstance(spec, list):
        for number, item in enumerate(spec):
            yield from model_sources(item, f"{place}[{number}]")
    if not isinstance(spec, Mapping):
        return
    if spec.get("name") == _VARIABLE and spec.get("value") not in (None, ""):
        yield below(place, "value"), spec["value"]
    for name, value in spec.items():
        here = below(place, name)
        if value is None:
            continue
        if name in _URIS or (name == "storage" and _is_storage(value)):
            yield here, value
        elif name == "storageUris":
            yield from _listed(value, here)
        else:
            yield from model_sources(value, here)


def _is_storage(value: JsonValue) -> bool:
    """Whether it names a model by the key of a secret and a path; other storage is that of volumes."""
    return isinstance(value, Mapping) and bool(value.keys() & {"key", "path", "parameters", "schemaPath"})


def _listed(value: JsonValue, place: str) -> Iterator[tuple[str, JsonValue]]:
    if not isinstance(value, list):
        yield place, value
        return
    for number, item in enumerate(value):
        yield f"{place}[{number}].uri", item.get("uri") if isinstance(item, Mapping) else item
