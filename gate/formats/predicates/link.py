"""in-toto link v0.3: one step of a supply chain; its products are the subjects.

Facts: `name`, `command` and `materials` (`{uri or name: digest set}`).
Source: in-toto/attestation, spec/predicates/link.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gate.formats.intoto import RawStatement
from gate.formats.predicates.common import check_schema, dependencies, make_statement, member, short, shorts_in
from gate.model.evidence import Statement
from gate.model.json import JsonObject

CLAIM: Final = "link"


def _read(raw: RawStatement) -> Statement:
    check_schema(raw, "predicates/link-v0.3.json")
    facts: JsonObject = {
        "name": short(raw.predicate, "name"),
        "command": shorts_in(member(raw.predicate, "command")),
        "materials": dependencies(member(raw.predicate, "materials")),
    }
    return make_statement(raw, CLAIM, facts)


READERS: Mapping[str, Callable[[RawStatement], Statement]] = {"https://in-toto.io/attestation/link/v0.3": _read}
