"""in-toto release v0.1: which files a release of a package consists of, as its registry says.

Facts: `purl`, which has a version, and `package_id`. Source: in-toto/attestation, spec/predicates/release.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gate.formats.intoto import RawStatement
from gate.formats.predicates.common import check_schema, make_statement, short
from gate.model.evidence import Statement
from gate.model.json import JsonObject

CLAIM: Final = "release"


def _read(raw: RawStatement) -> Statement:
    check_schema(raw, "predicates/release-v0.1.json")
    facts: JsonObject = {"purl": short(raw.predicate, "purl"), "package_id": short(raw.predicate, "packageId")}
    return make_statement(raw, CLAIM, facts)


READERS: Mapping[str, Callable[[RawStatement], Statement]] = {"https://in-toto.io/attestation/release/v0.1": _read}
