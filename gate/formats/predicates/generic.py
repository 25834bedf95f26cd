"""The gate's own predicate types, `urn:promotion-gate:predicate:<claim>:v1`.

Their frame is common to all claims: `created_at` (RFC 3339) and `depends_on` (payload digests of other statements)
are read, everything else is kept as signed. Facts: `result` (`passed`, `warned`, `failed`) and `decision` (`approved`,
`rejected`), null where the predicate is silent. An approval or review that decides nothing is refused.

A statement in this frame alone is plain: it says no more than that its signer says so. `collected` in the facts tells
it from those whose content was collected from files and has a form of its own (`collected.py`). Members beside the
frame could hold anything, a file's content too: `privacy` then has the mode `unknown`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gate.formats import schema
from gate.formats.intoto import RawStatement, StatementError, parse_digest_list
from gate.formats.predicates.common import check_schema, make_statement, text, time
from gate.model.evidence import Statement
from gate.model.json import JsonObject

# A signature's claim is made by the signature of the files itself, and the others have formats of their own.
OWN_CLAIMS: Final = (
    "training.provenance",
    "prompt",
    "corpus",
    "eval",
    "route",
    "slo",
    "dataset",
    "model.card",
    "plugin",
    "approval",
    "review",
    "waiver",
    "admission.break_glass",
    "scan.report",
    "composition",
)
_WORDS: Final[Mapping[str, str]] = {"scan.report": "scan", "admission.break_glass": "break-glass"}
_FRAME: Final = "predicates/frame.json"
# Statements of these claims are a decision and nothing else.
DECISIONS: Final = frozenset({"approval", "review"})


def predicate_type(claim: str) -> str:
    """The predicate type in which the gate writes a claim."""
    word = _WORDS.get(claim, claim.replace(".", "-"))
    return f"urn:promotion-gate:predicate:{word}:v1"


CLAIM_OF: Mapping[str, str] = {predicate_type(claim): claim for claim in OWN_CLAIMS}


def plain_facts(raw: RawStatement) -> JsonObject:
    """The facts of a plain statement."""
    return {
        "result": text(raw.predicate, "result"),
        "decision": text(raw.predicate, "decision"),
        "collected": False,
        "privacy": {"mode": "hash_only", "payloads": []},
    }


def read(raw: RawStatement) -> Statement:
    """A plain statement; raises `StatementError`."""
    check_schema(raw, _FRAME)
    claim = CLAIM_OF[raw.predicate_type]
    facts = plain_facts(raw)
    if raw.predicate.keys() - schema.members(_FRAME):
        facts = {**facts, "privacy": {"mode": "unknown", "payloads": []}}
    if claim in DECISIONS and facts["decision"] is None:
        raise StatementError("predicate", f"decision is missing; {claim} says approved or rejected")
    return make_statement(
        raw,
        claim,
        facts,
        depends_on=parse_digest_list(raw.predicate.get("depends_on", []), "depends_on"),
        stated_at_s=time(raw.predicate, "created_at"),
    )


READERS: Mapping[str, Callable[[RawStatement], Statement]] = dict.fromkeys(CLAIM_OF, read)
