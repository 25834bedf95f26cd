"""What cosign attached to images before bundles: a layer for each signature, with annotations beside it.

Source: sigstore/cosign, specs/SIGNATURE_SPEC.md and pkg/oci/static. A layer is the payload of simple signing, or a DSSE
envelope; certificate, promise of the transparency log and timestamp stand in the annotations of its descriptor. Each
becomes a Sigstore bundle with the same facts, and nothing is believed: who attaches can write anything here.

1. With a certificate the bundle is of version 0.1, whose log entries need no proof of inclusion. Of the chain only the
   certificate itself is taken: which authorities count is said by the trusted root.
2. Without one it names a managed key.
3. The timestamp of an attestation is over the whole envelope, not over its signature. A bundle has no place for that,
   so it is left out, and does not count.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Final

from gate.formats.bundle import MEDIA_TYPE
from gate.formats.canonical_json import CanonicalJsonError, dumps
from gate.formats.dsse import DsseError, decode_base64
from gate.formats.strict_json import StrictJsonError, loads, loads_object
from gate.model.json import JsonObject, JsonValue

SIMPLE_SIGNING: Final = "application/vnd.dev.cosign.simplesigning.v1+json"
ENVELOPE: Final = "application/vnd.dsse.envelope.v1+json"
SIGNATURES: Final = ".sig"
ATTESTATIONS: Final = ".att"
SBOMS: Final = ".sbom"
"""What follows the digest of an image in the tags that attachments have."""
UNSIGNED_SBOM: Final = "an SBOM that nobody signed is no evidence: sign it (gate sign, cosign attest)"
KIND: Final = "kind"
KINDS: Final = frozenset({"dev.cosignproject.cosign/sigs", "dev.cosignproject.cosign/atts"})
"""How `cosign save` marks attachments in a layout."""
_SIGNATURE: Final = "dev.cosignproject.cosign/signature"
_CERTIFICATE: Final = "dev.sigstore.cosign/certificate"
_BUNDLE: Final = "dev.sigstore.cosign/bundle"
_TIMESTAMP: Final = "dev.sigstore.cosign/rfc3161timestamp"
_PROMISED: Final = "application/vnd.dev.sigstore.bundle+json;version=0.1"
_BEGIN: Final = "-----BEGIN CERTIFICATE-----"
_END: Final = "-----END CERTIFICATE-----"
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})+")
_TEXT_BYTES: Final = 1 << 20


class CosignError(ValueError):
    """What is attached is not what cosign writes. The text says what."""


def signed_image(payload: bytes, annotations: Mapping[str, str]) -> bytes:
    """The bundle of a simple-signing layer, whose bytes are the message; raises `CosignError`."""
    text = annotations.get(_SIGNATURE)
    if not text:
        raise CosignError(f"it has no annotation {_SIGNATURE}")
    digest = base64.b64encode(hashlib.sha256(payload).digest()).decode("ascii")
    signed: JsonObject = {
        "messageDigest": {"algorithm": "SHA2_256", "digest": digest},
        "signature": _base64(text, _SIGNATURE),
    }
    return _bundle({"messageSignature": signed}, annotations, _timestamps(annotations))


def signed_statement(envelope: bytes, annotations: Mapping[str, str]) -> bytes:
    """The bundle of an attestation layer, or the envelope itself where nothing stands beside it.

    Raises `CosignError`; of the envelope it only says so when it is not JSON.
    """
    if not annotations.get(_CERTIFICATE) and not annotations.get(_BUNDLE):
        return envelope
    try:
        value = loads(envelope, limit=len(envelope))
    except StrictJsonError as error:
        raise CosignError(f"the envelope is not strict JSON: {error}") from None
    return _bundle({"dsseEnvelope": value}, annotations, [])


def _bundle(content: JsonObject, annotations: Mapping[str, str], timestamps: list[JsonValue]) -> bytes:
    certificate = annotations.get(_CERTIFICATE)
    entries = _entries(annotations)
    material: dict[str, JsonValue] = {"tlogEntries": entries}
    if certificate:
        material["x509CertificateChain"] = {"certificates": [{"rawBytes": _der(certificate)}]}
    else:
        material["publicKey"] = {"hint": ""}
    if timestamps:
        material["timestampVerificationData"] = {"rfc3161Timestamps": timestamps}
    version = _PROMISED if certificate or entries else MEDIA_TYPE
    try:
        return dumps({"mediaType": version, "verificationMaterial": material, **content})
    except CanonicalJsonError as error:
        raise CosignError(f"it has no canonical form: {error}") from None


def _der(pem: str) -> str:
    text = pem.strip()
    body = text.removeprefix(_BEGIN).removesuffix(_END)
    if not text.startswith(_BEGIN) or not text.endswith(_END) or "-" in body:
        raise CosignError(f"the annotation {_CERTIFICATE} is not one certificate in PEM")
    return _base64("".join(body.split()), _CERTIFICATE)


def _entries(annotations: Mapping[str, str]) -> list[JsonValue]:
    """The log entry that is promised, in the form of a bundle."""
    text = annotations.get(_BUNDLE)
    if not text or text == "null":
        return []
    value = _members(_object(text, _BUNDLE), _BUNDLE, "Payload", "SignedEntryTimestamp")
    payload = _members(value["Payload"], _BUNDLE, "body", "integratedTime", "logIndex", "logID")
    log, body = payload["logID"], _base64(payload["body"], _BUNDLE)
    if not isinstance(log, str) or not _HEX.fullmatch(log):
        raise CosignError(f"the logID in {_BUNDLE} is not hexadecimal")
    try:
        record = loads_object(base64.b64decode(body), limit=_TEXT_BYTES)
    except StrictJsonError as error:
        raise CosignError(f"the log entry in {_BUNDLE} is not strict JSON: {error}") from None
    return [
        {
            "logIndex": _number(payload["logIndex"]),
            "logId": {"keyId": base64.b64encode(bytes.fromhex(log)).decode("ascii")},
            "kindVersion": {"kind": _word(record.get("kind")), "version": _word(record.get("apiVersion"))},
            "integratedTime": _number(payload["integratedTime"]),
            "inclusionPromise": {"signedEntryTimestamp": _base64(value["SignedEntryTimestamp"], _BUNDLE)},
            "canonicalizedBody": body,
        }
    ]


def _timestamps(annotations: Mapping[str, str]) -> list[JsonValue]:
    text = annotations.get(_TIMESTAMP)
    if not text or text == "null":
        return []
    value = _members(_object(text, _TIMESTAMP), _TIMESTAMP, "SignedRFC3161Timestamp")
    return [{"signedTimestamp": _base64(value["SignedRFC3161Timestamp"], _TIMESTAMP)}]


def _object(text: str, where: str) -> JsonObject:
    try:
        return loads_object(text.encode("utf-8"), limit=_TEXT_BYTES)
    except StrictJsonError as error:
        raise CosignError(f"the annotation {where} is not strict JSON: {error}") from None


def _members(value: JsonValue, where: str, *names: str) -> JsonObject:
    """An object that has these members and no others."""
    if not isinstance(value, Mapping) or value.keys() != set(names):
        raise CosignError(f"the annotation {where} does not hold exactly {', '.join(names)}")
    return value


def _base64(value: JsonValue, where: str) -> str:
    """Base64 in its one canonical, standard form."""
    try:
        data = decode_base64(value, f"what stands in {where}")
    except DsseError as error:
        raise CosignError(str(error)) from None
    if not data:
        raise CosignError(f"what stands in {where} is empty")
    return base64.b64encode(data).decode("ascii")


def _number(value: JsonValue) -> str:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise CosignError(f"a number in {_BUNDLE} is none")
    return str(value)


def _word(value: JsonValue) -> str:
    if not isinstance(value, str) or not value:
        raise CosignError(f"the log entry in {_BUNDLE} does not say its kind and version")
    return value
