"""Route: where requests go, at what cost, and what happens when a provider fails.

Facts: those of every collected statement, `strategy` and `providers`.
"""

from __future__ import annotations

from collections.abc import Mapping

from gate.formats.intoto import RawStatement
from gate.formats.predicates.collected import reader
from gate.model.digest import Digest
from gate.model.json import JsonObject

CLAIM = "route"


def _facts(raw: RawStatement, _: Mapping[str, Digest]) -> JsonObject:
    return {"strategy": raw.predicate["strategy"], "providers": raw.predicate["providers"]}


READERS = reader(CLAIM, _facts)
