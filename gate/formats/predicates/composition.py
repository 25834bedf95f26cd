"""Composition: a base model with the adapters that go with it, as one statement that several parties can sign.

Facts: those of every collected statement, `base` and `adapters` (`{path: root digest}`, as a model signature of each
gives it) and `files` (`{path: SHA-256}`). The root digests are held to the files: nothing but their agreement is read.
"""

from __future__ import annotations

from collections.abc import Mapping

from gate.formats.intoto import RawStatement, StatementError
from gate.formats.predicates.collected import reader
from gate.formats.predicates.common import member
from gate.formats.predicates.model_signature import root_digest
from gate.model.digest import Digest
from gate.model.json import JsonObject, JsonValue

CLAIM = "composition"


def files_of(path: str, files: Mapping[str, Digest]) -> tuple[str, ...]:
    """The names among some files that are a part at a path: the file itself, or all below the folder, sorted."""
    return (path,) if path in files else tuple(sorted(name for name in files if name.startswith(f"{path}/")))


def _facts(raw: RawStatement, files: Mapping[str, Digest]) -> JsonObject:
    base, adapters = member(raw.predicate, "base"), member(raw.predicate, "adapters")
    named = [*_part("base", base, raw, files), *_part("adapters", adapters, raw, files)]
    if len(named) != len(set(named)):
        raise StatementError("parts", "one part of the composition lies in another")
    return {"base": base, "adapters": adapters, "files": dict(files)}


def _part(role: str, parts: JsonValue, raw: RawStatement, files: Mapping[str, Digest]) -> list[str]:
    """The files of all parts in a role; raises `StatementError` where they are not what the statement says."""
    found: list[str] = []
    for path, digest in parts.items() if isinstance(parts, Mapping) else ():
        names = files_of(path, files)
        if not names or root_digest([files[name] for name in names]) != digest:
            raise StatementError("parts", f"the root digest of {path[:120]!r} is not that of its files")
        if names != (path,) and member(raw.predicate, "folders", path) != role:
            raise StatementError("parts", f"the folder {path[:120]!r} is not attested whole")
        found += names
    listed = member(raw.predicate, "roles", role)
    if not isinstance(listed, list) or set(listed) != set(found):
        raise StatementError("roles", f"the files of the role {role} are not those of its parts")
    return found


READERS = reader(CLAIM, _facts)
