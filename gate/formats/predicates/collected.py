"""Statements whose content `gate attest create` collected from files: what their predicates have in common.

Their subjects are files, named by their path below the root, each in at least one role. What is attested as a folder
is attested whole. A predicate that has any member of the form fits the form entirely: a member left out is not
another, weaker kind of statement (llmsa T15).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gate.formats import schema
from gate.formats.intoto import RawStatement, StatementError, parse_digest_list
from gate.formats.numbers import NumberError, exact, parse_decimal
from gate.formats.predicates import generic
from gate.formats.predicates.common import check_schema, make_statement, member, text, time
from gate.formats.predicates.privacy import read_privacy
from gate.model.digest import Digest
from gate.model.evidence import Statement
from gate.model.json import JsonObject, JsonValue

Facts = Callable[[RawStatement, Mapping[str, Digest]], JsonObject]
"""The facts of one claim, from its statement and the digests of its subjects by name."""


def reader(claim: str, facts_of: Facts) -> Mapping[str, Callable[[RawStatement], Statement]]:
    """The reader of a claim's predicate type, for collected and plain statements."""
    name = schema_name(claim)

    def read(raw: RawStatement) -> Statement:
        if not is_collected(raw, name):
            return generic.read(raw)
        check_schema(raw, name)
        return build(raw, claim, facts_of)

    return {generic.predicate_type(claim): read}


def schema_name(claim: str) -> str:
    """The packaged schema of a claim's collected predicate."""
    return f"predicates/{generic.predicate_type(claim).split(':')[-2]}.json"


def is_collected(raw: RawStatement, name: str) -> bool:
    """Whether a predicate has a member that only collected ones have."""
    frame = schema.members("predicates/frame.json")
    return bool(raw.predicate.keys() & (schema.members(name) - frame))


def build(raw: RawStatement, claim: str, facts_of: Facts) -> Statement:
    """The statement of a predicate that has the members of a collected one; raises `StatementError`."""
    files = _files(raw)
    roles, folders = raw.predicate["roles"], raw.predicate["folders"]
    used = _used(roles)
    if used != files.keys():
        raise StatementError("roles", f"{min(used ^ files.keys())[:120]!r} has a role or is a subject, and not both")
    facts: JsonObject = {
        **generic.plain_facts(raw),
        "collected": True,
        "privacy": read_privacy(raw.predicate["privacy"], files),
        "roles": roles,
        **facts_of(raw, files),
    }
    return make_statement(
        raw,
        claim,
        facts,
        depends_on=parse_digest_list(raw.predicate["depends_on"], "depends_on"),
        stated_at_s=time(raw.predicate, "created_at"),
        located=True,
        folders=tuple(sorted(folders)) if isinstance(folders, Mapping) else (),
    )


def _used(roles: JsonValue) -> frozenset[str]:
    lists = [paths for paths in roles.values() if isinstance(paths, list)] if isinstance(roles, Mapping) else []
    return frozenset(path for paths in lists for path in paths if isinstance(path, str))


def _files(raw: RawStatement) -> Mapping[str, Digest]:
    """The subjects by name; raises `StatementError` for one without a SHA-256, with another digest, or named twice."""
    found: dict[str, Digest] = {}
    for item in raw.subjects:
        if item.digest is None or item.other_digests or item.name in found:
            raise StatementError("subject", f"{item.name[:120]!r} is named twice, or not by its sha256 alone")
        found[item.name] = item.digest
    return found


def millionths(value: JsonValue, *keys: str) -> int:
    """A bound of at most six decimals in millionths; raises `StatementError`."""
    try:
        return exact(parse_decimal(text(value, *keys) or ""))
    except NumberError as error:
        raise StatementError("number", f"{'.'.join(keys)}: {error}") from None


def optional_millionths(value: JsonValue, *keys: str) -> int | None:
    """The same for a bound that may be absent."""
    return None if member(value, *keys) is None else millionths(value, *keys)
