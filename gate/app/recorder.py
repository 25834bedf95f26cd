"""The decision log that a server holds open: nothing is answered that is not on disk (SECURITY 36)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gate.collect.git import Repository
from gate.evaluate.bundle import PolicyBundle
from gate.model.decision import Decision
from gate.model.document import InputDocument
from gate.model.record import Record
from gate.model.settings import RecordSettings


class Recorder:
    """A log for many threads. Decisions that come together share a sync; checkpoints are signed by the side."""

    def __init__(self, settings: RecordSettings, root: Path, repository: Repository | None) -> None:
        """Opens nothing yet."""
        self._settings, self._root, self._repository = settings, root, repository

    def record(
        self, bundle: PolicyBundle, decision: Decision, document: InputDocument, at_s: int, ends_at: float | None = None
    ) -> Record:
        """Appends a decision; it is on disk when this returns. `ends_at` is a time of `time.monotonic`.

        Raises `RecordError`, also when that is not known in time, or `ClockError`: then the decision may not be given.
        """
        raise NotImplementedError

    def check(self) -> None:
        """Raises `RecordError` at once while it is known that nothing can be recorded: before work is put into it."""
        raise NotImplementedError

    def probe(self, timeout_s: float = 2.0) -> None:
        """Writes to the log, unless something was recorded just now; raises `RecordError`."""
        raise NotImplementedError

    @property
    def last_s(self) -> int | None:
        """When the last decision was recorded, as far as it is known."""
        raise NotImplementedError

    def notes(self) -> tuple[str, ...]:
        """What is wrong and keeps nobody from answering: checkpoints that could not be signed."""
        raise NotImplementedError

    def counts(self) -> Mapping[str, int]:
        """Records, syncs, errors and checkpoints since the start."""
        raise NotImplementedError

    def close(self, timeout_s: float = 5.0) -> None:
        """Takes no more, and waits for what was taken."""
        raise NotImplementedError
