"""Containers of evidence: which bundles and envelopes are read, and which are another mode of trust."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gate.formats.bundle import MEDIA_TYPE, BundleError, Container, bundle_json, parse_container
from gate.formats.dsse import PAYLOAD_TYPE, Envelope

ENVELOPE: dict[str, Any] = {
    "payload": "e30=",
    "payloadType": PAYLOAD_TYPE,
    "signatures": [{"sig": "c2ln", "keyid": ""}],
}
PARSED = Envelope(PAYLOAD_TYPE, b"{}", (b"sig",))
CERTIFICATE = {"rawBytes": "MIIB"}


def bundle(**changes: Any) -> dict[str, Any]:
    """A good bundle with some members replaced, or left out where the change is `...`."""
    members = {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": "release"}, "tlogEntries": []},
        "dsseEnvelope": ENVELOPE,
    } | changes
    return {key: value for key, value in members.items() if value is not ...}


def material(**members: Any) -> dict[str, Any]:
    return bundle(verificationMaterial=members)


def code_of(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    with pytest.raises(BundleError) as caught:
        parse_container(data, limit=1 << 20)
    assert len(str(caught.value)) < 300
    return caught.value.code


def test_a_bundle_and_its_bare_envelope_give_the_same_envelope() -> None:
    assert parse_container(json.dumps(bundle()).encode(), limit=10_000) == Container(PARSED, is_bundle=True)
    assert parse_container(json.dumps(ENVELOPE).encode(), limit=10_000) == Container(PARSED, is_bundle=False)


def test_a_bundle_that_the_gate_writes_is_one_that_it_reads() -> None:
    written = json.dumps(bundle_json(ENVELOPE, "release")).encode()
    assert parse_container(written, limit=10_000) == Container(PARSED, is_bundle=True)


@pytest.mark.parametrize(
    "members",
    [
        {"publicKey": {}},
        {"publicKey": {"hint": ""}},
        {"publicKey": {"hint": ""}, "certificate": None, "x509CertificateChain": None},
        {"publicKey": {"hint": "\u202ex"}},
        {"publicKey": {"hint": "a"}, "timestampVerificationData": {"rfc3161Timestamps": []}},
    ],
    ids=str,
)
def test_s02_the_hint_and_unverified_material_change_nothing(members: dict[str, Any]) -> None:
    assert parse_container(json.dumps(material(**members)).encode(), limit=10_000).envelope == PARSED


class TestS09OneModeAtATime:
    @pytest.mark.parametrize(
        "members",
        [
            {"certificate": CERTIFICATE, "publicKey": {"hint": "release"}},
            {"x509CertificateChain": {}, "publicKey": {"hint": "release"}},
            {"certificate": None, "publicKey": None},
            {"publicKey": {"hint": "release", "rawBytes": "MFkw"}},
            {"publicKey": {"rawBytes": "MFkw"}},
            {"publicKey": {"hint": "release", "keyDetails": "PKIX_ED25519"}},
            {"publicKey": {"hint": 1}},
            {"publicKey": {"hint": None}},
            {"publicKey": {"hint": ["release"]}},
            {"publicKey": "-----BEGIN PUBLIC KEY-----"},
            {"publicKey": None},
            {"publicKey": []},
            {"publicKey": {"hint": "a"}, "public_key": {"hint": "b"}},
            {"publicKey": {"hint": "a"}, "cert": "-----BEGIN PUBLIC KEY-----"},
            {"publicKey": {"hint": "a"}, "Certificate": CERTIFICATE},
            {"tlogEntries": []},
            {"publicKeyIdentifier": {"hint": "a"}},
            {},
        ],
        ids=str,
    )
    def test_s09_material_that_is_not_one_managed_key_is_refused(self, members: dict[str, Any]) -> None:
        assert code_of(material(**members)) == "material_mode"

    @pytest.mark.parametrize("value", [None, [], "x", 1, True, ...], ids=str)
    def test_s09_a_bundle_without_material_is_refused(self, value: object) -> None:
        assert code_of(bundle(verificationMaterial=value)) == "shape"

    def test_s09_an_envelope_that_brings_material_is_refused(self) -> None:
        assert code_of(ENVELOPE | {"verificationMaterial": {"publicKey": {}}}) == "version"
        assert code_of(ENVELOPE | {"cert": "x"}) == "shape"

    @pytest.mark.parametrize("value", [None, {}, "x", 0], ids=str)
    def test_s09_log_entries_are_a_list(self, value: object) -> None:
        assert code_of(material(publicKey={"hint": "a"}, tlogEntries=value)) == "shape"


class TestS05Container:
    @pytest.mark.parametrize(
        "media_type",
        [
            "application/vnd.dev.sigstore.bundle+json;version=0.4",
            "application/vnd.dev.sigstore.bundle.v0.1+json",
            "application/vnd.dev.sigstore.bundle.v0.4+json",
            "application/vnd.dev.sigstore.bundle.v1+json",
            "application/vnd.dev.sigstore.bundle.v0.3+json ",
            "application/vnd.dev.sigstore.bundle.V0.3+json",
            "application/vnd.dev.sigstore.bundle" + "x" * 100_000,
            "application/json",
            "",
            None,
            3,
            [MEDIA_TYPE],
            ...,
        ],
        ids=lambda value: str(value)[:60],
    )
    def test_s05_any_other_version_is_refused(self, media_type: object) -> None:
        assert code_of(bundle(mediaType=media_type)) == "version"

    def test_s05_a_bundle_signs_one_thing(self) -> None:
        signed = {"messageDigest": {"algorithm": "SHA2_256", "digest": "AA=="}, "signature": "AA=="}
        assert code_of(bundle(messageSignature=signed)) == "content"
        assert code_of(bundle(messageSignature=signed, dsseEnvelope=...)) == "shape"

    @pytest.mark.parametrize("name", ["extra", "dsse_envelope", "DsseEnvelope", "envelope", "payload", "k" * 5000])
    def test_s05_an_extra_member_is_refused(self, name: str) -> None:
        assert code_of(bundle(**{name: ENVELOPE})) == "shape"

    def test_s05_a_bundle_without_envelope_is_refused(self) -> None:
        assert code_of(bundle(dsseEnvelope=...)) == "shape"

    @pytest.mark.parametrize(
        "value", [None, [], "e30=", 1, {}, [ENVELOPE], json.dumps(ENVELOPE)], ids=lambda v: str(v)[:12]
    )
    def test_s05_what_the_bundle_holds_must_be_an_envelope(self, value: object) -> None:
        assert code_of(bundle(dsseEnvelope=value)) == "shape"

    def test_s05_the_reason_of_the_envelope_is_kept(self) -> None:
        assert code_of(bundle(dsseEnvelope=ENVELOPE | {"payload": "e30"})) == "base64"
        assert code_of(ENVELOPE | {"payloadType": "text/plain"}) == "payload_type"

    @pytest.mark.parametrize(
        "value", [None, 1, "x", [], [ENVELOPE], True, {}, {"a": 1}, {"payloadType": PAYLOAD_TYPE}], ids=str
    )
    def test_s05_other_json_is_neither_bundle_nor_envelope(self, value: object) -> None:
        assert code_of(value) == "unknown"

    @pytest.mark.parametrize("lacking", ["payload", "payloadType", "signatures"])
    def test_s05_half_an_envelope_is_a_malformed_one(self, lacking: str) -> None:
        assert code_of({key: value for key, value in ENVELOPE.items() if key != lacking}) == "shape"

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"{",
            b"\xef\xbb\xbf{}",
            json.dumps(ENVELOPE).encode("utf-16"),
            json.dumps(ENVELOPE).encode()[:-1] + b',"payload":"e30="}',
            json.dumps(bundle()).encode()[:-1] + b',"dsseEnvelope":{}}',
            json.dumps(ENVELOPE).encode() * 2,
            b" " * (1 << 20) + b"{}",
            b"[" * 1000,
        ],
        ids=range(9),
    )
    def test_s17_what_is_no_strict_json_is_refused(self, data: bytes) -> None:
        assert code_of(data) == "json"


def test_a_bundle_of_an_older_cosign_says_how_to_make_one_that_is_read() -> None:
    old = {"base64Signature": "c2ln", "cert": "", "rekorBundle": {}}
    with pytest.raises(BundleError, match="sign with --new-bundle-format"):
        parse_container(json.dumps(old).encode(), limit=10_000)
