"""What a webhook judges with, held in memory and taken anew when its files change: all of it, or nothing."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from gate.app.admission_state import EngineFactory, Loader, State
from gate.app.engines import open_engine
from gate.app.self_test import self_test
from gate.app.snapshot import Snapshot
from gate.app.wall_clock import WallClock
from gate.app.workspace import Request
from gate.errors import GateError

__all__ = ["Health", "Held", "Reloaded", "State"]

_RETRY_S: Final = 10.0
"""So long files that were refused are not tried again by themselves, unless they change."""
_RETIRED_S: Final = 60.0
"""No request takes so long; then what it began with is closed."""
_TEST_S: Final = 30.0
"""How often the self-test is repeated."""


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
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Loads the first state; raises a `GateError` for what `gate check` refuses too, and for a failed self-test.

        Files are taken when they stayed as they are for `settle_s` seconds. `steady` is what deadlines are told by.
        """
        self._stopped = threading.Event()
        pause = partial(self._stopped.wait, settle_s)
        self._loader = Loader(request, engine, clock or WallClock(), pause)
        self._steady = steady
        self._lock = threading.Lock()
        self._retired: list[tuple[float, Callable[[], object]]] = []
        self._counts = dict.fromkeys(("reloads", "failed_reloads", "failed_self_tests"), 0)
        self._problem: str | None = None
        self._engine_problem: str | None = None
        self._failed: tuple[Snapshot, float] | None = None
        self._tested_at = steady()
        self._seen = self._loader.look()
        self._state = self._loader.load(self._seen, None)

    def current(self) -> State:
        """The state that judges now. Who began with one goes on with it."""
        return self._state

    def reload(self) -> Reloaded:
        """Looks at the files again, and takes them when they changed and everything about them holds.

        To be called every few seconds. It repeats the self-test as well, whose result `health` tells.
        """
        with self._lock:
            found = self._look()
            if self._steady() - self._tested_at >= _TEST_S:
                self._test()
            return found

    def health(self) -> Health:
        """Whether the webhook can answer; writes to the log to find out."""
        state = self._state
        problems = [] if self._engine_problem is None else [self._engine_problem]
        notes = [] if self._problem is None else [f"the files are not taken: {self._problem}"]
        notes += self.notes()
        try:
            if state.recorder is not None:
                state.recorder.probe()
        except GateError as error:
            problems.append(str(error))
        try:
            state.now_s()
        except GateError as error:
            problems.append(str(error))
        return Health(tuple(problems), tuple(notes), self.counts())

    def notes(self) -> Sequence[str]:
        """What is wrong with the log and keeps nobody from answering."""
        recorder = self._state.recorder
        return () if recorder is None else recorder.notes()

    def counts(self) -> Mapping[str, int]:
        """What happened since the start, by names of a closed set: here, with the log, registries and caches."""
        state = self._state
        recorder = {} if state.recorder is None else state.recorder.counts()
        return (
            dict(self._counts)
            | {f"record_{name}": count for name, count in recorder.items()}
            | {f"registry_{name}": count for name, count in state.registries.counts().items()}
            | {f"signatures_{name}": count for name, count in state.signatures.counts().items()}
        )

    def close(self, timeout_s: float = 5.0) -> None:
        """Waits until everything that was taken is recorded, and closes what is open."""
        self._stopped.set()
        with self._lock:
            state = self._state
            if state.recorder is not None:
                state.recorder.close(timeout_s)
            state.registries.close()
            self._retire(math.inf)

    # -- reloading -----------------------------------------------------------------------------------------------------

    def _test(self) -> None:
        state, self._tested_at = self._state, self._steady()
        try:
            self_test(state.workspace, state.engine)
        except Exception as error:  # noqa: BLE001 - as above
            self._counts["failed_self_tests"] += 1
            self._engine_problem = _told(error)
        else:
            self._engine_problem = None

    def _look(self) -> Reloaded:
        self._retire(self._steady() - _RETIRED_S)
        try:
            files = self._loader.look()
            if files.root == self._seen.root and self._seen.is_current():
                self._problem = self._failed = None
                return Reloaded(changed=False, problem=None)
            if self._is_refused_already(files):
                return Reloaded(changed=False, problem=self._problem)
            self._failed = files, self._steady()
            self._take(files, self._loader.load(files, self._state))
        except Exception as error:  # noqa: BLE001 - whatever it is, what judges goes on, and it is told
            self._counts["failed_reloads"] += 1
            self._problem = _told(error)
            return Reloaded(changed=False, problem=self._problem)
        return Reloaded(changed=True, problem=None)

    def _is_refused_already(self, files: Snapshot) -> bool:
        """Whether loading would say again what it said a short time ago; later the reason may lie elsewhere."""
        if self._failed is None:
            return False
        failed, at = self._failed
        return failed.root == files.root and self._steady() - at < _RETRY_S and failed.is_current()

    def _take(self, files: Snapshot, state: State) -> None:
        old, self._state, self._seen = self._state, state, files
        self._problem = self._failed = self._engine_problem = None
        self._counts["reloads"] += 1
        now = self._steady()
        if old.recorder is not None and old.recorder is not state.recorder:
            self._retired.append((now, old.recorder.close))
        if old.registries is not state.registries:
            self._retired.append((now, old.registries.close))

    def _retire(self, before: float) -> None:
        """Closes what nobody begins with any more, when those who did have ended."""
        gone = [close for at, close in self._retired if at <= before]
        self._retired = [(at, close) for at, close in self._retired if at > before]
        for close in gone:
            close()


def _told(error: Exception) -> str:
    if not isinstance(error, GateError):
        return f"a bug: {type(error).__name__}"
    return f"{error} ({error.hint})" if error.hint else str(error)
