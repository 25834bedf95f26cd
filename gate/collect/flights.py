"""One look at a time at one thing, for all who ask for it meanwhile (single flight).

1. Whoever asks while a look is under way gets its outcome, and no other look is begun
2. Each asker waits for as long as it likes; who gives up ends nothing
3. An outcome is for those who waited. Nothing is kept, and an error least of all
4. A look has its own limit of time and its own thread. One that nobody waits for any more is not begun
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextlib import suppress
from typing import Generic, TypeVar

from gate.errors import UnavailableError

V = TypeVar("V")


class _Flight(Generic[V]):
    def __init__(self) -> None:
        self.outcome: Future[V] = Future()
        self.waiting = 0


class Flights(Generic[V]):
    """Looks by at most `workers` threads at a time, with at most `queue` more that wait to be begun."""

    def __init__(self, name: str, workers: int, queue: int) -> None:
        self._name, self._most = name, workers + queue
        self._lock = threading.Lock()
        self._flights: dict[str, _Flight[V]] = {}
        self._is_closed = False
        self._workers = ThreadPoolExecutor(workers, thread_name_prefix="gate-registry")
        self.begun = 0
        self.shared = 0

    def close(self) -> None:
        """Tells all who wait that there is nothing to wait for, and waits for the threads."""
        with self._lock:
            self._is_closed = True
            flights = list(self._flights.values())
            self._flights.clear()
        for flight in flights:
            _fail(flight.outcome, self._stopped())
        self._workers.shutdown(wait=True, cancel_futures=True)

    def join(self, key: str, look: Callable[[], V], wait_s: float) -> V:
        """The outcome of the look at something that is under way, or of one that begins now.

        Raises `TimeoutError` when it is not there in time, `UnavailableError` when too many wait already, and whatever
        the look raised.
        """
        flight = self._board(key, look)
        try:
            error = flight.outcome.exception(max(0.0, wait_s))
        finally:
            with self._lock:
                flight.waiting -= 1
        if error is not None:
            # Raised in many threads at once, one error would collect the frames of all of them.
            raise copy.copy(error)
        return flight.outcome.result()

    def begin(self, key: str, look: Callable[[], V]) -> None:
        """Begins to look at something that will be asked for soon; raises `UnavailableError` as `join` does."""
        self._board(key, look)

    def _board(self, key: str, look: Callable[[], V]) -> _Flight[V]:
        with self._lock:
            if self._is_closed:
                raise self._stopped()
            flight = self._flights.get(key)
            if flight is not None:
                self.shared += 1
                flight.waiting += 1
                return flight
            if len(self._flights) >= self._most:
                raise UnavailableError(
                    f"{self._name}: {self._most} images are being looked up already",
                    hint="try again; if it stays like that, see whether the registry is slow",
                )
            flight = self._flights[key] = _Flight()
            flight.waiting = 1
            self._workers.submit(self._fly, key, flight, look)
            return flight

    def _fly(self, key: str, flight: _Flight[V], look: Callable[[], V]) -> None:
        with self._lock:
            if self._flights.get(key) is not flight:
                return
            if flight.waiting == 0:
                del self._flights[key]
                return
            self.begun += 1
        try:
            found = look()
        except BaseException as error:  # noqa: BLE001  # whoever waits for the outcome gets it
            self._land(key, flight)
            _fail(flight.outcome, error)
        else:
            self._land(key, flight)
            with suppress(InvalidStateError):
                flight.outcome.set_result(found)

    def _land(self, key: str, flight: _Flight[V]) -> None:
        """From here on, whoever asks begins another look: what this one found may be an error."""
        with self._lock:
            if self._flights.get(key) is flight:
                del self._flights[key]

    def _stopped(self) -> UnavailableError:
        return UnavailableError(
            f"{self._name} is not asked any more: the gate is stopping, or has read gate.yaml again"
        )


def _fail(outcome: Future[V], error: BaseException) -> None:
    with suppress(InvalidStateError):
        outcome.set_exception(error)
