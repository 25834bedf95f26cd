"""in-toto reference v0.1: documents about an artifact that lie elsewhere.

Facts: `attester_id` and `references` (`uri`, else where it can be downloaded, and `digests`).
Source: in-toto/attestation, spec/predicates/reference.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gate.formats.intoto import RawStatement
from gate.formats.predicates.common import check_schema, digests_of, make_statement, short
from gate.model.evidence import Statement
from gate.model.json import JsonObject

CLAIM: Final = "references"


def _read(raw: RawStatement) -> Statement:
    check_schema(raw, "predicates/reference-v0.1.json")
    listed = raw.predicate["references"]
    facts: JsonObject = {
        "attester_id": short(raw.predicate, "attester", "id"),
        "references": [
            {"uri": short(item, "uri") or short(item, "downloadLocation"), "digests": digests_of(item)}
            for item in (listed if isinstance(listed, list) else [])
        ],
    }
    return make_statement(raw, CLAIM, facts)


READERS: Mapping[str, Callable[[RawStatement], Statement]] = {"https://in-toto.io/attestation/reference/v0.1": _read}
