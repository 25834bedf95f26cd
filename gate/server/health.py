"""`/livez`, `/readyz` and `/metrics`, without TLS: they say how the server does, and nothing else is there.

What is asked starts no work: whether the gate can judge is tried every few seconds, and the last result is told. A
result that is old is no yes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from gate.report.escape import terminal
from gate.server.interface import Receive, Scope, Send
from gate.server.metrics import CONTENT_TYPE, Latest

_OLD_S: Final = 15.0
_TEXT: Final = "text/plain; charset=utf-8"


class Every:
    """Does something again and again, in a thread, until it is told to stop; at once when it is woken."""

    def __init__(self, seconds: float, do: Callable[[], object], name: str) -> None:
        self._seconds, self._do = seconds, do
        self._wake, self._is_over = threading.Event(), False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def now(self) -> None:
        """Does not wait this time."""
        self._wake.set()

    def stop(self, seconds: float = 2.0) -> None:
        """Stops; waits so long for what is being done."""
        self._is_over = True
        self._wake.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._is_over:
            self._wake.wait(self._seconds)
            self._wake.clear()
            if not self._is_over:
                self._do()


class Readiness:
    """Whether the gate can judge, as it was found last."""

    def __init__(self, find: Callable[[], Sequence[str]], clock: Callable[[], float] = time.monotonic) -> None:
        self._find, self._clock = find, clock
        self._problems: tuple[str, ...] = ("not looked at yet",)
        self._found_at = clock()
        self.is_stopping = False

    def look(self) -> None:
        """Finds out."""
        try:
            self._problems = tuple(self._find())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is no yes
            self._problems = (f"this cannot be found out: {type(error).__name__}: {error}",)
        self._found_at = self._clock()

    def problems(self) -> tuple[str, ...]:
        """Why not; empty when it can."""
        if self.is_stopping:
            return ("it stops", *self._problems)
        if self._clock() - self._found_at > _OLD_S:
            return ("it was not found out for too long", *self._problems)
        return self._problems


class Health:
    """The application behind the listener without TLS."""

    def __init__(self, readiness: Readiness, alive: Callable[[], str | None], metrics: Latest) -> None:
        self._readiness, self._alive, self._metrics = readiness, alive, metrics

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        """Answers one request."""
        status, kind, data = self._answer(str(scope["method"]), str(scope["path"]))
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(data)).encode("ascii"))]
        if status in (404, 405):
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": data})

    def _answer(self, method: str, path: str) -> tuple[int, str, bytes]:
        if path not in ("/livez", "/readyz", "/metrics"):
            return 404, _TEXT, b"there are /livez, /readyz and /metrics\n"
        if method not in ("GET", "HEAD"):
            return 405, _TEXT, b"this is only read\n"
        if path == "/metrics":
            return 200, CONTENT_TYPE, self._metrics.text()
        problems: Sequence[str] = self._readiness.problems()
        if path == "/livez":
            problem = self._alive()
            problems = () if problem is None else (problem,)
        text = "".join(f"{terminal(problem, 200)}\n" for problem in problems)
        return (503 if problems else 200), _TEXT, (text or "ok\n").encode("utf-8")
