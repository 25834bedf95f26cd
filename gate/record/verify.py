"""What `gate log verify` does: finds edits, deletions, reordering and truncation (SECURITY 36).

1. Every record has the hash that is stored with it, names the hash of the one before it, and none is left out.
2. Every checkpoint, those of the log and those that were kept elsewhere, is signed by a known key, and its root is over
   the first records as they are now. That finds what somebody rewrote together with all hashes after it; what was cut
   off together with its checkpoints, only a checkpoint that was kept elsewhere finds.
3. All that records name by digest (decisions, input documents, policies) is there and has that digest.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from gate.errors import EvidenceError
from gate.formats.checkpoint import CheckpointError, Note, parse_note
from gate.formats.merkle import extend, leaf_hash, root_of
from gate.model.digest import Digest
from gate.model.record import RECORD_SCHEMA, CheckedNote, Checkpoint, Floor, LogFinding, LogVerification, Record
from gate.record.chain import record_bytes, record_hash
from gate.record.checkpoint import NoteKey, proved
from gate.record.contents import MAX_FINDINGS, Contents
from gate.record.interface import DecisionLog

# The parts that are put together for the hash have to be what they claim, so that only one record has it.
_DIGEST: Final = '"sha256:[0-9a-f]{64}"'
_SHAPE: Final = re.compile(
    f'{{"at_s":[0-9]+,"decision":{_DIGEST},"document":{_DIGEST},"id":"[0-9A-Z]{{1,64}}","policy":{_DIGEST},'
    f'"prev":{_DIGEST},"schema":"{RECORD_SCHEMA}","seq":[0-9]+,"summary":{{'.encode()
)
_NO_KEY: Final = "the signatures of checkpoints, for lack of a public key"
_NO_NOTE: Final = "whether the log was cut off or rewritten as a whole, for lack of a checkpoint"
_PRUNED: Final = "the checkpoint of {size} records that was kept elsewhere: some that came after them were pruned"
_OTHER_TREE: Final = "checkpoint of {size} records: the tree that is stored with it is another one"
_OTHER_ROOT: Final = "the first {size} records are not those that it signs"


def verify_log(log: DecisionLog, keys: Sequence[NoteKey], witnesses: Sequence[str] = ()) -> LogVerification:
    """Looks at everything in a log. `witnesses` are checkpoints that were kept elsewhere.

    Bad logs raise nothing: what cannot be read is a finding. Without `keys`, signatures are not checked, and that is
    said.
    """
    found: list[LogFinding] = []
    chain = Chain(Floor())
    contents = 0
    notes: list[tuple[str, int | None]] = []
    try:
        stored = log.checkpoints()
        notes = [(item.note, item.size) for item in stored]
        found += _trees(stored)
        chain = Chain(log.floor(), sizes={item.size for item in stored} | sizes(witnesses))
        with Contents(log) as checker:
            for record in log.records(chain.size):
                chain.add(record)
            contents = checker.run()
            found += checker.findings
    except EvidenceError as error:
        detail = f"{error}; {error.hint}" if error.hint else str(error)
        found.append(LogFinding("log.unreadable", None, detail))
        chain.is_whole = False
    checked, problems, unchecked = compared(chain, [*notes, *((text, None) for text in witnesses)], keys)
    found = [*chain.changed(), *chain.findings, *found, *problems]
    return LogVerification(
        name=log.name,
        first=chain.first,
        records=chain.count,
        contents=contents,
        root=chain.root,
        findings=tuple(found[:MAX_FINDINGS]),
        checkpoints=checked,
        unchecked=unchecked,
    )


class Chain:
    """The records of a log, added in order; what is wrong with them, and the roots at the sizes that are asked for."""

    def __init__(self, floor: Floor, sizes: Iterable[int] = ()) -> None:
        self.first = self.size = floor.size
        self.count = 0
        self.findings: list[LogFinding] = []
        self.is_whole = floor.size.bit_count() == len(floor.peaks)
        """Whether the tree is known: nothing before is gone, and it could all be read."""
        self._prev = floor.prev
        self._peaks = list(floor.peaks)
        self._sizes = frozenset(sizes)
        self.roots: dict[int, bytes] = {}
        self._changed: list[Record] = []
        self._keep_wanted()

    @property
    def root(self) -> Digest | None:
        """The root over all records."""
        return Digest(f"sha256:{root_of(self._peaks).hex()}") if self.is_whole else None

    def add(self, record: Record) -> None:
        """Looks at the next record."""
        data = record_bytes(record)
        own = leaf_hash(data)
        if record.seq != self.size:
            gone = "it is gone" if record.seq == self.size + 1 else f"it is gone, and so is all up to {record.seq - 1}"
            self._say("record.missing", self.size, gone)
            self.is_whole = False
            self.size = record.seq
        elif record.prev != self._prev:
            self._say("chain.broken", record.seq, "it does not name the hash of the record before it")
        if (f"sha256:{own.hex()}" != record.hash or not _SHAPE.match(data)) and len(self._changed) < MAX_FINDINGS:
            self._changed.append(record)
        self._prev = record.hash
        if self.is_whole:
            extend(self.size, self._peaks, own)
        self.size += 1
        self.count += 1
        self._keep_wanted()

    def changed(self) -> Iterator[LogFinding]:
        """The records that are not what was hashed; those that only stand in another place are said to."""
        places = {record.seq for record in self._changed}
        for record in self._changed:
            near = sorted(places | {record.seq - 1, record.seq + 1} - {record.seq})
            place = next((seq for seq in near if record_hash(replace(record, seq=seq)) == record.hash), None)
            if place is None:
                yield LogFinding("record.changed", record.seq, "it is not what was hashed when it was appended")
            else:
                yield LogFinding("record.moved", record.seq, f"it was record {place} when it was appended")

    def keep_root(self) -> None:
        """Keeps the root over the records so far."""
        if self.is_whole:
            self.roots[self.size] = root_of(self._peaks)

    def _keep_wanted(self) -> None:
        if self.size in self._sizes:
            self.keep_root()

    def _say(self, code: str, seq: int, detail: str) -> None:
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(LogFinding(code, seq, detail))


def sizes(witnesses: Iterable[str]) -> set[int]:
    """The sizes of the checkpoints that can be read; what is wrong with others is said where they are compared."""
    found = set()
    for text in witnesses:
        with contextlib.suppress(CheckpointError):
            found.add(parse_note(text).tree.size)
    return found


def compared(
    chain: Chain, notes: Sequence[tuple[str, int | None]], keys: Sequence[NoteKey]
) -> tuple[tuple[CheckedNote, ...], tuple[LogFinding, ...], tuple[str, ...]]:
    """Checkpoints, each with the size under which it is stored, compared with a chain.

    What they prove, what is wrong with them, and what was not looked at.
    """
    checked = tuple(_checked(text, chain, keys, size) for text, size in notes)
    unchecked = [_NO_KEY] if checked and not keys else [] if checked else [_NO_NOTE]
    kept = (item.size for item, (_, size) in zip(checked, notes, strict=True) if size is None and item.problem is None)
    unchecked += [_PRUNED.format(size=size) for size in kept if size < chain.first]
    return checked, tuple(_of_notes(checked, chain)), tuple(unchecked)


def _trees(stored: Sequence[Checkpoint]) -> Iterator[LogFinding]:
    """The trees that are stored beside checkpoints, from which later ones are made, have to be those that they sign."""
    for item in stored:
        with contextlib.suppress(CheckpointError):  # told where the notes are compared
            tree = parse_note(item.note).tree
            is_it = item.size.bit_count() == len(item.peaks) and tree.root == root_of(item.peaks)
            if tree.size == item.size and not is_it:
                yield LogFinding("checkpoint.refused", None, _OTHER_TREE.format(size=item.size))


def _checked(text: str, chain: Chain, keys: Sequence[NoteKey], size: int | None) -> CheckedNote:
    try:
        note = parse_note(text)
    except CheckpointError as error:
        return CheckedNote("", size or 0, str(error))
    return CheckedNote(note.tree.origin, note.tree.size, _problem(note, chain, keys, size))


def _problem(note: Note, chain: Chain, keys: Sequence[NoteKey], size: int | None) -> str | None:
    tree = note.tree
    problem = proved(note, keys) if keys else None
    if problem is not None:
        return problem
    if size not in {None, tree.size}:
        return f"it is stored as one of {size} records"
    if tree.size > chain.size:
        return f"the log has only {chain.size} of the {tree.size} records that it signs"
    if tree.size < chain.first:
        return None  # what it speaks of was removed after it had been signed again
    root = chain.roots.get(tree.size)
    if root is None:
        return "something before it is gone or cannot be read"
    return None if root == tree.root else _OTHER_ROOT.format(size=tree.size)


def _of_notes(checked: Sequence[CheckedNote], chain: Chain) -> Iterator[LogFinding]:
    for item in checked:
        if item.problem is not None:
            code = "log.truncated" if item.size > chain.size else "checkpoint.refused"
            yield LogFinding(code, None, f"checkpoint of {item.size} records: {item.problem}")
    if chain.first and not any(item.size == chain.first and item.problem is None for item in checked):
        yield LogFinding(
            "floor.unproved", None, f"the first {chain.first} records are gone, and no checkpoint is there"
        )
