"""Dataset: what it is, who answers for it and what may be done with it.

Facts: those of every collected statement, `owner`, `classification`, `license`, `personal_data` and `sources`.
"""

from __future__ import annotations

from collections.abc import Mapping

from gate.formats.intoto import RawStatement
from gate.formats.predicates.collected import reader
from gate.model.digest import Digest
from gate.model.json import JsonObject

CLAIM = "dataset"
_MEMBERS = ("owner", "classification", "license", "personal_data", "sources")


def _facts(raw: RawStatement, _: Mapping[str, Digest]) -> JsonObject:
    return {name: raw.predicate[name] for name in _MEMBERS}


READERS = reader(CLAIM, _facts)
