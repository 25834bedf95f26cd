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
from gate.model.record import RECORD_SCHEMA, Floor, LogFinding, LogVerification, Record
from gate.record.chain import record_bytes
from gate.record.checkpoint import NoteKey
from gate.record.interface import DecisionLog, recorded
from gate.record.verify import Chain, compared, sizes

MAX_LINE: Final = 256 << 20
_NOTE: Final = b'{"checkpoint":'
_TORN: Final = "it ends in the middle of a line"


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
        if line.startswith(_NOTE):
            with contextlib.suppress(StrictJsonError):
                yield str(loads_object(line, limit=MAX_LINE).get("checkpoint"))


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
    checked, findings, unchecked = compared(chain, [(note, None) for note in (*reading.notes, *witnesses)], keys)
    if chain.first and not chain.is_whole:
        unchecked = (*unchecked, f"the root, for lack of the {chain.first} records before these")
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
        self.notes: list[str] = []
        self._seen: dict[int, Digest] = {}
        self._witnesses = witnesses

    def add(self, number: int, line: bytes) -> None:
        try:
            value = loads_object(line, limit=MAX_LINE)
            if "checkpoint" in value:
                self.notes.append(str(value["checkpoint"]))
                self.chain.keep_root()
                return
            record, decision = _parts(value)
        except (StrictJsonError, CanonicalJsonError, EvidenceError) as error:
            self.findings.append(LogFinding("log.unreadable", None, f"line {number}: {error}"))
            return
        if self._seen.get(record.seq) == record.hash:
            return  # came twice
        if not self._seen:
            self.chain = Chain(Floor(record.seq, record.prev) if record.seq else Floor(), sizes(self._witnesses))
        self._seen[record.seq] = record.hash
        self.chain.add(record)
        if sha256_digest(decision) != record.decision:
            self.findings.append(LogFinding("content.changed", record.seq, "its decision was changed"))


def _parts(value: JsonObject) -> tuple[Record, bytes]:
    """The record of a line, and the canonical JSON of its decision; raises `EvidenceError`."""
    item, decision, own = value.get("record"), value.get("decision"), value.get("hash")
    if not isinstance(item, Mapping) or not isinstance(decision, Mapping) or item.get("schema") != RECORD_SCHEMA:
        raise EvidenceError("not a record of a decision log")
    seq, at_s, summary = item.get("seq"), item.get("at_s"), item.get("summary")
    words = [item.get(name) for name in ("id", "decision", "document", "policy", "prev")]
    texts = [word for word in (*words, own) if isinstance(word, str)]
    if type(seq) is not int or type(at_s) is not int or not isinstance(summary, Mapping) or len(texts) != 6:
        raise EvidenceError("not a record of a decision log")
    identity, *digests = texts
    named, document, policy, prev, hashed = (Digest(text) for text in digests)
    record = Record(seq, identity, at_s, named, document, policy, prev, dumps(summary).decode(), hashed)
    return record, dumps(decision)
