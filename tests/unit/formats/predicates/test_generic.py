"""The frame of the gate's own predicates."""

from __future__ import annotations

import time
from typing import Any

import pytest

from gate.formats.predicates import claim_of, generic
from gate.model.digest import sha256_digest
from tests.unit.formats.predicates.reading import code_of, read

PLAIN = {"collected": False, "privacy": {"mode": "hash_only", "payloads": []}}
UNKNOWN = {"mode": "unknown", "payloads": []}


class TestGenericFrames:
    @pytest.mark.parametrize("claim", generic.OWN_CLAIMS)
    def test_each_claim_of_the_gate_has_one_type_with_one_frame(self, claim: str) -> None:
        parent = sha256_digest(b"parent")
        kind = generic.predicate_type(claim)
        said = {"decision": "approved"} if claim in generic.DECISIONS else {}
        found = read(kind, {"created_at": "2026-11-20T10:00:00Z", "depends_on": [parent], "more": [1], **said})
        assert claim_of(kind) == claim == found.claim
        facts = {"result": None, "decision": said.get("decision"), **PLAIN, "privacy": UNKNOWN}
        assert (found.stated_at_s, found.depends_on, found.facts) == (1795168800, (parent,), facts)
        assert (read(kind, said).stated_at_s, read(kind, said).depends_on) == (None, ())

    @pytest.mark.parametrize("claim", generic.OWN_CLAIMS)
    def test_members_that_nobody_knows_could_hold_a_file(self, claim: str) -> None:
        frame = {"created_at": "2026-11-20T10:00:00Z", "depends_on": [], "result": "passed", "decision": "approved"}
        assert read(generic.predicate_type(claim), frame).facts["privacy"] == PLAIN["privacy"]
        assert read(generic.predicate_type(claim), {**frame, "content": "x"}).facts["privacy"] == UNKNOWN

    def test_the_types_are_spelt_as_documented(self) -> None:
        assert generic.predicate_type("model.card") == "urn:promotion-gate:predicate:model-card:v1"
        assert generic.predicate_type("scan.report") == "urn:promotion-gate:predicate:scan:v1"
        assert len(generic.CLAIM_OF) == len(generic.OWN_CLAIMS)

    @pytest.mark.parametrize(
        "value",
        [
            None,
            "x",
            {},
            1,
            [1],
            [None],
            [["sha256:" + "0" * 64]],
            ["0" * 64],
            ["sha256:" + "A" * 64],
            ["sha256:" + "0" * 63],
            ["sha256:" + "0" * 64 + "\n"],
            ["sha512:" + "0" * 128],
            ["sha256:" + "0" * 64] * 2,
            ["sha256:*"],
            [""],
        ],
        ids=str,
    )
    def test_s14_a_malformed_dependency_is_refused(self, value: Any) -> None:
        assert code_of(generic.predicate_type("eval"), {"depends_on": value}) == "predicate"

    @pytest.mark.parametrize(
        ("value", "code"),
        [(None, "predicate"), (1, "predicate"), ("", "time"), ("soon", "time"), ("2026-11-20", "time")],
    )
    def test_s15_a_malformed_time_is_refused(self, value: Any, code: str) -> None:
        assert code_of(generic.predicate_type("prompt"), {"created_at": value}) == code

    @pytest.mark.parametrize("claim", generic.OWN_CLAIMS)
    @pytest.mark.parametrize("result", ["passed", "warned", "failed"])
    @pytest.mark.parametrize("decision", ["approved", "rejected"])
    def test_result_and_decision_are_the_facts(self, claim: str, result: str, decision: str) -> None:
        said = {"result": result, "decision": decision}
        assert read(generic.predicate_type(claim), said).facts == {**said, **PLAIN}

    @pytest.mark.parametrize("claim", ["approval", "review"])
    def test_an_approval_or_review_without_a_decision_is_refused(self, claim: str) -> None:
        assert code_of(generic.predicate_type(claim), {}) == "predicate"
        assert code_of(generic.predicate_type(claim), {"result": "passed", "approved": True}) == "predicate"

    @pytest.mark.parametrize("claim", generic.OWN_CLAIMS)
    @pytest.mark.parametrize("field", ["result", "decision"])
    @pytest.mark.parametrize("value", [None, True, 1, "", "PASSED", "Approved", "passed ", ["passed"], {}], ids=str)
    def test_any_other_result_or_decision_is_refused(self, claim: str, field: str, value: Any) -> None:
        assert code_of(generic.predicate_type(claim), {"decision": "approved", field: value}) == "predicate"

    def test_one_word_is_not_taken_for_the_other(self) -> None:
        for said in ({"decision": "passed"}, {"result": "approved"}, {"decision": "failed"}, {"result": "rejected"}):
            assert code_of(generic.predicate_type("approval"), {"decision": "approved"} | said) == "predicate"

    def test_a_long_list_of_dependencies_is_judged_in_time(self) -> None:
        begin = time.process_time()
        assert code_of(generic.predicate_type("prompt"), {"depends_on": [{}] * 100_000}) == "predicate"
        assert read(
            generic.predicate_type("prompt"), {"depends_on": [sha256_digest(b"%d" % n) for n in range(10_000)]}
        ).depends_on
        assert time.process_time() - begin < 5
