"""Keys that may sign with PKCS#1 v1.5 only, as some services make them: what they sign is verified with that scheme."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from gate.app.produce import advice, collect_files, sign_payload
from gate.attest.signers.key import PKCS1, KeySigner, key_signer
from gate.errors import AttestError


@pytest.fixture(scope="module")
def signer() -> KeySigner:
    private = rsa.generate_private_key(65537, 2048)
    return key_signer(private.public_key(), "x", lambda data: private.sign(data, padding.PKCS1v15(), SHA256()), PKCS1)


def test_what_trust_needs_is_told(signer: KeySigner) -> None:
    payload = json.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "f", "digest": {"sha256": "0" * 64}}],
            "predicateType": "urn:promotion-gate:predicate:prompt:v1",
            "predicate": {},
        }
    ).encode()
    bundle = sign_payload(payload, signer)
    assert base64.b64decode(json.loads(bundle)["dsseEnvelope"]["payload"]) == payload
    assert advice(signer, len(bundle)) == "this key needs scheme: rsa-pkcs1v15-sha256 with its signer in gate.yaml"
    both = advice(signer, 3 << 30)
    assert both is not None
    assert "; this bundle needs limits: {evidence_bytes: 3072MiB}" in both


def test_a_name_that_evidence_cannot_carry_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a\nb").write_bytes(b"weights")
    with pytest.raises(AttestError, match=r"^\./a.b: the name 'a\\nb' is not plain UTF-8$") as found:
        collect_files(tmp_path, "a\nb", "./a b")
    assert found.value.hint == "rename it"
