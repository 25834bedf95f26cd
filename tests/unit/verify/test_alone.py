"""What is remembered of evidence is judged anew each time: revocations, windows and times (SECURITY 41)."""

from __future__ import annotations

import dataclasses

import pytest

from gate.model.digest import sha256_digest
from gate.model.evidence import Evidence
from gate.model.settings import SignerSettings, TrustSettings
from gate.verify.alone import Refused, Signed, judge
from gate.verify.cache import SignatureCache
from gate.verify.containers import open_container, prove
from gate.verify.trust import TrustStore, build_trust_store
from tests.support.evidence import LIMIT, NOW_S, bundle, digest_of, encode, make_key, model_signature, signer, statement
from tests.support.evidence import trust_settings as trusting
from tests.support.keyless import AT_S, ROOT_PATH, keyless, root_bytes
from tests.support.keyless import good as keyless_good
from tests.support.llmsa import TRUSTED, public_pem
from tests.support.llmsa import signed as legacy_signed
from tests.support.llmsa import statement as legacy_statement

HOUR_S = 3600
PROMPT = statement("prompt", {"app/system.txt": digest_of("x")}, predicate={"created_at": "2026-11-20T12:00:00Z"})
RELEASE = signer(claims=("prompt", "artifact.signature"), valid_from_s=NOW_S - HOUR_S, valid_until_s=NOW_S + HOUR_S)
ITEM = Evidence("prompt", bundle(PROMPT))
DIGEST = sha256_digest(ITEM.data)
PAYLOAD = sha256_digest(PROMPT)
ITEMS = {
    "good": ITEM,
    "model": Evidence("model", bundle(model_signature({"a": digest_of("x")}))),
    "by a stranger": Evidence("stranger", bundle(PROMPT, make_key("stranger"))),
    "no statement": Evidence("no statement", bundle(b"{}")),
    "large number": Evidence("number", bundle(statement("prompt", {"a": digest_of("x")}, predicate={"n": 1 << 60}))),
    "no bundle": Evidence("no bundle", b"x"),
}
CODES = {
    "good": "",
    "model": "",
    "by a stranger": "signature.untrusted",
    "no statement": "statement.",
    "large number": "statement.number",
    "no bundle": "envelope.",
}


def store(cache: SignatureCache | None, *, settings: TrustSettings | None = None, now_s: int = NOW_S) -> TrustStore:
    return build_trust_store(settings or trusting(RELEASE), now_s, cache)


def asked(trust: TrustStore, item: Evidence = ITEM) -> Signed | Refused:
    return judge(item, sha256_digest(item.data), trust, LIMIT)


def code(found: Signed | Refused) -> str:
    return f"{found.problem.stage.value}.{found.problem.code}" if isinstance(found, Refused) else ""


def warm() -> SignatureCache:
    """A cache that knows the good one, from a time before all others."""
    cache = SignatureCache()
    assert code(asked(store(cache, now_s=NOW_S - HOUR_S))) == ""
    return cache


@pytest.mark.parametrize("is_warm", [False, True])
def test_what_is_known_says_what_was_found_out(is_warm: bool) -> None:
    found = asked(store(warm() if is_warm else None))
    assert isinstance(found, Signed)
    assert (found.evidence, found.origin, found.payload) == (DIGEST, "prompt", PAYLOAD)
    assert [name for name, _ in found.signers] == ["release"]
    assert found.statement.claim == "prompt"


@pytest.mark.parametrize("name", ITEMS)
def test_only_what_met_every_obligation_is_known_the_second_time(name: str) -> None:
    trust = store(SignatureCache())
    codes = [code(asked(trust, ITEMS[name])) for _ in range(3)]
    assert all(found.startswith(CODES[name]) and bool(found) is bool(CODES[name]) for found in codes)
    assert trust.cache is not None
    hits = 0 if CODES[name] else 2
    assert trust.cache.counts() == {"hits": hits, "misses": 3 - hits, "corrupted": 0, "unfit": 0}


@pytest.mark.parametrize("is_warm", [False, True])
@pytest.mark.parametrize("digest", [DIGEST, PAYLOAD])
def test_s41_what_is_revoked_meanwhile_is_refused(digest: str, is_warm: bool) -> None:
    settings = trusting(RELEASE, revoked_evidence=[digest])
    trust = store(warm() if is_warm else None, settings=settings)
    assert code(asked(trust)) == "signature.revoked_evidence"


