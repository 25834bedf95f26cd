"""Claims: the gate's words for kinds of statements. Rules know claims, never formats (DOCUMENTS: claims)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
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
        "admission.break_glass",
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
        "package.publication",
        "release",
        "link",
        "attributes",
        "references",
        "policy.bundle",
        "vex",
    }
)

# What a decision about somebody's word may be about: any statement but another exception.
_DECIDED: Final = CLAIMS - {"waiver", "admission.break_glass", "policy.bundle"}
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
_PLUGIN: Final = re.compile(r"x(\.[a-z0-9]+(-[a-z0-9]+)*){2}")


def may_build_on(claim: str, before: str) -> bool:
    """Whether a statement of a claim may name one of another as what it builds on."""
    if is_plugin_claim(before):
        return EDGES.get(claim) == _DECIDED
    return before in EDGES.get(claim, frozenset())


def is_plugin_claim(text: str) -> bool:
    """Whether this has the form of a third party's claim: `x.<vendor>.<name>`, which none of ours has."""
    return len(text) <= 100 and _PLUGIN.fullmatch(text) is not None


def is_predicate_type(text: str) -> bool:
    """Whether this is no word of the gate's but a predicate type of others, which is a claim of its own."""
    return ":" in text


def is_claim_pattern(text: str, claims: Collection[str] = CLAIMS) -> bool:
    """Whether `text` is a claim, or a pattern such as `build.*` that some claim matches."""
    return any(claim_matches(text, claim) for claim in claims)


def claim_matches(pattern: str, claim: str) -> bool:
    """Whether a claim is the one named, or lies below `<segments>.*`; `*` stands only as a last segment."""
    if pattern == claim:
        return True
    head, star, tail = pattern.partition("*")
    return star == "*" and tail == "" and head.endswith(".") and head.count("*") == 0 and claim.startswith(head)
