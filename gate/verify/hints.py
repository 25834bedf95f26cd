"""What evidence says about itself. Unproved: used for messages and to see whom a rejection concerns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gate.formats.bundle import BundleError, parse_container
from gate.formats.dsse import DsseError, decode_base64
from gate.formats.intoto import RawStatement, StatementError, parse_subjects
from gate.formats.message import CLAIM, MessageSignature, read_message
from gate.formats.predicates import DRAFTS, PLAIN, Reading, claim_of, read_statement
from gate.formats.strict_json import StrictJsonError, loads, loads_object
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import Statement, Subject
from gate.model.json import JsonValue

# Of these an item has exactly one, or it could be about one thing here and about another there.
_CONTENT_MEMBERS: Final = frozenset({"dsseEnvelope", "messageSignature", "payload"})


@dataclass(frozen=True, slots=True)
class Hints:
    """A claim, the names and digests mentioned, and the statements built on. Unreadable hints concern everything."""

    is_readable: bool = False
    claim: str | None = None
    names: frozenset[str] = frozenset()
    digests: frozenset[Digest] = frozenset()
    depends_on: tuple[Digest, ...] = ()

    @classmethod
    def of(cls, statement: Statement) -> Hints:
        """The hints of a statement, whether or not its signature holds."""
        return cls.naming(statement.claim, (*statement.subjects, *statement.resources), statement.depends_on)

    @classmethod
    def naming(cls, claim: str | None, subjects: Sequence[Subject], depends_on: tuple[Digest, ...] = ()) -> Hints:
        """The hints that name some subjects. Only SHA-256 is compared, so another digest makes them unreadable.

        A Git commit is no file: it is never compared, and nothing about it is unreadable.
        """
        if any((item.digest is None and item.revision is None) or item.other_digests for item in subjects):
            return cls(claim=claim)
        digests = frozenset(item.digest for item in subjects if item.digest is not None)
        return cls(True, claim, frozenset(item.name for item in subjects), digests, depends_on)


def read_hints(
    data: bytes, limit: int, reading: Reading = PLAIN, message: bytes | None = None
) -> tuple[Digest | None, Hints]:
    """The digest of the payload in rejected bytes, and its hints. Never raises; what is not read in full is unreadable.

    The hints depend on the payload alone: of a message signature, on the message (`message`, where it is known).
    """
    signed = _message(data, limit, message)
    if signed is not None:
        return sha256_digest(signed.payload), _of_message(signed)
    payload = _payload(data, limit)
    if payload is None:
        return None, Hints()
    # A draft that is not switched on can still be read for what it mentions.
    return sha256_digest(payload), _hints(payload, limit, Reading(reading.types, frozenset(DRAFTS)))


def _message(data: bytes, limit: int, message: bytes | None) -> MessageSignature | None:
    try:
        content = parse_container(data, limit=limit, message=message).content
    except BundleError:
        return None
    return content if isinstance(content, MessageSignature) else None


def _of_message(signed: MessageSignature) -> Hints:
    try:
        return Hints.of(read_message(signed))
    except StatementError:
        return Hints(claim=CLAIM)


def _hints(payload: bytes, limit: int, reading: Reading) -> Hints:
    try:
        value = loads_object(payload, limit=limit)
    except StrictJsonError:
        return Hints()
    kind, subjects, predicate = value.get("predicateType"), value.get("subject"), value.get("predicate", {})
    claim = claim_of(kind, predicate, reading) if isinstance(kind, str) else None
    if not isinstance(predicate, Mapping):
        return Hints(claim=claim)
    try:
        found = parse_subjects(subjects, str(kind))
        if claim is None:
            return Hints.naming(None, found)
        return Hints.of(read_statement(RawStatement(found, str(kind), predicate), reading))
    except StatementError:
        return Hints(claim=claim)


def _payload(data: bytes, limit: int) -> bytes | None:
    """The payload of an envelope or a bundle, however little else of it is as it has to be."""
    try:
        return decode_base64(_payload_text(loads(data, limit=limit)), "payload")
    except (StrictJsonError, DsseError):
        return None


def _payload_text(value: JsonValue) -> JsonValue:
    """Its payload member; `None` unless there is exactly one place where it can be."""
    if not isinstance(value, Mapping) or len(value.keys() & _CONTENT_MEMBERS) != 1:
        return None
    envelope = value.get("dsseEnvelope", value)
    return envelope.get("payload") if isinstance(envelope, Mapping) else None
