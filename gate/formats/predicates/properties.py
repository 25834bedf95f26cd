"""in-toto simple verification result v0.1 and v0.2: properties that a verifier found an artifact to have.

Facts: `verifier_id`, `time_created_s`, `policies` (`uri`, `digest`; none in v0.1) and `properties`, as stated.
Source: in-toto/attestation, spec/predicates/svr.md.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Final

from gate.formats.intoto import RawStatement
from gate.formats.predicates.common import check_schema, make_statement, member, sha256_of, short, shorts_in, time
from gate.model.evidence import Statement
from gate.model.json import JsonObject

CLAIM: Final = "properties"
_TYPE: Final = "https://in-toto.io/attestation/svr/"


def _read(version: str, raw: RawStatement) -> Statement:
    check_schema(raw, f"predicates/verification-result-{version}.json")
    listed = member(raw.predicate, "verifier", "policies") if version != "v0.1" else None
    seconds = time(raw.predicate, "timeCreated")
    facts: JsonObject = {
        "verifier_id": short(raw.predicate, "verifier", "id"),
        "time_created_s": seconds,
        "policies": [
            {"uri": short(item, "uri"), "digest": sha256_of(item)}
            for item in (listed if isinstance(listed, list) else [])
        ],
        "properties": shorts_in(raw.predicate["properties"]),
    }
    return make_statement(raw, CLAIM, facts, stated_at_s=seconds)


READERS: Mapping[str, Callable[[RawStatement], Statement]] = {
    f"{_TYPE}{version}": functools.partial(_read, version) for version in ("v0.1", "v0.2")
}
