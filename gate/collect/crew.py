"""Reading, hashing and inspecting many files by several processes, each file in one pass (SECURITY 12, 31, 32).

A worker is a fork of this process and is asked for one file after the other.

 - A worker that dies, is out of memory, says what is no answer, or takes longer for a file than its limit is ended.
   The file that it was at is not inspected, with the reason; another worker only hashes it, and if that fails too it
   was not read. The files that it had not begun go to other workers: no file decides about another one.
 - The answers do not depend on how the work was shared.
 - No worker is left when the work ends, whatever ends it.

It is for a process without other threads: a lock that one of them holds would be held in a fork for ever. Where there
are others, the threads of this process do the work, without limits of time and memory.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from gate.collect.crew_worker import NonsenseError, Task, read_line, serve
from gate.collect.hashing import Hashed, Tell, Unread, share
from gate.errors import EvidenceError
from gate.model.scan import FileInspection

if TYPE_CHECKING:
    from multiprocessing.context import ForkProcess

DEFAULT_JOBS: Final = 4
"""More processes are started only when they are asked for: each has its own memory."""
_AHEAD_FILES: Final = 16
_AHEAD_BYTES: Final = 4 << 20
"""So many files, or files of so many bytes, a worker is asked for at once."""
_WORTH_FILES: Final = 32
_WORTH_BYTES: Final = 8 << 20
"""What another worker has to have to do: less is done sooner than it is started."""
_READ_BYTES: Final = 1 << 20
_TICK_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class CrewLimits:
    """What may be used: processes, seconds and memory for one file, bytes of an answer.

    A file has `seconds`, and one more for each `bytes_a_second` that it has. The memory is that of each process,
    beside what it inherits.
    """

    jobs: int = DEFAULT_JOBS
    seconds: float = 120
    bytes_a_second: int = 10 << 20
    memory_bytes: int = 2 << 30
    answer_bytes: int = 16 << 20

    def time_for(self, size: int) -> float:
        """The seconds that a file of a size has."""
        return self.seconds + size / self.bytes_a_second


def default_jobs() -> int:
    """The number of processes for somebody who named none: one for each core, at most `DEFAULT_JOBS`."""
    return min(len(os.sched_getaffinity(0)), DEFAULT_JOBS)


def read_files(task: Task, limits: CrewLimits, tell: Tell) -> list[Hashed | Unread]:
    """What became of each file, in their order; `tell` is told of bytes that were read, by one thread and often.

    Raises `EvidenceError` when no process can be started.
    """
    if threading.active_count() > 1:
        return _by_threads(task, tell)
    return _Crew(task, limits, tell).run()


def _by_threads(task: Task, tell: Tell) -> list[Hashed | Unread]:
    found: dict[int, Hashed | Unread] = {}

    def work(number: int, buffer: memoryview) -> None:
        found[number] = task.read(number, buffer, tell)

    total = sum(item.entry.status.st_size for item in task.items)
    share([(number, partial(work, number)) for number in range(len(task.items))], total)
    return [found[number] for number in range(len(task.items))]


@dataclass(frozen=True, slots=True)
class _Job:
    """A file to read, and whether it is to be inspected."""

    number: int
    size: int
    is_inspected: bool = True

    @property
    def line(self) -> bytes:
        return b"%d %s\n" % (self.number, b"inspect" if self.is_inspected else b"hash")


@dataclass(slots=True)
class _Worker:
    """A process, what it was asked for and has not answered yet, and until when it has to answer for the first."""

    process: ForkProcess
    channel: socket.socket
    jobs: deque[_Job] = field(default_factory=deque)
    deadline: float = 0.0
    rest: bytes = b""
    is_new: bool = True

    def has_room(self) -> bool:
        return not self.jobs or (len(self.jobs) < _AHEAD_FILES and sum(job.size for job in self.jobs) < _AHEAD_BYTES)

    def end(self) -> None:
        """Ends the process for sure."""
        self.process.kill()
        self.process.join()
        self.process.close()
        self.channel.close()


class _Crew:
    def __init__(self, task: Task, limits: CrewLimits, tell: Tell) -> None:
        self._task = task
        self._limits = limits
        self._tell = tell
        sizes = [item.entry.status.st_size for item in task.items]
        # The largest first: one that comes last would leave the other cores idle.
        self._todo = deque(_Job(n, sizes[n]) for n in sorted(range(len(sizes)), key=lambda n: -sizes[n]))
        self._most = min(limits.jobs, 1 + len(sizes) // _WORTH_FILES + sum(sizes) // _WORTH_BYTES, len(sizes))
        self._reasons: dict[int, str] = {}
        self._found: dict[int, Hashed | Unread] = {}
        self._workers: list[_Worker] = []
        self._selector = selectors.DefaultSelector()

    def run(self) -> list[Hashed | Unread]:
        """Does everything."""
        try:
            while len(self._found) < len(self._task.items):
                self._assign()
                self._listen()
                self._tell(0)
        finally:
            for worker in self._workers:
                worker.end()
            self._selector.close()
        return [self._found[number] for number in range(len(self._task.items))]

    def _assign(self) -> None:
        """Starts workers that are missing, and asks each for what it has room for."""
        with _without_interrupts():
            while self._todo and len(self._workers) < self._most:
                try:
                    worker = _start(self._task, self._limits, self._workers)
                except OSError as error:
                    if self._workers:
                        break
                    raise EvidenceError(f"no process can be started to read files: {error.strerror}") from None
                self._workers.append(worker)
                self._selector.register(worker.channel, selectors.EVENT_READ, worker)
        for worker in self._workers:
            while self._todo and worker.has_room():
                job = self._todo.popleft()
                if not worker.jobs:
                    worker.deadline = time.monotonic() + self._limits.time_for(job.size)
                try:
                    worker.channel.sendall(job.line)
                except OSError:
                    # It is gone, and what it said before is still to be heard. A file that it was not asked for is not
                    # to blame; but whoever ends before any file would be started for ever.
                    if worker.is_new:
                        worker.jobs.append(job)
                    else:
                        self._todo.appendleft(job)
                    break
                worker.jobs.append(job)
                worker.is_new = False

    def _listen(self) -> None:
        """Takes what workers say, and ends those whose time is over."""
        first = min((worker.deadline for worker in self._workers if worker.jobs), default=0.0)
        wait = max(0.0, min(first - time.monotonic(), _TICK_S))
        heard = [key.data for key, _ in self._selector.select(wait)]
        for worker in tuple(self._workers):
            problem = self._hear(worker) if worker in heard else None
            if problem is None and worker.jobs and time.monotonic() > worker.deadline:
                problem = f"it took longer than {self._limits.time_for(worker.jobs[0].size):.0f} seconds"
            if problem is not None:
                self._lose(worker, problem)

    def _hear(self, worker: _Worker) -> str | None:
        """Takes what a worker says; why it is of no use any more."""
        try:
            data = worker.channel.recv(_READ_BYTES)
        except OSError:
            data = b""
        if not data:
            return "the process that read it ended: it crashed, or was out of memory"
        *lines, worker.rest = (worker.rest + data).split(b"\n")
        try:
            for line in lines:
                self._take(worker, line)
        except (NonsenseError, IndexError):
            return "the process that read it gave no answer that can be read"
        if len(worker.rest) > self._limits.answer_bytes:
            return f"what was found takes more than {self._limits.answer_bytes} bytes"
        return None

    def _take(self, worker: _Worker, line: bytes) -> None:
        said = read_line(line, worker.jobs[0].size)
        self._tell(said.count)
        if said.found is None:
            return
        job = worker.jobs.popleft()
        found = said.found
        if isinstance(found, Hashed) and not job.is_inspected:
            found = replace(found, inspection=_uninspected(self._reasons[job.number]))
        self._found[job.number] = found
        if worker.jobs:
            worker.deadline = time.monotonic() + self._limits.time_for(worker.jobs[0].size)

    def _lose(self, worker: _Worker, reason: str) -> None:
        """Ends a worker; the file that it was at is only hashed, by another one, and then given up."""
        self._selector.unregister(worker.channel)
        self._workers.remove(worker)
        worker.end()
        if not worker.jobs:
            return
        job = worker.jobs.popleft()
        self._todo.extendleft(reversed(worker.jobs))
        if job.is_inspected:
            self._reasons[job.number] = reason
            self._todo.appendleft(replace(job, is_inspected=False))
        else:
            self._found[job.number] = Unread(
                f"it could not be inspected: {self._reasons[job.number]}; nor read: {reason}"
            )


def _uninspected(reason: str) -> FileInspection:
    return FileInspection("unknown", inspected=False, reason=f"the inspection was given up: {reason}")


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Control-C comes when all workers that were started are known."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(task: Task, limits: CrewLimits, others: Sequence[_Worker]) -> _Worker:
    import multiprocessing

    ours, theirs = socket.socketpair()
    with theirs:
        inherited = (ours, *(worker.channel for worker in others))
        arguments = (task, theirs, inherited, limits.memory_bytes)
        process = multiprocessing.get_context("fork").Process(target=serve, args=arguments, daemon=True)
        try:
            process.start()
        except OSError:
            ours.close()
            raise
    return _Worker(process, ours)
