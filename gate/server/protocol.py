"""One connection: uvicorn's protocol on httptools, with the limits that it lacks [K8S-16, K8S-17].

A head is bounded in bytes, headers and time; a request is told apart from another in one way only, so what has
`Transfer-Encoding` or wants another protocol is refused, and so is a request that does not wait for the answer before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a connection may take. Times in seconds, sizes in bytes.

    An API server keeps connections for 90 s and cannot send a request again that met a closed one: they are kept longer
    here. One that is `age_s` old ends with its next answer, so that replicas share the work, and what let it in (the
    authority of a client's certificate) is asked again.
    """

    connections: int = 512
    handshake_s: float = 5.0
    first_s: float = 30.0
    head_s: float = 5.0
    idle_s: int = 120
    age_s: float = 600.0
    head_bytes: int = 16 << 10
    url_bytes: int = 2 << 10
    headers: int = 64


class _RefusedError(Exception):
    """The request is not read further: 400, and the connection ends."""


@dataclass(slots=True)
class Shared:
    """What the connections of a listener share."""

    config: Config
    bounds: Bounds
    refused: Callable[[], object]
    state: ServerState = field(default_factory=ServerState)
    is_stopping: bool = False


class Connection(HttpToolsProtocol):
    """A connection that nobody can hold open, or fill, for nothing.

    `active_at` is when something last came of it: it was made, asked with a whole head, or was answered. A byte now and
    then is nothing.
    """

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared.config, shared.state, {})
        self._shared = shared
        self._bounds = shared.bounds
        self._timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._is_in_head = False
        self._born = self.active_at = time.monotonic()

    @property
    def is_busy(self) -> bool:
        """Whether a request is worked on."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    @property
    def is_waiting(self) -> bool:
        """Whether it is for the client to go on: nothing that was asked is worked on."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete or cycle.more_body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The handshake is done: a request is expected."""
        super().connection_made(transport)
        self._arm(self._bounds.first_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes; those of a head are counted."""
        if self.transport.is_closing():
            return
        self._head_bytes = self._head_bytes + len(data) if self._is_in_head else len(data)
        super().data_received(data)
        if self.transport.is_closing() or self.is_busy:
            return
        if self._head_bytes > self._bounds.head_bytes:
            self.send_400_response("The head of the request is too large.")
        elif self._timer is None and self.timeout_keep_alive_task is None:
            # Something was sent that is no request yet.
            self._arm(self._bounds.head_s)

    def send_400_response(self, msg: str) -> None:
        """Refuses, and ends the connection."""
        self._shared.refused()
        super().send_400_response(msg)

    def on_message_begin(self) -> None:
        """A request begins; its head has so much time from now."""
        if self.is_busy:
            raise _RefusedError
        super().on_message_begin()
        self._is_in_head = True
        self._arm(self._bounds.head_s)

    def on_url(self, url: bytes) -> None:
        """A piece of the address."""
        super().on_url(url)
        if len(self.url) > self._bounds.url_bytes:
            raise _RefusedError

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        super().on_header(name, value)
        if len(self.headers) > self._bounds.headers or len(name) + len(value) > self._bounds.head_bytes:
            raise _RefusedError

    def on_headers_complete(self) -> None:
        """The head is read; how long the body may take is for the application to say."""
        self.active_at = time.monotonic()
        self._disarm()
        self._is_in_head = False
        if self.parser.should_upgrade() or any(name == b"transfer-encoding" for name, _ in self.headers):
            raise _RefusedError
        super().on_headers_complete()
        if self._shared.is_stopping or time.monotonic() - self._born > self._bounds.age_s:
            self.cycle.keep_alive = False

    def on_response_complete(self) -> None:
        """The answer is given."""
        self.active_at = time.monotonic()
        super().on_response_complete()

    def end(self) -> None:
        """Makes room for others, at once."""
        self.transport.abort()

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._timer = self.loop.call_later(seconds, self._too_slow)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        self._shared.refused()
        self.transport.abort()
