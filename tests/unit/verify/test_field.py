"""Statements of the field in the pipeline: commits cover no file, types of others are claims, drafts wait."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gate.formats.predicates import DRAFTS, Reading
from gate.model.artifact import Artifact, ArtifactFile, ArtifactKind
from gate.model.claim import CLAIMS, EDGES, may_build_on
from gate.model.digest import sha256_digest
from gate.model.evidence import Concern, Evidence, Stage, TimeSource, VerifiedSet
from gate.verify.alone import Signed, judge
from gate.verify.answers import read_answer, write_answer
from gate.verify.trust import TrustStore, build_trust_store
from tests.support.evidence import (
    LIMIT,
    NOW_S,
    bundle,
    digest_of,
    encode,
    make_key,
    only_rejected,
    only_verified,
    refusal,
    signer,
    statement,
    trust,
    trust_settings,
    verify,
)
from tests.unit.formats.predicates.field import NAMES, example

X = digest_of("x")
CHANGED = {"app/system.txt": X}
TYPE = "https://example.com/inspection/v1"
SOURCE = example("source-summary")
CLAIMS_OF_FIELD = ("source.summary", "verification.summary", "scorecard", "artifact.signature", "eval.result")


def store(*claims: str, drafts: frozenset[str] = frozenset()) -> TrustStore:
    settings = trust_settings(signer("release", claims=claims))
    object.__setattr__(settings, "drafts", drafts)
    return build_trust_store(settings, NOW_S)


def judged(value: Any, *claims: str, **more: Any) -> VerifiedSet:
    return verify(bundle(encode(value)), store=store(*claims), changed=CHANGED, **more)


def link_to(target: str) -> Artifact:
    """A folder whose one file is a link, which has no digest."""
    files = {target: ArtifactFile(None, 0, "symlink")}
    return Artifact("model", ArtifactKind.WEIGHTS, "models/model", None, False, None, digest_of("m"), files, True)


class TestS11Commits:
    @pytest.mark.parametrize("name", ["app/system.txt", "system.txt", "models/model", "model", ""])
    @pytest.mark.parametrize("file", ["source-summary", "scorecard"])
    def test_s11_a_commit_matches_no_file_whatever_it_is_called(self, name: str, file: str) -> None:
        value = example(file)
        value["subject"][0]["name"] = name
        found = only_verified(judged(value, *CLAIMS_OF_FIELD, artifacts=[link_to("config.json")]))
        assert found.artifacts == ()
        assert found.statement.resources == ()

    def test_s11_a_digest_that_looks_like_a_commit_is_none(self) -> None:
        commit = "0" * 64
        value = {**SOURCE, "subject": [{"name": "app/system.txt", "digest": {"gitCommit": commit}}]}
        changed = {"app/system.txt": sha256_digest(b"x")}
        found = verify(bundle(encode(value)), store=store("source.summary"), changed=changed)
        assert only_verified(found).statement.subjects[0].digest is None

    @pytest.mark.parametrize("kind", ["https://slsa.dev/provenance/v1", TYPE, "urn:promotion-gate:predicate:prompt:v1"])
    def test_s11_other_statements_about_a_commit_are_refused(self, kind: str) -> None:
        value = {**SOURCE, "predicateType": kind, "predicate": {}}
        assert refusal(judged(value, TYPE, "prompt", "build.provenance")) == (
            Stage.STATEMENT,
            "statement.subject_digest",
        )

    def test_what_nobody_trusted_says_of_a_commit_concerns_no_file(self) -> None:
        found = only_rejected(
            verify(bundle(encode(SOURCE), make_key("stranger")), store=store("source.summary"), changed=CHANGED)
        )
        assert (found.claimed, found.concern) == ("source.summary", Concern.OTHERS)

    def test_a_summary_of_a_source_needs_a_signer_for_that_claim(self) -> None:
        assert refusal(judged(SOURCE, "verification.summary")) == (Stage.SIGNATURE, "signature.claim")
        assert only_verified(judged(SOURCE, "source.*")).statement.claim == "source.summary"


def about(kind: str, **predicate: Any) -> bytes:
    return statement(subjects=CHANGED, kind=kind, predicate=predicate)


class TestTypesOfOthers:
    def test_s10_a_type_that_nobody_lists_is_refused(self) -> None:
        found = verify(bundle(about(TYPE)), store=store("prompt"), changed=CHANGED)
        assert refusal(found) == (Stage.STATEMENT, "statement.predicate_unknown")
        assert only_rejected(found).claimed is None

    def test_a_type_that_a_signer_lists_is_a_claim_without_facts(self) -> None:
        found = only_verified(verify(bundle(about(TYPE, level=3)), store=store(TYPE), changed=CHANGED))
        assert (found.statement.claim, found.statement.predicate_type, found.statement.facts) == (TYPE, TYPE, {})
        assert (found.statement.predicate, found.statement.stated_at_s) == ({"level": 3}, None)
        assert [item.digest for item in found.statement.resources] == [X]

    @pytest.mark.parametrize(
        "similar", [TYPE + "/", TYPE + "1", TYPE[:-1], TYPE.upper(), TYPE.replace("https", "http")]
    )
    def test_s10_a_similar_type_is_another(self, similar: str) -> None:
        found = verify(bundle(about(similar)), store=store(TYPE), changed=CHANGED)
        assert refusal(found) == (Stage.STATEMENT, "statement.predicate_unknown")

    def test_s07_only_who_lists_it_may_say_it(self) -> None:
        two = trust(signer("release", claims=["prompt", "build.*"]), signer("other", claims=[TYPE]))
        found = verify(bundle(about(TYPE)), store=two, changed=CHANGED)
        assert refusal(found) == (Stage.SIGNATURE, "signature.claim")
        assert only_rejected(found).claimed == TYPE

    def test_cosigns_own_type_is_one(self) -> None:
        kind = "https://cosign.sigstore.dev/attestation/v1"
        found = only_verified(verify(bundle(about(kind, Data="x")), store=store(kind), changed=CHANGED))
        assert found.statement.claim == kind

    def test_a_type_that_the_gate_reads_is_read_whatever_is_listed(self) -> None:
        known = "https://in-toto.io/attestation/test-result/v0.1"
        found = verify(bundle(about(known)), store=store(known), changed=CHANGED)
        assert refusal(found) == (Stage.STATEMENT, "statement.predicate")

    @pytest.mark.parametrize("claim", sorted(CLAIMS))
    def test_it_feeds_no_other_claim(self, claim: str) -> None:
        assert not may_build_on(claim, TYPE)
        assert not may_build_on(TYPE, claim)

    def test_a_statement_of_the_gate_cannot_build_on_it(self) -> None:
        below = about(TYPE)
        above = statement("approval", CHANGED, depends_on=[sha256_digest(below)])
        found = verify(bundle(below), bundle(above), store=store(TYPE, "approval"), changed=CHANGED)
        assert [item.code for item in found.rejected] == ["chain.edge"]


def test_new_claims_build_on_nothing_and_can_be_approved() -> None:
    for claim in ("attributes", "link", "references", "release", "properties", "scorecard", "source.summary"):
        assert claim not in EDGES
        assert may_build_on("approval", claim)


class TestDrafts:
    VALUE = example("eval-result")

    def test_a_draft_is_refused_with_the_name_of_its_switch(self) -> None:
        found = only_rejected(judged(self.VALUE, "eval.result"))
        assert (found.code, found.claimed, found.concern) == ("statement.draft", "eval.result", Concern.OTHERS)
        assert "`drafts: [eval-result]`" in found.detail

    def test_a_draft_that_is_switched_on_is_read(self) -> None:
        on = store("eval.result", drafts=frozenset(DRAFTS))
        found = only_verified(verify(bundle(encode(self.VALUE)), store=on, changed=CHANGED))
        assert found.statement.claim == "eval.result"

    def test_listing_its_type_does_not_switch_it_on(self) -> None:
        assert refusal(judged(self.VALUE, self.VALUE["predicateType"])) == (Stage.STATEMENT, "statement.draft")


def test_the_older_frame_is_verified_and_known_as_such() -> None:
    value = {**json.loads(statement("prompt", CHANGED)), "_type": "https://in-toto.io/Statement/v0.1"}
    found = only_verified(judged(value, "prompt"))
    assert found.statement.statement_type == "https://in-toto.io/Statement/v0.1"
    assert found.time_source is TimeSource.NONE


@pytest.mark.parametrize("name", NAMES)
def test_what_a_worker_says_of_it_is_what_it_read(name: str) -> None:
    data = bundle(encode(example(name)))
    item, evidence = Evidence("x.json", data), sha256_digest(data)
    known = store(*CLAIMS, drafts=frozenset(DRAFTS))
    assert known.reading == Reading(drafts=frozenset(DRAFTS))
    outcome = judge(item, evidence, known, LIMIT)
    assert isinstance(outcome, Signed)
    assert read_answer(write_answer(outcome), item, evidence, known) == outcome
