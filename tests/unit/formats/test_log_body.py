"""Bodies of log entries and signatures over messages: what is not exactly of a kind is refused (SECURITY 5, 8)."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any, Final

import pytest

from gate.formats.log_body import LogBodyError, logged_digest, read_body
from gate.formats.message import MessageError, parse_message
from gate.formats.timestamp_token import TokenError, check_token
from tests.support.keyless import AT, changed, sigstore
from tests.support.virtual_bundles import FILE, KINDS, P256, body_of, public_pem
from tests.support.virtual_sigstore import b64

SIGNED: Final = b"signed"


def body(kind: str) -> dict[str, Any]:
    return dict(json.loads(body_of(kind, SIGNED, SIGNED, b"sig", public_pem(P256), "sha256")))


def read(kind: str, value: Any) -> Any:
    return read_body(kind, json.dumps(value).encode())


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_has_one_signer_and_one_digest(kind: str) -> None:
    found = read(kind, body(kind))
    assert (found.signed is None) != (found.payload is None)
    assert (found.signed or found.payload) == ("sha256", hashlib.sha256(SIGNED).digest())
    assert found.certificate is None
    assert found.public_key
    assert found.signature == (None if kind == "intoto/0.0.1" else b"sig")


PEM: Final = "spec.signature.publicKey.content"
BROKEN: Final[dict[str, tuple[str, str, Any]]] = {
    "another version": ("dsse/0.0.1", "apiVersion", "0.0.2"),
    "another kind": ("dsse/0.0.1", "kind", "intoto"),
    "no specification": ("dsse/0.0.1", "spec", ...),
    "two signatures": ("dsse/0.0.1", "spec.signatures", lambda items: items * 2),
    "no signature": ("dsse/0.0.2", "spec.dsseV002.signatures", []),
    "signatures that are no list": ("intoto/0.0.2", "spec.content.envelope.signatures", {}),
    "a short digest": ("hashedrekord/0.0.1", "spec.data.hash.value", "ab"),
    "a digest that is no text": ("hashedrekord/0.0.1", "spec.data.hash.value", 7),
    "an unknown hash": ("hashedrekord/0.0.1", "spec.data.hash.algorithm", "md5"),
    "an unknown hash by name": ("hashedrekord/0.0.2", "spec.hashedRekordV002.data.algorithm", "SHA1"),
    "junk for a signature": ("hashedrekord/0.0.1", "spec.signature.content", "!"),
    "a number for a signature": ("hashedrekord/0.0.1", "spec.signature.content", 1),
    "junk for a key": ("hashedrekord/0.0.1", PEM, b64(b"junk")),
    "a private key": (
        "hashedrekord/0.0.1",
        PEM,
        b64(b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"),
    ),
    "two keys": (
        "hashedrekord/0.0.2",
        "spec.hashedRekordV002.signature.verifier",
        lambda held: {**held, "x509Certificate": {"rawBytes": "AA=="}},
    ),
    "no key": ("hashedrekord/0.0.2", "spec.hashedRekordV002.signature.verifier", {}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_body_of_another_form_is_refused(name: str) -> None:
    kind, place, value = BROKEN[name]
    with pytest.raises(LogBodyError):
        read(kind, changed(body(kind), place, value))


PEM_TEXT: Final = b"-----BEGIN CERTIFICATE-----\n%s-----END CERTIFICATE-----\n"
LENGTH: Final = 60_000
SLOW: Final[dict[str, bytes]] = {
    "spaces without end": PEM_TEXT[:28] + b" " * LENGTH,
    "letters without end": PEM_TEXT[:28] + b"A" * LENGTH,
    "lines without end": PEM_TEXT[:28] + b"A\n" * (LENGTH // 2),
    "beginnings": PEM_TEXT[:28] * (LENGTH // 28),
    "spaces after it": PEM_TEXT % b"AAAA\n" + b" " * LENGTH + b"x",
    "spaces in a name": b"-----BEGIN" + b" " * LENGTH,
    "spaces in between": PEM_TEXT % (b"AAAA" + b" " * LENGTH + b"!"),
}


def took_s(content: bytes) -> float:
    """How long it takes to read a body ten times in which this stands as certificate, at best of three."""
    value = json.dumps(changed(body("hashedrekord/0.0.1"), PEM, b64(content))).encode()
    found = []
    for _ in range(3):
        begin = time.process_time()
        for _ in range(10):
            logged_digest(value)
        found.append(time.process_time() - begin)
    return min(found)


@pytest.mark.parametrize("name", SLOW)
def test_s20_junk_takes_no_longer_than_a_certificate_of_its_size(name: str) -> None:
    plain = took_s(PEM_TEXT % (b"A" * LENGTH))
    assert took_s(SLOW[name]) < 20 * plain + 0.05
    with pytest.raises(LogBodyError):
        read("hashedrekord/0.0.1", changed(body("hashedrekord/0.0.1"), PEM, b64(SLOW[name])))


def test_s20_a_certificate_has_a_largest_size() -> None:
    for size, is_read in ((60_000, True), (70_000, False)):
        value = changed(body("hashedrekord/0.0.1"), PEM, b64(PEM_TEXT % (b"A" * size)))
        if is_read:
            assert len(read("hashedrekord/0.0.1", value).certificate) == size * 3 // 4
        else:
            with pytest.raises(LogBodyError):
                read("hashedrekord/0.0.1", value)


@pytest.mark.parametrize("data", [b"", b"[]", b"x", b"\xff"])
def test_a_body_that_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(LogBodyError):
        read_body("dsse/0.0.1", data)
    with pytest.raises(LogBodyError, match="known are"):
        read_body("rekord/0.0.1", data)
    assert logged_digest(data) is None


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ([], "shape"),
        ({"signature": "AA==", "more": 1}, "shape"),
        ({"signature": "!"}, "base64"),
        ({}, "base64"),
        ({"signature": "AA=="}, "shape"),
        ({"signature": "AA==", "messageDigest": []}, "shape"),
        ({"signature": "AA==", "messageDigest": {"algorithm": "SHA2_256"}}, "shape"),
        ({"signature": "AA==", "messageDigest": {"algorithm": "SHA1", "digest": "AA=="}}, "algorithm"),
        ({"signature": "AA==", "messageDigest": {"algorithm": "SHA2_256", "digest": "AA=="}}, "shape"),
        ({"signature": "AA==", "messageDigest": {"algorithm": "SHA2_256", "digest": "AA"}}, "base64"),
    ],
    ids=str,
)
def test_a_message_signature_has_one_form(value: Any, code: str) -> None:
    with pytest.raises(MessageError) as caught:
        parse_message(value, None, None)
    assert caught.value.code == code


def test_a_digest_that_is_left_out_is_that_of_the_message_or_of_the_log() -> None:
    digest = hashlib.sha256(FILE).digest()
    assert parse_message({"signature": "AA=="}, FILE, None).digest == digest
    assert parse_message({"signature": "AA=="}, None, ("sha256", digest)).digest == digest


def test_no_byte_of_a_timestamp_is_free() -> None:
    stamp = sigstore().tsa.timestamp(hashlib.sha256(FILE).digest(), AT)
    check_token(stamp)
    refused = 0
    for place in range(len(stamp)):
        for bit in (1, 0x80):
            mutated = stamp[:place] + bytes([stamp[place] ^ bit]) + stamp[place + 1 :]
            try:
                check_token(mutated)
            except TokenError:
                refused += 1
    assert refused > 60
    for data in (b"", b"\x30", b"\x30\x80", b"\x30\x85\0\0\0\0\0", b"\x31\x00", stamp + b"\0", stamp[:-1], b"\x30\x00"):
        with pytest.raises(TokenError):
            check_token(data)
