"""VEX as signed statements: OpenVEX v0.2.0, the VEX profile of CSAF 2.0 and 2.1, and CycloneDX.

The claim is `vex`: whoever signs has to be trusted for it, and what the document says about its own author is a fact
for people. Facts: `format`, `version`, `author`, and `judgements`, each with `names`, `status`, `justification`, `at_s`
and `products` (`digests`, `purls`, `components`). A CycloneDX document with components is a bill of materials, and what
it says about vulnerabilities is not read: a signer who is trusted for bills judges nothing by them.
CSAF has no predicate type of its own; the address of its schema stands for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gate.formats.intoto import RawStatement
from gate.formats.predicates import sbom
from gate.formats.predicates.common import make_statement
from gate.formats.vex import csaf, cyclonedx, openvex
from gate.model.evidence import Statement
from gate.model.json import JsonObject

CLAIM: Final = "vex"
CSAF: Final = {
    "2.0": "https://docs.oasis-open.org/csaf/csaf/v2.0/csaf_json_schema.json",
    "2.1": "https://docs.oasis-open.org/csaf/csaf/v2.1/schema/csaf.json",
}
OPENVEX: Final = "https://openvex.dev/ns"


def _read_openvex(raw: RawStatement) -> Statement:
    return _statement(raw, openvex.read(raw.predicate))


def _read_csaf(version: str) -> Callable[[RawStatement], Statement]:
    return lambda raw: _statement(raw, csaf.read(raw.predicate, version))


def _read_cyclonedx(raw: RawStatement) -> Statement:
    """A statement of CycloneDX: a bill of materials, or VEX."""
    if not cyclonedx.is_vex(raw.predicate):
        return sbom.READERS[raw.predicate_type](raw)
    sbom.check(raw)
    return _statement(raw, cyclonedx.read(raw.predicate))


def _statement(raw: RawStatement, found: tuple[JsonObject, int]) -> Statement:
    return make_statement(raw, CLAIM, found[0], stated_at_s=found[1])


READERS: Final[Mapping[str, Callable[[RawStatement], Statement]]] = {
    **dict.fromkeys((OPENVEX, openvex.CONTEXT), _read_openvex),
    **{kind: _read_csaf(version) for version, kind in CSAF.items()},
}
BILLS: Final = {kind: _read_cyclonedx for kind in sbom.READERS if kind.startswith(sbom.CYCLONEDX)}
"""The readers of predicate types that are bills of materials or VEX, as the document says."""
