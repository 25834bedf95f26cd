"""Readers and writers of others: they accept what the gate makes, and the gate accepts what they make."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner, SSlibKey
from sigstore.models import Bundle, ClientTrustConfig
from sigstore.verify import Verifier, policy

from gate.attest.envelope import signed_bundle
from gate.attest.keygen import KEY_TYPES
from gate.attest.signer import open_signer
from tests.acceptance.world import inside
from tests.support.evidence import (
    SLSA,
    digest_of,
    encode,
    make_key,
    only_verified,
    provenance,
    signer,
    trust,
    verify,
)
from tests.support.keyless import PAYLOAD, good, keyless, keyless_trust, sigstore
from tests.support.sigstore_server import served
from tests.support.virtual_sigstore import ISSUER, WORKFLOW, older

PAYLOAD_TYPE = "application/vnd.in-toto+json"
# The library asks its own for certificates that they warn about.
pytestmark = pytest.mark.filterwarnings("ignore:Attribute's length:UserWarning")


@pytest.mark.parametrize("kind", KEY_TYPES)
def test_securesystemslib_verifies_the_envelopes_of_keys(kind: str, tmp_path: Path) -> None:
    private, public = tmp_path / "key", tmp_path / "key.pub"
    assert (
        inside("keygen", "--type", kind, "--no-passphrase", "--private", str(private), "--public", str(public)).code
        == 0
    )
    bundle = json.loads(signed_bundle(PAYLOAD, open_signer(str(private), Path(), lambda _: "")))
    envelope = Envelope.from_dict(bundle["dsseEnvelope"])
    found = SSlibKey.from_crypto(load_pem_private_key(private.read_bytes(), None).public_key())
    key = SSlibKey("", found.keytype, found.scheme, found.keyval)  # it asks for the key by the id in the envelope
    assert set(envelope.verify([key], 1)) == {""}
    assert envelope.payload == PAYLOAD
    envelope.payload += b" "
    with pytest.raises(Exception, match="signature"):
        envelope.verify([key], 1)


@pytest.mark.parametrize("kind", ["ed25519", "p256", "p384", "rsa-pss"])
def test_the_envelopes_of_securesystemslib_are_verified(kind: str) -> None:
    key = make_key("release", kind)
    envelope = Envelope(PAYLOAD, PAYLOAD_TYPE, {})
    envelope.sign(CryptoSigner(key.private, SSlibKey.from_crypto(key.private.public_key())))
    found = only_verified(verify(encode(envelope.to_dict()), store=trust(signer("release", key))))
    assert found.signers[0].spki == key.spki


def library() -> Verifier:
    config = {
        "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
        "trustedRoot": sigstore().trusted_root(),
        "signingConfig": {"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json"},
    }
    return Verifier(trusted_root=ClientTrustConfig.from_json(json.dumps(config)).trusted_root)


@pytest.mark.parametrize("version", ["0.3", "0.2", "0.1"])
@pytest.mark.parametrize(("log", "stamped"), [("v1", False), ("v1", True), ("v2", True)])
def test_the_sigstore_library_and_the_gate_agree_on_good_bundles(log: str, stamped: bool, version: str) -> None:
    bundle: dict[str, Any] = good(log, stamped=stamped)
    if version != "0.3":
        bundle = older(bundle, version)
    expected = (log, version) != ("v2", "0.1")
    try:
        kind, payload = library().verify_dsse(
            Bundle.from_json(json.dumps(bundle)), policy.Identity(identity=WORKFLOW, issuer=ISSUER)
        )
    except Exception:  # noqa: BLE001 - it refuses
        assert not expected
    else:
        assert (kind, payload) == (PAYLOAD_TYPE, PAYLOAD)
    assert bool(verify(encode(bundle), store=keyless_trust(keyless())).verified) == expected


@pytest.mark.parametrize("rekor", [1, 2])
def test_the_sigstore_library_verifies_what_an_identity_signed(rekor: int, tmp_path: Path, monkeypatch: Any) -> None:
    with served() as instance:
        for name, value in instance.environment.items():
            monkeypatch.setenv(name, value)
        (tmp_path / "trust.json").write_bytes(encode(instance.trust_config(rekor)))
        (tmp_path / "statement.json").write_bytes(PAYLOAD)
        out = tmp_path / "out.sigstore.json"
        key = f"sigstore:?trust_config={tmp_path}/trust.json"
        done = inside("sign", str(tmp_path / "statement.json"), "--key", key, "--out", str(out))
        assert done.code == 0, done.text
        root = ClientTrustConfig.from_json(json.dumps(instance.trust_config())).trusted_root
    identity = policy.Identity(identity=WORKFLOW, issuer=ISSUER)
    _, payload = Verifier(trusted_root=root).verify_dsse(Bundle.from_json(out.read_bytes()), identity)
    assert payload == PAYLOAD


def test_the_in_toto_library_reads_the_statements_of_the_gate(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.bin").write_bytes(b"weights")
    (tmp_path / "predicate.json").write_text('{"decision": "approved"}')
    assert inside("keygen", "--no-passphrase", "--private", "../key", "--public", "key.pub").code == 0
    made = inside("attest", "create", "--claim", "approval", "--predicate", "predicate.json", "--subject", "model")
    assert made.code == 0, made.text
    assert inside("sign", "model", "--key", "../key").code == 0
    (statement,) = (tmp_path / ".gate/statements").iterdir()
    (bundle,) = (tmp_path / ".gate/attestations").iterdir()
    envelope = Envelope.from_dict(json.loads(bundle.read_bytes())["dsseEnvelope"])
    for payload in (statement.read_bytes(), envelope.payload):
        read = Statement.copy_from_pb(json_format.Parse(payload, statement_pb2.Statement()))
        read.validate()
        assert read.pb.subject[0].digest["sha256"]


def test_the_statements_of_the_in_toto_library_are_read() -> None:
    subject = ResourceDescriptor(name="model.bin", digest={"sha256": digest_of("weights").removeprefix("sha256:")})
    predicate = json.loads(provenance({"x": digest_of("x")}))["predicate"]
    made = Statement([subject.pb], SLSA, predicate)
    made.validate()
    payload = json_format.MessageToJson(made.pb).encode()
    envelope = Envelope(payload, PAYLOAD_TYPE, {})
    key = make_key("release")
    envelope.sign(CryptoSigner(key.private, SSlibKey.from_crypto(key.private.public_key())))
    found = only_verified(verify(encode(envelope.to_dict()), store=trust(signer("release", key))))
    assert (found.statement.claim, found.statement.subjects[0].digest) == ("build.provenance", digest_of("weights"))
