"""An entry of a transparency log: that it is in the log, what the log promises, and what it is about.

Sources: RFC 6962 section 2.1.1, C2SP signed-note and tlog-checkpoint, and for promises sigstore/rekor. What is proved
by an inclusion proof and a signed checkpoint is inclusion; a promise alone proves a time, and that the log said so.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gate.formats.canonical_json import dumps
from gate.formats.certificate_material import InclusionProof, LogEntry
from gate.formats.dsse import Envelope
from gate.formats.log_body import LogBodyError, Record, read_body
from gate.formats.message import MessageSignature
from gate.verify.certificate import KeylessError
from gate.verify.keys import TrustedKey
from gate.verify.sigstore.root import Log

_SIGNATURE: Final = re.compile(r"\u2014 (\S+) ([A-Za-z0-9+/]+={0,2})")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed note about a tree: the text that is signed, and the signatures by name, with their hints."""

    origin: str
    tree_size: int
    root_hash: bytes
    signed: bytes
    signatures: tuple[tuple[str, bytes, bytes], ...]

    @property
    def name(self) -> str:
        """In whose name the log signs: the origin, without the number of its tree."""
        return self.origin.partition(" ")[0]


def read_checkpoint(text: str) -> Checkpoint:
    """The checkpoint in a note; raises `KeylessError`."""
    note, separator, signatures = text.partition("\n\n")
    lines = note.split("\n")
    is_whole = separator and signatures.endswith("\n") and "\n\n" not in signatures
    if not is_whole or len(lines) < 3 or not _SIZE.fullmatch(lines[1]) or not lines[0]:
        raise KeylessError("log", "the checkpoint is no signed note about a tree")
    found = [_SIGNATURE.fullmatch(line) for line in signatures.removesuffix("\n").split("\n")]
    try:
        root = _bytes(lines[2])
        raw = [(match[1], _bytes(match[2])) for match in found if match is not None]
    except binascii.Error:
        raise KeylessError("log", "the checkpoint is no signed note about a tree") from None
    if len(raw) != len(found):
        raise KeylessError("log", "the checkpoint holds a line that is no signature")
    listed = tuple((name, data[:4], data[4:]) for name, data in raw)
    return Checkpoint(lines[0], int(lines[1]), root, f"{note}\n".encode(), listed)


def _bytes(text: str) -> bytes:
    """The bytes in base64 that is written in its one way, so that no two notes are the same checkpoint."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode("ascii") != text:
        raise binascii.Error
    return data


def check_inclusion(entry: LogEntry, proof: InclusionProof) -> None:
    """Raises `KeylessError` unless the proof leads from the entry to its root."""
    index, last = proof.index, proof.tree_size - 1
    if not 0 <= index <= last:
        raise KeylessError("log", "the log entry lies beyond its tree")
    found = hashlib.sha256(b"\0" + entry.body).digest()
    for item in proof.hashes:
        if last == 0:
            raise KeylessError("log", "the inclusion proof is longer than its tree is high")
        if index % 2 == 1 or index == last:
            found = hashlib.sha256(b"\1" + item + found).digest()
            while index % 2 == 0 and index:
                index, last = index // 2, last // 2
        else:
            found = hashlib.sha256(b"\1" + found + item).digest()
        index, last = index // 2, last // 2
    if last != 0:
        raise KeylessError("log", "the inclusion proof is shorter than its tree is high")
    if found != proof.root_hash:
        raise KeylessError("log", "the inclusion proof does not lead to its root")


def check_logged(entry: LogEntry, logs: Mapping[str, tuple[Log, ...]], times: Collection[int]) -> None:
    """Raises `KeylessError` unless a log of the root holds the entry, or promises it, with every word that it says.

    The log's key has to be one that was trusted at all these times: the trusted times of the signature.
    """
    keys = logs.get(entry.log)
    if keys is None:
        raise KeylessError("log", f"the log {entry.log[:80]!r} is not in the trusted root")
    trusted = [log for log in keys if all(log.span.holds(at_s) for at_s in times)]
    current = [(log.key, log.hints) for log in trusted if log.key is not None]
    if not current:
        raise KeylessError("log", "no key of its log was trusted when the signature was made")
    if entry.proof is not None:
        _check_proof(entry, entry.proof, current)
    if entry.unsigned is not None:
        check_inclusion(entry, entry.unsigned)
    if entry.promise is not None:
        promise, words = entry.promise, _promised(entry)
        if not any(key.verifies(promise, words) for key, _ in current):
            raise KeylessError("log", "the promise of the log entry is not by its log")


def _check_proof(
    entry: LogEntry, proof: InclusionProof, current: Sequence[tuple[TrustedKey, frozenset[bytes]]]
) -> None:
    """`current` are the keys of the log with their hints: what is signed in the name and hint of one has to hold."""
    check_inclusion(entry, proof)
    checkpoint = read_checkpoint(proof.checkpoint)
    if checkpoint.tree_size != proof.tree_size or checkpoint.root_hash != proof.root_hash:
        raise KeylessError("log", "the checkpoint is of another tree than the inclusion proof")
    by_log = [
        (sig, [key for key, hints in current if hint in hints])
        for name, hint, sig in checkpoint.signatures
        if name == checkpoint.name
    ]
    found = [any(key.verifies(sig, checkpoint.signed) for key in keys) for sig, keys in by_log if keys]
    if not found:
        raise KeylessError("log", "the checkpoint is not signed by its log")
    if not all(found):
        raise KeylessError("log", "the checkpoint holds a signature in the name of its log that is not the log's")


def _promised(entry: LogEntry) -> bytes:
    return dumps(
        {
            "body": base64.b64encode(entry.body).decode("ascii"),
            "integratedTime": entry.integrated_s or 0,
            "logID": base64.b64decode(entry.log).hex(),
            "logIndex": entry.index,
        }
    )


def check_record(
    entry: LogEntry, content: Envelope | MessageSignature, signature: bytes, is_signer: Callable[[Record], bool]
) -> None:
    """Raises `KeylessError` unless the entry records this very signature, by this signer (CVE-2022-36056).

    One kind, `intoto/0.0.1`, records signer and payload and not the signature: who has the key of a certificate that
    lives for minutes signed this payload, which is what the entry is asked about.
    """
    try:
        record = read_body(entry.kind, entry.body)
    except LogBodyError as error:
        raise KeylessError("log", str(error)) from None
    if not is_signer(record):
        raise KeylessError("log", "the log entry is about another signer")
    if record.signature is not None and record.signature != signature:
        raise KeylessError("log", "the log entry is about another signature")
    if isinstance(content, Envelope):
        agrees = _is_hash(record.payload, content.payload) and _is_hash(record.signed, content.signed_bytes)
    else:
        agrees = record.payload is None and record.signed == (content.algorithm, content.digest)
    if not agrees:
        raise KeylessError("log", "the log entry is about something else than what is signed")


def _is_hash(recorded: tuple[str, bytes] | None, data: bytes) -> bool:
    return recorded is None or hashlib.new(recorded[0], data).digest() == recorded[1]
