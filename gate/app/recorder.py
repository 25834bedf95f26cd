"""The decision log that a server holds open: nothing is answered that is not on disk (SECURITY 36)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from gate.app.checkpoints import Checkpoints, signing
from gate.app.record import check_place, open_log
from gate.collect.git import Repository
from gate.errors import RecordError
from gate.evaluate.bundle import PolicyBundle
from gate.model.decision import Decision
from gate.model.document import InputDocument
from gate.model.record import PolicyFiles, Record
from gate.model.settings import RecordSettings
from gate.record.chain import entry_of, policy_of
from gate.record.group import GroupCommit
from gate.record.interface import DecisionLog
from gate.report.json import recorded_json

_PROVED_S: Final = 5.0
"""What was written so short a time ago proves that the log can be."""


class Recorder:
    """A log for many threads. Decisions that come together share a sync; checkpoints are signed by the side."""

    def __init__(
        self,
        settings: RecordSettings,
        root: Path,
        repository: Repository | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Opens nothing yet. `clock` is what deadlines are told by."""
        self._settings, self._root, self._repository, self._clock = settings, root, repository, clock
        self._group = GroupCommit(self._open, appended=self._appended, clock=clock)
        self._checkpoints: Checkpoints | None = None
        if settings.checkpoint is not None:
            sign = signing(settings.checkpoint, root)
            self._checkpoints = Checkpoints(settings.checkpoint, lambda: self._open(self._last), sign)
        self._policy: PolicyFiles | None = None
        self._last: Record | None = None

    def record(
        self, bundle: PolicyBundle, decision: Decision, document: InputDocument, at_s: int, ends_at: float | None = None
    ) -> Record:
        """Appends a decision; it is on disk when this returns. `ends_at` is a time of the clock.

        Raises `RecordError`, also when that is not known in time, or `ClockError`: then the decision may not be given.
        """
        entry = entry_of(recorded_json(decision), document.canonical, self._policy_of(bundle))
        return self._group.append(entry, at_s, ends_at)

    def is_of(self, settings: RecordSettings, root: Path) -> bool:
        """Whether this is what a configuration below a root asks for; absolute paths are the same below each."""
        paths = [path for path in (settings.sqlite, settings.dsn_file) if path is not None]
        key = settings.checkpoint is None or ":" in settings.checkpoint.key or settings.checkpoint.key.startswith("/")
        is_absolute = key and all(path.startswith("/") for path in paths)
        return settings == self._settings and (is_absolute or root == self._root)

    def check(self) -> None:
        """Raises `RecordError` at once while it is known that nothing can be recorded: before work is put into it."""
        self._group.check()

    def probe(self, timeout_s: float = 2.0) -> None:
        """Writes to the log, unless something was written just now; raises `RecordError`."""
        if not self._group.is_proved(_PROVED_S):
            self._group.probe(self._clock() + timeout_s)

    @property
    def last_s(self) -> int | None:
        """When the last decision was recorded, as far as it is known."""
        return self._group.last_s

    def notes(self) -> tuple[str, ...]:
        """What is wrong and keeps nobody from answering: checkpoints that could not be signed."""
        problem = None if self._checkpoints is None else self._checkpoints.problem
        return () if problem is None else (f"no checkpoint could be made: {problem}",)

    def counts(self) -> Mapping[str, int]:
        """Records, commits, errors, openings and checkpoints since the start, and how many records the log has."""
        made = 0 if self._checkpoints is None else self._checkpoints.count
        size = 0 if self._last is None else self._last.seq + 1
        return {**self._group.counts(), "checkpoints": made, "size": size}

    def close(self, timeout_s: float = 5.0) -> bool:
        """Takes no more, and waits for what was taken; whether all of it is done."""
        ends_at = time.monotonic() + timeout_s
        is_done = self._group.close(timeout_s)
        if self._checkpoints is not None:
            self._checkpoints.close(max(0.0, ends_at - time.monotonic()))
        return is_done

    def _open(self, last: Record | None) -> DecisionLog:
        """The log; one that something was recorded in has to be there, and is not made anew."""
        check_place(self._settings, self._root, self._repository)
        path = self._settings.sqlite
        if last is not None and path is not None and not (self._root / path).exists():
            raise RecordError(f"{path} is gone, and {last.seq + 1} decisions were recorded in it", hint="put it back")
        return open_log(self._settings, self._root, append=True)

    def _appended(self, record: Record) -> None:
        self._last = record
        if self._checkpoints is not None:
            self._checkpoints.appended(record.seq + 1)

    def _policy_of(self, bundle: PolicyBundle) -> PolicyFiles:
        """The files of a policy, which is nearly always that of the decision before."""
        policy = self._policy
        if policy is None or policy.digest != bundle.digest:
            self._policy = policy = policy_of(bundle.digest, bundle.files)
        return policy
