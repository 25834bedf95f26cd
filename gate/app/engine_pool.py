"""Compiled policies for many threads: each evaluation has one for itself."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from gate.evaluate.interface import Engine
from gate.model.document import InputDocument


class EnginePool:
    """An engine for many threads, made of engines that one thread at a time uses; compiled when one is missing.

    One that failed in any way is not used again. One more evaluates at a time than there are processors: others wait
    in their turn, since they would only take time from those that have begun.
    """

    def __init__(
        self, make: Callable[[], Engine], made_for: object, *, is_shared: bool = False, turns: int | None = None
    ) -> None:
        """Makes the first engine, so that a policy that does not load raises here what `make` does.

        `made_for` tells pools apart whose engines would answer alike from others. With `is_shared` the first engine is
        the only one: it may be used by all threads at once. `turns` is how many evaluate at a time, where it is said.
        """
        first = make()
        self.made_for = made_for
        self.name = first.name
        self._make = make
        self._shared = first if is_shared else None
        self._idle = [] if is_shared else [first]
        self._lock = threading.Lock()
        self._turns = threading.Semaphore(turns or len(os.sched_getaffinity(0)) + 1)
        self._local = threading.local()
        self._version = first.version

    @property
    def version(self) -> str:
        """The version of the engine that answered this thread last."""
        return str(getattr(self._local, "version", self._version))

    def report(self, document: InputDocument) -> bytes:
        """See `Engine.report`."""
        if self._shared is not None:
            report = self._shared.report(document)
            self._local.version = self._shared.version
            return report
        with self._turns:
            engine = self._taken()
            report = engine.report(document)
            self._local.version = engine.version
            with self._lock:
                self._idle.append(engine)
            return report

    def _taken(self) -> Engine:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._make()
