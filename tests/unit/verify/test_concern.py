"""Whether rejected evidence is about what is at stake. Forged evidence that is must never pass for somebody else's."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.model.digest import sha256_digest
from gate.model.evidence import Concern, VerifiedSet
from tests.support.evidence import (
    b64,
    bundle,
    bundle_value,
    digest_of,
    digests,
    encode,
    envelope,
    envelope_value,
    folder,
    make_key,
    model_signature,
    only_rejected,
    statement,
    subject,
    verify,
)

X, Y = digest_of("x"), digest_of("y")
CHANGED = {"app/system.txt": X}
GOOD = statement("prompt", CHANGED)
STRANGER = make_key("stranger")


def changed(*items: bytes, **more: Any) -> VerifiedSet:
    return verify(*items, changed=CHANGED, **more)


OTHERS = statement("prompt", {"elsewhere.txt": Y})


def concern(found: VerifiedSet) -> Concern:
    return only_rejected(found).concern


MODEL = folder("summarizer", {"model.safetensors": "weights", "config.json": "{}"})
FORGED_AT_STAKE: dict[str, bytes] = {
    "by digest": statement("prompt", {"elsewhere": X}),
    "by name": statement("prompt", {"app/system.txt": Y}),
    "by one of many": statement("prompt", {"a": Y, "b": Y, "c": X}),
    "by sha512 only": statement("prompt", [{"name": "a", "digest": {"sha512": "0" * 128}}]),
    "by sha512 beside a foreign sha256": statement("prompt", [subject("a", Y, sha512="0" * 128)]),
    "by a digest that is malformed": statement("prompt", [{"name": "a", "digest": {"sha256": X}}]),
    "by an artifact's path": statement("prompt", {"models/summarizer": Y}),
    "by an artifact's name of its folder": statement("prompt", {"summarizer": Y}),
    "by a file of an artifact": statement("prompt", {"config.json": Y}),
    "by the digest of a folder": statement("prompt", {"a": MODEL.digest or X}),
    "by the manifest of a model signature": model_signature(digests(MODEL), "unsuspicious"),
    "by one file of a model signature": model_signature({"y": Y, "z": X}, "unsuspicious"),
    "without a subject": statement("prompt", []),
    "by an unknown predicate type": statement(kind="https://example.test/x", subjects={"a": X}),
    "with a predicate that does not fit": statement("prompt", {"elsewhere": Y}, predicate={"depends_on": "x"}),
    "that is no statement": b"{}",
    "that is no json": b"x",
}


@pytest.mark.parametrize("name", FORGED_AT_STAKE)
def test_forged_evidence_about_what_is_at_stake_is_at_stake(name: str) -> None:
    payload = FORGED_AT_STAKE[name]
    for data in (envelope(payload, STRANGER), encode(envelope_value(payload)), encode(bundle_value(payload))):
        assert concern(changed(data, artifacts=[MODEL])) is Concern.AT_STAKE


@pytest.mark.parametrize(
    "data",
    [
        envelope(OTHERS, STRANGER),
        encode(envelope_value(OTHERS)),
        encode(envelope_value(GOOD, make_key()) | {"payload": b64(OTHERS)}),
    ],
)
def test_forged_evidence_about_something_else_concerns_others(data: bytes) -> None:
    assert concern(changed(data)) is Concern.OTHERS


def test_a_rejection_names_its_claim_and_the_artifacts_it_is_about() -> None:
    found = only_rejected(changed(envelope(model_signature(digests(MODEL)), STRANGER), artifacts=[MODEL]))
    assert (found.claimed, found.artifacts) == ("artifact.signature", ("summarizer",))


def test_forged_evidence_that_builds_on_evidence_about_what_is_at_stake_is_at_stake() -> None:
    forged = statement("approval", {"elsewhere.txt": Y}, depends_on=[sha256_digest(GOOD)])
    again = statement("review", {"elsewhere.txt": Y}, depends_on=[sha256_digest(forged)])
    found = changed(bundle(GOOD), envelope(forged, STRANGER), envelope(again, STRANGER))
    assert [item.concern for item in found.rejected] == [Concern.AT_STAKE, Concern.AT_STAKE]


def test_forged_evidence_that_builds_on_unreadable_evidence_is_at_stake() -> None:
    forged = statement("approval", {"elsewhere.txt": Y}, depends_on=[sha256_digest(b"?")])
    found = changed(envelope(b"?", STRANGER), envelope(forged, STRANGER))
    assert {item.concern for item in found.rejected} == {Concern.AT_STAKE}


def test_forged_evidence_that_builds_on_evidence_about_others_concerns_others() -> None:
    forged = statement("approval", {"elsewhere.txt": Y}, depends_on=[sha256_digest(OTHERS)])
    found = changed(bundle(OTHERS), envelope(forged, STRANGER))
    assert [item.concern for item in found.rejected] == [Concern.OTHERS]


@settings(deadline=None, max_examples=200)
@given(st.randoms(use_true_random=False))
def test_forged_evidence_never_verifies_and_never_hides(chance: random.Random) -> None:
    """A statement with any mixture of members, of which one mentions what is at stake."""
    subjects = [subject(f"n{number}", digest_of(str(number))) for number in range(chance.randrange(4))]
    at_stake = chance.choice(
        [subject("elsewhere", X), subject("app/system.txt", Y), {"name": "a", "digest": {"sha512": "0" * 128}}]
    )
    subjects.insert(chance.randrange(len(subjects) + 1), at_stake)
    payload = statement(chance.choice(["prompt", "eval", "approval", "scan.report"]), subjects)
    data = envelope(payload, STRANGER) if chance.random() < 0.5 else bundle(payload, STRANGER)
    assert concern(changed(data)) is Concern.AT_STAKE
