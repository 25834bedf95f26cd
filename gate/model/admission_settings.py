"""The section `admission` of `gate.yaml`: how the webhook judges what a cluster is asked to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from gate.model.admission import ObjectKind
from gate.model.registry import RegistryAccess


class AdmissionMode(Enum):
    """What becomes of a refusal: it holds, or it is only told as a warning and an audit annotation."""

    ENFORCE = "enforce"
    DRY_RUN = "dry-run"


class Tags(Enum):
    """What becomes of an image without digest: refused, or looked up once, with a warning that it may change."""

    REFUSE = "refuse"
    RESOLVE = "resolve"


class Outage(Enum):
    """What stands for the list of a registry that cannot be reached: nothing, or the one that was seen last."""

    REFUSE = "refuse"
    LAST_SEEN = "last-seen"


@dataclass(frozen=True, slots=True)
class PlacesSettings:
    """Where objects of a custom kind carry pods, images and models: paths such as `spec.groups.*.template`.

    `*` is each item of a list or object, a last `?` on a name says that it may be absent. `pods` have `metadata` and
    `spec` of a pod.
    """

    kind: ObjectKind
    resource: str
    pods: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BreakGlassSettings:
    """Who may sign an exception, for how long at most, and in which namespaces (none named: in all)."""

    signers: tuple[str, ...]
    max_s: int = 4 * 3600
    namespaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AdmissionRegistry:
    """A registry that images may come from. `evidence` is a repository that holds what is attached, if not its own."""

    access: RegistryAccess = field(default_factory=RegistryAccess)
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """How much the webhook takes on; everything beyond is refused at once.

    Times in seconds, sizes in bytes. `concurrent` reviews are judged at a time and `queue` wait. `deadline_s` is for an
    answer, unless the API server gives less.
    """

    body_bytes: int = 3 << 20
    images: int = 64
    concurrent: int = 8
    queue: int = 64
    deadline_s: float = 4.0
    connections: int = 512


@dataclass(frozen=True, slots=True)
class AdmissionSettings:
    """The section. Registries are by exact host and port; an image of any other is refused.

    A list of what is attached is used for `listing_s` seconds; with `Outage.LAST_SEEN` it is used for `last_seen_s`
    seconds when its registry cannot be reached. `cache_bytes` bounds what is kept in memory by digest.
    """

    mode: AdmissionMode = AdmissionMode.ENFORCE
    tags: Tags = Tags.REFUSE
    registries: Mapping[str, AdmissionRegistry] = field(default_factory=dict)
    places: tuple[PlacesSettings, ...] = ()
    break_glass: BreakGlassSettings | None = None
    outage: Outage = Outage.REFUSE
    last_seen_s: int = 3600
    listing_s: int = 30
    cache_bytes: int = 64 << 20
    limits: AdmissionLimits = AdmissionLimits()
