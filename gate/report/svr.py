"""The verdict as in-toto simple verification results v0.2: one statement for each artifact, one a line.

A result has no place for a failure, so a refusal, an error and a dry run have properties that say so, and none that
passed (`gate.report.attested`). Source: in-toto/attestation, spec/predicates/svr.md.
"""

from __future__ import annotations

from typing import Final

from gate.model.decision import Decision, Verdict
from gate.model.json import JsonObject, JsonValue
from gate.report.attested import (
    EXTENSION,
    About,
    Naming,
    abouts,
    build_level,
    extension,
    has_passed,
    inputs,
    policy,
    properties,
    statement,
    versions,
    why_not,
)
from gate.report.escape import terminal

PREDICATE_TYPE: Final = "https://in-toto.io/attestation/svr/v0.2"
REFUSED: Final = "GATE_REFUSED"
UNDECIDED: Final = "GATE_UNDECIDED"
_NOT_PASSED: Final = {Verdict.ALLOW: (), Verdict.DENY: (REFUSED,), Verdict.ERROR: (UNDECIDED,)}


def render_svr(decision: Decision) -> str:
    """The unsigned statements, under the names that are there where nobody gives others."""
    return "".join(f"{text}\n" for text in svr_statements(decision, Naming()))


def svr_statements(decision: Decision, naming: Naming) -> tuple[str, ...]:
    """One statement for each artifact that has a digest, by artifact; for the input document where none has."""
    common: JsonObject = {
        "verifier": {
            "id": naming.verifier,
            "version": versions(decision),
            "policies": list[JsonValue]([policy(decision)]),
        },
        "timeCreated": terminal(decision.decided_at),
        EXTENSION: {**extension(decision), "inputs": list[JsonValue](inputs(decision))},
    }
    return tuple(
        statement(about, PREDICATE_TYPE, {**common, "properties": list[JsonValue](_properties(decision, about))})
        for about in abouts(decision, naming)
    )


def _properties(decision: Decision, about: About) -> list[str]:
    if has_passed(decision, about):
        level = build_level(decision, about)
        return [*([level] if level else []), *properties(decision, about)]
    return [*_NOT_PASSED[decision.verdict], *why_not(decision, about)]
