"""The verdict as SLSA verification summaries v1: one in-toto statement for each artifact, one a line.

A refusal, an error, a dry run and what no control judged are `FAILED`: nothing of theirs can be taken for a pass
(`gate.report.attested`). Source: slsa.dev/spec/v1.2/verification_summary.
"""

from __future__ import annotations

from typing import Final

from gate.model.decision import Decision
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

PREDICATE_TYPE: Final = "https://slsa.dev/verification_summary/v1"
SLSA_VERSION: Final = "1.2"
_UNEVALUATED: Final = "SLSA_BUILD_LEVEL_UNEVALUATED"


def render_vsa(decision: Decision) -> str:
    """The unsigned statements, under the names that are there where nobody gives others."""
    return "".join(f"{text}\n" for text in vsa_statements(decision, Naming()))


def vsa_statements(decision: Decision, naming: Naming) -> tuple[str, ...]:
    """One statement for each artifact that has a digest, by artifact; for the input document where none has."""
    common: JsonObject = {
        "verifier": {"id": naming.verifier, "version": versions(decision)},
        "timeVerified": terminal(decision.decided_at),
        "policy": policy(decision),
        "inputAttestations": list[JsonValue](inputs(decision)),
        "slsaVersion": SLSA_VERSION,
        EXTENSION: extension(decision),
    }
    return tuple(
        statement(
            about,
            PREDICATE_TYPE,
            {
                **common,
                "resourceUri": about.resource,
                "verificationResult": "PASSED" if has_passed(decision, about) else "FAILED",
                "verifiedLevels": list[JsonValue](_levels(decision, about)),
            },
        )
        for about in abouts(decision, naming)
    )


def _levels(decision: Decision, about: About) -> list[str]:
    if has_passed(decision, about):
        return [build_level(decision, about) or _UNEVALUATED, *properties(decision, about)]
    return ["FAILED", *why_not(decision, about)]
