"""The decision log: what is appended to it, what a record is, what is asked of it (SECURITY 36)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gate.model.digest import Digest
from gate.model.json import JsonObject

RECORD_SCHEMA: Final = "urn:gate:record:v1"
NO_RECORD: Final = Digest("sha256:" + "0" * 64)
"""What the first record names as the one before it."""


@dataclass(frozen=True, slots=True)
class PolicyFiles:
    """The files of a policy; `manifest` is the canonical JSON of their digests by path, and `digest` is its own."""

    digest: Digest
    manifest: bytes
    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Entry:
    """A decision to append, with all that it can be reproduced from.

    `decision` and `document` are canonical JSON; `summary` is too, and holds what decisions are looked up by.
    """

    id: str
    decision: bytes
    summary: str
    document: bytes
    policy: PolicyFiles


@dataclass(frozen=True, slots=True)
class Record:
    """One record. `hash` is the RFC 6962 leaf hash of its canonical JSON, which `prev` of the next one repeats.

    `seq` counts from 0 without gaps. `at_s` is when it was appended. `decision` is the digest of the decision's
    canonical JSON, `document` that of the input document, `policy` that of the policy.
    """

    seq: int
    id: str
    at_s: int
    decision: Digest
    document: Digest
    policy: Digest
    prev: Digest
    summary: str
    hash: Digest


@dataclass(frozen=True, slots=True)
class Recorded:
    """A record with its decision, whose bytes have the digest that the record names."""

    record: Record
    decision: JsonObject

    @property
    def seq(self) -> int:
        """The place in the log."""
        return self.record.seq

    @property
    def id(self) -> str:
        """The id of the decision."""
        return self.record.id

    @property
    def at_s(self) -> int:
        """When it was recorded, in seconds since 1970."""
        return self.record.at_s

    @property
    def document(self) -> Digest:
        """The digest of the input document."""
        return self.record.document

    @property
    def policy(self) -> Digest:
        """The digest of the policy."""
        return self.record.policy


@dataclass(frozen=True, slots=True)
class Query:
    """What decisions are looked up by; everything that is given has to fit.

    `artifact` is a name or a digest; `signer` a name in `gate.yaml`, the digest of a key or the subject of a
    certificate; `control` an id, of a control that did not simply pass. Times are of recording: from `since_s`
    on, before `until_s`.
    """

    artifact: str | None = None
    signer: str | None = None
    control: str | None = None
    verdict: str | None = None
    since_s: int | None = None
    until_s: int | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed statement about the first `size` records; `peaks` are the tree's hashes that its root is made of."""

    size: int
    note: str
    peaks: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Floor:
    """Where the log begins since it was pruned: how many records are gone, the last one's hash, the tree over them."""

    size: int = 0
    prev: Digest = NO_RECORD
    peaks: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class LogFinding:
    """One thing that is wrong with a log. `seq` is the record that it is about, `None` where it is the whole log."""

    code: str
    seq: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class CheckedNote:
    """A checkpoint that a log was compared with. `problem` says why it proves nothing; `None` where it does."""

    origin: str
    size: int
    problem: str | None


@dataclass(frozen=True, slots=True)
class LogVerification:
    """What a log was found to be. `records` are those that were read, `first` is the place of the first of them.

    `root` is over all records that were ever appended, `None` where something before it is gone. `unchecked` says what
    was not looked at, and why.
    """

    name: str
    first: int
    records: int
    contents: int
    root: Digest | None
    findings: tuple[LogFinding, ...]
    checkpoints: tuple[CheckedNote, ...]
    unchecked: tuple[str, ...]

    @property
    def proved(self) -> int:
        """How many records a checkpoint proves to be those that were appended."""
        return max((item.size for item in self.checkpoints if item.problem is None), default=0)
