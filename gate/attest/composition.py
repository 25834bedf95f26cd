"""Statements over a base model and its adapters; the same parts give the same bytes, so that all parties sign those."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gate.attest.statement import Named, check_statement
from gate.errors import AttestError
from gate.formats.canonical_json import dumps
from gate.formats.intoto import STATEMENT_TYPE
from gate.formats.predicates.composition import CLAIM
from gate.formats.predicates.generic import predicate_type
from gate.formats.predicates.model_signature import root_digest
from gate.formats.rfc3339 import format_time
from gate.model.digest import Digest, hex_of
from gate.model.json import JsonObject


@dataclass(frozen=True, slots=True)
class Part:
    """A base model or an adapter: its path below the root, and its files by theirs, in code point order."""

    path: str
    files: tuple[Named, ...]
    is_folder: bool


@dataclass(frozen=True, slots=True)
class Composition:
    """What is composed. `dependencies` are payload digests, `created_s` is in seconds since 1970."""

    base: Part
    adapters: tuple[Part, ...]
    name: str | None = None
    dependencies: tuple[Digest, ...] = ()
    created_s: int | None = None


def composition_statement(composition: Composition) -> bytes:
    """The statement in canonical JSON; raises `AttestError` for parts that are the same or lie in one another."""
    parts = [("base", composition.base), *(("adapters", part) for part in composition.adapters)]
    for _, part in parts:
        for _, other in parts:
            if part is not other and f"{other.path}/".startswith(f"{part.path}/"):
                raise AttestError(f"{other.path} lies in {part.path}", hint="name parts that lie beside one another")
    files = sorted((item for _, part in parts for item in part.files), key=lambda item: item.name)
    predicate: dict[str, JsonObject | list[str] | list[Digest] | str] = {
        "depends_on": sorted(set(composition.dependencies)),
        "base": _digests([composition.base]),
        "adapters": _digests(composition.adapters),
        "roles": {role: _names(part for of, part in parts if of == role) for role in ("base", "adapters")},
        "folders": {part.path: role for role, part in parts if part.is_folder},
        "privacy": {"mode": "hash_only"},
    }
    if composition.name is not None:
        predicate["name"] = composition.name
    if composition.created_s is not None:
        predicate["created_at"] = format_time(composition.created_s)
    payload = dumps(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": item.name, "digest": {"sha256": hex_of(item.digest)}} for item in files],
            "predicateType": predicate_type(CLAIM),
            "predicate": predicate,
        }
    )
    check_statement(payload)
    return payload


def _digests(parts: Sequence[Part]) -> JsonObject:
    return {part.path: root_digest([item.digest for item in part.files]) for part in parts}


def _names(parts: Iterable[Part]) -> list[str]:
    return sorted(item.name for part in parts for item in part.files)
