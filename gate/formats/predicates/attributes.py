"""SCAI attribute report v0.2 and v0.3: attributes of an artifact, or of what produced it.

Facts: `attributes` (`attribute`, `target_digest`, and whether there are `conditions` and `evidence`) and `producer`,
its URI or else its name. Source: in-toto/attestation, spec/predicates/scai.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gate.formats.intoto import RawStatement
from gate.formats.predicates.common import check_schema, make_statement, member, sha256_of, short
from gate.model.evidence import Statement
from gate.model.json import JsonObject

CLAIM: Final = "attributes"


def _read(raw: RawStatement) -> Statement:
    check_schema(raw, "predicates/attribute-report.json")
    listed, producer = raw.predicate["attributes"], member(raw.predicate, "producer")
    facts: JsonObject = {
        "attributes": [
            {
                "attribute": short(item, "attribute"),
                "target_digest": sha256_of(member(item, "target")),
                "conditions": bool(member(item, "conditions")),
                "evidence": bool(member(item, "evidence")),
            }
            for item in (listed if isinstance(listed, list) else [])
        ],
        "producer": short(producer, "uri") or short(producer, "name"),
    }
    return make_statement(raw, CLAIM, facts)


READERS: Mapping[str, Callable[[RawStatement], Statement]] = {
    "https://in-toto.io/attestation/scai/attribute-report/v0.2": _read,
    "https://in-toto.io/attestation/scai/v0.3": _read,
}
