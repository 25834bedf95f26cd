"""What rejected evidence says about itself, and that nothing can hide what it is about."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gate.formats.bundle import MEDIA_TYPE
from gate.formats.dsse import PAYLOAD_TYPE
from gate.formats.predicates.model_signature import PREDICATE_TYPE as MODEL_SIGNATURE
from gate.model.digest import sha256_digest
from gate.model.evidence import Subject
from gate.verify.hints import Hints, read_hints
from tests.support import virtual_bundles
from tests.support.evidence import (
    LIMIT,
    b64,
    bundle,
    bundle_value,
    digest_of,
    encode,
    envelope_value,
    make_key,
    model_signature,
    statement,
    subject,
)
from tests.unit.formats.predicates.field import example

X = digest_of("x")
PAYLOAD = statement("prompt", {"app/system.txt": X})
READ = Hints(True, "prompt", frozenset({"app/system.txt"}), frozenset({X}))


def hints(data: bytes) -> Hints:
    return read_hints(data, LIMIT)[1]


def wrapped(payload: bytes, **members: Any) -> bytes:
    return encode(envelope_value(payload, make_key()) | members)


@pytest.mark.parametrize(
    "data",
    [
        bundle(PAYLOAD),
        wrapped(PAYLOAD),
        wrapped(PAYLOAD, signatures=[]),
        wrapped(PAYLOAD, signatures=None),
        wrapped(PAYLOAD, payloadType="text/plain"),
        wrapped(PAYLOAD, extra=1),
        encode({"payload": b64(PAYLOAD)}),
        encode({"dsseEnvelope": {"payload": b64(PAYLOAD)}}),
        encode(bundle_value(PAYLOAD) | {"mediaType": "application/vnd.dev.sigstore.bundle.v0.1+json"}),
        encode(bundle_value(PAYLOAD) | {"verificationMaterial": {"certificate": {"rawBytes": ""}}}),
        wrapped(statement("prompt", {"app/system.txt": X}, _type="https://in-toto.io/Statement/v0.2")),
    ],
)
def test_hints_are_read_from_anything_that_is_nearly_evidence(data: bytes) -> None:
    assert hints(data) == READ


def test_the_digest_is_that_of_the_payload() -> None:
    assert read_hints(bundle(PAYLOAD), LIMIT)[0] == sha256_digest(PAYLOAD)


UNREADABLE: dict[str, bytes] = {
    "nothing": b"",
    "not json": b"{",
    "not an object": b"[1]",
    "no member": b"{}",
    "too long": b" " * LIMIT + bundle(PAYLOAD),
    "duplicate member": wrapped(PAYLOAD)[:-1] + b',"payload":""}',
    "payload is a number": encode({"payload": 1}),
    "payload is not base64": encode({"payload": "?"}),
    "payload is not canonical base64": encode({"payload": b64(PAYLOAD) + "\n"}),
    "payload is not json": wrapped(b"x"),
    "payload is a list": wrapped(b"[]"),
    "payload with a duplicate": wrapped(PAYLOAD[:-1] + b',"subject":[]}'),
    "payload with a byte order mark": wrapped(b"\xef\xbb\xbf" + PAYLOAD),
    "envelope is a list": encode({"dsseEnvelope": []}),
    "two payloads": encode({"dsseEnvelope": {"payload": b64(PAYLOAD)}, "payload": b64(b"{}")}),
    "a message beside the envelope": encode(bundle_value(PAYLOAD) | {"messageSignature": {}}),
    "a message": encode({"mediaType": MEDIA_TYPE, "messageSignature": {}}),
    "two payloads by case of the outer shape": encode({"payload": b64(PAYLOAD), "messageSignature": {}}),
}
IN_PART: dict[str, bytes] = {
    "no subject": statement("prompt", []),
    "subject is a number": statement("prompt", subject=1),
    "one of two subjects by sha512 only": statement(
        "prompt", [subject("a", X), {"name": "b", "digest": {"sha512": "0" * 128}}]
    ),
    "subject is no list": statement("prompt", subject={"name": "x"}),
    "a subject is no object": statement("prompt", ["x"]),  # type: ignore[list-item]
    "a subject has no digest": statement("prompt", [{"name": "app/system.txt"}]),
    "a subject has a weak digest": statement("prompt", [{"name": "a", "digest": {"sha1": "0" * 40}}]),
    "a subject in capitals": statement("prompt", [{"name": "a", "digest": {"sha256": X[7:].upper()}}]),
    "a second subject is broken": statement("prompt", [subject("a", X), {"name": 1, "digest": {"sha256": X[7:]}}]),
    "a subject by sha512 only": statement("prompt", [{"name": "a", "digest": {"sha512": "0" * 128}}]),
    "a subject by two digests": statement("prompt", [subject("a", X, sha512="0" * 128)]),
    "predicate is a list": encode(json.loads(PAYLOAD) | {"predicate": []}),
    "predicate does not fit": statement("prompt", {"a": X}, predicate={"depends_on": ["x"]}),
    "depends_on is no list": statement("prompt", {"a": X}, predicate={"depends_on": {}}),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_concerns_everything(name: str) -> None:
    assert hints(UNREADABLE[name]) == Hints()


@pytest.mark.parametrize("name", IN_PART)
def test_what_cannot_be_read_in_full_is_not_readable(name: str) -> None:
    assert hints(wrapped(IN_PART[name])) == Hints(claim="prompt")


def test_a_subject_without_any_digest_is_not_readable() -> None:
    assert Hints.naming("prompt", [Subject("a", None)]) == Hints(claim="prompt")


def test_an_unknown_predicate_type_is_read_by_its_subjects() -> None:
    data = wrapped(statement(kind="https://example.test/unknown", subjects={"a": X}))
    assert hints(data) == dataclasses.replace(READ, claim=None, names=frozenset({"a"}))


@pytest.mark.parametrize("kind", [1, None, [], {"a": 1}])
def test_a_predicate_type_that_is_no_text_is_unknown(kind: Any) -> None:
    value = json.loads(PAYLOAD) | {"predicateType": kind}
    assert hints(wrapped(encode(value))) == dataclasses.replace(READ, claim=None)


def test_the_files_of_a_forged_model_signature_are_mentioned() -> None:
    found = hints(wrapped(model_signature({"model.safetensors": X}, "something-else")))
    assert X in found.digests
    assert "model.safetensors" in found.names


def test_a_model_signature_with_a_broken_manifest_is_not_readable() -> None:
    data = wrapped(statement(kind=MODEL_SIGNATURE, subjects={"m": X}, predicate={"resources": []}))
    assert hints(data) == Hints(claim="artifact.signature")


def test_what_a_forged_statement_builds_on_is_mentioned() -> None:
    assert hints(wrapped(statement("eval", {"a": X}, depends_on=[digest_of("p")]))).depends_on == (digest_of("p"),)


def test_a_commit_is_read_and_compared_with_no_file() -> None:
    commit = {"name": "git+https://example.test/app", "digest": {"gitCommit": "a" * 40}}
    found = hints(wrapped(encode(example("source-summary") | {"subject": [commit]})))
    assert (found.is_readable, found.claim, found.digests) == (True, "source.summary", frozenset())


FILE = virtual_bundles.bundle(
    None, key=virtual_bundles.P256, managed=True, message=True, content=b"weights", stamped=False
)
IMAGE = {"critical": {"identity": {}, "image": {"docker-manifest-digest": X}, "type": "atomic container signature"}}


def test_a_signed_file_is_mentioned_by_its_digest() -> None:
    payload, found = read_hints(encode(FILE), LIMIT)
    assert found == Hints(True, "artifact.signature", frozenset({""}), frozenset({digest_of("weights")}))
    assert payload == sha256_digest(f"urn:promotion-gate:signed-file:v1 {digest_of('weights')}".encode())


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (encode(IMAGE), Hints(True, "artifact.signature", frozenset({""}), frozenset({X}))),
        (b"no image", Hints(claim="artifact.signature")),
    ],
)
def test_a_signed_image_is_mentioned_by_its_digest(message: bytes, expected: Hints) -> None:
    signature = {"messageSignature": {"signature": FILE["messageSignature"]["signature"]}}
    assert read_hints(encode(FILE | signature), LIMIT, message=message) == (sha256_digest(message), expected)


@given(st.binary(max_size=200))
def test_no_bytes_raise(data: bytes) -> None:
    assert not hints(data).is_readable
    hints(encode({"payload": b64(data), "payloadType": PAYLOAD_TYPE}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no finding
@given(
    st.dictionaries(
        st.sampled_from(["_type", "subject", "predicateType", "predicate"]),
        JSON | st.sampled_from([MODEL_SIGNATURE, "https://slsa.dev/provenance/v1", [subject("a", X)]]),
    )
)
def test_no_statement_raises(value: Any) -> None:
    hints(wrapped(encode(value)))
