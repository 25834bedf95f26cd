"""What an API server asks at admission, what in it will run, and the answer (Kubernetes `admission.k8s.io/v1`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from gate.model.artifact import ArtifactKind
from gate.model.digest import Digest
from gate.model.json import JsonObject
from gate.model.workload import Workload


class Operation(Enum):
    """What a person or a controller wants to do. Removing and connecting bring nothing in, and are not judged."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"


@dataclass(frozen=True, slots=True)
class ObjectKind:
    """A kind of objects; the core group is empty."""

    group: str
    version: str
    kind: str

    def __str__(self) -> str:
        return f"{self.group}/{self.version} {self.kind}" if self.group else f"{self.version} {self.kind}"


@dataclass(frozen=True, slots=True)
class Review:
    """A request as an API server sends it. `kind` and `resource` are its words; the object has to agree with them.

    `sub_resource` is empty for the object itself. `old` is the object as it was, `None` when it is made.
    """

    uid: str
    kind: ObjectKind
    resource: str
    sub_resource: str
    operation: Operation
    namespace: str | None
    name: str | None
    user: str
    groups: tuple[str, ...]
    dry_run: bool
    object: JsonObject
    old: JsonObject | None = None


class Role(Enum):
    """What an image is for where it stands."""

    CONTAINER = "container"
    VOLUME = "volume"
    MODEL = "model"

    @property
    def kind(self) -> ArtifactKind:
        """The kind of artifact that asks for admission."""
        return ArtifactKind.CONTAINER if self is Role.CONTAINER else ArtifactKind.WEIGHTS


@dataclass(frozen=True, slots=True)
class Asked:
    """An image that will run, or be mounted, or be served: the reference as it stands at `place` in the object."""

    reference: str
    place: str
    role: Role


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What an object asks for: the workloads in it by id, and every image of them.

    `problems` say what could not be understood, so that the images may not be all: then nothing is let in.
    `break_glass` is what the annotation holds that asks for an exception.
    """

    workloads: Mapping[str, Workload]
    asked: tuple[Asked, ...]
    problems: tuple[str, ...] = ()
    break_glass: str | None = None


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """The exception that an object carries, as it was found. With a problem it excuses nothing.

    `evidence` is the digest of what the annotation holds, `statement` that of the signed bytes, `None` where they
    cannot be read. The times are in seconds since 1970.
    """

    evidence: Digest
    statement: Digest | None = None
    signers: tuple[str, ...] = ()
    namespace: str | None = None
    reason: str | None = None
    ticket: str | None = None
    approver: str | None = None
    created_s: int | None = None
    expires_s: int | None = None
    problems: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether it excuses a refusal."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class ImageUse:
    """An image where it stands in the object, and the artifact that stands for it in the input document."""

    reference: str
    role: Role
    artifact: str


@dataclass(frozen=True, slots=True)
class AdmissionFacts:
    """What is asked, as the input document tells it: nothing of the person who asks.

    `dry_run` is that of the request, whose object is not kept. `last_seen` are the artifacts whose registry could not
    be reached, so that an older list of what is attached to them stands for the current one. `unread` are those of
    which nothing at all could be read, with the reason: then nothing is allowed, and only an exception lets it in.
    """

    operation: Operation
    kind: ObjectKind
    resource: str
    sub_resource: str
    namespace: str | None
    name: str | None
    dry_run: bool
    images: Mapping[str, ImageUse]
    last_seen: tuple[str, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    break_glass: BreakGlass | None = None


def admission_json(facts: AdmissionFacts) -> JsonObject:
    """The facts as the input document and the decision have them."""
    kind, glass = facts.kind, facts.break_glass
    return {
        "operation": facts.operation.value,
        "kind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "resource": facts.resource,
        "sub_resource": facts.sub_resource,
        "namespace": facts.namespace,
        "name": facts.name,
        "dry_run": facts.dry_run,
        "images": {
            place: {"reference": image.reference, "role": image.role.value, "artifact": image.artifact}
            for place, image in facts.images.items()
        },
        "last_seen": list(facts.last_seen),
        "unread": dict(facts.unread),
        "break_glass": None if glass is None else _glass_json(glass),
    }


def _glass_json(glass: BreakGlass) -> JsonObject:
    return {
        "evidence": glass.evidence,
        "statement": glass.statement,
        "signers": list(glass.signers),
        "namespace": glass.namespace,
        "reason": glass.reason,
        "ticket": glass.ticket,
        "approver": glass.approver,
        "created_s": glass.created_s,
        "expires_s": glass.expires_s,
        "problems": list(glass.problems),
    }


class Cause(Enum):
    """Why an answer is what it is: the closed set that metrics and alerts are made from."""

    ALLOWED = "allowed"
    BREAK_GLASS = "break_glass"
    DRY_RUN = "dry_run"
    """Let in although it would have been refused: nothing is enforced."""
    REFUSED = "refused"
    """Controls refused."""
    REVIEW = "review"
    """The request is no review that the gate understands."""
    OBJECT = "object"
    """The object is of a kind, or has a shape, that the gate does not know, or asks for no image."""
    REFERENCE = "reference"
    """An image is named by a tag, or lies in a registry that is not configured."""
    EVIDENCE = "evidence"
    """What is attached to an image could not be read."""
    REGISTRY = "registry"
    """A registry could not be reached, or did not answer in time."""
    POLICY = "policy"
    RECORD = "record"
    CLOCK = "clock"
    CONFIGURATION = "configuration"
    DEADLINE = "deadline"
    OVERLOADED = "overloaded"
    STOPPING = "stopping"
    BUG = "bug"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API server is told. `allowed` is set by `gate.app.admission_answer` alone; all else refuses.

    `code` is an HTTP status. `message` is for the person who asked, `warnings` too; `annotations` are for the audit
    log of the API server. None of them is escaped yet.
    """

    uid: str
    allowed: bool
    cause: Cause
    message: str
    code: int = 403
    warnings: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Refuses: `if answer:` would take every answer for a yes."""
        raise TypeError("an answer is neither true nor false; look at `allowed`")


def refusal(uid: str, cause: Cause, message: str, code: int = 403) -> Answer:
    """An answer that lets nothing in."""
    return Answer(uid, False, cause, message, code)
