"""What a Sigstore bundle brings beside what it signs: a certificate, log entries, timestamps.

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

from gate.formats.dsse import DsseError, decode_base64
from gate.model.json import JsonValue

FIRST_VERSION: Final = "application/vnd.dev.sigstore.bundle+json;version=0.1"
"""The version whose log entries need a promise and may lack a proof; in all others it is the other way round."""
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
    "checkpoint?": {"envelope": "text"},
}
_ENTRY: Final[_Kind] = {
    "logIndex": "number",
    "logId": {"keyId": "bytes"},
    "kindVersion": {"kind": "text", "version": "text"},
    "integratedTime?": "number",
    "inclusionPromise?": {"signedEntryTimestamp": "bytes"},
    "inclusionProof?": _PROOF,
    "canonicalizedBody": "bytes",
}
_EVIDENCE: Final[Mapping[str, _Kind]] = {
    "tlogEntries": (_ENTRY,),
    "timestampVerificationData?": {"rfc3161Timestamps?": ({"signedTimestamp": "wrapped bytes"},)},
}
_SINGLE: Final[_Kind] = {"certificate": _CERTIFICATE, **_EVIDENCE}
_CHAINED: Final[_Kind] = {"x509CertificateChain": {"certificates": (_CERTIFICATE,)}, **_EVIDENCE}
_KEY: Final[_Kind] = {"publicKey": {"hint?": "any text"}, **_EVIDENCE}


class MaterialError(ValueError):
    """The material does not have the shape of a bundle's. The text says where."""


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """The way from an entry to the root of a tree of `tree_size` entries, and the signed note about that root."""

    index: int
    tree_size: int
    root_hash: bytes
    hashes: tuple[bytes, ...]
    checkpoint: str


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An entry of a transparency log; `log` is the log's id in base64, `body` what the log holds.

    `promise` signs that the entry will be in the log and was there at `integrated_s`. `unsigned` is a proof about a
    tree whose root nobody signed: it proves nothing, and has to hold all the same.
    """

    kind: str
    log: str
    index: int
    integrated_s: int | None
    promise: bytes | None
    proof: InclusionProof | None
    body: bytes
    unsigned: InclusionProof | None = None

    @property
    def promised_s(self) -> int | None:
        """The time that the log promises; `None` without a promise, whatever else the entry says."""
        return self.integrated_s or None if self.promise is not None else None


@dataclass(frozen=True, slots=True)
class Material:
    """Log entries, and time stamp responses (RFC 3161) as they came."""

    entries: tuple[LogEntry, ...]
    timestamps: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class CertificateMaterial(Material):
    """A certificate with its evidence. `json` is the material again, as every reader reads it alike.

    `others` are the certificates after it: nothing is made of them, but not everything may stand there. They may end in
    a root where `is_first`, in version 0.1.
    """

    certificate: bytes
    json: Mapping[str, Any]
    others: tuple[bytes, ...] = ()
    is_first: bool = False


def read_material(value: JsonValue, media_type: str, *, chained: bool) -> CertificateMaterial:
    """The material around a certificate; raises `MaterialError`. `chained`: as bundles before v0.3 bring it."""
    material = _normal(value, _CHAINED if chained else _SINGLE, "verificationMaterial")
    certificates = material["x509CertificateChain"]["certificates"] if chained else [material["certificate"]]
    if not certificates:
        raise MaterialError("x509CertificateChain holds no certificate")
    found = _evidence(material, media_type)
    certificate, *others = (base64.b64decode(item["rawBytes"]) for item in certificates)
    is_first = media_type == FIRST_VERSION
    return CertificateMaterial(found.entries, found.timestamps, certificate, material, tuple(others), is_first)


def read_key_material(value: JsonValue, media_type: str) -> Material | None:
    """What stands beside the signature of a managed key; `None` when that is nothing. Raises `MaterialError`."""
    found = _evidence(_normal(value, _KEY, "verificationMaterial"), media_type)
    return found if found.entries or found.timestamps else None


def _evidence(material: Any, media_type: str) -> Material:
    stamps = material.get("timestampVerificationData", {}).get("rfc3161Timestamps", [])
    return Material(
        entries=tuple(_entry(item, is_first=media_type == FIRST_VERSION) for item in material["tlogEntries"]),
        timestamps=tuple(base64.b64decode(item["signedTimestamp"]) for item in stamps),
    )


def _entry(value: Any, *, is_first: bool) -> LogEntry:
    promise = value.get("inclusionPromise")
    found = value.get("inclusionProof")
    proof = None if found is None else _proof(found)
    unsigned = None
    if proof is not None and not proof.checkpoint:
        proof, unsigned = None, proof
    if is_first and promise is None:
        raise MaterialError("a log entry lacks its inclusionPromise, which version 0.1 needs")
    if not is_first and proof is None:
        raise MaterialError("a log entry lacks its inclusionProof with a checkpoint")
    return LogEntry(
        kind=f"{value['kindVersion']['kind']}/{value['kindVersion']['version']}",
        log=value["logId"]["keyId"],
        index=int(value["logIndex"]),
        integrated_s=int(value["integratedTime"]) if "integratedTime" in value else None,
        promise=None if promise is None else base64.b64decode(promise["signedEntryTimestamp"]),
        proof=proof,
        body=base64.b64decode(value["canonicalizedBody"]),
        unsigned=unsigned,
    )


def _proof(value: Any) -> InclusionProof:
    return InclusionProof(
        index=int(value["logIndex"]),
        tree_size=int(value["treeSize"]),
        root_hash=base64.b64decode(value["rootHash"]),
        hashes=tuple(base64.b64decode(item) for item in value["hashes"]),
        checkpoint=value["checkpoint"]["envelope"] if "checkpoint" in value else "",
    )


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
    if kind == "wrapped bytes":  # tools that write timestamps break lines, as readers of Protobuf allow
        kind, value = "bytes", re.sub(r"\r?\n", "", value) if isinstance(value, str) else value
    if kind == "bytes":
        try:
            return _base64(decode_base64(value, where))
        except DsseError as error:
            raise MaterialError(str(error)) from None
    # Whole numbers may be written as numbers or as text.
    text = str(value) if kind == "number" and isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or (not text and kind != "any text"):
        raise MaterialError(f"{where} is not a {kind.removeprefix('any ')}")
    if kind == "number" and (not _NUMBER.fullmatch(text) or int(text) >= _INT64):
        raise MaterialError(f"{where} is not a whole number that a bundle can hold")
    return text
