"""Approval: somebody approves or rejects files, statements or both.

Facts: those of every collected statement and `scope`. What is decided upon stands among the subjects: files by their
path, statements by their digest, and each of those in `depends_on` too, so that it has to be there and verified.
"""

from __future__ import annotations

from collections.abc import Mapping

from gate.formats.intoto import RawStatement, StatementError
from gate.formats.predicates.collected import reader
from gate.formats.predicates.common import member, names_in
from gate.model.digest import Digest
from gate.model.json import JsonObject

CLAIM = "approval"


def decision_facts(raw: RawStatement, subjects: Mapping[str, Digest]) -> JsonObject:
    """The facts of a decision; raises `StatementError` for a statement that is not named by its digest."""
    named = names_in(member(raw.predicate, "roles", "statements"))
    if any(name != subjects[name] for name in named) or not set(named) <= set(names_in(raw.predicate["depends_on"])):
        raise StatementError("statements", "a statement that is decided upon is no subject, or not in depends_on")
    return {"scope": raw.predicate["scope"]}


READERS = reader(CLAIM, decision_facts)
