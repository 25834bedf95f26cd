"""Evidence containers: a Sigstore bundle v0.3 around a DSSE envelope, or the bare envelope.

Source: sigstore/protobuf-specs, sigstore_bundle.proto (JSON form). Only managed keys are verified here: a bundle
that brings a certificate is another mode of trust and is never read as this one (SECURITY 9).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gate.formats.dsse import DsseError, Envelope, parse_envelope
from gate.formats.strict_json import StrictJsonError, loads
from gate.model.json import JsonObject, JsonValue

MEDIA_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
_MEDIA_TYPE_FAMILY: Final = "application/vnd.dev.sigstore.bundle"
_MEMBERS: Final = frozenset({"mediaType", "verificationMaterial", "dsseEnvelope"})
_MATERIAL_MEMBERS: Final = frozenset({"publicKey", "tlogEntries", "timestampVerificationData"})
_CERTIFICATE_MEMBERS: Final = frozenset({"certificate", "x509CertificateChain"})


class BundleError(ValueError):
    """Not a container the gate reads. `code` is the reason word of the rejection."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Container:
    """An envelope and how it was wrapped. The key hint of a bundle is dropped: it proves nothing."""

    envelope: Envelope
    is_bundle: bool


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
            return Container(parse_envelope(_bundled_envelope(value)), is_bundle=True)
        if "payload" not in value and "signatures" not in value:
            raise BundleError("unknown", "neither a DSSE envelope nor a Sigstore bundle")
        return Container(parse_envelope(value), is_bundle=False)
    except DsseError as error:
        raise BundleError(error.code, str(error)) from None


def _bundled_envelope(value: JsonObject) -> JsonValue:
    media_type = value.get("mediaType")
    if media_type != MEDIA_TYPE:
        known = isinstance(media_type, str) and media_type.startswith(_MEDIA_TYPE_FAMILY)
        text = f"bundle version {str(media_type)[:80]!r}" if known else "an unknown media type"
        raise BundleError("version", f"{text}; this version reads {MEDIA_TYPE!r}")
    if "messageSignature" in value:
        raise BundleError("content", "the bundle signs a bare message; only statements in a DSSE envelope are read")
    extra = value.keys() - _MEMBERS
    if extra or "dsseEnvelope" not in value:
        what = f"an unknown member {min(extra)[:80]!r}" if extra else "no dsseEnvelope"
        raise BundleError("shape", f"the bundle has {what}")
    _check_material(value.get("verificationMaterial"))
    return value["dsseEnvelope"]


def _check_material(material: JsonValue) -> None:
    if not isinstance(material, Mapping):
        raise BundleError("shape", "the bundle has no verificationMaterial")
    if material.keys() & _CERTIFICATE_MEMBERS:
        raise BundleError(
            "material_mode", "the bundle brings a certificate; this version verifies bundles of managed keys only"
        )
    extra = material.keys() - _MATERIAL_MEMBERS
    key = material.get("publicKey")
    if extra or not isinstance(key, Mapping) or key.keys() - {"hint"} or not isinstance(key.get("hint", ""), str):
        raise BundleError("material_mode", "verificationMaterial must hold a publicKey with a hint and no other key")
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
