"""What rejected evidence says about itself. Unproved: used for messages and to see whom a rejection concerns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gate.formats.bundle import BundleError, parse_container
from gate.formats.dsse import DsseError, decode_base64
from gate.formats.intoto import StatementError, parse_subject
from gate.formats.predicates import claim_of
from gate.formats.strict_json import StrictJsonError, loads, loads_object
from gate.model.digest import Digest
from gate.model.evidence import Statement, Subject
from gate.model.json import JsonObject


@dataclass(frozen=True, slots=True)
class Hints:
    """A claim, and the names and digests mentioned. Unreadable hints concern everything."""

    is_readable: bool = False
    claim: str | None = None
    names: frozenset[str] = frozenset()
    digests: frozenset[Digest] = frozenset()

    @classmethod
    def of(cls, statement: Statement) -> Hints:
        """The hints of a statement whose signature holds."""
        return _hints(statement.claim, (*statement.subjects, *statement.resources))


def read_hints(data: bytes, limit: int) -> Hints:
    """What can be read of rejected bytes. Never raises; what cannot be read in full is not readable."""
    payload = _payload(data, limit)
    if payload is None:
        return Hints()
    claim = claim_of(str(payload.get("predicateType")))
    subjects = payload.get("subject")
    try:
        if not isinstance(subjects, list) or not subjects:
            return Hints(claim=claim)
        return _hints(claim, [parse_subject(item, "subject") for item in subjects])
    except StatementError:
        return Hints(claim=claim)


def _hints(claim: str | None, subjects: Iterable[Subject]) -> Hints:
    found = tuple(subjects)
    digests = frozenset(item.digest for item in found if item.digest is not None)
    return Hints(True, claim, frozenset(item.name for item in found), digests)


def _payload(data: bytes, limit: int) -> JsonObject | None:
    try:
        return loads_object(parse_container(data, limit=limit).envelope.payload, limit=limit)
    except StrictJsonError:
        return None
    except BundleError:
        pass
    try:
        value = loads(data, limit=limit)
        envelope = value.get("dsseEnvelope", value) if isinstance(value, Mapping) else None
        text = envelope.get("payload") if isinstance(envelope, Mapping) else None
        return loads_object(decode_base64(text, "payload"), limit=limit)
    except (StrictJsonError, DsseError):
        return None
