"""Each byte of valid evidence changed: never verified unless it still decodes to the very same thing (QUALITY 1).

Five bundles, every byte, several bits of each. The work is spread over chunks so that workers can share it.
"""

from __future__ import annotations

import functools
import json
import random
from typing import Any, Final

import pytest

from gate.formats.bundle import BundleError, parse_container
from gate.formats.dsse import Envelope
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import Evidence
from gate.verify.pipeline import verify_evidence
from gate.verify.trust import TrustStore
from tests.support.evidence import (
    KEY_TYPES,
    LIMIT,
    bundle,
    digest_of,
    envelope,
    make_key,
    model_signature,
    no_other_digest,
    provenance,
    signer,
    statement,
    trust,
)

CHUNKS: Final = 8
FLIPS: Final = 50_000
FILES: Final[dict[str, Digest]] = {"app/system.txt": digest_of("x"), "app/tools.txt": digest_of("y")}


@functools.cache
def samples() -> tuple[bytes, ...]:
    """One valid piece of evidence for each type of key, of five kinds."""
    keys = [make_key(kind, kind) for kind in KEY_TYPES]
    return (
        bundle(statement("prompt", FILES, predicate={"created_at": "2026-11-20T12:00:00Z"}), keys[0]),
        bundle(model_signature(FILES), keys[1], hint="another"),
        bundle(provenance(FILES), keys[2], keys[0]),
        envelope(statement("eval", FILES, depends_on=[]), keys[3], keyid="release"),
        bundle(statement("approval", FILES, predicate={"text": "ünï"}), keys[4], keys[1]),
    )


@functools.cache
def store() -> TrustStore:
    return trust(*(signer(kind, make_key(kind, kind)) for kind in KEY_TYPES))


@functools.cache
def flips() -> tuple[tuple[int, int, int], ...]:
    """(sample, byte, bits): every byte of every sample, more of them by a fixed seed up to the number asked for."""
    chance = random.Random(20261120)
    places = [(number, place) for number, data in enumerate(samples()) for place in range(len(data))]
    found = {(number, place, 1 << chance.randrange(8)) for number, place in places}
    while len(found) < FLIPS:
        found.add((*chance.choice(places), chance.randrange(1, 256)))
    return tuple(sorted(found))


def flipped(number: int, place: int, bits: int) -> bytes:
    data = bytearray(samples()[number])
    data[place] ^= bits
    return bytes(data)


def meaning(data: bytes) -> Envelope | None:
    try:
        return parse_container(data, limit=LIMIT).envelope
    except BundleError:
        return None


def without_signatures(value: Envelope | None) -> Any:
    return (value.payload_type, value.payload) if value is not None else None


def is_verified(data: bytes) -> bool:
    found = verify_evidence([Evidence("x", data)], store(), {}, dict(FILES), limit=LIMIT, other_digest=no_other_digest)
    assert len(found.verified) + len(found.rejected) == 1
    return bool(found.verified)


def test_the_samples_themselves_are_verified() -> None:
    assert all(is_verified(data) for data in samples())


def test_every_byte_is_changed_at_least_once() -> None:
    changed = {(number, place) for number, place, _ in flips()}
    assert changed == {(number, place) for number, data in enumerate(samples()) for place in range(len(data))}
    assert len(flips()) >= FLIPS


@pytest.mark.no_cover
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_changed_bytes_are_never_verified_as_something_else(chunk: int) -> None:
    """What is verified has the same payload, and at least one signature of a trusted key that was there before."""
    accepted = []
    for number, place, bits in flips()[chunk::CHUNKS]:
        data = flipped(number, place, bits)
        if is_verified(data):
            before, after = meaning(samples()[number]), meaning(data)
            same = without_signatures(before) == without_signatures(after)
            kept = before is not None and after is not None and set(before.signatures) & set(after.signatures)
            if not (same and kept):
                accepted.append((number, place, bits))
    assert accepted == []


@pytest.mark.parametrize("number", range(5))
def test_one_changed_signature_of_one_is_never_verified(number: int) -> None:
    value = json.loads(samples()[number])
    wrapped = value.get("dsseEnvelope", value)
    text = wrapped["signatures"][0]["sig"]
    del wrapped["signatures"][1:]
    for place in range(0, len(text), 3):
        other = "A" if text[place] != "A" else "B"
        wrapped["signatures"][0]["sig"] = text[:place] + other + text[place + 1 :]
        assert not is_verified(json.dumps(value).encode())


@pytest.mark.parametrize("number", range(5))
def test_truncated_evidence_is_never_verified(number: int) -> None:
    data = samples()[number]
    assert not any(is_verified(data[:length]) for length in range(len(data)))


def test_evidence_is_known_by_its_bytes() -> None:
    assert len({sha256_digest(data) for data in samples()}) == 5
