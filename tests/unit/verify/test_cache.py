"""S41: what is remembered of signatures changes no verdict, and nothing that changed in memory is believed."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.formats.bundle import Container
from gate.model.digest import hex_of, sha256_digest
from gate.model.evidence import Evidence, Revision, Subject
from gate.model.settings import Revocations, SignerSettings, TrustSettings
from gate.verify import alone
from gate.verify.alone import Refused, Signed, judge
from gate.verify.cache import Known, Matched, SignatureCache
from gate.verify.containers import open_container
from gate.verify.pipeline import admit_evidence
from gate.verify.trust import TrustStore, build_trust_store
from tests.support.evidence import (
    LIMIT,
    NOW_S,
    bundle,
    bundle_value,
    digest_of,
    encode,
    envelope,
    envelope_value,
    make_key,
    model_signature,
    provenance,
    signer,
    statement,
)
from tests.support.keyless import AT_S, ROOT_PATH, good, keyless, root_bytes

DAY_S: Final = 86_400
X: Final = digest_of("x")
PROMPT: Final = statement("prompt", {"app/system.txt": X})
STATED: Final = statement(
    "prompt", {"a": X}, predicate={"created_at": "2026-11-20T12:00:00Z", "n": [1, True, 1.5, None]}
)


@functools.cache
def items() -> Mapping[str, Evidence]:
    """Good and bad evidence in every form."""
    found = {
        "prompt": bundle(PROMPT),
        "prompt by another": bundle(PROMPT, make_key("other")),
        "prompt by both": encode(bundle_value(PROMPT, make_key(), make_key("other")) | {}),
        "prompt in an envelope": envelope(PROMPT, make_key("p256", "p256")),
        "two signers in an envelope": envelope(PROMPT, make_key(), make_key("other")),
        "by a stranger": bundle(PROMPT, make_key("stranger")),
        "no signature": encode(envelope_value(PROMPT) | {"signatures": []}),
        "another payload": encode(envelope_value(PROMPT) | {"payload": envelope_value(STATED)["payload"]}),
        "stated": bundle(STATED),
        "provenance": bundle(provenance({"model.bin": X})),
        "model": bundle(model_signature({"a": X})),
        "digests of other kinds": bundle(statement("prompt", [{"name": "a", "digest": {"sha512": "0" * 128}}])),
        "no statement": bundle(b"{}"),
        "unknown predicate": bundle(statement(subjects={"a": X}, kind="https://example.test/x")),
        "large number": bundle(statement("prompt", {"a": X}, predicate={"n": (1 << 53) + 1})),
        "no json": b"x",
        "keyless": encode(good()),
        "keyless v2": encode(good("v2")),
        "keyless with another signature": encode(good()).replace(b'"sig":"M', b'"sig":"N'),
    }
    return {name: Evidence(name, data) for name, data in found.items()}


SIGNERS: Final = {
    "release": signer(claims=("prompt", "eval", "build.provenance", "artifact.signature")),
    "other": signer("other", make_key("other"), claims=("prompt",)),
    "p256": signer("p256", make_key("p256", "p256"), claims=("prompt",), valid_until_s=NOW_S + DAY_S),
    "late": signer("late", make_key(), claims=("prompt",), valid_from_s=NOW_S + DAY_S),
    "builder": keyless(),
    "builder of old": keyless("builder of old", valid_until_s=AT_S - 1),
}


def trusting(names: tuple[str, ...], *, keys: tuple[str, ...] = (), evidence: tuple[str, ...] = ()) -> TrustSettings:
    """`digest` is the same for all of them, as no configuration has it."""
    root = root_bytes()
    signers: dict[str, SignerSettings] = {name: SIGNERS[name] for name in names}
    revoked = Revocations(frozenset(keys), frozenset(), frozenset(evidence))
    return TrustSettings(signers, {}, revoked, ROOT_PATH, hex_of(sha256_digest(root)), X, root)


ALL: Final = tuple(SIGNERS)
TRUSTS: Final = (
    trusting(ALL),
    trusting(("release",)),
    trusting(("other", "p256")),
    trusting(("late", "builder of old")),
    trusting(ALL, keys=("release",)),
    trusting(ALL, evidence=(sha256_digest(PROMPT),)),
    trusting(("release", "builder"), keys=(make_key("other").spki,)),
)
TIMES: Final = (NOW_S, NOW_S - 1, NOW_S + DAY_S, NOW_S + 2 * DAY_S, AT_S - DAY_S, NOW_S + 400 * DAY_S)


@functools.cache
def plain(number: int) -> TrustStore:
    return build_trust_store(TRUSTS[number], NOW_S)


@functools.cache
def expected(name: str, number: int, now_s: int) -> Signed | Refused:
    item = items()[name]
    return judge(item, sha256_digest(item.data), plain(number).at(now_s), LIMIT)


def judged(name: str, trust: TrustStore, now_s: int) -> Signed | Refused:
    item = items()[name]
    return judge(item, sha256_digest(item.data), trust.at(now_s), LIMIT)


def test_the_evidence_is_good_and_bad() -> None:
    good_ones = {name for name in items() if isinstance(expected(name, 0, NOW_S), Signed)}
    assert {"prompt", "keyless", "keyless v2", "model", "stated", "two signers in an envelope"} <= good_ones
    assert len(items()) - len(good_ones) >= 7
    assert isinstance(expected("prompt in an envelope", 0, NOW_S + 2 * DAY_S), Refused)
    assert isinstance(expected("keyless", 0, AT_S - DAY_S), Refused)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(sorted(items())), st.sampled_from(range(len(TRUSTS))), st.sampled_from(TIMES)))
)
def test_s41_with_and_without_memory_the_result_is_the_same(steps: list[tuple[str, int, int]]) -> None:
    cache = SignatureCache()
    trusts = [build_trust_store(trust, NOW_S, cache) for trust in TRUSTS]
    for name, number, now_s in steps:
        assert judged(name, trusts[number], now_s) == expected(name, number, now_s)


def test_s41_everything_twice_with_every_trust_at_every_time() -> None:
    cache = SignatureCache()
    trusts = [build_trust_store(trust, NOW_S, cache) for trust in TRUSTS]
    for now_s, number, name in itertools.product((*TIMES, *TIMES), range(len(TRUSTS)), items()):
        assert judged(name, trusts[number], now_s) == expected(name, number, now_s)
    assert cache.counts()["hits"] > 200


def remembered(*names: str) -> tuple[SignatureCache, TrustStore]:
    cache = SignatureCache()
    trust = build_trust_store(TRUSTS[0], NOW_S, cache)
    for name in names:
        judged(name, trust, NOW_S)
    return cache, trust


def no_signature_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a signature is looked at")

    monkeypatch.setattr(alone, "open_container", refuse)
    monkeypatch.setattr(TrustStore, "match", refuse)


def test_a_signature_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    good_ones = [name for name in items() if isinstance(expected(name, 0, NOW_S), Signed)]
    cache, trust = remembered(*good_ones)
    no_signature_is_looked_at(monkeypatch)
    for name in good_ones:
        assert judged(name, trust, NOW_S + 60) == expected(name, 0, NOW_S)
    assert cache.counts() == {"hits": len(good_ones), "misses": len(good_ones), "corrupted": 0, "unfit": 0}


@pytest.mark.parametrize("name", [name for name in items() if isinstance(expected(name, 0, NOW_S), Refused)])
def test_s41_a_refusal_is_not_remembered(name: str) -> None:
    cache, trust = remembered(name, name)
    assert cache.counts()["misses"] == 2
    assert len(cache._entries) == 0
    assert judged(name, trust, NOW_S) == expected(name, 0, NOW_S)


def test_s41_what_is_refused_for_its_signer_alone_is_not_remembered_either() -> None:
    cache = SignatureCache()
    trust = build_trust_store(TRUSTS[3], NOW_S, cache)
    assert isinstance(judged("prompt", trust, NOW_S), Refused)
    assert len(cache._entries) == 0
    assert isinstance(judged("prompt", trust, NOW_S + 2 * DAY_S), Signed)


def test_s41_an_earlier_time_is_another_question(monkeypatch: pytest.MonkeyPatch) -> None:
    cache, trust = remembered("keyless")
    assert isinstance(judged("keyless", trust, AT_S - DAY_S), Refused)
    no_signature_is_looked_at(monkeypatch)
    assert isinstance(judged("keyless", trust, NOW_S), Signed)
    with pytest.raises(AssertionError, match="is looked at"):
        judged("keyless", trust, NOW_S - 1)
    assert cache.counts()["hits"] == 1


@pytest.mark.parametrize("length", [1, 2, 8])
@pytest.mark.parametrize("name", ["prompt", "keyless", "model"])
def test_s41_a_bit_that_flipped_is_a_miss_wherever_it_is(name: str, length: int) -> None:
    cache, trust = remembered(name)
    ((key, entry),) = cache._entries._entries.items()
    text, seal = entry.value
    for place in range(0, len(text), max(1, len(text) // 200)):
        for bit in range(0, 8, length):
            broken = text[:place] + bytes([text[place] ^ 1 << bit]) + text[place + 1 :]
            cache._entries.put(key, (broken, seal), len(broken))
            assert judged(name, trust, NOW_S) == expected(name, 0, NOW_S)
    for place in range(len(seal)):
        cache._entries.put(key, (text, seal[:place] + bytes([seal[place] ^ 1]) + seal[place + 1 :]), len(text))
        assert judged(name, trust, NOW_S) == expected(name, 0, NOW_S)
    assert cache.counts()["hits"] == 0
    assert cache.counts()["corrupted"] > 200


def test_s41_an_entry_does_not_stand_for_other_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    cache, trust = remembered("prompt", "by a stranger")
    ((_, good_entry),) = cache._entries._entries.items()
    remembering: dict[str, Callable[[], object]] = {
        "stranger": lambda: judged("by a stranger", trust, NOW_S),
        "other": lambda: judged("another payload", trust, NOW_S),
    }
    # Under every key that is asked for, lies what is known of the good one.
    monkeypatch.setattr(cache._entries, "get", lambda _: good_entry.value)
    for ask in remembering.values():
        assert isinstance(ask(), Refused)
    assert cache.counts()["corrupted"] == 2


KEYED: Final[dict[str, Callable[[Evidence], Evidence]]] = {
    "data": lambda item: dataclasses.replace(item, data=item.data + b" "),
    "message": lambda item: dataclasses.replace(item, message=b"m"),
    "empty message": lambda item: dataclasses.replace(item, message=b""),
    "llmsa": lambda item: dataclasses.replace(item, is_legacy=True),
}


@pytest.mark.parametrize("change", KEYED)
def test_s41_the_key_is_of_all_that_is_read(change: str) -> None:
    cache, trust = remembered("prompt")
    item = KEYED[change](items()["prompt"])
    # A digest that is told is not believed: the bytes are hashed again.
    evidence = sha256_digest(items()["prompt"].data)
    with_cache = judge(item, evidence, trust, LIMIT)
    assert with_cache == judge(item, evidence, plain(0), LIMIT)
    assert cache.counts()["hits"] == 0
    assert judge(items()["prompt"], evidence, trust, LIMIT - 1) == judge(
        items()["prompt"], evidence, plain(0), LIMIT - 1
    )
    assert cache.counts()["hits"] == 0


def test_nobody_can_change_what_another_is_given() -> None:
    _, trust = remembered("stated")
    first = judged("stated", trust, NOW_S)
    assert isinstance(first, Signed)
    given: Any = first.statement
    given.predicate["n"].append("more")
    given.facts["files"] = {}
    assert judged("stated", trust, NOW_S) == expected("stated", 0, NOW_S)


def matched_in(name: str, trust: TrustStore) -> Matched:
    container = open_container(items()[name], LIMIT)
    assert isinstance(container, Container)
    return trust.match(container)


UNFIT: Final[dict[str, Any]] = {
    "a tuple": {"a": (1, 2)},
    "bytes": {"a": b"x"},
    "a number for a name": {1: "a"},
    "not a number": {"a": float("nan")},
    "infinity": {"a": float("inf")},
    "a set": {"a": {1}},
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_would_come_out_as_something_else_is_not_kept(name: str) -> None:
    cache, trust = remembered()
    one = expected("prompt", 0, NOW_S)
    assert isinstance(one, Signed)
    found = matched_in("prompt", trust)
    known = Known(one.payload, found, dataclasses.replace(one.statement, facts=UNFIT[name]), NOW_S)
    cache.put(items()["prompt"], trust, LIMIT, known)
    assert cache.counts()["unfit"] == 1
    assert cache.get(items()["prompt"], trust, LIMIT) is None


def test_every_member_of_a_statement_comes_back() -> None:
    cache, trust = remembered()
    one = expected("prompt", 0, NOW_S)
    assert isinstance(one, Signed)
    subjects = (Subject("a", X, {"sha512": "0"}), Subject("b", None, {}, Revision("c" * 40, ("main",))))
    whole = dataclasses.replace(
        one.statement,
        subjects=subjects,
        resources=subjects[:1],
        exhaustive=True,
        depends_on=(X,),
        stated_at_s=5,
        facts={"\ud800": [[], {}, "\u2028", -0.0, 1 << 60]},
        located=True,
        folders=("a", "b"),
        statement_type="x",
    )
    matched = matched_in("keyless", trust)
    known = Known(one.payload, matched, whole, NOW_S)
    cache.put(items()["prompt"], trust, LIMIT, known)
    found = cache.get(items()["prompt"], trust, LIMIT)
    assert found == known
    assert found is not None
    assert json.dumps(found.statement.facts) == json.dumps(whole.facts)
    assert matched.identity is not None


def test_memory_is_bounded() -> None:
    cache = SignatureCache(10_000)
    trust = build_trust_store(TRUSTS[0], NOW_S, cache)
    for number in range(50):
        item = Evidence("x", bundle(statement("prompt", {f"a{number}": X})))
        assert isinstance(judge(item, sha256_digest(item.data), trust, LIMIT), Signed)
        assert cache._entries.bytes <= 10_000


def test_many_threads_get_what_one_gets() -> None:
    cache = SignatureCache(20_000)
    trusts = [build_trust_store(trust, NOW_S, cache) for trust in TRUSTS]
    names = [name for name in items() if not name.startswith("keyless")]
    for name, number in itertools.product(names, range(len(TRUSTS))):
        expected(name, number, NOW_S)
    wrong: list[str] = []

    def work(start: int) -> None:
        for turn in range(150):
            name, number = names[(start + turn) % len(names)], (start * 3 + turn) % len(TRUSTS)
            if judged(name, trusts[number], NOW_S) != expected(name, number, NOW_S):
                wrong.append(name)

    threads = [threading.Thread(target=work, args=(start,)) for start in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_pipeline_uses_it() -> None:
    cache, trust = remembered()
    both = [items()["prompt"], items()["by a stranger"]]
    for _ in range(2):
        statements = list(admit_evidence(both, trust, limit=LIMIT).statements())
        assert statements == list(admit_evidence(both, plain(0), limit=LIMIT).statements())
    assert cache.counts()["hits"] == 1
