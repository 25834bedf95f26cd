"""Listings of what runs in a cluster, as `kubectl get -A -o json` or an API server writes them, in JSON or YAML.

An item that is no object, a list that is only a page of a longer one, and a list of nothing are told and never left
out: what is not listed is not judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from gate.formats.strict_json import StrictJsonError, loads
from gate.formats.strict_yaml import YamlError
from gate.formats.workloads.manifest_yaml import load_documents
from gate.model.admission import ObjectKind
from gate.model.json import JsonObject, JsonValue

MAX_BYTES: Final = 256 << 20
_MAX_LISTS: Final = 8
"""Lists in lists."""
_LIST: Final = "List"


class ListingError(ValueError):
    """The bytes are nothing that could be a listing."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An object of a listing. `name` may be one that is still to be completed."""

    place: str
    kind: ObjectKind
    namespace: str | None
    name: str | None
    object: JsonObject

    def __str__(self) -> str:
        return "/".join([self.kind.kind, *(text for text in (self.namespace, self.name) if text)])


@dataclass(frozen=True, slots=True)
class Unlisted:
    """What a listing should have told and does not."""

    place: str
    problem: str


def read_listing(data: bytes, limit: int = MAX_BYTES) -> Iterator[Listed | Unlisted]:
    """The objects of a listing, and what is wrong with it; raises `ListingError`, and before anything is told."""
    documents = _documents(data, limit)
    return _told(documents)


def read_page(data: bytes, kind: ObjectKind, first: int, limit: int) -> tuple[list[Listed | Unlisted], str | None]:
    """The objects of one page of a list from an API server, numbered from `first`, and what asks for the next page.

    Raises `ListingError` for anything but a list of that very kind.
    """
    try:
        value = loads(data, limit=limit)
    except StrictJsonError as error:
        raise ListingError(f"not JSON that the gate reads: {error}") from None
    version = f"{kind.group}/{kind.version}" if kind.group else kind.version
    if not isinstance(value, Mapping) or (value.get("apiVersion"), value.get("kind")) != (version, f"{kind.kind}List"):
        raise ListingError(f"not a list of {kind}")
    metadata, items = value.get("metadata"), value.get("items")
    after = metadata.get("continue") if isinstance(metadata, Mapping) else None
    if not isinstance(metadata, Mapping) or not isinstance(after, str | None) or not isinstance(items, list | None):
        raise ListingError(f"not a list of {kind} as an API server writes it")
    found: list[Listed | Unlisted] = []
    for number, item in enumerate(items or [], first):
        found += _items(item, f"{kind.kind}[{number}]", (version, kind.kind), 1)
    return found, after or None


def _documents(data: bytes, limit: int) -> list[JsonValue]:
    if len(data) > limit:
        raise ListingError(f"{len(data)} bytes, more than the {limit} allowed")
    try:
        if data.lstrip(b" \t\r\n")[:1] in {b"{", b"["}:
            return [loads(data, limit=limit)]
        return load_documents(data)
    except StrictJsonError as error:
        raise ListingError(f"not JSON that the gate reads: {error}") from None
    except YamlError as error:
        raise ListingError(f"{error.line}:{error.column}: {error}") from None


def _told(documents: list[JsonValue]) -> Iterator[Listed | Unlisted]:
    found = False
    for number, document in enumerate(documents):
        for item in _items(document, "" if len(documents) == 1 else f"document {number + 1}", None, 0):
            found = True
            yield item
    if not found:
        yield Unlisted("", "it lists no object at all")


def _items(value: JsonValue, place: str, given: tuple[str, str] | None, depth: int) -> Iterator[Listed | Unlisted]:
    """The objects in a value; items of a typed list are of the kind that is `given`, and need not say it."""
    here = place or "the document"
    if not isinstance(value, Mapping):
        yield Unlisted(here, "it is no object")
        return
    own = {"apiVersion": given[0], "kind": given[1]} if given else {}
    if any(name in value and value[name] != said for name, said in own.items()):
        yield Unlisted(here, f"it is not of the kind that its list has, {' '.join(own.values())}")
        return
    stated = {**value, **own}
    version, kind, metadata = stated.get("apiVersion"), stated.get("kind"), stated.get("metadata")
    if not isinstance(version, str) or not isinstance(kind, str) or not version or not kind:
        yield Unlisted(here, "it does not say its kind and API version")
    elif kind.endswith(_LIST) and "items" in value:
        yield from _list(value, place, version, kind, depth)
    elif not isinstance(metadata, Mapping):
        yield Unlisted(here, f"a {kind} without metadata")
    else:
        group, _, last = version.rpartition("/")
        names = [metadata.get("namespace"), metadata.get("name") or metadata.get("generateName")]
        if any(name is not None and not isinstance(name, str) for name in names):
            yield Unlisted(here, f"a {kind} whose name or namespace is not text")
            return
        namespace, name = (str(name) if name else None for name in names)
        yield Listed(here, ObjectKind(group, last, kind), namespace, name, stated)


def _list(value: JsonObject, place: str, version: str, kind: str, depth: int) -> Iterator[Listed | Unlisted]:
    items, metadata = value["items"], value.get("metadata")
    here = place or "the document"
    if depth >= _MAX_LISTS:
        yield Unlisted(here, f"more than {_MAX_LISTS} lists in lists")
        return
    if isinstance(metadata, Mapping) and (metadata.get("continue") or metadata.get("remainingItemCount")):
        yield Unlisted(here, "it is one page of a longer list")
    if items is not None and not isinstance(items, list):
        yield Unlisted(here, f"the items of a {kind} are not a list")
        return
    typed = (version, kind.removesuffix(_LIST)) if (version, kind) != ("v1", _LIST) else None
    for number, item in enumerate(items or []):
        yield from _items(item, f"{place}{'.' if place else ''}items[{number}]", typed, depth + 1)
