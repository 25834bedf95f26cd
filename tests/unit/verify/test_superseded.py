"""What old statements, and statements about something else, can and cannot do (SECURITY 11, 13)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from gate.model.digest import Digest
from gate.model.evidence import Concern, Stage, VerifiedSet
from tests.support.evidence import (
    bundle,
    digest_of,
    digests,
    folder,
    make_key,
    model_signature,
    only_rejected,
    only_verified,
    provenance,
    refusal,
    signer,
    statement,
    trust,
    verify,
)

FILES = {"model.safetensors": "weights", "config.json": "{}", "sub/tokenizer.json": "[]"}
MODEL = folder("summarizer", FILES)
NAMED = digests(MODEL)
OLD = {**NAMED, "config.json": digest_of("old")}
STORE = trust(signer(), signer("builder"))


def without(path: str) -> dict[str, Digest]:
    return {name: digest for name, digest in NAMED.items() if name != path}


def judged(*payloads: bytes) -> VerifiedSet:
    return verify(*(bundle(payload) for payload in payloads), artifacts=[MODEL], store=STORE)


def claims_covering(found: VerifiedSet) -> set[str]:
    return {item.statement.claim for item in found.verified if item.artifacts}


def test_an_old_signature_may_lie_beside_the_one_that_fits() -> None:
    found = judged(model_signature(OLD, "old"), model_signature(NAMED))
    assert found.rejected == ()
    assert sorted(item.artifacts for item in found.verified) == [(), ("summarizer",)]


def test_an_old_signature_alone_is_about_other_bytes() -> None:
    assert refusal(judged(model_signature(OLD, "summarizer")))[0] is Stage.SUBJECT


def test_a_signature_of_wholly_other_files_is_about_other_bytes_when_it_names_the_model() -> None:
    assert refusal(judged(model_signature({"x": digest_of("x")}, "summarizer")))[1] == "subject.mismatch"
    assert only_verified(judged(model_signature({"x": digest_of("x")}, "another"))).artifacts == ()


def test_a_signature_of_a_foreign_model_with_the_same_file_names_is_kept() -> None:
    foreign = {name: digest_of(f"foreign {name}") for name in NAMED}
    assert only_verified(judged(model_signature(foreign, "foreign"))).artifacts == ()


def test_a_signature_that_fits_a_changed_file_and_not_its_model_is_about_other_bytes() -> None:
    old = {**NAMED, "model.safetensors": digest_of("old")}
    changed = {"models/summarizer/config.json": NAMED["config.json"]}
    found = verify(bundle(model_signature(old, "summarizer")), artifacts=[MODEL], changed=changed)
    assert refusal(found) == (Stage.SUBJECT, "subject.mismatch")


def test_an_old_statement_is_not_excused_by_another_claim() -> None:
    found = judged(model_signature(OLD), provenance(NAMED))
    assert claims_covering(found) == {"build.provenance"}
    assert [item.code for item in found.rejected] == ["subject.mismatch"]


def test_an_old_statement_is_not_excused_by_a_refused_one() -> None:
    items = (bundle(model_signature(NAMED), make_key("stranger")), bundle(model_signature(OLD)))
    found = verify(*items, artifacts=[MODEL], store=STORE)
    assert {item.code for item in found.rejected} == {"signature.untrusted", "subject.mismatch"}
    assert found.verified == ()


def test_an_old_statement_is_not_excused_by_one_that_may_not_make_the_claim() -> None:
    store = trust(signer(), signer("other", claims=["eval"]))
    items = (bundle(model_signature(NAMED), make_key("other")), bundle(model_signature(OLD)))
    found = verify(*items, artifacts=[MODEL], store=store)
    assert found.verified == ()


def test_a_statement_about_another_artifact_that_shares_a_file_covers_that_one_only() -> None:
    other = folder("other", {"config.json": "{}", "w.bin": "w"})
    found = verify(bundle(model_signature(digests(other))), bundle(model_signature(NAMED)), artifacts=[MODEL, other])
    assert sorted(item.artifacts for item in found.verified) == [("other",), ("summarizer",)]
    alone = verify(bundle(model_signature(digests(other))), artifacts=[MODEL, other])
    assert [item.artifacts for item in alone.verified] == [("other",)]


def test_one_statement_may_cover_several_artifacts() -> None:
    twin = dataclasses.replace(MODEL, name="twin", path="models/twin")
    found = verify(bundle(model_signature(NAMED)), artifacts=[MODEL, twin])
    assert found.verified[0].artifacts == ("summarizer", "twin")


def test_two_halves_do_not_make_a_whole() -> None:
    first = provenance({"config.json": NAMED["config.json"]})
    second = provenance(without("config.json"))
    assert claims_covering(judged(first, second)) == set()


# -- changed files -----------------------------------------------------------------------------------------------------

PATHS: dict[str, Digest | None] = {"app/a.txt": digest_of("a"), "app/b.txt": digest_of("b")}


def of_changed(*payloads: bytes, changed: Mapping[str, Digest | None] = PATHS) -> VerifiedSet:
    return verify(*(bundle(payload) for payload in payloads), changed=changed)


def test_a_statement_about_one_of_two_changed_files_is_kept() -> None:
    assert only_verified(of_changed(statement("prompt", {"app/a.txt": digest_of("a")}))).artifacts == ()


def test_a_model_signature_that_lists_a_changed_file_is_kept() -> None:
    payload = model_signature({"a.txt": digest_of("a"), "more.bin": digest_of("more")}, "a.txt")
    assert only_verified(of_changed(payload)).artifacts == ()


def test_a_statement_about_other_bytes_of_a_changed_file_is_refused() -> None:
    assert refusal(of_changed(statement("prompt", {"app/a.txt": digest_of("old")})))[1] == "subject.mismatch"


def test_a_statement_that_fits_one_changed_file_is_not_refused_for_another() -> None:
    only_verified(of_changed(statement("prompt", {"app/a.txt": digest_of("a"), "app/b.txt": digest_of("old")})))


def test_swapped_changed_files_are_other_bytes() -> None:
    payload = statement("prompt", {"app/a.txt": digest_of("b"), "app/b.txt": digest_of("a")})
    assert refusal(of_changed(payload))[1] == "subject.mismatch"


def test_a_statement_about_a_deleted_file_is_kept_and_covers_nothing() -> None:
    found = of_changed(statement("prompt", {"app/gone.txt": digest_of("gone")}), changed={"app/gone.txt": None})
    only_verified(found)


def test_forged_evidence_about_a_deleted_file_is_at_stake() -> None:
    payload = statement("prompt", {"app/gone.txt": digest_of("gone")})
    found = verify(bundle(payload, make_key("stranger")), changed={"app/gone.txt": None})
    assert only_rejected(found).concern is Concern.AT_STAKE
