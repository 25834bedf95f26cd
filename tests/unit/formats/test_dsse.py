"""DSSE envelopes: the bytes that are signed, and everything that is no envelope."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.formats.dsse import MAX_SIGNATURES, PAYLOAD_TYPE, DsseError, Envelope, decode_base64, pae, parse_envelope
from gate.model.json import JsonValue

PAYLOAD = base64.b64encode(b"{}").decode()
SIG = base64.b64encode(b"signature").decode()


def envelope(**changes: Any) -> dict[str, Any]:
    """A good envelope with some members replaced, or left out where the change is `...`."""
    members = {"payload": PAYLOAD, "payloadType": PAYLOAD_TYPE, "signatures": [{"keyid": "k", "sig": SIG}]} | changes
    return {key: value for key, value in members.items() if value is not ...}


def code_of(value: JsonValue) -> str:
    with pytest.raises(DsseError) as caught:
        parse_envelope(value)
    assert len(str(caught.value)) < 200
    assert str(caught.value).isprintable()
    return caught.value.code


@pytest.mark.parametrize(
    ("kind", "payload", "expected"),
    [
        ("http://example.com/HelloWorld", b"hello world", b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"),
        ("", b"", b"DSSEv1 0  0 "),
        ("t", b" ", b"DSSEv1 1 t 1  "),
        ("\u00e9", "\u00e9\u00e9".encode(), "DSSEv1 2 \u00e9 4 \u00e9\u00e9".encode()),
        (PAYLOAD_TYPE, b"{}", b"DSSEv1 28 application/vnd.in-toto+json 2 {}"),
        ("a", b"\x00\xff", b"DSSEv1 1 a 2 \x00\xff"),
    ],
)
def test_s01_signatures_are_over_the_pre_authentication_encoding(kind: str, payload: bytes, expected: bytes) -> None:
    assert pae(kind, payload) == expected
    assert Envelope(kind, payload, ()).signed_bytes == expected


@given(st.text(), st.binary(), st.text(), st.binary())
def test_s01_no_two_envelopes_have_the_same_signed_bytes(
    kind: str, payload: bytes, kind2: str, payload2: bytes
) -> None:
    assert (pae(kind, payload) == pae(kind2, payload2)) == ((kind, payload) == (kind2, payload2))


class TestS01PayloadType:
    @pytest.mark.parametrize(
        "payload_type",
        [
            "application/json",
            "text/plain",
            "application/vnd.in-toto+JSON",
            "Application/vnd.in-toto+json",
            "application/vnd.in-toto+json ",
            " application/vnd.in-toto+json",
            "application/vnd.in-toto+json\n",
            "application/vnd.in-toto+json\x00",
            "application/vnd.in-toto+json; charset=utf-8",
            "application/vnd.in-toto.provenance+json",
            "application/vnd.in-toto+jsom",
            "application/vnd.in-toto\u200b+json",
            "application/vnd.in-t\u043eto+json",
            "application/vnd\uff0ein-toto+json",
            "\u202eapplication/vnd.in-toto+json",
            "https://in-toto.io/Statement/v1",
            "",
            "x" * 100_000,
            None,
            True,
            0,
            28,
            ["application/vnd.in-toto+json"],
            {"application/vnd.in-toto+json": 1},
        ],
        ids=lambda value: str(value)[:40].encode("unicode_escape").decode(),
    )
    def test_s01_any_other_payload_type_is_refused(self, payload_type: JsonValue) -> None:
        assert code_of(envelope(payloadType=payload_type)) == "payload_type"

    def test_s01_the_one_supported_type_is_read(self) -> None:
        assert parse_envelope(envelope()) == Envelope(PAYLOAD_TYPE, b"{}", (b"signature",))


# Each stands for some bytes in some lenient decoder, and in none for these bytes alone.
BAD_BASE64 = [
    "aGVs bG8=",
    "aGVsbG8=garbage",
    "aGVsbG8=\n",
    "\naGVsbG8=",
    "aGVs\r\nbG8=",
    "aGVsbG9=",
    "aGVsbG8",
    "aGVsbG8==",
    "aGVsbG8===",
    "=aGVsbG8=",
    "aGVs=bG8=",
    "aGVsbG8=aGVsbG8=",
    "a",
    "ab",
    "abc",
    "ab=",
    "a===",
    "a==",
    "=",
    "==",
    "====",
    "YR==",
    "YWJ=",
    "+/-_",
    "-_+/",
    "ab+_",
    "-a/b",
    "aGVs.bG8=",
    "aGVs%62G8=",
    "aGVsbG8%3D",
    "\uff41GVsbG8=",
    "aGVsbG8\uff1d",
    "aGVsbG8\u200b=",
    "aGVsbG8=\x00",
    "\x00",
    " ",
    "{}",
    "aGVs,bG8=",
    "data:;base64,aGVsbG8=",
]


class TestS05CanonicalBase64:
    @pytest.mark.parametrize("text", BAD_BASE64, ids=lambda text: text.encode("unicode_escape").decode())
    def test_s05_payload_and_signature_in_any_other_base64_are_refused(self, text: str) -> None:
        assert code_of(envelope(payload=text)) == "base64"
        assert code_of(envelope(signatures=[{"sig": text}])) == "base64"
        assert code_of(envelope(signatures=[{"sig": SIG}, {"sig": text}])) == "base64"

    @pytest.mark.parametrize("value", [None, True, 1, 1.5, [], {}, ["aGVsbG8="], {"a": 1}], ids=str)
    def test_s05_what_is_no_text_is_no_base64(self, value: JsonValue) -> None:
        assert code_of(envelope(payload=value)) == "base64"
        assert code_of(envelope(signatures=[{"sig": value}])) == "base64"

    @given(st.binary(max_size=100))
    def test_s05_both_alphabets_are_read(self, data: bytes) -> None:
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            assert decode_base64(encode(data).decode(), "payload") == data

    @given(st.text(alphabet="AQgwabc+/-_=\n ", max_size=12))
    def test_s05_a_text_stands_for_bytes_only_in_their_one_spelling(self, text: str) -> None:
        try:
            data = decode_base64(text, "payload")
        except DsseError:
            return
        assert text.encode() in {base64.b64encode(data), base64.urlsafe_b64encode(data)}

    @pytest.mark.parametrize("name", ["payload", "payloadType", "signatures"])
    def test_s05_a_missing_member_is_refused(self, name: str) -> None:
        assert code_of(envelope(**{name: ...})) == "shape"

    @pytest.mark.parametrize(
        "name",
        [
            "extra",
            "Payload",
            "PAYLOAD",
            "payloadtype",
            "payload_type",
            "signature",
            "sig",
            "keyid",
            "_type",
            "",
            "mediaType",
            "\x00",
            "k" * 9999,
        ],
        ids=lambda name: ascii(name[:12]),
    )
    def test_s05_an_extra_member_is_refused(self, name: str) -> None:
        assert code_of(envelope(**{name: None})) == "shape"
        assert code_of(envelope(signatures=[{"sig": SIG, name + "x": 1}])) == "shape"

    @pytest.mark.parametrize(
        "name", ["cert", "publicKey", "public_key_pem", "Sig", "keyID", "extension", "oidc_issuer"]
    )
    def test_s02_a_signature_that_brings_its_own_key_or_identity_is_refused(self, name: str) -> None:
        assert code_of(envelope(signatures=[{"sig": SIG, name: "x"}])) == "shape"

    @pytest.mark.parametrize("value", [None, True, 1, "x", [], [{}], "{}"], ids=str)
    def test_s05_only_an_object_is_an_envelope(self, value: JsonValue) -> None:
        assert code_of(value) == "shape"

    @pytest.mark.parametrize("value", [None, True, 1, "x", {}, {"sig": SIG}, {"0": {"sig": SIG}}], ids=str)
    def test_s05_signatures_are_a_list(self, value: JsonValue) -> None:
        assert code_of(envelope(signatures=value)) == "shape"

    @pytest.mark.parametrize("value", [None, True, 1, SIG, [], [SIG], {}, {"keyid": "k"}, {"Sig": SIG}], ids=str)
    def test_s05_a_signature_is_an_object_with_a_sig(self, value: JsonValue) -> None:
        assert code_of(envelope(signatures=[value])) == "shape"

    @pytest.mark.parametrize("keyid", [0, 1, True, False, [], ["k"], {}, {"k": 1}, 1.5], ids=str)
    def test_s05_a_keyid_that_is_no_text_is_refused(self, keyid: JsonValue) -> None:
        assert code_of(envelope(signatures=[{"sig": SIG, "keyid": keyid}])) == "shape"

    @pytest.mark.parametrize(
        "keyid", ["", "k", None, ..., "\u202e", "x" * 100_000, "../../key.pem"], ids=lambda k: ascii(k)[:12]
    )
    def test_s02_the_keyid_changes_nothing(self, keyid: Any) -> None:
        signature = {"sig": SIG} if keyid is ... else {"sig": SIG, "keyid": keyid}
        assert parse_envelope(envelope(signatures=[signature])) == parse_envelope(envelope())

    @pytest.mark.parametrize("number", [0, 1, 2, MAX_SIGNATURES - 1, MAX_SIGNATURES])
    def test_s05_up_to_sixteen_signatures_are_read_in_their_order(self, number: int) -> None:
        texts = [base64.b64encode(b"s%d" % index).decode() for index in range(number)]
        read = parse_envelope(envelope(signatures=[{"sig": text} for text in texts]))
        assert read.signatures == tuple(b"s%d" % index for index in range(number))

    @pytest.mark.parametrize("number", [MAX_SIGNATURES + 1, 1000])
    def test_s05_more_than_sixteen_signatures_are_refused(self, number: int) -> None:
        assert MAX_SIGNATURES == 16
        assert code_of(envelope(signatures=[{"sig": SIG}] * number)) == "too_many_signatures"
