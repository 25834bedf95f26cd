"""Model card: what a model is for and what it is not fit for, bound to the files of the model.

Facts: those of every collected statement, `license`, `base`, `intended_use` and `limitations`.
"""

from __future__ import annotations

from collections.abc import Mapping

from gate.formats.intoto import RawStatement, StatementError
from gate.formats.predicates.collected import reader
from gate.formats.predicates.common import member
from gate.model.digest import Digest
from gate.model.json import JsonObject

CLAIM = "model.card"
_MEMBERS = ("license", "base", "intended_use", "limitations")


def _facts(raw: RawStatement, _: Mapping[str, Digest]) -> JsonObject:
    if not member(raw.predicate, "roles", "card") or not member(raw.predicate, "roles", "model"):
        raise StatementError("roles", "a model card names the card and the files of the model")
    return {name: raw.predicate[name] for name in _MEMBERS}


READERS = reader(CLAIM, _facts)
