"""Which predicate types are known; a similar one is not."""

from __future__ import annotations

import pytest

from gate.formats.predicates import claim_of, generic, readers
from gate.model.claim import CLAIMS
from tests.unit.formats.predicates.reading import SLSA_V02, SLSA_V1, V02, V1, code_of


class TestS10PredicateTypes:
    def test_s10_every_known_type_makes_a_claim_and_has_a_reader(self) -> None:
        assert all(claim_of(kind) in CLAIMS for kind in readers())
        assert {claim_of(kind) for kind in readers()} >= {
            *generic.OWN_CLAIMS,
            "build.provenance",
            "test.result",
            "artifact.signature",
        }

    @pytest.mark.parametrize("kind", sorted(readers()))
    @pytest.mark.parametrize("change", ["{}/", "{} ", " {}", "{}\n", "{}.0", "{}1", "{}#", "x{}", "{}\u200b", "{}?v=1"])
    def test_s10_a_type_that_is_only_similar_is_unknown(self, kind: str, change: str) -> None:
        similar = change.format(kind)
        assert claim_of(similar) is None
        assert code_of(similar, {}) == "predicate_unknown"

    @pytest.mark.parametrize("kind", sorted(readers()))
    def test_s10_case_and_version_are_part_of_the_type(self, kind: str) -> None:
        for similar in (kind.upper(), kind[:-1] + "9", kind[:-1], kind[:-1] + "10", kind.title()):
            assert code_of(similar, {}) == "predicate_unknown"

    @pytest.mark.parametrize(
        "kind",
        [
            "https://slsa.dev/provenance/v0.1",
            "https://slsa.dev/provenance/v1.1",
            "https://slsa.dev/provenance/v1.0",
            "custom",
            "https://slsa.dev/provenance",
            "https://slsa.dev/verification_summary/v2",
            "urn:promotion-gate:predicate:eval:v2",
            "x" * 9999,
        ],
        ids=lambda kind: kind[:60],
    )
    def test_s10_unknown_types_and_versions_are_refused(self, kind: str) -> None:
        assert code_of(kind, V1) == "predicate_unknown"

    def test_s10_a_predicate_of_one_version_is_not_read_as_another(self) -> None:
        assert code_of(SLSA_V1, V02) == "predicate"
        assert code_of(SLSA_V02, V1) == "predicate"
