"""What an audit finds of the objects that a cluster runs: would each of them be let in now?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum

from gate.model.admission import Cause, ObjectKind, Role
from gate.model.digest import Digest


class Standing(Enum):
    """What became of an object. Only ALLOWED and EXCUSED ones would be let in."""

    ALLOWED = "allowed"
    EXCUSED = "excused"
    """Refused, and a signed exception that still holds excuses it."""
    REFUSED = "refused"
    UNJUDGED = "unjudged"
    """Nobody can say: what it asks for, or what is attached to it, could not be read."""
    EMPTY = "empty"
    """Objects of its kind bring no image."""


class Ground(Enum):
    """Why an object that runs is refused now."""

    REVOKED = "revoked"
    """What it rested on is revoked: a key, an identity, a statement."""
    EXPIRED = "expired"
    """What it rested on has run out: a key, a waiver, an exception, the age of a statement."""
    MISSED = "missed"
    """Nothing says that it ever rested on enough: admission did not see it, or asked for less."""


@dataclass(frozen=True, slots=True)
class AuditedImage:
    """An image of an object; no digest where its reference names none and it was not looked up."""

    place: str
    reference: str
    role: Role
    digest: Digest | None


@dataclass(frozen=True, slots=True)
class AuditReason:
    """One reason for a refusal, with what to do about it."""

    code: str
    message: str
    control: str | None = None
    artifact: str | None = None
    fix: str = ""


@dataclass(frozen=True, slots=True)
class AuditedObject:
    """An object of the listing, and what came of judging it. `place` is where in the listing it stands.

    `cause` is the word of the webhook, `None` for what was not judged as an object. `decision` is the id of the
    decision, which is in no log: the audit answers nobody.
    """

    place: str
    kind: ObjectKind
    namespace: str | None
    name: str | None
    standing: Standing
    cause: Cause | None = None
    message: str = ""
    images: tuple[AuditedImage, ...] = ()
    grounds: tuple[Ground, ...] = ()
    reasons: tuple[AuditReason, ...] = ()
    decision: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Its kind, namespace and name, for people."""
        return "/".join([self.kind.kind, *(text for text in (self.namespace, self.name) if text)])


@dataclass(frozen=True, slots=True)
class AuditProblem:
    """What the listing should have told and does not, so that something may run unseen."""

    place: str
    problem: str


@dataclass(frozen=True, slots=True)
class Audit:
    """Everything that an audit found. `left_out` are objects of other namespaces than those that were asked for."""

    source: str
    at_s: int
    mode: str
    profile: str
    policy: Digest
    objects: tuple[AuditedObject, ...]
    problems: tuple[AuditProblem, ...] = ()
    left_out: int = 0

    def count(self, standing: Standing) -> int:
        """How many objects have this standing."""
        return Counter(item.standing for item in self.objects)[standing]

    @property
    def exit_code(self) -> int:
        """13 when something runs that is refused, 3 when something could not be judged, 0 when nothing of this."""
        if self.count(Standing.REFUSED):
            return 13
        return 3 if self.problems or self.count(Standing.UNJUDGED) else 0
