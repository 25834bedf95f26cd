"""The eight obligations: each missed alone, and what never makes up for one (SECURITY 1-16)."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.attest.statement import payload_of
from gate.formats.dsse import PAYLOAD_TYPE, pae
from gate.formats.predicates.model_signature import PREDICATE_TYPE as MODEL_SIGNATURE
from gate.model.digest import sha256_digest
from gate.model.evidence import Evidence, Stage, TimeSource, VerifiedSet
from gate.verify import pipeline
from gate.verify.trust import Proof
from tests.support.evidence import (
    NOW_S,
    TEST_RESULT,
    b64,
    bundle,
    bundle_value,
    digest_of,
    encode,
    envelope,
    envelope_value,
    make_key,
    model_signature,
    only_verified,
    refusal,
    signer,
    statement,
    subject,
    trust,
    verify,
)

X, Y = digest_of("x"), digest_of("y")
CHANGED = {"app/system.txt": X}
GOOD = statement("prompt", CHANGED)
STRANGER = make_key("stranger")


def changed(*items: bytes | Evidence, **more: Any) -> VerifiedSet:
    return verify(*items, changed=CHANGED, **more)


@pytest.mark.parametrize("data", [bundle(GOOD), envelope(GOOD), envelope(GOOD, keyid="")])
def test_evidence_that_meets_all_obligations_is_verified(data: bytes) -> None:
    found = only_verified(changed(data))
    assert found.payload == sha256_digest(GOOD)
    assert found.evidence == sha256_digest(data)
    assert found.statement.claim == "prompt"
    assert [item.name for item in found.signers] == ["release"]


def test_no_evidence_is_an_empty_set() -> None:
    assert changed() == VerifiedSet((), ())


# -- each obligation missed alone --------------------------------------------------------------------------------------


def edited(**members: Any) -> bytes:
    return encode(bundle_value(GOOD, make_key()) | members)


def enveloped(**members: Any) -> bytes:
    return encode(envelope_value(GOOD, make_key()) | members)


def signed_as(payload_type: str) -> bytes:
    signature = b64(make_key().sign(pae(payload_type, GOOD)))
    return encode({"payload": b64(GOOD), "payloadType": payload_type, "signatures": [{"sig": signature}]})


ENVELOPES: dict[str, tuple[str, bytes]] = {
    "not json": ("json", b"x"),
    "duplicate member": ("json", enveloped()[:-1] + b',"payload":"e30="}'),
    "not an object": ("unknown", b"[]"),
    "another document": ("unknown", b'{"hello":"world"}'),
    "another bundle version": ("version", edited(mediaType="application/vnd.dev.sigstore.bundle.v0.1+json")),
    "a statement and a message": ("content", edited(messageSignature={})),
    "no material": ("shape", edited(verificationMaterial=None)),
    "a key that is brought along": ("material_mode", edited(verificationMaterial={"publicKey": {"rawBytes": "AA=="}})),
    "an extra member": ("shape", edited(trust={"key": STRANGER.pem.decode()})),
    "payload type json": ("payload_type", signed_as("application/json")),
    "payload type in capitals": ("payload_type", signed_as("application/vnd.in-toto+JSON")),
    "payload type with a space": ("payload_type", signed_as(PAYLOAD_TYPE + " ")),
    "payload type with a parameter": ("payload_type", signed_as(PAYLOAD_TYPE + "; charset=utf-8")),
    "payload type outside ascii": ("payload_type", signed_as(PAYLOAD_TYPE.replace("v", "\uff56"))),
    "seventeen signatures": ("too_many_signatures", enveloped(signatures=[{"sig": ""}] * 17)),
    "non-canonical base64": ("base64", enveloped(payload=b64(GOOD) + "\n")),
    "an algorithm in the signature": ("shape", enveloped(signatures=[{"sig": "", "alg": "none"}])),
}


@pytest.mark.parametrize("name", ENVELOPES)
def test_obligation_1_the_container_is_exact(name: str) -> None:
    code, data = ENVELOPES[name]
    assert refusal(changed(data)) == (Stage.ENVELOPE, f"envelope.{code}")


@pytest.mark.parametrize("digest", [sha256_digest(GOOD), sha256_digest(bundle(GOOD))], ids=["payload", "evidence"])
def test_obligation_2_revoked_evidence_is_refused(digest: str) -> None:
    found = refusal(changed(bundle(GOOD), store=trust(revoked_evidence=[digest])))
    assert found == (Stage.SIGNATURE, "signature.revoked_evidence")


def test_obligation_2_a_revoked_payload_does_not_come_back_in_another_envelope() -> None:
    store = trust(signer(), signer("other"), revoked_evidence=[sha256_digest(GOOD)])
    found = changed(envelope(GOOD), bundle(GOOD), envelope(GOOD, make_key("other")), store=store)
    assert (found.verified, len(found.rejected)) == ((), 3)


def raw_signature() -> bytes:
    return encode(envelope_value(GOOD) | {"signatures": [{"sig": b64(make_key().sign(GOOD))}]})


@pytest.mark.parametrize(
    ("code", "data", "store"),
    [
        ("none", enveloped(signatures=[]), trust()),
        ("untrusted", envelope(GOOD, STRANGER), trust()),
        ("untrusted", envelope(GOOD, STRANGER, keyid="release"), trust()),
        ("untrusted", bundle(GOOD, STRANGER, hint="release"), trust()),
        ("untrusted", enveloped(signatures=[{"sig": ""}]), trust()),
        ("untrusted", raw_signature(), trust()),
        ("untrusted", enveloped(payload=b64(statement("eval", CHANGED))), trust()),
        ("revoked", bundle(GOOD), trust(revoked_keys=["release"])),
        ("expired", bundle(GOOD), trust(signer(valid_until_s=NOW_S - 1))),
        ("expired", bundle(GOOD), trust(signer(valid_from_s=NOW_S + 1))),
    ],
)
def test_obligation_3_a_trusted_current_unrevoked_key_signed(code: str, data: bytes, store: Any) -> None:
    assert refusal(changed(data, store=store)) == (Stage.SIGNATURE, f"signature.{code}")


def test_s2_a_key_inside_evidence_is_never_trusted() -> None:
    value = envelope_value(GOOD, STRANGER, keyid=STRANGER.pem.decode())
    assert refusal(changed(encode(value))) == (Stage.SIGNATURE, "signature.untrusted")


STATEMENTS: dict[str, tuple[str, bytes]] = {
    "not json": ("json", b"hello"),
    "a list": ("json", b"[]"),
    "duplicate member": ("json", GOOD[:-1] + b',"subject":[]}'),
    "utf-16": ("json", GOOD.decode().encode("utf-16")),
    "no type": ("type", encode({"subject": []})),
    "type v0.2": ("type", statement("prompt", CHANGED, _type="https://in-toto.io/Statement/v0.2")),
    "type with a slash": ("type", statement("prompt", CHANGED, _type="https://in-toto.io/Statement/v1/")),
    "no predicate type": ("predicate_type", statement("prompt", CHANGED, predicateType="")),
    "no subject": ("no_subject", statement("prompt", [])),
    "subject null": ("no_subject", statement("prompt", subject=None)),
    "subject object": ("no_subject", statement("prompt", subject={"a": 1})),
    "no digest": ("subject_digest", statement("prompt", [{"name": "app/system.txt"}])),
    "empty digest": ("subject_digest", statement("prompt", [{"name": "app/system.txt", "digest": {}}])),
    "weak digests": ("subject_digest", statement("prompt", [{"name": "a", "digest": {"md5": "0", "sha1": "0"}}])),
    "digest in capitals": ("subject_digest", statement("prompt", [{"digest": {"sha256": X[7:].upper()}}])),
    "digest with prefix": ("subject_digest", statement("prompt", [{"digest": {"sha256": X}}])),
    "short digest": ("subject_digest", statement("prompt", [{"digest": {"sha256": X[7:-2]}}])),
    "digest with space": ("subject_digest", statement("prompt", [{"digest": {"sha256": X[7:-1] + " "}}])),
    "broken second digest": ("subject_digest", statement("prompt", [subject("app/system.txt", X, sha512="0")])),
    "broken second subject": ("subject_digest", statement("prompt", [subject("app/system.txt", X), {"name": "b"}])),
    "a predicate of text": ("predicate", statement("prompt", CHANGED).replace(b'"predicate":{}', b'"predicate":"x"')),
}
PREDICATES: dict[str, tuple[str, bytes]] = {
    "unknown": ("predicate_unknown", statement(subjects=CHANGED, kind="https://example.test/prompt")),
    "a later version": (
        "predicate_unknown",
        statement(subjects=CHANGED, kind="urn:promotion-gate:predicate:prompt:v2"),
    ),
    "in capitals": ("predicate_unknown", statement(subjects=CHANGED, kind="urn:promotion-gate:predicate:Prompt:v1")),
    "a claim without a format": ("predicate_unknown", statement(subjects=CHANGED, kind="prompt")),
    "malformed": ("predicate", statement("prompt", CHANGED, predicate={"depends_on": ["x"]})),
    "repeated dependency": ("predicate", statement("prompt", CHANGED, depends_on=[Y, Y])),
    "a time that is none": ("time", statement("prompt", CHANGED, predicate={"created_at": "yesterday"})),
    "a number without canonical form": ("number", statement("prompt", CHANGED, predicate={"n": (1 << 53) + 1})),
    "a manifest that is not its subject": (
        "manifest",
        statement(subjects={"m": Y}, kind=MODEL_SIGNATURE, predicate=json.loads(model_signature(CHANGED))["predicate"]),
    ),
    "a path out of the model": ("path", model_signature({"../system.txt": X})),
    "an absolute path": ("path", model_signature({"/app/system.txt": X})),
    "sharded hashes": ("serialization", model_signature(CHANGED, serialization={"method": "shards", "hash_type": "x"})),
    "a result against its own tests": (
        "predicate",
        statement(
            subjects=CHANGED,
            kind=TEST_RESULT,
            predicate={"result": "PASSED", "configuration": [], "failedTests": ["t"]},
        ),
    ),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_obligation_4_the_signed_bytes_are_a_statement(name: str) -> None:
    code, payload = STATEMENTS[name]
    assert refusal(changed(bundle(payload))) == (Stage.STATEMENT, f"statement.{code}")


@pytest.mark.parametrize("name", PREDICATES)
def test_obligation_5_the_predicate_is_known_and_fits(name: str) -> None:
    code, payload = PREDICATES[name]
    assert refusal(changed(bundle(payload))) == (Stage.STATEMENT, f"statement.{code}")


@pytest.mark.parametrize(
    ("code", "store"),
    [
        ("claim", trust(signer(claims=["eval"]))),
        ("threshold", trust(signer(), signer("b"), thresholds={"prompt": 2})),
    ],
)
def test_obligation_6_enough_signers_may_speak_for_the_claim(code: str, store: Any) -> None:
    assert refusal(changed(bundle(GOOD), store=store)) == (Stage.SIGNATURE, f"signature.{code}")


@pytest.mark.parametrize(
    ("code", "payload"),
    [
        ("mismatch", statement("prompt", {"app/system.txt": Y})),
        ("digest_conflict", statement("prompt", [subject("app/system.txt", X, sha512="0" * 128)])),
    ],
)
def test_obligation_7_the_resources_agree_with_what_is_there(code: str, payload: bytes) -> None:
    assert refusal(changed(bundle(payload))) == (Stage.SUBJECT, f"subject.{code}")


def test_obligation_8_what_it_depends_on_is_verified() -> None:
    found = refusal(changed(bundle(statement("prompt", CHANGED, depends_on=[Y]))))
    assert found == (Stage.CHAIN, "chain.dangling")


def test_the_first_missed_obligation_is_the_reason() -> None:
    """A forged statement is forged, whatever else is wrong with it; its payload is not believed in anything."""
    for _, payload in (*STATEMENTS.values(), *PREDICATES.values()):
        assert refusal(changed(envelope(payload, STRANGER))) == (Stage.SIGNATURE, "signature.untrusted")


def test_the_payload_is_limited() -> None:
    assert refusal(changed(bundle(GOOD), limit=100)) == (Stage.ENVELOPE, "envelope.json")


# -- one bad item hides no other ---------------------------------------------------------------------------------------

BAD: dict[str, bytes] = {
    **{f"envelope: {name}": data for name, (_, data) in ENVELOPES.items()},
    **{f"statement: {name}": bundle(payload) for name, (_, payload) in STATEMENTS.items()},
    **{f"predicate: {name}": bundle(payload) for name, (_, payload) in PREDICATES.items()},
    "signature": envelope(statement("prompt", {"app/system.txt": X, "b": Y}), STRANGER),
    "chain": bundle(statement("eval", CHANGED, depends_on=[Y])),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_item_neither_hides_nor_spoils_a_good_one(name: str) -> None:
    good = bundle(GOOD)
    found = changed(BAD[name], good, b"{}")
    assert [item.evidence for item in found.verified] == [sha256_digest(good)]
    assert {item.evidence for item in found.rejected} == {sha256_digest(BAD[name]), sha256_digest(b"{}")}


def test_all_items_are_accounted_for() -> None:
    items = [*BAD.values(), bundle(GOOD)]
    found = changed(*items)
    seen = {item.evidence for item in found.verified} | {item.evidence for item in found.rejected}
    assert seen == {sha256_digest(item) for item in items}


def pool() -> list[bytes]:
    parent = statement("prompt", CHANGED)
    child = statement("eval", CHANGED, depends_on=[sha256_digest(parent)])
    old = statement("prompt", {"app/system.txt": Y})
    return [
        bundle(parent),
        envelope(parent, make_key("other")),
        bundle(child),
        bundle(old),
        envelope(child, STRANGER),
        bundle(statement("approval", CHANGED, depends_on=[Y])),
        b"junk",
    ]


STORE = trust(signer(), signer("other"))


def outcome(found: VerifiedSet) -> VerifiedSet:
    """What a set says, without the file names."""
    return VerifiedSet(
        tuple(dataclasses.replace(item, origin="") for item in found.verified),
        tuple(dataclasses.replace(item, origin="") for item in found.rejected),
    )


@settings(deadline=None)
@given(st.permutations(range(7)), st.lists(st.text(max_size=8), min_size=7, max_size=7))
def test_s14_order_and_file_names_do_not_matter(order: list[int], names: list[str]) -> None:
    items = pool()
    shuffled = [Evidence(name, items[number]) for number, name in zip(order, names, strict=True)]
    assert outcome(changed(*shuffled, store=STORE)) == outcome(changed(*items, store=STORE))


@settings(deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=12))
def test_s14_evidence_that_is_there_twice_does_not_count(chosen: list[int]) -> None:
    items, refused = pool(), {4, 6}  # what nobody trusted signed takes nothing away from what somebody did
    once = changed(*(items[number] for number in sorted(set(chosen))), store=STORE)
    found = changed(*(items[number] for number in chosen), store=STORE)
    twice = {payload_of(items[number]) for number in chosen if chosen.count(number) > 1 and number not in refused}
    assert {sha256_digest(payload) for payload in twice}.isdisjoint(item.payload for item in found.verified)
    if not twice:
        assert outcome(found) == outcome(once)


@settings(deadline=None)
@given(st.text(max_size=50), st.text(max_size=50))
def test_s2_key_ids_and_hints_never_matter(keyid: str, hint: str) -> None:
    for key, verified in ((make_key(), 1), (STRANGER, 0)):
        for data in (envelope(GOOD, key, keyid=keyid), bundle(GOOD, key, hint=hint)):
            assert len(changed(data).verified) == verified


# -- several signatures ------------------------------------------------------------------------------------------------

TWO = {"prompt": 2}


def test_a_good_signature_counts_wherever_it_stands() -> None:
    value = envelope_value(GOOD, make_key())
    for place in range(16):
        signatures = [{"sig": ""}] * place + value["signatures"] + [{"sig": "AAAA"}] * (15 - place)
        only_verified(changed(encode(value | {"signatures": signatures})))


def test_s3_two_signers_in_one_envelope_reach_a_threshold() -> None:
    found = changed(
        envelope(GOOD, make_key(), make_key("other")), store=trust(signer(), signer("other"), thresholds=TWO)
    )
    assert [item.name for item in only_verified(found).signers] == ["other", "release"]


def test_s3_two_envelopes_of_one_payload_count_together() -> None:
    store = trust(signer(), signer("other"), thresholds=TWO)
    found = changed(envelope(GOOD), bundle(GOOD, make_key("other")), store=store)
    assert [item.name for item in only_verified(found).signers] == ["other", "release"]


@pytest.mark.parametrize(
    "items",
    [
        [envelope(GOOD, make_key(), make_key())],
        [envelope(GOOD), bundle(GOOD)],
        [envelope(GOOD, keyid="a"), envelope(GOOD, keyid="b")],
        [envelope(GOOD, make_key("release", "p256"), make_key("release", "p256"))],
        [envelope(GOOD, make_key(), STRANGER)],
        [envelope(GOOD), envelope(GOOD + b" ", make_key("other"))],
        [envelope(GOOD), envelope(statement("eval", CHANGED), make_key("other"))],
    ],
    ids=["twice", "two files", "two key ids", "two ecdsa signatures", "a stranger", "other bytes", "another claim"],
)
def test_s3_a_threshold_is_not_reached_by_repetition(items: list[bytes]) -> None:
    store = trust(
        signer(), signer("again", make_key()), signer("p", make_key("release", "p256")), signer("other"), thresholds=TWO
    )
    found = changed(*items, store=store)
    assert [item for item in found.verified if item.statement.claim == "prompt"] == []
    assert "signature.threshold" in {item.code for item in found.rejected}


def test_s3_a_signer_that_may_not_speak_for_the_claim_does_not_join() -> None:
    store = trust(signer(), signer("other", claims=["eval"]), signer("third"), thresholds=TWO)
    assert refusal(changed(envelope(GOOD, make_key(), make_key("other")), store=store))[1] == "signature.threshold"


def test_s3_a_revoked_or_expired_signer_does_not_join() -> None:
    for revoked in (["other"], []):
        other = signer("other") if revoked else signer("other", valid_until_s=NOW_S - 1)
        store = trust(signer(), other, signer("third"), thresholds=TWO, revoked_keys=revoked)
        assert refusal(changed(envelope(GOOD, make_key(), make_key("other")), store=store))[1] == "signature.threshold"


# -- what signatures add to a statement --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proofs", "expected"),
    [
        ([], (None, TimeSource.NONE, False)),
        ([Proof(())], (None, TimeSource.NONE, False)),
        ([Proof((), log_included=True)], (None, TimeSource.NONE, True)),
        ([Proof((), 5, TimeSource.TIMESTAMP_AUTHORITY)], (5, TimeSource.TIMESTAMP_AUTHORITY, False)),
        ([Proof((), 5, TimeSource.LOG, True), Proof(())], (5, TimeSource.LOG, True)),
        (
            [Proof((), 5, TimeSource.LOG, True), Proof((), 3, TimeSource.TIMESTAMP_AUTHORITY)],
            (3, TimeSource.TIMESTAMP_AUTHORITY, True),
        ),
        (
            [Proof((), 3, TimeSource.TIMESTAMP_AUTHORITY), Proof((), 3, TimeSource.LOG)],
            (3, TimeSource.LOG, False),
        ),
    ],
)
def test_s15_the_earliest_trusted_time_counts(
    proofs: list[Proof], expected: tuple[int | None, TimeSource, bool]
) -> None:
    (item,) = changed(bundle(GOOD)).verified
    found = pipeline._timed(item, proofs)
    assert (found.signed_at_s, found.time_source, found.log_included) == expected
    assert dataclasses.replace(found, signed_at_s=None, time_source=TimeSource.NONE, log_included=False) == item


def test_s14_a_statement_knows_all_that_it_builds_on() -> None:
    items = changed(*pool()[:3], store=STORE).verified
    ancestors = {item.statement.claim: item.ancestors for item in items}
    parent = sha256_digest(payload_of(pool()[0]))
    assert ancestors == {"prompt": (), "eval": (parent,)}
