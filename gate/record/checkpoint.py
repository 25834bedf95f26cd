"""Checkpoints of the decision log: made with a key, proved with public ones.

A checkpoint is signed only when it goes on from the last one: the hashes that it is made from are those that the last
one signed, so no two checkpoints of a log disagree, whatever was done to the records in between. Who takes the last one
away too, or puts an older copy in the place of the log, is found by a checkpoint that was kept elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from gate.errors import ConfigError, EvidenceError, RecordError
from gate.formats.checkpoint import (
    ECDSA,
    ED25519,
    CheckpointError,
    InclusionProof,
    Note,
    NoteSignature,
    Tree,
    key_id,
    note_text,
    parse_note,
    signed_note,
    verifier_key,
)
from gate.formats.merkle import Tail, extend, leaf_hash, root_by_inclusion, root_of
from gate.model.digest import hex_of
from gate.model.record import Checkpoint, Floor, Record
from gate.record.chain import record_bytes, record_hash
from gate.record.interface import DecisionLog

_BLOCK: Final = "a checkpoint is not made over a log that was changed"


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key that may sign checkpoints. `text` is how other programs are given it."""

    name: str
    key_id: bytes
    text: str
    verifies: Callable[[bytes, bytes], bool]


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """A private key that signs checkpoints, with its public half."""

    key: NoteKey
    sign: Callable[[bytes], bytes]


def note_key(name: str, pem: bytes, origin: str) -> NoteKey:
    """The key of a log from its PEM text; raises `ConfigError` for any but Ed25519 and ECDSA P-256."""
    try:
        key = load_pem_public_key(pem)
    except Exception:  # noqa: BLE001 - the library documents no closed set
        raise ConfigError(f"{origin} is not a public key in PEM") from None
    if isinstance(key, ed25519.Ed25519PublicKey):
        kind, public = ED25519, key.public_bytes_raw()
    elif isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == "secp256r1":
        kind, public = ECDSA, key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        raise ConfigError(
            f"{origin}: checkpoints are signed with Ed25519 or ECDSA P-256", hint="gate keygen --type ed25519"
        )

    def verifies(signature: bytes, data: bytes) -> bool:
        try:
            if isinstance(key, ed25519.Ed25519PublicKey):
                key.verify(signature, data)
            else:
                key.verify(signature, data, ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True

    return NoteKey(name, key_id(name, kind, public), verifier_key(name, kind, public), verifies)


def proved(note: Note, keys: Sequence[NoteKey]) -> str | None:
    """Why no key of ours signed a checkpoint; `None` if one did. A signature by one of ours that is wrong refuses."""
    found = False
    for item in note.signatures:
        for key in keys:
            if (key.name, key.key_id) == (item.name, item.key_id):
                if not key.verifies(item.signature, note.signed):
                    return "its signature is wrong"
                found = True
    return None if found else "none of the known keys signed it"


def make_checkpoint(log: DecisionLog, signer: NoteSigner, keys: Sequence[NoteKey]) -> Checkpoint | None:
    """Signs the head of the log and stores that; `None` for an empty log, the last checkpoint where nothing was added.

    `keys` are all that checkpoints are proved with, where that is known: the signer's has to be among them. Raises
    `RecordError` where the log does not go on from what was signed last.
    """
    size, floor = log.size(), log.floor()
    last = log.last_checkpoint()
    if last is None:
        start = floor
    else:
        _check_last(log, last, (*keys, signer.key), signer.key.name)
        start = Floor(last.size, floor.prev, last.peaks)
    if size < start.size:
        raise RecordError(f"{log.name}: the log has {size} records, and {start.size} were signed", hint=_BLOCK)
    if size == start.size:
        return last
    if keys and signer.key.text not in {key.text for key in keys}:
        raise RecordError(
            f"{log.name}: the key that signs is none of those that checkpoints are proved with",
            hint="name its public key under record.checkpoint.public_keys, beside the earlier ones",
        )
    peaks = list(start.peaks)
    expected, prev = start.size, None if last else floor.prev
    for record in log.records(start.size):
        if record.seq != expected or record.hash != record_hash(record) or prev not in {None, record.prev}:
            raise RecordError(f"{log.name}: record {expected} is gone or was changed", hint=_BLOCK)
        extend(expected, peaks, bytes.fromhex(hex_of(record.hash)))
        expected, prev = expected + 1, record.hash
    tree = Tree(signer.key.name, expected, root_of(peaks))
    signature = NoteSignature(signer.key.name, signer.key.key_id, signer.sign(note_text(tree)))
    note = signed_note(tree, [signature])
    problem = proved(parse_note(note), [signer.key])
    if problem is not None:
        raise RecordError(f"{log.name}: the new checkpoint is not valid: {problem}", hint="look at the key")
    checkpoint = Checkpoint(expected, note, tuple(peaks))
    log.add_checkpoint(checkpoint)
    return checkpoint


def inclusion(log: DecisionLog, record: Record) -> InclusionProof:
    """The proof that a record is in the log, up to the last checkpoint; raises `EvidenceError`."""
    after = [checkpoint for checkpoint in log.checkpoints() if checkpoint.size > record.seq]
    if not after:
        raise EvidenceError(f"no checkpoint was made since record {record.seq}", hint="gate log checkpoint")
    checkpoint, floor = after[-1], log.floor()
    leaves = []
    for item in log.records(floor.size):
        if item.seq >= checkpoint.size:
            break
        leaves.append(leaf_hash(record_bytes(item)))
    try:
        hashes = tuple(Tail(floor.size, floor.peaks, leaves).inclusion(record.seq))
        proof = InclusionProof(record_bytes(record), record.seq, hashes, checkpoint.note)
        check_inclusion(proof)
    except (ValueError, CheckpointError) as error:
        raise EvidenceError(f"{log.name}: no proof can be made: {error}", hint="gate log verify") from None
    return proof


def check_inclusion(proof: InclusionProof) -> Note:
    """The checkpoint that a proof leads to; raises `CheckpointError`. Whether it is signed, `proved` says."""
    note = parse_note(proof.note)
    root = root_by_inclusion(leaf_hash(proof.record), proof.index, note.tree.size, proof.hashes)
    if root != note.tree.root:
        raise CheckpointError("the proof does not lead from the record to the root of the checkpoint")
    return note


def _check_last(log: DecisionLog, last: Checkpoint, keys: Sequence[NoteKey], origin: str) -> None:
    try:
        note = parse_note(last.note)
    except CheckpointError as error:
        raise RecordError(f"{log.name}: its last checkpoint cannot be read: {error}", hint=_BLOCK) from None
    problem = proved(note, keys)
    if problem is None and (note.tree.size, note.tree.root) != (last.size, root_of(last.peaks)):
        problem = "it is not over the tree that is stored with it"
    if problem is None and last.size.bit_count() != len(last.peaks):
        problem = "the tree that is stored with it has another size"
    if problem is None and note.tree.origin != origin:
        problem = f"it is of the log {note.tree.origin}, and this one is {origin}"
    if problem is not None:
        raise RecordError(f"{log.name}: the last checkpoint, of {last.size} records: {problem}", hint=_BLOCK)
