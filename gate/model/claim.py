"""Claims: the gate's words for kinds of statements. Rules know claims, never formats (DOCUMENTS: claims)."""

from __future__ import annotations

from collections.abc import Mapping
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
        "composition",
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

# What a decision about somebody's word may be about: any statement but another exception.
_DECIDED: Final = CLAIMS - {"waiver", "policy.bundle"}
EDGES: Final[Mapping[str, frozenset[str]]] = {
    "prompt": frozenset({"plugin"}),
    "corpus": frozenset({"corpus", "dataset"}),
    "eval": frozenset({"composition", "corpus", "dataset", "plugin", "prompt", "training.provenance"}),
    "route": frozenset({"eval"}),
    "slo": frozenset({"route"}),
    "dataset": frozenset({"dataset"}),
    "training.provenance": frozenset({"dataset", "eval", "training.provenance"}),
    "composition": frozenset({"composition", "training.provenance"}),
    "model.card": frozenset({"composition", "dataset", "eval", "training.provenance"}),
    "scan.report": frozenset({"composition", "training.provenance"}),
    "approval": _DECIDED,
    "review": _DECIDED,
    "waiver": _DECIDED,
}
"""The claims that a statement of a claim may build on; a claim that is not here builds on none."""
NEEDS_PREDECESSOR: Final = frozenset({"eval", "route", "slo"})
"""Claims that say nothing without what they build on."""


def is_claim_pattern(text: str) -> bool:
    """Whether `text` is a claim, or a pattern such as `build.*` that some claim matches."""
    return any(claim_matches(text, claim) for claim in CLAIMS)


def claim_matches(pattern: str, claim: str) -> bool:
    """Whether a claim is the one named, or lies below `<segments>.*`; `*` stands only as a last segment."""
    if pattern == claim:
        return True
    head, star, tail = pattern.partition("*")
    return star == "*" and tail == "" and head.endswith(".") and head.count("*") == 0 and claim.startswith(head)
