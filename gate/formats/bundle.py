"""Evidence containers: a Sigstore bundle around a DSSE envelope or a message signature, or the bare envelope.

Source: sigstore/protobuf-specs, sigstore_bundle.proto (JSON form), versions 0.1 to 0.3. A bundle names a managed key or
brings a certificate: two modes of trust, of which it has exactly one (SECURITY 9).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gate.formats.canonical_json import dumps
from gate.formats.certificate_material import (
    FIRST_VERSION,
    CertificateMaterial,
    Material,
    MaterialError,
    read_key_material,
    read_material,
)
from gate.formats.dsse import DsseError, Envelope, parse_envelope
from gate.formats.log_body import logged_digest
from gate.formats.message import ALGORITHMS, MessageError, MessageSignature, parse_message
from gate.formats.strict_json import StrictJsonError, loads
from gate.model.json import JsonObject

MEDIA_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
_MEDIA_TYPE_FAMILY: Final = "application/vnd.dev.sigstore.bundle"
_MEMBERS: Final = frozenset({"mediaType", "verificationMaterial"})
_CONTENTS: Final = frozenset({"dsseEnvelope", "messageSignature"})
_KEY_MEMBERS: Final = frozenset({"publicKey", "tlogEntries", "timestampVerificationData"})
# How a certificate comes: alone, or before v0.3 as the first of a chain.
_CERTIFICATE_MEMBERS: Final = {
    MEDIA_TYPE: "certificate",
    "application/vnd.dev.sigstore.bundle+json;version=0.3": "certificate",
    "application/vnd.dev.sigstore.bundle+json;version=0.2": "x509CertificateChain",
    FIRST_VERSION: "x509CertificateChain",
}
_MODES: Final = frozenset({"publicKey", *_CERTIFICATE_MEMBERS.values()})


class BundleError(ValueError):
    """Not a container the gate reads. `code` is the reason word of the rejection."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Container:
    """What is signed and how it was wrapped. The key hint of a bundle is dropped: it proves nothing.

    `material` is what a bundle in certificate mode brings: then that mode alone counts, and no managed key. `beside` is
    what stands beside the signature of a managed key, if anything does.
    """

    content: Envelope | MessageSignature
    is_bundle: bool
    material: CertificateMaterial | None = None
    beside: Material | None = None

    @property
    def envelope(self) -> Envelope:
        """The envelope, for those who need a statement; raises `BundleError` when a message is signed."""
        if isinstance(self.content, Envelope):
            return self.content
        raise BundleError("content", "the bundle signs a message; a statement in a DSSE envelope is needed")


def parse_container(data: bytes, *, limit: int, message: bytes | None = None) -> Container:
    """What one piece of evidence signs; raises `BundleError`, whose text says what was found instead.

    `message` is what a message signature is over, where the place of the evidence tells it.
    """
    try:
        value = loads(data, limit=limit)
    except StrictJsonError as error:
        raise BundleError("json", str(error)) from None
    if not isinstance(value, Mapping):
        raise BundleError("unknown", "neither a DSSE envelope nor a Sigstore bundle: not a JSON object")
    try:
        if "mediaType" in value or "verificationMaterial" in value:
            return _bundle(value, message)
        if "base64Signature" in value:
            raise BundleError("unknown", "a bundle of cosign before version 3; sign with --new-bundle-format")
        if "payload" not in value and "signatures" not in value:
            if "bundle" in value:
                raise BundleError(
                    "unknown", "an entry of a list of attestations without its bundle: fetch the one at its bundle_url"
                )
            raise BundleError("unknown", "neither a DSSE envelope nor a Sigstore bundle")
        return Container(parse_envelope(value), is_bundle=False)
    except (DsseError, MessageError) as error:
        raise BundleError(error.code, str(error)) from None
    except MaterialError as error:
        raise BundleError("shape", str(error)) from None


