"""What a webhook judges with, held in memory and taken anew when its files change: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gate.app.engine_pool import EnginePool
from gate.app.engines import open_engine
from gate.app.recorder import Recorder
from gate.app.wall_clock import WallClock
from gate.app.workspace import Request, Workspace
from gate.evaluate.bundle import PolicyBundle
from gate.evaluate.interface import Engine
from gate.model.admission_settings import AdmissionSettings
from gate.model.control import Profile
from gate.model.digest import Digest
from gate.model.evidence import Evidence
from gate.model.settings import EngineSettings, Settings

if TYPE_CHECKING:
    from gate.collect.admission import Registries
    from gate.verify.cache import SignatureCache

EngineFactory = Callable[[EngineSettings, PolicyBundle], Engine]


@dataclass(frozen=True, slots=True)
class State:
    """Everything that one review is judged with, from one reading of the files; it never changes.

    `engine` is for many threads. `evidence` is what the configured folders held, and `skipped` what was left out there.
    `digest` is over the content of all files that were read.
    """

    workspace: Workspace
    admission: AdmissionSettings
    engine: EnginePool
    registries: Registries
    signatures: SignatureCache
    recorder: Recorder | None
    clock: WallClock
    evidence: tuple[Evidence, ...]
    skipped: Mapping[str, str]
    digest: Digest
    loaded_s: int

    @property
    def settings(self) -> Settings:
        """The configuration."""
        return self.workspace.settings

    @property
    def bundle(self) -> PolicyBundle:
        """The policy."""
        return self.workspace.bundle

    @property
    def profile(self) -> Profile:
        """The profile."""
        return self.workspace.profile

    def now_s(self) -> int:
        """The time of a decision; raises `ClockError`."""
        return self.clock.now_s(None if self.recorder is None else self.recorder.last_s)

    def at(self, now_s: int) -> Workspace:
        """The workspace for a decision at a time."""
        return replace(self.workspace, now_s=now_s, trust=replace(self.workspace.trust, now_s=now_s))


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What became of looking at the files again. With a problem the state before it goes on judging."""

    changed: bool
    problem: str | None


@dataclass(frozen=True, slots=True)
class Health:
    """`problems` keep the webhook from answering well: it is not ready. `notes` are for people to look at."""

    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


class Held:
    """The state that judges now. Safe for threads."""

    def __init__(
        self,
        request: Request,
        *,
        engine: EngineFactory = open_engine,
        clock: WallClock | None = None,
        settle_s: float = 0.5,
    ) -> None:
        """Loads the first state; raises a `GateError` for what `gate check` refuses too, and for a failed self-test.

        Files are taken when they stayed as they are for `settle_s` seconds.
        """
        raise NotImplementedError

    def current(self) -> State:
        """The state that judges now. Who began with one goes on with it."""
        raise NotImplementedError

    def reload(self) -> Reloaded:
        """Looks at the files again, and takes them when they changed and everything about them holds."""
        raise NotImplementedError

    def watch(self, every_s: float = 5.0) -> None:
        """Reloads now and then, and repeats the self-test, in a thread that ends with `close` or the process."""
        raise NotImplementedError

    def health(self) -> Health:
        """Whether the webhook can answer; writes to the log to find out."""
        raise NotImplementedError

    def close(self, timeout_s: float = 5.0) -> None:
        """Ends the watching and drains the log."""
        raise NotImplementedError
