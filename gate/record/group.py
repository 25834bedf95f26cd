"""One sync for many writers: who comes first commits for all who wait (SECURITY 36, group commit)."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from gate.errors import GateError
from gate.model.record import Entry, Record
from gate.record.interface import DecisionLog

_MOST = 256


@dataclass(slots=True)
class _Waiting:
    entry: Entry
    at_s: int
    record: Record | None = None
    error: GateError | None = None
    done: threading.Event = field(default_factory=threading.Event)


class GroupCommit:
    """Appends for many threads to a log that one thread may use at a time."""

    def __init__(self, log: DecisionLog) -> None:
        self._log = log
        self._queue: deque[_Waiting] = deque()
        self._turn = threading.Lock()

    def append(self, entry: Entry, at_s: int) -> Record:
        """Appends a decision, which is durable when this returns; raises what the log raises.

        Whoever holds the turn commits everything that is waiting. An entry that cannot be appended is appended
        alone once more, so that it stops nobody else.
        """
        mine = _Waiting(entry, at_s)
        self._queue.append(mine)
        while not mine.done.is_set():
            with self._turn:
                if not mine.done.is_set():
                    self._commit()
        if mine.record is None:
            raise mine.error or RuntimeError("neither recorded nor refused")
        return mine.record

    def _commit(self) -> None:
        batch = [self._queue.popleft() for _ in range(min(len(self._queue), _MOST))]
        try:
            self._try(batch)
        except GateError:
            for item in batch:
                self._alone(item)
        finally:
            for item in batch:
                item.done.set()

    def _alone(self, item: _Waiting) -> None:
        try:
            self._try([item])
        except GateError as error:
            item.error = error

    def _try(self, batch: list[_Waiting]) -> None:
        records = self._log.append([item.entry for item in batch], max(item.at_s for item in batch))
        for item, record in zip(batch, records, strict=True):
            item.record = record
