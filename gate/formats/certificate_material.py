"""What a Sigstore bundle in certificate mode brings beside its envelope.

Source: sigstore/protobuf-specs, sigstore_bundle.proto and sigstore_rekor.proto, in their JSON form. Every member is
known, bytes are canonical base64 and numbers are plain decimals, so that what is read here is all that a verifier can
read there. Nothing in it is verified.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gate.formats.canonical_json import dumps
from gate.formats.dsse import DsseError, Envelope, decode_base64
from gate.model.json import JsonValue

# What writers of Protobuf leave out because it is the default.
_DEFAULTS: Final[Mapping[str, Any]] = {"logIndex": "0", "hashes": [], "tlogEntries": []}
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_INT64: Final = 1 << 63

# A word for a scalar; the members of an object ("?": may be absent or null); or the items of a list.
_Kind = str | Mapping[str, Any] | tuple[Any]
_CERTIFICATE: Final[_Kind] = {"rawBytes": "bytes"}
_PROOF: Final[_Kind] = {
    "logIndex": "number",
    "rootHash": "bytes",
    "treeSize": "number",
    "hashes": ("bytes",),
    "checkpoint": {"envelope": "text"},
}
_ENTRY: Final[_Kind] = {
    "logIndex": "number",
    "logId": {"keyId": "bytes"},
    "kindVersion": {"kind": "text", "version": "text"},
    "integratedTime?": "number",
    "inclusionPromise?": {"signedEntryTimestamp": "bytes"},
    "inclusionProof": _PROOF,
    "canonicalizedBody": "bytes",
}
_EVIDENCE: Final[Mapping[str, _Kind]] = {
    "tlogEntries": (_ENTRY,),
    "timestampVerificationData?": {"rfc3161Timestamps?": ({"signedTimestamp": "bytes"},)},
}
_SINGLE: Final[_Kind] = {"certificate": _CERTIFICATE, **_EVIDENCE}
_CHAINED: Final[_Kind] = {"x509CertificateChain": {"certificates": (_CERTIFICATE,)}, **_EVIDENCE}


class MaterialError(ValueError):
    """The material does not have the shape of a bundle's. The text says where."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An entry of a transparency log. `promised_s` is the time that the log promises, `None` without a promise.

    `log` is the log's id in base64, `checkpoint` the signed note of the tree that the inclusion proof is about.
    """

    kind: str
    log: str
    index: int
    promised_s: int | None
    proof_index: int
    tree_size: int
    checkpoint: str


@dataclass(frozen=True, slots=True)
class CertificateMaterial:
    """A certificate with its evidence: log entries, and time stamp responses (RFC 3161) as they came.

    `bundle` is the whole bundle again, as JSON that every reader reads alike.
    """

    certificate: bytes
    entries: tuple[LogEntry, ...]
    timestamps: tuple[bytes, ...]
    bundle: bytes


def read_material(value: JsonValue, media_type: str, envelope: Envelope, *, chained: bool) -> CertificateMaterial:
    """The material of a bundle; raises `MaterialError`. `chained`: as bundles before v0.3 bring their certificate."""
    material = _normal(value, _CHAINED if chained else _SINGLE, "verificationMaterial")
    certificates = material["x509CertificateChain"]["certificates"] if chained else [material["certificate"]]
    if not certificates:
        raise MaterialError("x509CertificateChain holds no certificate")
    stamps = material.get("timestampVerificationData", {}).get("rfc3161Timestamps", [])
    whole = {"mediaType": media_type, "verificationMaterial": material, "dsseEnvelope": _envelope_json(envelope)}
    return CertificateMaterial(
        certificate=base64.b64decode(certificates[0]["rawBytes"]),
        entries=tuple(_entry(item) for item in material["tlogEntries"]),
        timestamps=tuple(base64.b64decode(item["signedTimestamp"]) for item in stamps),
        bundle=dumps(whole),
    )


def _entry(value: Any) -> LogEntry:
    proof, promised = value["inclusionProof"], "inclusionPromise" in value and "integratedTime" in value
    return LogEntry(
        kind=f"{value['kindVersion']['kind']}/{value['kindVersion']['version']}",
        log=value["logId"]["keyId"],
        index=int(value["logIndex"]),
        promised_s=int(value["integratedTime"]) if promised else None,
        proof_index=int(proof["logIndex"]),
        tree_size=int(proof["treeSize"]),
        checkpoint=proof["checkpoint"]["envelope"],
    )


def _envelope_json(envelope: Envelope) -> Any:
    signatures = [{"sig": _base64(item)} for item in envelope.signatures]
    return {"payload": _base64(envelope.payload), "payloadType": envelope.payload_type, "signatures": signatures}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _normal(value: JsonValue, kind: _Kind, where: str) -> Any:
    """The value with bytes in standard base64, numbers as text, and nothing where there was null."""
    if isinstance(kind, str):
        return _scalar(value, kind, where)
    if isinstance(kind, tuple):
        if not isinstance(value, list):
            raise MaterialError(f"{where} is not a list")
        return [_normal(item, kind[0], f"{where}[{number}]") for number, item in enumerate(value)]
    if not isinstance(value, Mapping):
        raise MaterialError(f"{where} is not an object")
    members = {name.removesuffix("?"): item for name, item in kind.items()}
    extra = value.keys() - members.keys()
    if extra:
        raise MaterialError(f"{where} has a member that no bundle has: {min(extra)[:80]!r}")
    found = {}
    for name, item in members.items():
        if value.get(name) is not None:
            found[name] = _normal(value[name], item, f"{where}.{name}")
        elif name in _DEFAULTS:
            found[name] = _DEFAULTS[name]
        elif f"{name}?" not in kind:
            raise MaterialError(f"{where} lacks {name}")
    return found


def _scalar(value: JsonValue, kind: str, where: str) -> str:
    if kind == "bytes":
        try:
            return _base64(decode_base64(value, where))
        except DsseError as error:
            raise MaterialError(str(error)) from None
    # Whole numbers may be written as numbers or as text.
    text = str(value) if kind == "number" and isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not text:
        raise MaterialError(f"{where} is not a {kind}")
    if kind == "number" and (not _NUMBER.fullmatch(text) or int(text) >= _INT64):
        raise MaterialError(f"{where} is not a whole number that a bundle can hold")
    return text
