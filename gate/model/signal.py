"""Runtime signals: what a monitor saw while an image ran, and over which time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gate.model.digest import Digest
from gate.model.scan import Basis, Severity


@dataclass(frozen=True, slots=True)
class SignalLog:
    """What a plugin is given: the bytes of one log, and the digest of the image that it is to look for."""

    data: bytes
    digest: Digest


@dataclass(frozen=True, slots=True)
class Events:
    """All events of one rule that are about the image, or may be. `severity` is the highest of them."""

    severity: Severity
    count: int
    first_at_s: int | None = None
    last_at_s: int | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """What a plugin answers. Times are in seconds since 1970.

    The monitor provably ran from `started_at_s` to `finished_at_s`, and never said nothing for more than `gap_s`
    seconds; both are `None` when nothing shows that it ran. `sightings` counts the records in that time that name the
    image's very digest, `dropped` the events that the monitor says it lost. `events` are by rule: those about the
    image, and those that do not tell which image they are about. `problems` say why the observation is not complete.
    """

    started_at_s: int | None = None
    finished_at_s: int | None = None
    gap_s: int = 0
    sightings: int = 0
    dropped: int = 0
    events: Mapping[str, Events] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signal:
    """One observation of one artifact.

    `basis` is ATTESTED for a verified statement, whose payload is `statement`, and OBSERVED for a log that lies in the
    workspace, unsigned: `report` is the digest of its bytes, `None` when they could not be read. `digest` is the image
    that was looked for, `None` when the artifact has none.
    """

    plugin: str
    basis: Basis
    artifact: str
    digest: Digest | None
    origin: str
    observation: Observation
    report: Digest | None = None
    statement: Digest | None = None
