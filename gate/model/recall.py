"""What rests on a key, an identity, a piece of evidence or an artifact, and how surely that is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from gate.model.digest import Digest


class Standing(Enum):
    """How surely something rests on what is recalled."""

    PROVED = "proved"
    """A signature or a digest shows it."""
    RECORDED = "recorded"
    """A saved decision says so."""
    UNPROVED = "unproved"
    """It says so itself, and nothing shows it: it may be forged, or the key to check it with is not known."""


class Why(Enum):
    """How something rests on what is recalled."""

    SIGNED = "signed"
    IS = "is"
    ABOUT = "about"
    BUILDS_ON = "builds on"
    MADE_FROM = "made from"


@dataclass(frozen=True, slots=True)
class Target:
    """What is recalled. `kind` is `key`, `identity`, `evidence` or `artifact`, `label` names it for people.

    `words` are its digests. A key is known by `spki`, an identity by its subject, and its issuer where that is given.
    """

    kind: str
    label: str
    words: frozenset[str] = frozenset()
    spki: Digest | None = None
    subject: str | None = None
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What one piece of evidence says; nothing of it is believed. `payload` stands for the statement.

    `subjects` are names and digests, `about` the digests that it is about, `inputs` those that it names as origins.
    `signed` tells whether what is recalled signed it, `note` what is to be said about that.
    """

    payload: Digest
    evidence: Digest
    origin: str
    claim: str | None
    subjects: tuple[tuple[str, str], ...]
    about: frozenset[str]
    inputs: frozenset[str]
    depends_on: tuple[Digest, ...]
    signed: Standing | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement lies. `signed` tells of this very envelope whether what is recalled signed it."""

    origin: str
    evidence: Digest
    signed: Standing | None
    note: str


@dataclass(frozen=True, slots=True)
class Resting:
    """A statement that rests on what is recalled. `because` are the digests that it builds on or is made from.

    `others` are the signers in gate.yaml who stand behind it without what is recalled, and are enough for its claim;
    `None` when there is no gate.yaml to ask.
    """

    payload: Digest
    claim: str | None
    why: Why
    standing: Standing
    because: tuple[str, ...]
    subjects: tuple[tuple[str, str], ...]
    places: tuple[Place, ...]
    others: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Counted:
    """A statement that a saved decision lists as verified."""

    payload: Digest
    evidence: Digest
    claim: str | None
    origin: str
    subjects: tuple[tuple[str, str], ...]
    signers: tuple[tuple[str | None, str | None, str | None], ...]
    """SPKI, issuer and subject of each signer."""


@dataclass(frozen=True, slots=True)
class SavedDecision:
    """What a recall needs of a decision. `artifacts` are digests by name, `controls` what each of them counted."""

    place: str
    id: str
    verdict: str
    decided_at: str
    artifacts: Mapping[str, str | None]
    verified: tuple[Counted, ...]
    controls: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class RestingDecision:
    """A decision that counted something of it: the payloads, and the controls that named them as evidence."""

    place: str
    id: str
    verdict: str
    decided_at: str
    artifacts: Mapping[str, str | None]
    statements: tuple[Digest, ...]
    controls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Searched:
    """Where was looked. `unread` and `notes` are what could not be: something may rest there unseen."""

    directories: tuple[str, ...]
    evidence: int
    decisions: int
    unread: Mapping[str, str] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recall:
    """Everything that rests on the target."""

    target: Target
    searched: Searched
    statements: tuple[Resting, ...]
    decisions: tuple[RestingDecision, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing rests on it, not even by its own word."""
        return not self.statements and not self.decisions
