"""Checkpoints of a transparency log: signed notes about the head of its Merkle tree, and proofs that end in one.

The formats are tlog-checkpoint, signed-note and tlog-proof@v1 of C2SP. A note is a text and lines of signatures; the
text of a checkpoint is the log's origin, the number of its records and the root over them. Extension lines are read and
never written.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

ED25519: Final = 1
ECDSA: Final = 2
MAX_NOTE: Final = 64 << 10
_HASH_BYTES: Final = 32
_PROOF: Final = "c2sp.org/tlog-proof@v1"
_ORIGIN: Final = re.compile(r"[!-*,-~]{1,200}")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_SIGNATURE: Final = re.compile(r"\u2014 ([^\s+]{1,200}) ([A-Za-z0-9+/]+={0,2})")


class CheckpointError(ValueError):
    """The text is no checkpoint, or no proof that ends in one."""


@dataclass(frozen=True, slots=True)
class Tree:
    """What a checkpoint says: the log's name, how many records it has, the root over them."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: who is said to have signed, a hint at the key, the signature."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed checkpoint; nothing of it is proved. `signed` are the bytes that signatures are over."""

    signed: bytes
    tree: Tree
    signatures: tuple[NoteSignature, ...]


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """A parsed proof: the record that is said to be in the log, its place, the hashes up to the root, the note."""

    record: bytes
    index: int
    hashes: tuple[bytes, ...]
    note: str


def is_origin(text: str) -> bool:
    """Whether a text can name a log: printable ASCII without spaces and plus."""
    return _ORIGIN.fullmatch(text) is not None


def note_text(tree: Tree) -> bytes:
    """What is signed."""
    root = base64.b64encode(tree.root).decode("ascii")
    return f"{tree.origin}\n{tree.size}\n{root}\n".encode()


def signed_note(tree: Tree, signatures: Sequence[NoteSignature]) -> str:
    """The whole checkpoint."""
    lines = [
        f"\u2014 {item.name} {base64.b64encode(item.key_id + item.signature).decode('ascii')}\n" for item in signatures
    ]
    return note_text(tree).decode() + "\n" + "".join(lines)


def parse_note(text: str) -> Note:
    """A checkpoint; raises `CheckpointError`."""
    body, blank, tail = text.rpartition("\n\n")
    if len(text) > MAX_NOTE or not blank or not tail.endswith("\n"):
        raise CheckpointError("not a signed note: a text, an empty line, signatures")
    lines = body.split("\n")
    if len(lines) < 3 or not all(lines) or any(ord(sign) < 32 for line in lines for sign in line):
        raise CheckpointError("not a checkpoint: origin, size and root, each on its line")
    if not _NUMBER.fullmatch(lines[1]):
        raise CheckpointError("the size of the log is no number")
    root = _decode(lines[2])
    if len(root) != _HASH_BYTES:
        raise CheckpointError("the root is no SHA-256")
    signatures = tuple(_signature(line) for line in tail.removesuffix("\n").split("\n"))
    return Note(f"{body}\n".encode("utf-8", "replace"), Tree(lines[0], int(lines[1]), root), signatures)


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """The hint at a key: of Ed25519 with its 32 bytes, of ECDSA with its SubjectPublicKeyInfo in DER."""
    data = public if kind == ECDSA else name.encode() + b"\n" + bytes([kind]) + public
    return hashlib.sha256(data).digest()[:4]


def verifier_key(name: str, kind: int, public: bytes) -> str:
    """The key as other programs that verify notes are given it."""
    text = base64.b64encode(bytes([kind]) + public).decode("ascii")
    return f"{name}+{key_id(name, kind, public).hex()}+{text}"


def proof_text(proof: InclusionProof) -> str:
    """The proof; the record stands in it as extra data, which whoever verifies hashes."""
    lines = [_PROOF, f"extra {base64.b64encode(proof.record).decode('ascii')}", f"index {proof.index}"]
    lines += [base64.b64encode(item).decode("ascii") for item in proof.hashes]
    return "\n".join(lines) + "\n\n" + proof.note


def parse_proof(text: str) -> InclusionProof:
    """A proof with its record; raises `CheckpointError`. The checkpoint in it is not parsed."""
    head, _, note = text.partition("\n\n")
    lines = head.split("\n")
    if lines[0] != _PROOF or len(lines) < 3 or not lines[1].startswith("extra ") or len(lines) > 70:
        raise CheckpointError(f"not a proof of inclusion with its record ({_PROOF})")
    index = lines[2].removeprefix("index ")
    if index == lines[2] or not _NUMBER.fullmatch(index):
        raise CheckpointError("the proof does not say which record it is about")
    hashes = tuple(_decode(line) for line in lines[3:])
    if any(len(item) != _HASH_BYTES for item in hashes):
        raise CheckpointError("a hash of the proof is no SHA-256")
    return InclusionProof(_decode(lines[1].removeprefix("extra ")), int(index), hashes, note)


def _signature(line: str) -> NoteSignature:
    match = _SIGNATURE.fullmatch(line)
    data = _decode(match[2]) if match else b""
    if match is None or len(data) <= 4:
        raise CheckpointError("a line below the checkpoint is no signature")
    return NoteSignature(match[1], data[:4], data[4:])


def _decode(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise CheckpointError("not base64") from None
    if base64.b64encode(data).decode("ascii") != text:
        raise CheckpointError("not base64 in its one form")
    return data
