"""Claims: the gate's words for kinds of statements. Rules know claims, never formats (DOCUMENTS: claims)."""

from __future__ import annotations

from typing import Final

CLAIMS: Final = frozenset(
    {
        "artifact.signature",
        "build.provenance",
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
        "test.result",
        "eval.result",
        "scan.report",
        "sbom",
        "scorecard",
        "source.summary",
        "verification.summary",
        "properties",
        "runtime.trace",
        "policy.bundle",
    }
)


def is_claim_pattern(text: str) -> bool:
    """Whether `text` is a claim, or a pattern such as `build.*` that some claim matches."""
    return any(claim_matches(text, claim) for claim in CLAIMS)


def claim_matches(pattern: str, claim: str) -> bool:
    """Whether a claim is the one named, or lies below `<segments>.*`; `*` stands only as a last segment."""
    if pattern == claim:
        return True
    head, star, tail = pattern.partition("*")
    return star == "*" and tail == "" and head.endswith(".") and head.count("*") == 0 and claim.startswith(head)
