"""Plugin: tools and servers that a model may call, each tool by the digest of its descriptor, and what it may do.

Facts: those of every collected statement, `tools` and `transport`.
"""

from __future__ import annotations

from collections.abc import Mapping

from gate.formats.intoto import RawStatement, StatementError
from gate.formats.predicates.collected import reader
from gate.formats.predicates.common import member, names_in
from gate.model.digest import Digest
from gate.model.json import JsonObject

CLAIM = "plugin"


def _facts(raw: RawStatement, files: Mapping[str, Digest]) -> JsonObject:
    tools = raw.predicate["tools"]
    described = {member(tools, name, "descriptor") for name in names_in(tools)}
    given = {files[path] for path in names_in(member(raw.predicate, "roles", "descriptors"))}
    # A descriptor of no tool would be approved with the others, and nobody would see what it may do.
    if described != given:
        raise StatementError("tools", "the descriptors of the tools are not the subjects in the role `descriptors`")
    return {"tools": tools, "transport": raw.predicate["transport"]}


READERS = reader(CLAIM, _facts)
