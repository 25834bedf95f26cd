"""What the readers of predicates share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.formats import schema
from gate.formats.intoto import RawStatement, StatementError
from gate.formats.members import member, text, time
from gate.model.digest import Digest, digest_from_hex
from gate.model.evidence import Statement, Subject
from gate.model.json import JsonObject, JsonValue

__all__ = [
    "MAX_TEXT",
    "check_schema",
    "dependencies",
    "digests_of",
    "make_statement",
    "member",
    "names_in",
    "sha256_of",
    "short",
    "shorts_in",
    "text",
    "time",
]
MAX_TEXT: Final = 4096
"""The most characters of a text that become a fact."""


def make_statement(  # noqa: PLR0913 - one parameter a field
    raw: RawStatement,
    claim: str,
    facts: JsonObject,
    *,
    resources: tuple[Subject, ...] | None = None,
    exhaustive: bool = False,
    depends_on: tuple[Digest, ...] = (),
    stated_at_s: int | None = None,
    located: bool = False,
    folders: tuple[str, ...] = (),
) -> Statement:
    """The typed statement; its resources are its subjects unless given."""
    return Statement(
        claim=claim,
        predicate_type=raw.predicate_type,
        subjects=raw.subjects,
        resources=raw.subjects if resources is None else resources,
        exhaustive=exhaustive,
        depends_on=depends_on,
        stated_at_s=stated_at_s,
        facts=facts,
        predicate=raw.predicate,
        located=located,
        folders=folders,
        statement_type=raw.statement_type,
    )


def check_schema(raw: RawStatement, name: str) -> None:
    """Raises `StatementError` unless the predicate fits the packaged schema."""
    found = schema.problem(name, raw.predicate)
    if found is not None:
        raise StatementError("predicate", f"the predicate is malformed: {found}")


def short(value: JsonValue, *keys: str) -> str | None:
    """Like `text`, cut to `MAX_TEXT` characters."""
    found = text(value, *keys)
    return None if found is None else found[:MAX_TEXT]


def shorts_in(value: JsonValue) -> list[JsonValue]:
    """The texts of a list, each cut likewise."""
    return [name[:MAX_TEXT] for name in names_in(value)] if isinstance(value, list) else []


def sha256_of(descriptor: JsonValue) -> Digest | None:
    """The SHA-256 that a resource descriptor gives; `None` where it gives none that is well-formed."""
    found = text(descriptor, "digest", "sha256")
    return None if found is None else digest_from_hex(found)


def digests_of(descriptor: JsonValue) -> JsonObject:
    """The digests of a resource descriptor by algorithm."""
    found = member(descriptor, "digest")
    items = found.items() if isinstance(found, Mapping) else ()
    return {name: value for name, value in items if isinstance(value, str)}


def names_in(value: JsonValue) -> list[str]:
    """The keys of an object, sorted, or the texts of a list."""
    if isinstance(value, Mapping):
        return sorted(value)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def dependencies(value: JsonValue) -> JsonObject:
    """Resource descriptors as `{uri or name: digest set}`; a repeated name gets `#2`, `#3` and so on."""
    found: dict[str, JsonValue] = {}
    numbers: dict[str, int] = {}
    for item in value if isinstance(value, list) else []:
        name = text(item, "uri") or text(item, "name") or "unnamed"
        key, number = name, numbers.get(name, 1)
        while key in found:
            number += 1
            key = f"{name}#{number}"
        numbers[name] = number
        digests = member(item, "digest")
        found[key] = dict(digests) if isinstance(digests, Mapping) else {}
    return found
