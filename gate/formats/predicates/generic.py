"""The gate's own predicate types, `urn:promotion-gate:predicate:<claim>:v1`.

Their frame is common to all claims: `created_at` (RFC 3339) and `depends_on` (payload digests of other
statements) are read, everything else is kept as signed. No facts are taken from them in this version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gate.formats.intoto import RawStatement, parse_digest_list
from gate.formats.predicates.common import check_schema, make_statement, time
from gate.model.evidence import Statement

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
    "scan.report",
)


def predicate_type(claim: str) -> str:
    """The predicate type in which the gate writes a claim."""
    word = {"scan.report": "scan"}.get(claim, claim.replace(".", "-"))
    return f"urn:promotion-gate:predicate:{word}:v1"


CLAIM_OF: Mapping[str, str] = {predicate_type(claim): claim for claim in OWN_CLAIMS}


def _read(raw: RawStatement) -> Statement:
    check_schema(raw, "predicates/frame.json")
    return make_statement(
        raw,
        CLAIM_OF[raw.predicate_type],
        {},
        depends_on=parse_digest_list(raw.predicate.get("depends_on", []), "depends_on"),
        stated_at_s=time(raw.predicate, "created_at"),
    )


READERS: Mapping[str, Callable[[RawStatement], Statement]] = dict.fromkeys(CLAIM_OF, _read)
