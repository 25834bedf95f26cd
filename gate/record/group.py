"""One log for many threads, held open by a thread of its own: whoever waits shares a sync (SECURITY 36).

After any error the log is opened anew. What became of the records that were on the way then is looked up by their ids,
so that none is appended twice. While the log is known not to work, appending raises at once, and it is tried again now
and then.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from gate.errors import ClockError, GateError, RecordError
from gate.formats.rfc3339 import format_time
from gate.model.digest import sha256_digest
from gate.model.record import Entry, Record
from gate.record.interface import DecisionLog

SKEW_S: Final = 60
"""How far a record may lie before the last one in time: several machines record in one log."""
RETRY_S: Final = 1.0
"""After so many seconds a log that did not work is tried again, by itself or by whoever appends."""
STUCK_S: Final = 5.0
"""When the log is at work on something for so long, nothing else waits for it."""
INTERRUPT_S: Final = 15.0
"""Then its connection is broken off."""
_MOST: Final = 256
_WAITING: Final = 4096
_NO_TIME: Final = "the log had no time for the decision, which was not recorded"
_LOST: Final = "restore what was recorded; or keep what is left, and start the gate again to go on from there"
_HINT: Final = "without a record there is no answer: see what the log is kept in"


@dataclass(slots=True, eq=False)
class _Waiting:
    """An entry to append; without one, the log is only to be proved."""

    entry: Entry | None
    at_s: int
    ends_at: float | None
    record: Record | None = None
    error: GateError | None = None
    done: threading.Event = field(default_factory=threading.Event)


class GroupCommit:
    """Appends for many threads. The log is opened when it is first needed, and used by one thread."""

    def __init__(
        self,
        open_log: Callable[[Record | None], DecisionLog],
        *,
        appended: Callable[[Record], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`open_log` is given the last record that was appended here, if there is one; it raises a `GateError`.

        `appended` is told of the last record of each commit, and must not wait.
        """
        self._open_log, self._appended, self._clock = open_log, appended, clock
        self._log: DecisionLog | None = None
        self._queue: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closing = False
        self._problem: GateError | None = None
        self._tried_at = self._worked_at = -math.inf
        self._busy_since: float | None = None
        self._last: Record | None = None
        self._last_s: int | None = None
        self._counts = dict.fromkeys(("records", "commits", "errors", "openings"), 0)

    @property
    def last_s(self) -> int | None:
        """The time of the last record, as far as it is known."""
        return self._last_s

    def counts(self) -> Mapping[str, int]:
        """How many records, commits, errors and openings there were."""
        return dict(self._counts)

    def append(self, entry: Entry, at_s: int, ends_at: float | None = None) -> Record:
        """Appends a decision, which is durable when this returns; `ends_at` is a time of the clock.

        Raises `RecordError`, also when it is not known in time whether it was recorded, and `ClockError` for a time
        that lies before the last record.
        """
        item = self._done(_Waiting(entry, at_s, ends_at))
        if item.record is None:
            raise _again(item.error or RecordError("the decision was neither recorded nor refused", hint=_HINT))
        return item.record

    def probe(self, ends_at: float) -> None:
        """Proves that the log can be written, by doing so; raises `RecordError`."""
        item = self._done(_Waiting(None, 0, ends_at))
        if item.error is not None:
            raise _again(item.error)

    def check(self) -> None:
        """Raises `RecordError` while it is known that nothing can be appended."""
        with self._changed:
            self._check()

    def is_proved(self, within_s: float) -> bool:
        """Whether something was written in the last seconds, and nothing failed since."""
        with self._changed:
            return self._problem is None and self._clock() - self._worked_at < within_s

    def close(self, timeout_s: float) -> bool:
        """Takes no more, and waits for what was taken; whether all of it is done."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    # -- who waits -----------------------------------------------------------------------------------------------------

    def _done(self, item: _Waiting) -> _Waiting:
        with self._changed:
            self._check()
            if len(self._queue) >= _WAITING:
                raise RecordError(f"{_WAITING} decisions wait to be recorded", hint=_HINT)
            self._queue.append(item)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="gate-record", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        if not item.done.wait(None if item.ends_at is None else max(0.0, item.ends_at - self._clock())):
            self._give_up(item)
        return item

    def _give_up(self, item: _Waiting) -> None:
        with self._changed:
            if item.done.is_set():
                return
            if item in self._queue:
                self._queue.remove(item)
                raise RecordError(_NO_TIME, hint=_HINT)
            self._break_off()
        raise RecordError("the decision could not be recorded in time; it may still be", hint=_HINT)

    def _check(self) -> None:
        if self._is_closing:
            raise RecordError("the log is closed: the gate stops", hint="ask again: another gate answers")
        busy_s = 0.0 if self._busy_since is None else self._clock() - self._busy_since
        if self._problem is not None and (self._busy_since is not None or self._clock() - self._tried_at < RETRY_S):
            raise _again(self._problem)
        if busy_s > STUCK_S:
            self._break_off()
            raise RecordError(f"the log has not answered for {busy_s:.0f} seconds", hint=_HINT)

    def _break_off(self) -> None:
        """Ends what does not end by itself."""
        busy = self._busy_since is not None and self._clock() - self._busy_since > INTERRUPT_S
        if busy and self._log is not None:
            self._log.interrupt()

    # -- the thread ----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            try:
                self._commit(batch)
            except Exception as error:  # noqa: BLE001 - whoever waits is told, and the log is opened anew
                self._drop()
                _fail(batch, RecordError(f"the log failed: {type(error).__name__}", hint=_HINT))
            finally:
                with self._changed:
                    self._busy_since = None
                for item in batch:
                    item.done.set()
        self._drop()

    def _next(self) -> list[_Waiting] | None:
        """What is to be done next; nothing at all is for trying a log again. `None` when all is done."""
        with self._changed:
            while not self._queue:
                if self._is_closing:
                    return None
                if not self._changed.wait(RETRY_S if self._problem is not None else None) and self._problem is not None:
                    break
            self._busy_since = self._clock()
            return [self._queue.popleft() for _ in range(min(len(self._queue), _MOST))]

    def _commit(self, batch: list[_Waiting]) -> None:
        late = [item for item in batch if self._is_late(item)]
        _fail(late, RecordError(_NO_TIME, hint=_HINT))
        items = [item for item in batch if item not in late]
        try:
            log = self._opened()
        except GateError as problem:
            _fail(items, problem)
            self._broke(problem)
            return
        items = self._in_time(items)
        try:
            self._append(log, [item for item in items if item.entry is not None])
        except GateError as error:
            self._drop()
            self._settle(items, error)
        else:
            self._works()

    def _opened(self) -> DecisionLog:
        """The log, which holds what was appended here."""
        if self._log is not None:
            return self._log
        log = self._open_log(self._last)
        try:
            last, mine = log.last(), self._last
            if mine is not None and log.get(mine.id) != mine:
                raise _lost(log, last, mine)  # noqa: TRY301 - the log is closed
        except BaseException:
            log.close()
            raise
        self._counts["openings"] += 1
        self._last_s = None if last is None else last.at_s
        self._log = log
        return log

    def _in_time(self, items: list[_Waiting]) -> list[_Waiting]:
        """Those that do not lie before the last record; the others are told so."""
        last_s = self._last_s
        if last_s is None:
            return items
        behind = [item for item in items if item.entry is not None and item.at_s < last_s - SKEW_S]
        for item in behind:
            said = f"it is {format_time(item.at_s)} here, and the last decision was recorded at {format_time(last_s)}"
            item.error = ClockError(said, hint="set the clock; if the log is wrong, keep it and configure a new one")
        return [item for item in items if item not in behind]

    def _append(self, log: DecisionLog, items: list[_Waiting]) -> None:
        """Appends all; where there is nothing to append, something is written that changes nothing."""
        entries = [item.entry for item in items if item.entry is not None]
        if not entries:
            log.probe()
            return
        records = log.append(entries, max(item.at_s for item in items))
        for item, record in zip(items, records, strict=True):
            item.record = record
        self._counts["commits"] += 1
        self._took(records[-1], len(records))

    def _took(self, record: Record, count: int) -> None:
        self._counts["records"] += count
        self._last, self._last_s = record, record.at_s
        self._appended(record)

    def _settle(self, items: list[_Waiting], error: GateError) -> None:
        """After an error: what was recorded all the same is found, and the rest is appended one by one.

        An entry that cannot be appended stops nobody else. Where the log itself does not work, nothing more is tried.
        """
        self._counts["errors"] += 1
        left = deque(items)
        while left or self._log is None:
            try:
                log = self._opened()
                log.probe()
            except GateError as problem:
                self._drop()
                _fail(left, error)
                self._broke(problem)
                return
            self._works()
            if left:
                self._alone(log, left.popleft())

    def _alone(self, log: DecisionLog, item: _Waiting) -> None:
        if item.entry is None:
            return
        try:
            found = log.get(item.entry.id)
            if found is not None and found.decision == sha256_digest(item.entry.decision):
                item.record = found
                self._took(found, 1)
            elif self._is_late(item):
                raise RecordError(_NO_TIME, hint=_HINT)
            else:
                self._append(log, [item])
        except GateError as error:
            self._drop()
            _fail([item], error)

    def _is_late(self, item: _Waiting) -> bool:
        return item.ends_at is not None and item.ends_at <= self._clock()

    def _works(self) -> None:
        with self._changed:
            self._problem, self._worked_at = None, self._clock()

    def _broke(self, problem: GateError) -> None:
        self._counts["errors"] += 1
        with self._changed:
            self._problem, self._tried_at = problem, self._clock()

    def _drop(self) -> None:
        """Gives the connection up: the next use opens a fresh one."""
        log, self._log = self._log, None
        if log is not None:
            with contextlib.suppress(Exception):  # it may be broken in any way
                log.close()


def _lost(log: DecisionLog, last: Record | None, mine: Record) -> RecordError:
    have = 0 if last is None else last.seq + 1
    return RecordError(f"{log.name}: it has {have} records, and record {mine.seq} is not among them", hint=_LOST)


def _fail(items: Iterable[_Waiting], error: GateError) -> None:
    for item in items:
        item.error = error


def _again(error: GateError) -> GateError:
    """An error of its own for everybody who waited: each gets another trace."""
    return error if isinstance(error, ClockError) else RecordError(str(error), hint=error.hint)
