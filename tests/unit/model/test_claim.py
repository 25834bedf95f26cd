"""Claims and patterns of claims."""

from __future__ import annotations

import pytest

from gate.model.claim import CLAIMS, claim_matches, is_claim_pattern


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("prompt", {"prompt"}),
        ("build.*", {"build.provenance"}),
        ("test.*", {"test.result"}),
        ("model.*", {"model.card"}),
        ("artifact.*", {"artifact.signature"}),
    ],
)
def test_a_pattern_matches_the_claims_below_it(pattern: str, matched: set[str]) -> None:
    assert {claim for claim in CLAIMS if claim_matches(pattern, claim)} == matched
    assert is_claim_pattern(pattern)


@pytest.mark.parametrize("claim", sorted(CLAIMS))
def test_each_claim_is_a_pattern_for_itself_only(claim: str) -> None:
    assert {other for other in CLAIMS if claim_matches(claim, other)} == {claim}
    assert is_claim_pattern(claim)


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "*",
        "**",
        ".*",
        "*.*",
        "build*",
        "build.",
        "build",
        "build.prov*",
        "build.**",
        "build.*.*",
        "*.provenance",
        "b*.provenance",
        "build.?",
        "Build.*",
        "build .*",
        "BUILD.PROVENANCE",
        "prompt.*",
        "prompt.",
        " prompt",
        "build.*x",
        "nothing.*",
        "build.[a-z]*",
    ],
)
def test_s07_wildcards_anywhere_else_match_nothing(pattern: str) -> None:
    assert not is_claim_pattern(pattern)
