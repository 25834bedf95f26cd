"""Evidence containers: a Sigstore bundle around a DSSE envelope, or the bare envelope.

Source: sigstore/protobuf-specs, sigstore_bundle.proto (JSON form). A bundle names a managed key (v0.3) or brings a
certificate (v0.1 to v0.3): two modes of trust, of which it has exactly one (SECURITY 9).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gate.formats.certificate_material import CertificateMaterial, MaterialError, read_material
from gate.formats.dsse import DsseError, Envelope, parse_envelope
from gate.formats.strict_json import StrictJsonError, loads
from gate.model.json import JsonObject, JsonValue

MEDIA_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
_MEDIA_TYPE_FAMILY: Final = "application/vnd.dev.sigstore.bundle"
_MEMBERS: Final = frozenset({"mediaType", "verificationMaterial", "dsseEnvelope"})
_KEY_MEMBERS: Final = frozenset({"publicKey", "tlogEntries", "timestampVerificationData"})
# How a certificate comes: alone, or before v0.3 as the first of a chain.
_CERTIFICATE_MEMBERS: Final = {
    MEDIA_TYPE: "certificate",
    "application/vnd.dev.sigstore.bundle+json;version=0.3": "certificate",
    "application/vnd.dev.sigstore.bundle+json;version=0.2": "x509CertificateChain",
    "application/vnd.dev.sigstore.bundle+json;version=0.1": "x509CertificateChain",
}
_MODES: Final = frozenset({"publicKey", *_CERTIFICATE_MEMBERS.values()})


class BundleError(ValueError):
    """Not a container the gate reads. `code` is the reason word of the rejection."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Container:
    """An envelope and how it was wrapped. The key hint of a bundle is dropped: it proves nothing.

    `material` is what a bundle in certificate mode brings: then that mode alone counts, and no managed key.
    """

    envelope: Envelope
    is_bundle: bool
    material: CertificateMaterial | None = None


def parse_container(data: bytes, *, limit: int) -> Container:
    """The envelope in one piece of evidence; raises `BundleError`, whose text says what was found instead."""
    try:
        value = loads(data, limit=limit)
    except StrictJsonError as error:
        raise BundleError("json", str(error)) from None
    if not isinstance(value, Mapping):
        raise BundleError("unknown", "neither a DSSE envelope nor a Sigstore bundle: not a JSON object")
    try:
        if "mediaType" in value or "verificationMaterial" in value:
            return _bundle(value)
        if "payload" not in value and "signatures" not in value:
            raise BundleError("unknown", "neither a DSSE envelope nor a Sigstore bundle")
        return Container(parse_envelope(value), is_bundle=False)
    except DsseError as error:
        raise BundleError(error.code, str(error)) from None


def _bundle(value: JsonObject) -> Container:
    media_type, material = value.get("mediaType"), value.get("verificationMaterial")
    modes = _MODES.intersection(material) if isinstance(material, Mapping) else frozenset[str]()
    read = (MEDIA_TYPE,) if "publicKey" in modes else tuple(_CERTIFICATE_MEMBERS)
    if not isinstance(media_type, str) or media_type not in read:
        known = isinstance(media_type, str) and media_type.startswith(_MEDIA_TYPE_FAMILY)
        text = f"bundle version {str(media_type)[:80]!r}" if known else "an unknown media type"
        raise BundleError("version", f"{text}; this version reads {MEDIA_TYPE!r}")
    if "messageSignature" in value:
        raise BundleError("content", "the bundle signs a bare message; only statements in a DSSE envelope are read")
    extra = value.keys() - _MEMBERS
    if extra or "dsseEnvelope" not in value:
        what = f"an unknown member {min(extra)[:80]!r}" if extra else "no dsseEnvelope"
        raise BundleError("shape", f"the bundle has {what}")
    if not isinstance(material, Mapping):
        raise BundleError("shape", "the bundle has no verificationMaterial")
    if modes - {"publicKey"}:
        return _certified(value["dsseEnvelope"], media_type, material, modes)
    _check_key_material(material)
    return Container(parse_envelope(value["dsseEnvelope"]), is_bundle=True)


def _certified(envelope: JsonValue, media_type: str, material: JsonObject, modes: frozenset[str]) -> Container:
    expected = _CERTIFICATE_MEMBERS[media_type]
    if modes != {expected}:
        raise BundleError(
            "material_mode", f"verificationMaterial holds {' and '.join(sorted(modes))}; expected {expected} alone"
        )
    parsed = parse_envelope(envelope)
    try:
        found = read_material(material, media_type, parsed, chained=expected != "certificate")
    except MaterialError as error:
        raise BundleError("shape", str(error)) from None
    return Container(parsed, is_bundle=True, material=found)


def _check_key_material(material: JsonObject) -> None:
    extra = material.keys() - _KEY_MEMBERS
    key = material.get("publicKey")
    if extra or not isinstance(key, Mapping) or key.keys() - {"hint"} or not isinstance(key.get("hint", ""), str):
        raise BundleError(
            "material_mode",
            "verificationMaterial must hold either a certificate or a publicKey with a hint, and no other key",
        )
    # Log entries and timestamps are not verified in this mode, so nothing is claimed from them either.
    if not isinstance(material.get("tlogEntries", []), list):
        raise BundleError("shape", "tlogEntries is not a list")


def bundle_json(envelope: JsonObject, hint: str) -> JsonObject:
    """A bundle v0.3 for an envelope that a managed key signed; `hint` helps people to find the key."""
    return {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": hint}, "tlogEntries": []},
        "dsseEnvelope": envelope,
    }
