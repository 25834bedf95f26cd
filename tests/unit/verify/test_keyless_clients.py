"""What bundles of other clients look like, and have to be verified or refused all the same (SECURITY 4, 8)."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.keyless import admitted, changed, code, keyless, keyless_trust
from tests.support.virtual_bundles import ENTRY, FILE, P384, STAMPS, body_of, bundle, with_body
from tests.support.virtual_sigstore import b64, pae, pem


def early(kind: str, hashed: hashes.HashAlgorithm, *, message: bool) -> dict[str, Any]:
    """A signature by P-384 with this hash, and a log entry that says SHA-256 of it."""
    found = bundle(kind, key=P384, content=FILE, message=message)
    raw = found["verificationMaterial"]["certificate"]["rawBytes"]
    certificate = pem(x509.load_der_x509_certificate(base64.b64decode(raw)))
    signed = FILE if message else pae(FILE)
    signature = P384.sign(signed, ec.ECDSA(hashed))
    found = with_body(found, body_of(kind, signed, FILE, signature, certificate, "sha256"))
    if not message:
        return changed(found, "dsseEnvelope.signatures.0.sig", b64(signature))
    digest = {"algorithm": "SHA2_256", "digest": b64(hashlib.sha256(FILE).digest())}
    return {**found, "messageSignature": {"messageDigest": digest, "signature": b64(signature)}}


def test_s04_an_early_signature_of_a_file_by_p384_is_with_sha256() -> None:
    store = keyless_trust(keyless(claims=("artifact.signature", "build.provenance")))
    kind = "hashedrekord/0.0.1"
    assert admitted(early(kind, hashes.SHA256(), message=True), store).statement.claim == "artifact.signature"
    assert code(early(kind, hashes.SHA384(), message=True), store) == "signature.keyless_signature"
    assert code(early(kind, hashes.SHA256(), message=False), store) == "signature.keyless_signature"


def test_a_timestamp_may_be_written_in_lines() -> None:
    def in_lines(text: str) -> str:
        return "\n".join(text[place : place + 76] for place in range(0, len(text), 76))

    good = bundle("hashedrekord/0.0.2")
    admitted(changed(good, f"{STAMPS}.0.signedTimestamp", in_lines))
    assert code(changed(good, f"{STAMPS}.0.signedTimestamp", 7)) == "envelope.shape"
    assert code(changed(good, f"{ENTRY}.canonicalizedBody", in_lines)) == "envelope.shape"


@pytest.mark.parametrize("kind", ["hashedrekord/0.0.2", "dsse/0.0.2", "dsse/0.0.1"])
def test_s08_others_may_sign_a_checkpoint_too(kind: str) -> None:
    witness = f"\u2014 witness.test/w1 {b64(b'x' * 76)}\n"
    path = f"{ENTRY}.inclusionProof.checkpoint.envelope"
    admitted(changed(bundle(kind), path, lambda text: text + witness))
    admitted(changed(bundle(kind), path, lambda text: text.replace("\n\n", f"\n\n{witness}", 1)))
    assert code(changed(bundle(kind), path, lambda text: text.partition("\u2014")[0] + witness)) == (
        "signature.keyless_log"
    )
