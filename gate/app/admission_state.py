"""What a webhook judges with, from one reading of its files: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from gate.app.engine_pool import EnginePool
from gate.app.engines import token_of
from gate.app.record import open_log
from gate.app.recorded_serial import recorded_serial
from gate.app.recorder import Recorder
from gate.app.self_test import self_test
from gate.app.snapshot import Snapshot, listing
from gate.app.wall_clock import WallClock
from gate.app.workspace import Request, Workspace, open_workspace, root_of
from gate.collect.admission import Registries
from gate.collect.directory import read_evidence
from gate.collect.legacy import read_bundles
from gate.errors import ConfigError, GateError, PolicyError
from gate.evaluate.bundle import PolicyBundle
from gate.evaluate.interface import Engine
from gate.evaluate.loaded import asking
from gate.model.admission_settings import AdmissionSettings
from gate.model.control import Profile
from gate.model.digest import Digest
from gate.model.evidence import Evidence
from gate.model.settings import EngineSettings, Limits, RecordSettings, Settings
from gate.verify.cache import SignatureCache

EngineFactory = Callable[[EngineSettings, PolicyBundle], Engine]
_PROBE_S: Final = 5.0


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
        return replace(self.workspace, now_s=now_s, trust=self.workspace.trust.at(now_s))


class Loader:
    """Reads states. What did not change since the one before is taken over from it: caches, connections, the log."""

    def __init__(self, request: Request, engine: EngineFactory, clock: WallClock, pause: Callable[[], object]) -> None:
        """`pause` waits between two looks at the files, which have to give the same."""
        self._request, self._engine, self._clock, self._pause = request, engine, clock, pause
        self._signatures = SignatureCache()
        self._serial: int | None = None

    def look(self) -> Snapshot:
        """The files as they are now, none of them read yet; raises `ConfigError` when there is no such folder."""
        return Snapshot(root_of(self._request))

    def load(self, files: Snapshot, old: State | None) -> State:
        """A state from some files; raises a `GateError`, and then nothing changed."""
        now_s = self._clock.now_s()
        workspace = open_workspace(replace(self._request, now_s=now_s), lambda _: files)
        workspace = replace(workspace, trust=replace(workspace.trust, cache=self._signatures))
        settings = workspace.settings
        if settings.admission is None:
            raise ConfigError(f"{settings.path} has no section admission", hint="gate help webhook")
        evidence, skipped = _evidence(files, settings)
        token = files.look(partial(token_of, settings.engine))
        self._pause()
        if workspace.root != files.root or not files.is_current():
            raise ConfigError("the files changed while they were read", hint="they are read again")
        serial = self._checked_serial(workspace)
        made_for = (workspace.bundle.digest, workspace.profile.asked, settings.engine, token)
        kept = old is not None and old.engine.made_for == made_for
        engine = old.engine if old is not None and kept else self._pool(workspace, made_for)
        self_test(workspace, engine)
        recorder = self._recorder(workspace, old)
        state = State(
            workspace=workspace,
            admission=settings.admission,
            engine=engine,
            registries=_registries(settings.admission, settings.limits, old),
            signatures=self._signatures,
            recorder=recorder,
            clock=self._clock,
            evidence=evidence,
            skipped=skipped,
            digest=files.digest,
            loaded_s=now_s,
        )
        self._serial = serial
        return state

    def _pool(self, workspace: Workspace, made_for: object) -> EnginePool:
        settings, bundle = workspace.settings.engine, asking(workspace.bundle, workspace.profile.asked)
        # An OPA server is told apart by its answers, and what counts its failures has to see all of them.
        return EnginePool(lambda: self._engine(settings, bundle), made_for, is_shared=settings.name == "opa")

    def _checked_serial(self, workspace: Workspace) -> int | None:
        """The highest serial that judged; raises `PolicyError` for a signed policy that goes back behind it.

        What judged before the start is what the decision log knows.
        """
        serial, settings, highest = workspace.bundle.serial, workspace.settings, self._serial
        if serial is None:
            return highest
        if highest is None and settings.record is not None:
            highest = _recorded_serial(settings.record, workspace)
        if highest is not None and serial < highest:
            raise PolicyError(
                f"the policy bundle has the serial {serial}, and one of serial {highest} judged already",
                hint="an older policy does not come back: use the newest bundle, or make one with a higher serial",
            )
        return serial

    def _recorder(self, workspace: Workspace, old: State | None) -> Recorder | None:
        """The open log where it is the one that is configured, else another.

        That has to work when it takes the place of one; at the start a log may still have to come up.
        """
        settings = workspace.settings.record
        if settings is None:
            return None
        if old is not None and old.recorder is not None and old.recorder.is_of(settings, workspace.root):
            return old.recorder
        recorder = Recorder(settings, workspace.root, workspace.repository)
        if old is not None:
            try:
                recorder.probe(_PROBE_S)
            except GateError:
                recorder.close(0)
                raise
        return recorder


def _recorded_serial(settings: RecordSettings, workspace: Workspace) -> int | None:
    if settings.sqlite is not None and not (workspace.root / settings.sqlite).exists():
        return None
    log = open_log(settings, workspace.root)
    try:
        return recorded_serial(log, workspace.settings)
    finally:
        log.close()


def _registries(admission: AdmissionSettings, limits: Limits, old: State | None) -> Registries:
    """The registries with their caches, where nothing about them changed."""
    if old is not None and (old.admission, old.settings.limits) == (admission, limits):
        return old.registries
    return Registries(admission, limits, before=None if old is None else old.registries)


def _evidence(files: Snapshot, settings: Settings) -> tuple[tuple[Evidence, ...], Mapping[str, str]]:
    """What the configured folders hold, as `gate check` reads it."""
    items: list[Evidence] = []
    skipped: dict[str, str] = {}
    for directory in settings.evidence_directories:
        files.look(partial(listing, files.root, directory, settings.limits.files))
        read = read_bundles if directory in settings.legacy_directories else read_evidence
        found, left_out = read(files.root, directory, settings.limits)
        items += found
        skipped |= left_out
    return tuple(items), skipped
