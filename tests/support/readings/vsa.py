"""SLSA verification summaries, one a line: all of one decision, and the standard members agree with the gate's own."""

from __future__ import annotations

import json
from typing import Any

from tests.support.readings import Reading

_TYPE = "https://slsa.dev/verification_summary/v1"


def read(text: str) -> Reading:
    statements = [json.loads(line) for line in text.splitlines()]
    assert statements
    assert {item["predicateType"] for item in statements} == {_TYPE}
    predicates = [item["predicate"] for item in statements]
    for predicate in predicates:
        told = predicate["urn:gate:verdict:v1"]
        has_passed = told["verdict"] == "allow" and not told["dry_run"]
        assert predicate["verificationResult"] == ("PASSED" if has_passed else "FAILED")
        assert ("FAILED" in predicate["verifiedLevels"]) == (not has_passed)
    return reading(predicates)


def reading(predicates: list[dict[str, Any]]) -> Reading:
    """What the gate's own member says, which must be the same in all."""
    found = [item["urn:gate:verdict:v1"] for item in predicates]
    assert all(item == found[0] for item in found)
    told = found[0]
    return Reading(
        verdict=told["verdict"],
        refused=frozenset(told["refused"]),
        id=told["id"],
        exit_code=told["exit_code"],
        dry_run=told["dry_run"],
        waived=frozenset(told["waived"]),
        warned=frozenset(told["warned"]),
    )
