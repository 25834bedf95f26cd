"""A statement becomes a signed Sigstore bundle v0.3 around a DSSE envelope."""

from __future__ import annotations

import base64
import hashlib

from gate.attest.signer import BundleSigner, Signer
from gate.formats.bundle import bundle_json
from gate.formats.canonical_json import dumps
from gate.formats.dsse import PAYLOAD_TYPE, pae
from gate.model.json import JsonObject


def signed_bundle(payload: bytes, signer: Signer | BundleSigner) -> bytes:
    """The bundle in JSON; the payload is signed as it is, byte for byte.

    An identity makes its own bundle. That of a key is canonical JSON, and its hint the SHA-256 of the public key's
    PEM text, as OpenSSF model signing writes it: it helps people to find the key and proves nothing. The key id is
    there and empty: securesystemslib insists on one, and cosign refuses every other.
    """
    if isinstance(signer, BundleSigner):
        return signer.sign_statement(payload)
    envelope: JsonObject = {
        "payload": _base64(payload),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": "", "sig": _base64(signer.sign(pae(PAYLOAD_TYPE, payload)))}],
    }
    return dumps(bundle_json(envelope, hashlib.sha256(signer.public_key_pem).hexdigest()))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
