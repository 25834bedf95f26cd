"""Bundles of llmsa 1.x: what is signed, and what it says. They are read only where gate.yaml asks for it.

They look like DSSE and are not: the signature is Ed25519 over the payload itself, so nothing protects the payload's
type, and the metadata, the provider and the identity beside a signature are anybody's text. The payload is no in-toto
statement. Predecessors are named by type, which binds nothing, so a statement read here depends on nothing; it counts
as one that nobody collected. Keys that come with a bundle are never read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gate.formats import canonical_json, schema
from gate.formats.bundle import BundleError
from gate.formats.dsse import MAX_SIGNATURES, DsseError, decode_base64
from gate.formats.intoto import StatementError
from gate.formats.predicates.common import member, text, time
from gate.formats.strict_json import StrictJsonError, loads, loads_object
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import Statement, Subject
from gate.model.json import JsonObject, JsonValue

PAYLOAD_TYPE: Final = "application/vnd.llmsa.statement.v1+json"
FORMAT: Final = "llmsa"
NOTE: Final = "format: llmsa, payload type unauthenticated"
"""What is said wherever such a statement is shown."""
_SCHEMA: Final = "llmsa-statement.json"
_ENVELOPE: Final = frozenset({"payloadType", "payload", "signatures"})
_METADATA: Final = frozenset({"bundle_version", "created_at", "statement_hash"})
_SIGNATURE: Final = frozenset(
    {"sig", "keyid", "provider", "public_key_pem", "certificate_pem", "oidc_issuer", "oidc_identity"}
)
_ESCAPED: Final = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


@dataclass(frozen=True, slots=True)
class LegacyBundle:
    """A well-formed bundle; nothing in it is verified. `stated_hash` is what it says of its payload."""

    payload: bytes
    signatures: tuple[bytes, ...]
    stated_hash: str

    @property
    def is_hash_right(self) -> bool:
        """Whether the payload has that hash. Nobody signed it, so it only tells damage from forgery."""
        return self.stated_hash == sha256_digest(self.payload)


def parse_legacy(data: bytes, *, limit: int) -> LegacyBundle:
    """The bundle in one file; raises `BundleError`. Names of members are exact, and none is unknown."""
    try:
        value = loads(data, limit=limit)
    except StrictJsonError as error:
        raise BundleError("json", str(error)) from None
    bundle = _members(value, frozenset({"envelope", "metadata"}), "the bundle")
    envelope = _members(bundle["envelope"], _ENVELOPE, "the envelope")
    metadata = _members(bundle["metadata"], _METADATA, "the metadata")
    if envelope["payloadType"] != PAYLOAD_TYPE:
        raise BundleError(
            "payload_type", f"payloadType is {str(envelope['payloadType'])[:80]!r}, expected {PAYLOAD_TYPE!r}"
        )
    if metadata["bundle_version"] != "1" or not isinstance(metadata["statement_hash"], str):
        raise BundleError("version", "the metadata has no statement_hash, or its bundle_version is not '1'")
    try:
        payload = decode_base64(envelope["payload"], "payload")
        return LegacyBundle(payload, _signatures(envelope["signatures"]), metadata["statement_hash"])
    except DsseError as error:
        raise BundleError(error.code, str(error)) from None


def _members(value: JsonValue, expected: frozenset[str], what: str) -> JsonObject:
    if not isinstance(value, Mapping) or value.keys() != expected:
        raise BundleError("shape", f"{what} is not that of llmsa: it has the members {', '.join(sorted(expected))}")
    return value


def _signatures(value: JsonValue) -> tuple[bytes, ...]:
    if not isinstance(value, list) or len(value) > MAX_SIGNATURES:
        raise BundleError("shape", f"signatures is not a list of at most {MAX_SIGNATURES}")
    found = []
    for number, item in enumerate(value):
        if not isinstance(item, Mapping) or "sig" not in item or item.keys() - _SIGNATURE:
            raise BundleError("shape", f"signature {number} is not that of llmsa")
        found.append(decode_base64(item["sig"], f"signature {number}"))
    return tuple(found)


def read_legacy(payload: bytes, *, limit: int) -> Statement:
    """The statement in a payload whose signature holds; raises `StatementError`.

    It is in the one form in which llmsa writes it. Facts: those of a plain statement, with `format`; `result` is what
    an evaluation says of itself, and the mode of privacy is a label.
    """
    try:
        value = loads_object(payload, limit=limit)
    except StrictJsonError as error:
        raise StatementError("json", f"the payload is not strict JSON: {error}") from None
    found = schema.problem(_SCHEMA, value)
    if found is not None:
        raise StatementError("predicate", f"no statement of llmsa: {found}")
    if go_canonical(value) != payload:
        raise StatementError("canonical", "the payload is not in the canonical form that llmsa signs")
    claim = (text(value, "attestation_type") or "").removesuffix("_attestation")
    failed = member(value, "predicate", "regression_detected")
    predicate = value["predicate"]
    facts: JsonObject = {
        "result": {True: "failed", False: "passed"}.get(failed) if isinstance(failed, bool) else None,
        "decision": None,
        "collected": False,
        "privacy": {"mode": text(value, "privacy", "mode"), "payloads": []},
        "format": FORMAT,
    }
    subjects = _subjects(value["subject"])
    return Statement(
        claim=claim,
        predicate_type=text(value, "predicate_type") or "",
        subjects=subjects,
        resources=subjects,
        exhaustive=False,
        depends_on=(),
        stated_at_s=time(value, "generated_at"),
        facts=facts,
        predicate=predicate if isinstance(predicate, Mapping) else {},
        located=True,
    )


def _subjects(value: JsonValue) -> tuple[Subject, ...]:
    """The files by their paths. Where a path says two things, nothing it says counts."""
    found: dict[str, Digest] = {}
    for item in value if isinstance(value, list) else []:
        path, digest = text(item, "uri") or "", Digest(f"sha256:{text(item, 'digest', 'sha256')}")
        if found.setdefault(path, digest) != digest:
            raise StatementError("subject", f"{path[:120]!r} has two digests")
    return tuple(Subject(path, digest) for path, digest in found.items())


def go_canonical(value: Any) -> bytes:
    """JSON as llmsa writes it before it signs: keys in code point order, `<>&` escaped, the shortest floats."""
    return _go(value).encode("utf-8")


def _go(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).translate(_ESCAPED)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_go(key)}:{_go(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_go(item) for item in value) + "]"
    if isinstance(value, float):
        # RFC 8785 writes floats as Go does, but for the sign of zero.
        return canonical_json.dumps(value).decode("ascii") if value else repr(value).removesuffix(".0")
    return json.dumps(value)
