"""Attestations of the Python package index (PEP 740) as Sigstore bundles.

An attestation object holds what a bundle v0.3 holds, under other names: the certificate, the entries of a transparency
log in the JSON form of Sigstore, and one signature over a statement. A provenance object holds several, grouped by who
the index says published them; nobody signs that, so it is not read. Nothing is believed or verified here: values are
carried over as they are, and what is wrong with them is said by whoever reads the bundle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from gate.formats.bundle import MEDIA_TYPE
from gate.formats.dsse import PAYLOAD_TYPE
from gate.model.json import JsonObject, JsonValue

_VERSION: Final = 1
_ATTESTATION: Final = frozenset({"version", "verification_material", "envelope"})
_MATERIAL: Final = frozenset({"certificate", "transparency_entries"})
_ENVELOPE: Final = frozenset({"statement", "signature"})
_TIMESTAMPS: Final = "timestamps"


def is_attestation(value: JsonObject) -> bool:
    """Whether an object calls itself an attestation of PEP 740."""
    return "verification_material" in value


def is_provenance(value: JsonObject) -> bool:
    """Whether an object calls itself a provenance object of PEP 740."""
    return "attestation_bundles" in value


def bundle_of(value: JsonValue) -> JsonObject | None:
    """The bundle of an attestation object; `None` unless it has exactly the members of version 1."""
    if not isinstance(value, Mapping) or value.keys() != _ATTESTATION or not _is_version(value["version"]):
        return None
    material, envelope = value["verification_material"], value["envelope"]
    if not isinstance(material, Mapping) or material.keys() - {_TIMESTAMPS} != _MATERIAL:
        return None
    if not isinstance(envelope, Mapping) or envelope.keys() != _ENVELOPE:
        return None
    found: dict[str, JsonValue] = {
        "certificate": {"rawBytes": material["certificate"]},
        "tlogEntries": material["transparency_entries"],
    }
    if _TIMESTAMPS in material:
        stamps = material[_TIMESTAMPS]
        if not isinstance(stamps, list):
            return None
        found["timestampVerificationData"] = {"rfc3161Timestamps": [{"signedTimestamp": stamp} for stamp in stamps]}
    signed: JsonObject = {
        "payload": envelope["statement"],
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"sig": envelope["signature"]}],
    }
    return {"mediaType": MEDIA_TYPE, "verificationMaterial": found, "dsseEnvelope": signed}


def attestations_of(value: JsonObject) -> Iterator[tuple[str, JsonValue]] | None:
    """Each attestation object of a provenance object, with its place; `None` where there is none to be found.

    What stands where attestations should stand is given as it is, so that it is refused and not forgotten.
    """
    groups = value["attestation_bundles"]
    if not _is_version(value.get("version")) or not isinstance(groups, list) or not groups:
        return None
    return _grouped(groups)


def _grouped(groups: list[JsonValue]) -> Iterator[tuple[str, JsonValue]]:
    for number, group in enumerate(groups):
        place = f"attestation_bundles[{number}]"
        found = group.get("attestations") if isinstance(group, Mapping) else None
        if isinstance(found, list) and found:
            yield from ((f"{place}.attestations[{index}]", item) for index, item in enumerate(found))
        else:
            yield place, group


def _is_version(value: JsonValue) -> bool:
    return value == _VERSION and not isinstance(value, bool | float)
