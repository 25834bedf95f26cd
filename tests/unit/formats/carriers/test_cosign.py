"""Cosign's attachments become bundles with the same facts, or are refused."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from gate.formats.bundle import parse_container
from gate.formats.carriers.cosign import CosignError, signed_image, signed_statement
from gate.formats.dsse import Envelope
from gate.formats.message import MessageSignature
from gate.formats.oci import parse_manifest
from gate.model.digest import sha256_digest
from tools.scenario_evidence import envelope, key, provenance

VECTORS = Path(__file__).resolve().parents[3] / "vectors" / "oci"
SIGNATURE = "dev.cosignproject.cosign/signature"
CERTIFICATE = "dev.sigstore.cosign/certificate"
BUNDLE = "dev.sigstore.cosign/bundle"
TIMESTAMP = "dev.sigstore.cosign/rfc3161timestamp"
PAYLOAD = b'{"critical":{}}'
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\nBBBB\n-----END CERTIFICATE-----\n"
BODY = base64.b64encode(b'{"apiVersion":"0.0.1","kind":"hashedrekord"}').decode()
PROMISE: dict[str, Any] = {
    "SignedEntryTimestamp": "AQID",
    "Payload": {"body": BODY, "integratedTime": 5, "logIndex": 7, "logID": "00ff"},
}
ENVELOPE = envelope(provenance([{"name": "x", "digest": {"sha256": "1" * 64}}]), key("builder"))


def promise(**changes: Any) -> str:
    return json.dumps({**PROMISE, "Payload": {**PROMISE["Payload"], **changes}})


def read(name: str) -> tuple[dict[str, Any], bytes]:
    """The bundle of a real attachment, and its payload."""
    manifest = parse_manifest((VECTORS / f"{name}.sig.json").read_bytes())
    payload = (VECTORS / f"{name}.payload.json").read_bytes()
    (layer,) = manifest.layers
    assert (layer.digest, layer.size) == (sha256_digest(payload), len(payload))
    return json.loads(signed_image(payload, layer.annotations)), payload


@pytest.mark.parametrize(
    ("name", "index", "at_s"), [("securebuild-bazel", 18667247, 1682189742), ("server_image", 924321775, 1770388876)]
)
def test_a_real_keyless_signature_becomes_a_bundle_with_all_its_facts(name: str, index: int, at_s: int) -> None:
    bundle, payload = read(name)
    assert bundle["mediaType"] == "application/vnd.dev.sigstore.bundle+json;version=0.1"
    (entry,) = bundle["verificationMaterial"]["tlogEntries"]
    assert (entry["logIndex"], entry["integratedTime"]) == (str(index), str(at_s))
    assert base64.b64decode(entry["logId"]["keyId"]).hex().startswith("c0d23d6ad406973f")
    assert entry["kindVersion"] == {"kind": "hashedrekord", "version": "0.0.1"}
    record = json.loads(base64.b64decode(entry["canonicalizedBody"]))
    assert record["spec"]["signature"]["content"] == bundle["messageSignature"]["signature"]
    read_back = parse_container(json.dumps(bundle).encode(), limit=1 << 20, message=payload)
    assert isinstance(read_back.content, MessageSignature)
    assert read_back.content.digest == hashlib.sha256(payload).digest()
    assert read_back.material is not None
    assert read_back.material.entries[0].promised_s == at_s


def test_a_real_signature_of_a_key_names_no_key() -> None:
    bundle, payload = read("cosign1")
    assert sha256_digest((VECTORS / "cosign1.sig.json").read_bytes()).startswith("sha256:7ebe8964")
    assert bundle["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert bundle["verificationMaterial"] == {"publicKey": {"hint": ""}, "tlogEntries": []}
    read_back = parse_container(json.dumps(bundle).encode(), limit=1 << 20, message=payload)
    assert (read_back.material, read_back.beside) == (None, None)


def test_equal_attachments_give_equal_bytes() -> None:
    one = signed_image(PAYLOAD, {SIGNATURE: "AQID", BUNDLE: promise(), CERTIFICATE: PEM})
    two = signed_image(PAYLOAD, {CERTIFICATE: f" {PEM} ", BUNDLE: f" {promise()}", SIGNATURE: "AQID", "else": "x"})
    assert one == two


def test_a_key_with_a_promise_keeps_the_promise() -> None:
    found = json.loads(signed_image(PAYLOAD, {SIGNATURE: "AQID", BUNDLE: promise()}))
    assert found["mediaType"].endswith("version=0.1")
    assert found["verificationMaterial"]["publicKey"] == {"hint": ""}
    assert len(found["verificationMaterial"]["tlogEntries"]) == 1


def test_the_timestamp_of_an_image_is_kept_and_that_of_a_statement_is_not() -> None:
    annotations = {SIGNATURE: "AQID", CERTIFICATE: PEM, TIMESTAMP: json.dumps({"SignedRFC3161Timestamp": "BAUG"})}
    image = json.loads(signed_image(PAYLOAD, annotations))["verificationMaterial"]
    assert image["timestampVerificationData"] == {"rfc3161Timestamps": [{"signedTimestamp": "BAUG"}]}
    statement = json.loads(signed_statement(ENVELOPE, annotations))["verificationMaterial"]
    assert "timestampVerificationData" not in statement


def test_an_envelope_alone_stays_as_it_is() -> None:
    assert signed_statement(ENVELOPE, {SIGNATURE: "", "predicateType": "x"}) is ENVELOPE
    assert signed_statement(b"junk", {}) == b"junk"


def test_an_envelope_with_a_certificate_becomes_a_bundle() -> None:
    found = json.loads(signed_statement(ENVELOPE, {SIGNATURE: "", CERTIFICATE: PEM, BUNDLE: promise()}))
    assert found["dsseEnvelope"] == json.loads(ENVELOPE)
    assert found["verificationMaterial"]["x509CertificateChain"] == {"certificates": [{"rawBytes": "AAAABBBB"}]}
    read_back = parse_container(json.dumps(found).encode(), limit=1 << 20)
    assert isinstance(read_back.content, Envelope)


@pytest.mark.parametrize("text", ["", "null"])
def test_what_is_written_for_nothing_is_nothing(text: str) -> None:
    found = json.loads(signed_image(PAYLOAD, {SIGNATURE: "AQID", BUNDLE: text, TIMESTAMP: text, CERTIFICATE: ""}))
    assert found["verificationMaterial"] == {"publicKey": {"hint": ""}, "tlogEntries": []}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({SIGNATURE: ""}, "no annotation"),
        ({SIGNATURE: "!"}, "not base64"),
        ({SIGNATURE: "AR=="}, "not canonical"),
        ({SIGNATURE: "===="}, "not base64"),
        ({CERTIFICATE: "AAAA"}, "not one certificate in PEM"),
        ({CERTIFICATE: PEM + PEM}, "not one certificate in PEM"),
        ({CERTIFICATE: PEM.replace("BBBB", "-")}, "not one certificate in PEM"),
        ({CERTIFICATE: PEM.replace("AAAA\nBBBB", "")}, "is empty"),
        ({CERTIFICATE: PEM.replace("BBBB", "BB")}, "not base64"),
        ({BUNDLE: "{"}, "not strict JSON"),
        ({BUNDLE: "[]"}, "not strict JSON"),
        ({BUNDLE: '{"Payload":{},"Payload":{}}'}, "not strict JSON"),
        ({BUNDLE: "{}"}, "does not hold exactly"),
        ({BUNDLE: json.dumps({**PROMISE, "more": 1})}, "does not hold exactly"),
        ({BUNDLE: json.dumps({**PROMISE, "Payload": 1})}, "does not hold exactly"),
        ({BUNDLE: json.dumps({**PROMISE, "SignedEntryTimestamp": ""})}, "is empty"),
        ({BUNDLE: promise(logID="zz")}, "not hexadecimal"),
        ({BUNDLE: promise(logID=1)}, "not hexadecimal"),
        ({BUNDLE: promise(logID="0")}, "not hexadecimal"),
        ({BUNDLE: promise(logIndex=-1)}, "is none"),
        ({BUNDLE: promise(logIndex=True)}, "is none"),
        ({BUNDLE: promise(integratedTime="5")}, "is none"),
        ({BUNDLE: promise(body="AAAA")}, "not strict JSON"),
        ({BUNDLE: promise(body=5)}, "not a string"),
        ({BUNDLE: promise(body=base64.b64encode(b'{"kind":"x"}').decode())}, "kind and version"),
        ({BUNDLE: promise(body=base64.b64encode(b'{"kind":"","apiVersion":"1"}').decode())}, "kind and version"),
        ({TIMESTAMP: "{}"}, "does not hold exactly"),
        ({TIMESTAMP: '{"SignedRFC3161Timestamp":1}'}, "not a string"),
    ],
)
def test_what_cosign_does_not_write_is_refused(changes: dict[str, str], message: str) -> None:
    with pytest.raises(CosignError, match=message):
        signed_image(PAYLOAD, {SIGNATURE: "AQID", CERTIFICATE: PEM, BUNDLE: promise(), **changes})


@pytest.mark.parametrize(
    ("data", "message"), [(b'{"a":1,"a":2}', "not strict JSON"), (b'{"a":9007199254740993}', "no canonical form")]
)
def test_an_envelope_that_readers_read_differently_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(CosignError, match=message):
        signed_statement(data, {CERTIFICATE: PEM})
