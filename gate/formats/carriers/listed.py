"""Lists of bundles as registries of packages and GitHub answer them: `{"attestations": [{"bundle": ...}]}`.

GitHub says beside each bundle to which repository it belongs, npm says its predicate type. Nobody signs that, so only
the bundle is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from gate.model.json import JsonObject, JsonValue

_LIST: Final = "attestations"


def is_list(value: JsonObject) -> bool:
    """Whether an object calls itself a list of attestations, and is no bundle or envelope."""
    return _LIST in value and value.keys().isdisjoint({"mediaType", "verificationMaterial", "payload", "dsseEnvelope"})


def attestations_of(value: JsonObject) -> Iterator[tuple[str, JsonValue]] | None:
    """Each entry of the list, with its place; `None` where there is none."""
    found = value[_LIST]
    if not isinstance(found, list) or not found:
        return None
    return ((f"{_LIST}[{index}]", item) for index, item in enumerate(found))


def bundle_of(value: JsonValue) -> JsonObject | None:
    """The bundle of an entry; `None` unless it brings one."""
    found = value.get("bundle") if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else None
