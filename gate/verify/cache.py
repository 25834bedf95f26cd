"""What was found out about evidence and stays true: which keys signed these bytes, and what they say (SECURITY 41).

1. An entry is for the digest of the bytes as they are now, the trusted keys and identities, and the size limit
2. Only what met every obligation that an item meets alone is kept; a refusal is found out again each time
3. Windows, revocations, claims, thresholds and the time of the decision are no part of it: they are judged each time
4. An entry is text that is hashed before it is read, so that one that changed in memory is none, and that gives
   new values each time, so that nobody can change what another one is given
5. Found out at one time, it holds at that time and later ones; for an earlier one it is found out again
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from gate.formats.lru import Lru, sealed
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import BuildIdentity, Evidence, Revision, Statement, Subject, TimeSource
from gate.model.json import JsonValue
from gate.verify.certificate import CertificateIdentity

if TYPE_CHECKING:
    from gate.verify.trust import TrustStore

LIMIT_BYTES: Final = 32 << 20
_Text: TypeAlias = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Matched:
    """What cryptography says of a signature, whatever the windows of its signers and whoever is revoked.

    `names` are the signers whose key made it or who are what its certificate names. `signed_at_s` is trusted time.
    """

    names: tuple[str, ...]
    signed_at_s: int | None = None
    time_source: TimeSource = TimeSource.NONE
    log_included: bool = False
    identity: CertificateIdentity | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an item since `found_at_s`: the digest of its payload, who signed it, and what it says."""

    payload: Digest
    matched: Matched
    statement: Statement
    found_at_s: int


class SignatureCache:
    """Remembers, up to some bytes and for any number of threads, what is known of evidence."""

    def __init__(self, limit: int = LIMIT_BYTES) -> None:
        self._entries: Lru[_Text] = Lru(limit)
        self._lock = threading.Lock()
        self._counts = {"hits": 0, "misses": 0, "corrupted": 0, "unfit": 0}

    def counts(self) -> Mapping[str, int]:
        """What happened so far; `unfit` is what could not be kept as it is."""
        with self._lock:
            return dict(self._counts)

    def get(self, item: Evidence, trust: TrustStore, limit: int) -> Known | None:
        """What is known of an item, if anything."""
        key = _key(item, trust, limit)
        found = self._entries.get(key)
        known = None if found is None else self._read(key, found)
        if known is not None and known.found_at_s > trust.now_s:
            known = None
        self._count("misses" if known is None else "hits")
        return known

    def put(self, item: Evidence, trust: TrustStore, limit: int, known: Known) -> None:
        """Keeps what was found out at the time of `trust`."""
        try:
            text = json.dumps(_written(known), separators=(",", ":"), allow_nan=False).encode()
            is_fit = _read(text) == known
        except (TypeError, ValueError):
            is_fit, text = False, b""
        if not is_fit:
            self._count("unfit")
            return
        key = _key(item, trust, limit)
        self._entries.put(key, (text, sealed((key.encode(), text))), len(text))

    def _read(self, key: str, found: _Text) -> Known | None:
        text, seal = found
        if sealed((key.encode(), text)) == seal:
            return _read(text)
        self._count("corrupted")
        self._entries.discard(key, found)
        return None

    def _count(self, word: str) -> None:
        with self._lock:
            self._counts[word] += 1


def _key(item: Evidence, trust: TrustStore, limit: int) -> str:
    """The bytes of the item as they are now, and everything else that what is known of it depends on."""
    message = b"" if item.message is None else sha256_digest(item.message).encode()
    place = b"llmsa" if item.is_legacy else b""
    parts = (sha256_digest(item.data).encode(), message, place, trust.fingerprint, str(limit).encode())
    return sealed(parts).hex()


# --- as text ----------------------------------------------------------------------------------------------------------


def _written(known: Known) -> JsonValue:
    matched, statement = known.matched, known.statement
    identity = matched.identity
    named = None if identity is None else [identity.issuer, identity.subject, list(astuple(identity.build))]
    is_same = statement.resources == statement.subjects
    return [
        known.payload,
        known.found_at_s,
        [list(matched.names), matched.signed_at_s, matched.time_source.value, matched.log_included, named],
        [
            statement.claim,
            statement.predicate_type,
            _written_subjects(statement.subjects),
            None if is_same else _written_subjects(statement.resources),
            statement.exhaustive,
            list(statement.depends_on),
            statement.stated_at_s,
            statement.facts,
            statement.predicate,
            statement.located,
            list(statement.folders),
            statement.statement_type,
        ],
    ]


def _written_subjects(subjects: Iterable[Subject]) -> JsonValue:
    return [
        [
            item.name,
            item.digest,
            dict(item.other_digests),
            None if item.revision is None else [item.revision.commit, list(item.revision.refs)],
        ]
        for item in subjects
    ]


def _read(text: bytes) -> Known:
    """What was written. Only text that was written here gets here: everything else has another hash."""
    payload, found_at_s, matched, statement = json.loads(text)
    names, signed_at_s, source, log_included, named = matched
    identity = None if named is None else CertificateIdentity(named[0], named[1], BuildIdentity(*named[2]))
    claim, kind, subjects, resources, exhaustive, depends_on, stated_at_s, facts, predicate, *rest = statement
    located, folders, frame = rest
    about = _read_subjects(subjects)
    return Known(
        payload,
        Matched(tuple(names), signed_at_s, TimeSource(source), log_included, identity),
        Statement(
            claim,
            kind,
            about,
            about if resources is None else _read_subjects(resources),
            exhaustive,
            tuple(depends_on),
            stated_at_s,
            facts,
            predicate,
            located,
            tuple(folders),
            frame,
        ),
        found_at_s,
    )


_Row: TypeAlias = tuple[str, Digest | None, dict[str, str], tuple[str, list[str]] | None]


def _read_subjects(subjects: Iterable[_Row]) -> tuple[Subject, ...]:
    return tuple(
        Subject(name, digest, others, None if revision is None else Revision(revision[0], tuple(revision[1])))
        for name, digest, others, revision in subjects
    )
