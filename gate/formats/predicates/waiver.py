"""Waiver: the exception of `waivers.yaml` as a statement (DOCUMENTS 5). What it waives is its one subject, by digest.

Facts: those of every collected statement, and the fields of a waiver. A waiver that `waivers.yaml` could not hold
(a wildcard, no end, more than 90 days, its owner as approver) is refused. A plain statement waives nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from gate.formats.intoto import RawStatement, StatementError
from gate.formats.predicates.collected import reader
from gate.formats.predicates.common import text
from gate.formats.waivers import FIELDS, WaiverError, make_waiver
from gate.model.digest import Digest
from gate.model.evidence import Verified
from gate.model.json import JsonObject
from gate.model.waiver import Waiver, is_same_person

CLAIM: Final = "waiver"


def signed_waiver(item: Verified) -> Waiver | None:
    """The waiver that a verified statement makes; `None` for one that makes none.

    One that only its owner signed is invalid: nobody else stands behind it.
    """
    if item.statement.claim != CLAIM or item.statement.facts["collected"] is not True:
        return None
    problem = None
    waiver = make_waiver(_fields(item.statement.facts))
    if all(is_same_person(signer.name, waiver.owner) for signer in item.signers):
        problem = "only its owner signed the waiver"
    return replace(waiver, problem=problem)


def _facts(raw: RawStatement, subjects: Mapping[str, Digest]) -> JsonObject:
    facts = {name: raw.predicate[name] for name in FIELDS}
    if dict(subjects) != {facts["artifact"]: facts["artifact"]}:
        raise StatementError(
            "subject", "the one subject of a waiver is the digest of what it waives, as name and sha256"
        )
    try:
        make_waiver(_fields(facts))
    except WaiverError as error:
        raise StatementError("waiver", str(error)) from None
    return facts


def _fields(facts: JsonObject) -> Mapping[str, str]:
    found = {name: text(facts, name) for name in FIELDS}
    return {name: value for name, value in found.items() if value is not None}


READERS = reader(CLAIM, _facts)
