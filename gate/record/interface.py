"""What every decision log can do, wherever it is kept; and what is read from it in one way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from gate.errors import EvidenceError
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.digest import Digest, parse_digest, sha256_digest
from gate.model.json import JsonObject
from gate.model.record import Checkpoint, Entry, Floor, Query, Record, Recorded
from gate.record.chain import record_hash


class DecisionLog(Protocol):
    """An append-only log. All methods raise `RecordError` or `EvidenceError` where the log cannot be used.

    Nothing of it is trusted on reading: what has a digest or a hash is compared with it, here and by `verify`.
    """

    @property
    def name(self) -> str:
        """Where the log is, for people."""

    def append(self, entries: Sequence[Entry], at_s: int) -> tuple[Record, ...]:
        """Appends all or none; they are durable when this returns. Raises `RecordError`, also when that is unknown."""

    def size(self) -> int:
        """How many records were ever appended."""

    def last(self) -> Record | None:
        """The record that was appended last."""

    def get(self, identity: str) -> Record | None:
        """The record with an id."""

    def probe(self) -> None:
        """Writes, as appending does, and changes nothing; raises `RecordError`."""

    def interrupt(self) -> None:
        """Ends what another thread does with the log, which then raises; for one that does not answer."""

    def floor(self) -> Floor:
        """Where the log begins."""

    def records(self, start: int = 0, *, newest_first: bool = False) -> Iterator[Record]:
        """The records from `start` on, in order, as of one moment."""

    def find(self, identity: str) -> tuple[Record, ...]:
        """The records whose id begins so, two at most."""

    def blob(self, digest: Digest) -> bytes | None:
        """The bytes stored under a digest, whatever they are now; `None` when there are none."""

    def blobs(self, part: int = 0, parts: int = 1) -> Iterator[tuple[Digest, bytes]]:
        """All of them, or one of so many equal parts."""

    def helper(self, part: int, parts: int) -> Sequence[str] | None:
        """The command that looks at a part of them in a process of its own; `None` where there is none."""

    def policies(self) -> Iterator[tuple[int, Digest]]:
        """The policies that judged, each with the first record that names it."""

    def named(self) -> Iterator[tuple[int, Digest]]:
        """The records, and the digests in them: of their decisions and documents, and each policy once."""

    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """The checkpoints by size."""

    def last_checkpoint(self) -> Checkpoint | None:
        """The checkpoint of most records."""

    def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Stores one; one of the same size that is there already is kept."""

    def consumers(self) -> Mapping[str, int]:
        """How many records each consumer of exports has acknowledged."""

    def acknowledge(self, consumer: str, size: int) -> None:
        """A consumer has the first `size` records; never goes back."""

    def prune(self, floor: Floor) -> int:
        """Removes the records below a floor, and what only they refer to; how many records that were."""

    def close(self) -> None:
        """Gives up what is open."""


def recorded(log: DecisionLog, record: Record) -> Recorded:
    """A record with its decision; raises `EvidenceError` unless the stored bytes are what the record names."""
    decision = _object(log, record, record.decision, "decision")
    digests = decision.get("digests")
    named = digests if isinstance(digests, dict) else {}
    if (decision.get("id"), named.get("input"), named.get("policy")) != (record.id, record.document, record.policy):
        raise EvidenceError(f"record {record.seq}: its decision is not the one that it names", hint="gate log verify")
    check_record(record)
    return Recorded(record, decision)


def check_record(record: Record) -> None:
    """Raises `EvidenceError` for a record that is not what was hashed."""
    if record_hash(record) != record.hash:
        raise EvidenceError(f"record {record.seq} was changed", hint="gate log verify")


def find_decision(log: DecisionLog, identity: str) -> Recorded | None:
    """The decision with an id, or with the only id that begins so; raises `EvidenceError` for several."""
    found = log.find(identity)
    exact = [record for record in found if record.id == identity]
    if not exact and len(found) > 1:
        raise EvidenceError(f"several decisions have an id that begins with {identity}", hint="give more of it")
    return recorded(log, (exact or found)[0]) if found else None


def input_document(log: DecisionLog, item: Recorded) -> JsonObject:
    """The input document that a decision was made from; raises `EvidenceError`."""
    return _object(log, item.record, item.document, "input document")


def policy_files(log: DecisionLog, item: Recorded) -> Mapping[str, bytes]:
    """The files of the policy that judged, by path; raises `EvidenceError`."""
    manifest = _object(log, item.record, item.policy, "policy")
    files = {}
    for path, named in manifest.items():
        digest = parse_digest(named) if isinstance(named, str) else None
        if digest is None:
            raise EvidenceError(f"record {item.seq}: its policy is no list of files", hint="gate log verify")
        files[path] = _bytes(log, item.record, digest, f"policy file {path}")
    return files


def search(log: DecisionLog, query: Query, *, newest_first: bool = True) -> Iterator[Record]:
    """The records that fit, the newest first unless said otherwise."""
    return (record for record in log.records(newest_first=newest_first) if _fits(record, query))


def summary_of(record: Record) -> JsonObject:
    """What a record says that its decision can be looked up by; raises `EvidenceError`."""
    try:
        return loads_object(record.summary.encode())
    except StrictJsonError as error:
        raise EvidenceError(f"record {record.seq}: {error}", hint="gate log verify") from None


def _fits(record: Record, query: Query) -> bool:
    if query.since_s is not None and record.at_s < query.since_s:
        return False
    if query.until_s is not None and record.at_s >= query.until_s:
        return False
    wanted = [text for text in (query.artifact, query.signer, query.control, query.verdict) if text is not None]
    # Names that need no escape in JSON stand in the text as they are, and most records hold none of them.
    if any(text.isascii() and text.isprintable() and not set(text) & {'"', "\\"} and text not in record.summary
           for text in wanted):  # fmt: skip
        return False
    if not wanted:
        return True
    summary = summary_of(record)
    artifacts, controls, signers = (summary.get(key) for key in ("artifacts", "controls", "signers"))
    named = artifacts if isinstance(artifacts, dict) else {}
    return (
        (query.artifact is None or query.artifact in named or query.artifact in named.values())
        and (query.signer is None or (isinstance(signers, list) and query.signer in signers))
        and (query.control is None or (isinstance(controls, dict) and query.control in controls))
        and (query.verdict is None or summary.get("verdict") == query.verdict)
    )


def _object(log: DecisionLog, record: Record, digest: Digest, what: str) -> JsonObject:
    try:
        return loads_object(_bytes(log, record, digest, what), limit=1 << 30)
    except StrictJsonError as error:
        raise EvidenceError(f"record {record.seq}: its {what} cannot be read: {error}") from None


def _bytes(log: DecisionLog, record: Record, digest: Digest, what: str) -> bytes:
    data = log.blob(digest)
    if data is None:
        raise EvidenceError(f"record {record.seq}: its {what} is not in the log", hint="gate log verify")
    if sha256_digest(data) != digest:
        raise EvidenceError(f"record {record.seq}: its {what} was changed", hint="gate log verify")
    return data
