"""The log as JSON Lines, for other systems: a record with its decision a line, and the checkpoints in their places.

Lines come at least once: a consumer acknowledges what it has, and gets the rest again until then. `id` tells records
apart that came twice. A file of such lines proves itself: it holds the whole chain.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from gate.errors import EvidenceError
from gate.formats.canonical_json import CanonicalJsonError, dumps
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.digest import Digest, sha256_digest
from gate.model.json import JsonObject
from gate.model.record import Floor, LogFinding, LogVerification, Record
from gate.record.chain import record_bytes, record_hash
from gate.record.checkpoint import NoteKey
from gate.record.interface import DecisionLog, recorded
from gate.record.verify import Chain, compared, sizes

MAX_LINE: Final = 256 << 20
_NOTE: Final = b'"checkpoint"'
_MEMBERS: Final = frozenset({"decision", "hash", "id", "record"})
_TORN: Final = "it ends in the middle of a line"
_BEHIND: Final = (
    "the root, for lack of the {} records before these: verify the lines behind those that were exported before"
)


def export_lines(log: DecisionLog, start: int, limit: int | None = None) -> Iterator[bytes]:
    """The records from `start` on, each with its decision, and the checkpoints; raises `EvidenceError`."""
    checkpoints = {item.size: item.note for item in log.checkpoints()}
    for record in islice(log.records(start), limit):
        decision = recorded(log, record).decision
        item = loads_object(record_bytes(record))
        yield dumps({"decision": decision, "hash": record.hash, "id": record.id, "record": item}) + b"\n"
        if record.seq + 1 in checkpoints:
            yield dumps({"checkpoint": checkpoints[record.seq + 1], "size": record.seq + 1}) + b"\n"


def exported_notes(lines: Iterable[bytes]) -> Iterator[str]:
    """The checkpoints among exported lines; what cannot be read is left to `verify_lines`."""
    for line in lines:
        if _NOTE in line:
            with contextlib.suppress(StrictJsonError):
                value = loads_object(line, limit=MAX_LINE)
                if "checkpoint" in value:
                    yield str(value["checkpoint"])


def verify_lines(
    name: str, lines: Iterable[bytes], keys: Sequence[NoteKey], witnesses: Sequence[str]
) -> LogVerification:
    """Looks at exported lines like `verify_log` at a log. Without those before them, roots cannot be compared."""
    reading = _Reading(witnesses)
    for number, line in enumerate(lines, 1):
        if not line.endswith(b"\n"):
            reading.findings.append(LogFinding("tail.torn", None, f"line {number}: {_TORN}"))
        else:
            reading.add(number, line)
    chain = reading.chain
    notes = [*reading.notes, *((note, None) for note in witnesses)]
    checked, findings, unchecked = compared(chain, notes, keys)
    if chain.first:
        unchecked = (*unchecked, _BEHIND.format(chain.first))
    return LogVerification(
        name=name,
        first=chain.first,
        records=chain.count,
        contents=chain.count,
        root=chain.root,
        findings=(*chain.changed(), *chain.findings, *reading.findings, *findings),
        checkpoints=checked,
        unchecked=unchecked,
    )


class _Reading:
    def __init__(self, witnesses: Sequence[str]) -> None:
        self.chain = Chain(Floor())
        self.findings: list[LogFinding] = []
        self.notes: list[tuple[str, int | None]] = []
        self._seen: dict[int, Digest] = {}
        self._witnesses = witnesses

    def add(self, number: int, line: bytes) -> None:
        try:
            value = loads_object(line, limit=MAX_LINE)
            if value.keys() == {"checkpoint", "size"}:
                self.notes.append((str(value["checkpoint"]), _size(value)))
                self.chain.keep_root()
                return
            record, decision = _parts(value)
        except (StrictJsonError, CanonicalJsonError, EvidenceError) as error:
            self.findings.append(LogFinding("log.unreadable", None, f"line {number}: {error}"))
            return
        own = record_hash(record)
        if sha256_digest(decision) != record.decision:
            self.findings.append(LogFinding("content.changed", record.seq, "its decision was changed"))
        if record.seq in self._seen:
            if (self._seen[record.seq], own) != (own, record.hash):
                self.findings.append(LogFinding("record.changed", record.seq, "it came twice, and not the same"))
            return
        if not self._seen:
            self.chain = Chain(Floor(record.seq, record.prev) if record.seq else Floor(), sizes(self._witnesses))
        self._seen[record.seq] = own
        self.chain.add(record)


def _parts(value: JsonObject) -> tuple[Record, bytes]:
    """The record of a line, and the canonical JSON of its decision; raises `EvidenceError`."""
    item, decision, own = value.get("record"), value.get("decision"), value.get("hash")
    if not isinstance(item, Mapping) or not isinstance(decision, Mapping) or value.keys() != _MEMBERS:
        raise EvidenceError("not a record of a decision log")
    seq, at_s, summary = item.get("seq"), item.get("at_s"), item.get("summary")
    words = [item.get(name) for name in ("id", "decision", "document", "policy", "prev")]
    texts = [word for word in (*words, own) if isinstance(word, str)]
    if type(seq) is not int or type(at_s) is not int or not isinstance(summary, Mapping) or len(texts) != 6:
        raise EvidenceError("not a record of a decision log")
    identity, *digests = texts
    named, document, policy, prev, hashed = (Digest(text) for text in digests)
    record = Record(seq, identity, at_s, named, document, policy, prev, dumps(summary).decode(), hashed)
    # What is shown has to be what is hashed: every member, and the id by which lines are told apart.
    if value["id"] != identity or dumps(item) != record_bytes(record):
        raise EvidenceError("it says more than its record, or something else")
    return record, dumps(decision)


def _size(value: JsonObject) -> int:
    """The size under which a checkpoint stands; none has -1."""
    size = value["size"]
    return size if type(size) is int else -1
