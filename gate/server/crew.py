"""The threads that judge, beside the event loop: so many work, so many wait, and nobody else is taken (SECURITY 42)."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What came of some work, and how long it had waited."""

    value: T
    waited_s: float


@dataclass(frozen=True, slots=True, eq=False)
class _Job(Generic[T]):
    work: Callable[[], T]
    future: asyncio.Future[Done[T]]
    ends_at: float
    asked_at: float


class Crew(Generic[T]):
    """A fixed number of threads that do what an event loop asks of them.

    Work that nobody waits for any more is not begun. A thread that is at work cannot be stopped: it keeps its place
    until it is done, so what hangs takes room from others and never more than there is. The threads are daemons: they
    do not keep the process from ending.
    """

    def __init__(self, size: int, waiting: int, name: str = "judge") -> None:
        """Starts the threads. Everything else is called in the thread of one event loop."""
        self._loop = asyncio.get_running_loop()
        self._jobs: queue.SimpleQueue[_Job[T] | None] = queue.SimpleQueue()
        self._room = size + waiting
        self._taken = 0
        self._size = size
        self._working: dict[int, float] = {}
        self._asked: set[asyncio.Future[Done[T]]] = set()
        for number in range(size):
            threading.Thread(target=self._work, args=(number,), name=f"{name}-{number}", daemon=True).start()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return max(self._taken - self._size, 0)

    @property
    def working(self) -> int:
        """How many are done at the moment."""
        return min(self._taken, self._size)

    def late(self, seconds: float) -> int:
        """How many threads are at work on something that should have been done so long ago."""
        now = time.monotonic()
        return sum(1 for ends_at in list(self._working.values()) if now > ends_at + seconds)

    def ask(self, work: Callable[[], T], ends_at: float) -> asyncio.Future[Done[T]] | None:
        """What will come of the work; `None` when there is no room, and then nothing is done."""
        if self._taken >= self._room:
            return None
        self._taken += 1
        job = _Job(work, self._loop.create_future(), ends_at, time.monotonic())
        self._asked.add(job.future)
        self._jobs.put(job)
        return job.future

    def abandon(self) -> None:
        """Nobody is told any more what comes of their work: for them its time is over."""
        for future in self._asked:
            if not future.done():
                future.set_exception(TimeoutError())

    def close(self) -> None:
        """Ends the threads, each when it is done with what it does."""
        for _ in range(self._size):
            self._jobs.put(None)

    def _work(self, number: int) -> None:
        while (job := self._jobs.get()) is not None:
            outcome = self._outcome(number, job)
            try:
                self._loop.call_soon_threadsafe(self._tell, job.future, outcome)
            except RuntimeError:  # the loop is closed: nobody is there to be told
                return
            del job, outcome

    def _outcome(self, number: int, job: _Job[T]) -> Done[T] | Exception:
        began = time.monotonic()
        if job.future.cancelled() or began >= job.ends_at:
            return TimeoutError()
        self._working[number] = job.ends_at
        try:
            return Done(job.work(), began - job.asked_at)
        except BaseException as error:  # noqa: BLE001 - told to whoever asked, whatever it is
            return RuntimeError(f"{type(error).__name__} at {_place(error)}: {error}")
        finally:
            del self._working[number]

    def _tell(self, future: asyncio.Future[Done[T]], outcome: Done[T] | Exception) -> None:
        self._taken -= 1
        self._asked.discard(future)
        if future.done():
            return
        if isinstance(outcome, Done):
            future.set_result(outcome)
        else:
            future.set_exception(outcome)


def _place(error: BaseException) -> str:
    trace, place = error.__traceback__, ""
    while trace is not None:
        place = f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
