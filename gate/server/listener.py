"""Takes connections, so many at a time: whoever did nothing for the longest makes room (SECURITY 42)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Callable
from typing import Final

from gate.errors import ConfigError
from gate.server.protocol import Connection, Shared

_SHUTDOWN_S: Final = 2.0
_PAUSE_S: Final = 0.05
_BACKLOG: Final = 1024


def bind(host: str, port: int, option: str) -> socket.socket:
    """A socket that listens; raises `ConfigError`, which names the option. `::` listens for both families."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        host.encode("idna")  # or the socket is left open
        return socket.create_server(
            (host, port), family=family, backlog=_BACKLOG, dualstack_ipv6=host == "::" and socket.has_dualstack_ipv6()
        )
    except (OSError, UnicodeError) as error:
        raise ConfigError(
            f"{option}: cannot listen on {host!r}, port {port}: {getattr(error, 'strerror', None) or error}"
        ) from None


class Listener:
    """Takes connections from a socket. A new one begins with the context that is used then, `None` for no TLS."""

    def __init__(self, listening: socket.socket, shared: Shared, context: Callable[[], ssl.SSLContext | None]) -> None:
        listening.setblocking(False)
        self._socket = listening
        self._shared = shared
        self._context = context
        self._pending: dict[asyncio.Task[None], float] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._socket.getsockname()[1]
        return port

    @property
    def connections(self) -> int:
        """How many there are, those included whose handshake is not done."""
        return len(self._pending) + len(self._shared.state.connections)

    @property
    def tasks(self) -> set[asyncio.Task[None]]:
        """The requests that are worked on."""
        return set(self._shared.state.tasks)

    @property
    def in_flight(self) -> int:
        """How many there are."""
        return len(self._shared.state.tasks)

    @property
    def is_taking(self) -> bool:
        """Whether connections are taken."""
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Begins to take connections."""
        self._task = asyncio.create_task(self._take())

    def begin_end(self) -> None:
        """From now on each answer ends its connection, so that the next request goes elsewhere."""
        self._shared.is_stopping = True

    async def stop(self) -> None:
        """Takes no more; what is there goes on."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._socket.close()

    def close_idle(self) -> None:
        """Ends connections on which nothing is asked, and has the others end with their answer."""
        for connection in list(self._shared.state.connections):
            connection.shutdown()

    async def abort(self) -> None:
        """Ends every connection."""
        for task in list(self._pending):
            task.cancel()
        for connection in list(self._shared.state.connections):
            connection.transport.abort()
        await asyncio.gather(*self._pending, *self._shared.state.tasks, return_exceptions=True)

    async def _take(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, _ = await loop.sock_accept(self._socket)
            except OSError:  # gone already, or there are too many files
                await asyncio.sleep(_PAUSE_S)
                continue
            if self.connections >= self._shared.bounds.connections and not self._make_room():
                accepted.close()
                self._shared.refused()
                continue
            task = asyncio.create_task(self._begin(accepted))
            self._pending[task] = time.monotonic()
            task.add_done_callback(lambda done: self._pending.pop(done, None))

    async def _begin(self, accepted: socket.socket) -> None:
        accepted.setblocking(False)
        context = self._context()
        handshake_s = self._shared.bounds.handshake_s
        limits = {} if context is None else {"ssl_handshake_timeout": handshake_s, "ssl_shutdown_timeout": _SHUTDOWN_S}
        try:
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: Connection(self._shared), accepted, ssl=context, **limits
            )
        except (OSError, TimeoutError):  # `ssl.SSLError` too: no handshake, no connection
            self._shared.refused()
        except asyncio.CancelledError:
            with contextlib.suppress(OSError):
                accepted.close()
            raise

    def _make_room(self) -> bool:
        """Ends the connection whose client did nothing for the longest; says whether there was one.

        It is counted no more, though it may take a moment until it is gone: the next one ends another.
        """
        open_ones = [one for one in self._shared.state.connections if isinstance(one, Connection) and one.is_waiting]
        idle = min(open_ones, key=lambda one: one.active_at, default=None)
        task = next(iter(self._pending), None)  # in the order in which they came
        if task is not None and (idle is None or self._pending[task] < idle.active_at):
            del self._pending[task]
            task.cancel()
            return True
        if idle is not None:
            self._shared.state.connections.discard(idle)
            idle.end()
        return idle is not None
