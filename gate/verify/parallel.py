"""Obligations 1 to 5 for many items, by several processes at once.

A worker is a fork of this process: it has the items, the keys and the code that this one has, and nothing is sent to
it. Each worker goes through its share from the front, this process through all items from the back; they meet.

 - This process waits for no worker. It judges every item that no worker has answered for by then, so a worker that
   dies, hangs, raises or is slow costs time and nothing else.
 - An answer counts for the item that comes next in the worker's share, and only with that item's digest. A worker that
   says anything else is ended, and everything that it said before is forgotten.
 - What is found is in the order of the items, so how the work was shared can be seen in nothing.
 - No worker is left when the work ends, whatever ends it. A process that has other threads has no workers: a lock
   that one of them holds would be held in a fork for ever.
"""

from __future__ import annotations

import gc
import signal
import socket
import threading
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gate.model.digest import Digest
from gate.model.evidence import Evidence
from gate.verify.alone import Refused, Signed, judge
from gate.verify.answers import NonsenseError, read_answer, write_answer
from gate.verify.trust import TrustStore

if TYPE_CHECKING:
    from multiprocessing.context import ForkProcess

Tell = Callable[[int], object]
"""Is told how many more items are done."""
_WORTH: Final = 250
"""Items for each process: fewer are judged sooner than another process is started."""
_BATCH: Final = 16
"""Items that this process judges before it looks at what workers say, and that a worker sends at once."""
_READ_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Bench:
    """What all items are judged by, and the items with their digests."""

    items: Sequence[tuple[Digest, Evidence]]
    trust: TrustStore
    limit: int

    def judge(self, number: int) -> Signed | Refused:
        """What becomes of an item."""
        evidence, item = self.items[number]
        return judge(item, evidence, self.trust, self.limit)


def judge_all(bench: Bench, jobs: int, tell: Tell) -> Iterator[Signed | Refused]:
    """What becomes of each item, in their order; at most `jobs` processes work, this one included.

    Raises what judging the first item raises that cannot be judged.
    """
    count = min(jobs, len(bench.items) // _WORTH)
    known = _shared(bench, count - 1, tell) if count > 1 and threading.active_count() == 1 else {}
    for number in range(len(bench.items)):
        found = known.get(number)
        if found is None:
            found = bench.judge(number)
            tell(1)
        yield found


@dataclass(slots=True)
class _Worker:
    """A process that judges the items of its share one after the other, and what it has said about them."""

    process: ForkProcess
    answers: socket.socket
    share: range
    rest: bytes = b""
    found: dict[int, Signed | Refused] = field(default_factory=dict)
    is_open: bool = True
    news: int = 0

    def collect(self, bench: Bench, known: Container[int]) -> int:
        """Takes what the worker has said meanwhile, without waiting; how many items more are known then."""
        if not self.is_open:
            return 0
        try:
            data = self.answers.recv(_READ_BYTES)
        except BlockingIOError:
            return 0
        self.is_open = bool(data)
        before = self.news
        *lines, self.rest = (self.rest + data).split(b"\n")
        try:
            for line in lines:
                number = self.share[len(self.found)]
                evidence, item = bench.items[number]
                self.found[number] = read_answer(line, item, evidence, bench.trust)
                self.news += number not in known
        except (NonsenseError, IndexError):
            self.is_open, self.news = False, 0
            self.found.clear()
        return self.news - before

    def end(self) -> None:
        """Ends the process for sure."""
        self.process.kill()
        self.process.join()
        self.process.close()
        self.answers.close()


def _shared(bench: Bench, workers: int, tell: Tell) -> Mapping[int, Signed | Refused]:
    """What this process and others find out together; what cannot be judged is missing."""
    known: dict[int, Signed | Refused] = {}
    with _started(bench, workers) as crew:
        for done, number in enumerate(reversed(range(len(bench.items)))):
            if done % _BATCH == 0:
                tell(sum(worker.collect(bench, known) for worker in crew))
            if not any(number in worker.found for worker in crew):
                with suppress(Exception):  # it is judged again in its turn, and raises then
                    known[number] = bench.judge(number)
                    tell(1)
    for worker in crew:
        known = {**worker.found, **known}
    return known


@contextmanager
def _started(bench: Bench, workers: int) -> Iterator[Sequence[_Worker]]:
    """So many workers, or as many as the system allows; none of them is left after that."""
    crew: list[_Worker] = []
    # Control-C is for this process, which ends the others. It comes when all that were started are known.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        try:
            with suppress(OSError):
                for first in range(workers):
                    crew.append(_start(bench, range(first, len(bench.items), workers), crew))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        yield crew
    finally:
        for worker in crew:
            worker.end()


def _start(bench: Bench, share: range, others: Sequence[_Worker]) -> _Worker:
    import multiprocessing

    ours, theirs = socket.socketpair()
    with theirs:
        ours.setblocking(False)
        inherited = (ours, *(worker.answers for worker in others))
        arguments = (bench, share, theirs, inherited)
        process = multiprocessing.get_context("fork").Process(target=_work, args=arguments, daemon=True)
        try:
            process.start()
        except OSError:
            ours.close()
            raise
    return _Worker(process, ours, share)


def _work(bench: Bench, share: range, answers: socket.socket, inherited: Sequence[socket.socket]) -> None:
    """A worker's life: it ends with its share, with the first thing that goes wrong, or when nobody listens."""
    gc.disable()  # what it makes is of no use to it for long, and looking at all that it inherited would copy it
    for other in inherited:
        other.close()
    with suppress(Exception):
        for start in range(0, len(share), _BATCH):
            answers.sendall(b"".join(write_answer(bench.judge(number)) for number in share[start : start + _BATCH]))