def _bundle(given: JsonObject, message: bytes | None) -> Container:
    value = _without_nulls(given, _CONTENTS)
    media_type, material = value.get("mediaType"), value.get("verificationMaterial")
    if not isinstance(media_type, str) or media_type not in _CERTIFICATE_MEMBERS:
        known = isinstance(media_type, str) and media_type.startswith(_MEDIA_TYPE_FAMILY)
        text = f"bundle version {str(media_type)[:80]!r}" if known else "an unknown media type"
        raise BundleError("version", f"{text}; this version reads {MEDIA_TYPE!r}, and 0.1 and 0.2")
    if value.keys() >= _CONTENTS:
        raise BundleError("content", "the bundle signs a statement and a message; exactly one is read")
    extra = value.keys() - _MEMBERS - _CONTENTS
    if extra or _CONTENTS.isdisjoint(value):
        what = f"an unknown member {min(extra)[:80]!r}" if extra else "neither dsseEnvelope nor messageSignature"
        raise BundleError("shape", f"the bundle has {what}")
    if not isinstance(material, Mapping):
        raise BundleError("shape", "the bundle has no verificationMaterial")
    material = _without_nulls(material, _MODES)
    modes = _MODES.intersection(material)
    if not modes - {"publicKey"}:
        _check_key_material(material)
        beside = read_key_material(material, media_type)
        return Container(_content(value, message, beside), is_bundle=True, beside=beside)
    expected = _CERTIFICATE_MEMBERS[media_type]
    if modes != {expected}:
        raise BundleError(
            "material_mode", f"verificationMaterial holds {' and '.join(sorted(modes))}; expected {expected} alone"
        )
    found = read_material(material, media_type, chained=expected != "certificate")
    return Container(_content(value, message, found), is_bundle=True, material=found)


def _without_nulls(value: JsonObject, choice: frozenset[str]) -> JsonObject:
    """Of members that exclude each other, null is one that is absent."""
    return {name: item for name, item in value.items() if item is not None or name not in choice}


def _content(value: JsonObject, message: bytes | None, material: Material | None) -> Envelope | MessageSignature:
    if "dsseEnvelope" in value:
        return parse_envelope(value["dsseEnvelope"])
    entries = () if material is None else material.entries
    logged = logged_digest(entries[0].body) if len(entries) == 1 else None
    return parse_message(value["messageSignature"], message, logged)


def _check_key_material(material: JsonObject) -> None:
    extra = material.keys() - _KEY_MEMBERS
    key = material.get("publicKey")
    if extra or not isinstance(key, Mapping) or key.keys() - {"hint"} or not isinstance(key.get("hint", ""), str):
        raise BundleError(
            "material_mode",
            "verificationMaterial must hold either a certificate or a publicKey with a hint, and no other key",
        )
    if not isinstance(material.get("tlogEntries", []), list):
        raise BundleError("shape", "tlogEntries is not a list")


def bundle_json(envelope: JsonObject, hint: str) -> JsonObject:
    """A bundle v0.3 for an envelope that a managed key signed; `hint` helps people to find the key."""
    return {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": hint}, "tlogEntries": []},
        "dsseEnvelope": envelope,
    }


def rewritten(content: Envelope | MessageSignature, material: CertificateMaterial) -> bytes:
    """The bundle again, from what was read of it, so that every reader reads it alike."""
    is_chained = "x509CertificateChain" in material.json
    # What the versions differ in besides is checked when a bundle is read; a reader has nothing more to find.
    media_type = "application/vnd.dev.sigstore.bundle+json;version=0.2" if is_chained else MEDIA_TYPE
    whole: dict[str, Any] = {"mediaType": media_type, "verificationMaterial": material.json}
    if isinstance(content, Envelope):
        signatures = [{"sig": _base64(item)} for item in content.signatures]
        envelope: Any = {
            "payload": _base64(content.payload),
            "payloadType": content.payload_type,
            "signatures": signatures,
        }
        return dumps({**whole, "dsseEnvelope": envelope})
    names = {algorithm: name for name, algorithm in ALGORITHMS.items()}
    digest: Any = {"algorithm": names[content.algorithm], "digest": _base64(content.digest)}
    signed = {"messageDigest": digest, "signature": _base64(content.signature)}
    return dumps({**whole, "messageSignature": signed})


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