@pytest.mark.parametrize("is_warm", [False, True])
def test_s41_a_signer_who_is_revoked_meanwhile_does_not_count(is_warm: bool) -> None:
    trust = store(warm() if is_warm else None, settings=trusting(RELEASE, revoked_keys=["release"]))
    found = asked(trust)
    assert code(found) == "signature.revoked"
    assert isinstance(found, Refused)
    assert found.payload == PAYLOAD


@pytest.mark.parametrize("is_warm", [False, True])
def test_s41_a_signer_whose_window_is_over_does_not_count(is_warm: bool) -> None:
    cache = warm() if is_warm else None
    assert code(asked(store(cache, now_s=NOW_S + HOUR_S))) == ""
    assert code(asked(store(cache, now_s=NOW_S + HOUR_S + 1))) == "signature.expired"


def test_a_hit_needs_no_signature_and_a_miss_does() -> None:
    trust = store(warm())
    lost = dataclasses.replace(trust, keys={})
    assert code(asked(lost)) == ""
    assert code(asked(dataclasses.replace(lost, cache=SignatureCache()))) == "signature.untrusted"


@pytest.mark.parametrize("is_kept", [False, True])
def test_other_forms_are_found_out_each_time(is_kept: bool) -> None:
    item = Evidence("old", legacy_signed(legacy_statement()), is_legacy=True)
    key = public_pem(TRUSTED).encode()
    old = dataclasses.replace(RELEASE, name="old", claims=("prompt",), key_pem=key)
    cache = SignatureCache() if is_kept else None
    trust = store(cache, settings=trusting(old))
    for _ in range(2):
        found = asked(trust, item)
        assert isinstance(found, Signed)
        assert [name for name, _ in found.signers] == ["old"]
    if cache is not None:
        assert cache.counts() == {"hits": 0, "misses": 2, "corrupted": 0, "unfit": 0}


def rooted(*signers: SignerSettings) -> TrustSettings:
    return dataclasses.replace(trusting(*signers), sigstore_trusted_root=ROOT_PATH, sigstore_root=root_bytes())


def fingerprints() -> dict[str, bytes]:
    """Of one configuration, and of others that differ from it in one thing; but for one they have the same digest."""
    base = rooted(RELEASE)
    claims = dataclasses.replace(RELEASE, claims=("https://example.test/x",))
    sides = {
        "base": base,
        "again": rooted(RELEASE),
        "root": dataclasses.replace(base, sigstore_root=root_bytes() + b"\n"),
        "no root": trusting(RELEASE),
        "key": dataclasses.replace(base, signers={"release": dataclasses.replace(RELEASE, key_pem=make_key("b").pem)}),
        "name": dataclasses.replace(base, signers={"b": dataclasses.replace(RELEASE, name="b")}),
        "identity": dataclasses.replace(base, signers={**base.signers, "builder": keyless()}),
        "types": dataclasses.replace(base, signers={"release": claims}),
        "drafts": dataclasses.replace(base, drafts=frozenset({"a"})),
        "digest": dataclasses.replace(base, digest=digest_of("another")),
    }
    return {name: store(None, settings=item).fingerprint for name, item in sides.items()}


@pytest.mark.parametrize("name", ["root", "no root", "key", "name", "identity", "types", "drafts", "digest"])
def test_s41_what_is_known_is_for_all_that_it_depends_on(name: str) -> None:
    found = fingerprints()
    assert len(found["base"]) >= 32
    assert found["again"] == found["base"]
    assert found[name] != found["base"]


def test_the_same_signers_at_another_time() -> None:
    trust = store(None)
    later = trust.at(NOW_S + HOUR_S + 1)
    assert (later.now_s, later.signers) == (NOW_S + HOUR_S + 1, trust.signers)
    assert code(asked(later)) == "signature.expired"


def test_who_signed_a_container() -> None:
    trust = store(None)
    assert [item.name for item in prove(open_container(ITEM, LIMIT), trust).signers] == ["release"]


def test_an_identity_that_ended_is_named() -> None:
    old = store(None, settings=rooted(keyless(valid_until_s=AT_S - 1)))
    found = asked(old, Evidence("keyless", encode(keyless_good())))
    assert isinstance(found, Refused)
    assert found.problem.code == "expired"
    assert found.problem.detail.startswith("the identity https://")
