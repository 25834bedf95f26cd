"""Connections to one registry and to where it sends, kept between one look at it and the next (SECURITY 30).

1. Every connection goes to an address that was looked at when it was made
2. One that is used is used by one transport alone, and is watched by the deadline of that one
3. Kept is only what ended well: an answer read to its end, before the deadline, and nothing came after it
4. What is kept is bounded in number, in time without use and in age, so that other addresses of a name are found
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from gate.collect.registry.access import Origin
from gate.collect.registry.addresses import Deadline, Reach, connect
from gate.errors import ConfigError

IDLE_S: Final = 30.0
AGE_S: Final = 300.0


class _Guard:
    """Makes the connections of one pool, of which there is one at a time, and has it watched."""

    def __init__(self, origin: Origin, reach: Reach, clock: Callable[[], float]) -> None:
        self.origin = origin
        self.made_at = 0.0
        self._reach, self._clock = reach, clock
        self._deadline: Deadline | None = None
        self._held: socket.socket | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a connection that nobody has closed."""
        return self._held is not None

    def begin(self, deadline: Deadline) -> None:
        """What is used from now on ends with this deadline."""
        self._deadline = deadline
        if self._held is not None:
            deadline.watch(self.origin, self._held)

    def connect(self) -> socket.socket:
        """A new connection; raises what `connect` does."""
        if self._deadline is None:
            raise TimeoutError
        connection = connect(self.origin.host, self.origin.port, self._reach, self._deadline)
        self._deadline.watch(self.origin, connection)
        self.release()
        # A copy: TLS takes the socket over, and the connection under both is the same.
        self._held = connection.dup()
        self.made_at = self._clock()
        return connection

    def release(self) -> None:
        """Forgets the connection, which is closed."""
        if self._held is not None:
            self._held.close()
            self._held = None


class _PlainConnection(HTTPConnection):
    """A connection to an address that was looked at. The library's own SOCKS support hooks in at the same place."""

    def __init__(self, *args: object, guard: _Guard, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._guard = guard

    def _new_conn(self) -> socket.socket:
        return self._guard.connect()

    def close(self) -> None:
        self._guard.release()
        super().close()


class _TlsConnection(_PlainConnection, HTTPSConnection):
    """The same under TLS."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


@dataclass(frozen=True, slots=True)
class Line:
    """The way to one origin: at most one connection, for one transport at a time."""

    pool: HTTPConnectionPool
    guard: _Guard

    def close(self) -> None:
        """Ends its connection."""
        self.pool.close()
        self.guard.release()


class Connections:
    """Lends lines to transports, for any number of threads. All of them share one TLS configuration and one reach."""

    def __init__(
        self,
        reach: Mapping[str, Reach],
        ca: bytes | None,
        *,
        keep: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`reach` is by host; other hosts have that of the empty name. At most `keep` unused lines are kept.

        Raises `ConfigError` for a `ca` that is none.
        """
        self._reach, self._keep, self._clock = reach, keep, clock
        self._tls = _tls(ca)
        self._lock = threading.Lock()
        self._kept: list[tuple[Line, float]] = []
        self._is_closed = False
        self.reused = 0

    def close(self) -> None:
        """Ends what is kept, and keeps nothing more."""
        with self._lock:
            self._is_closed = True
            kept, self._kept = self._kept, []
        _close(line for line, _ in kept)

    def lend(self, origin: Origin, deadline: Deadline) -> Line:
        """A line for one user alone, until it is given back."""
        with self._lock:
            old = self._without_old()
            found = next((item for item in reversed(self._kept) if item[0].guard.origin == origin), None)
            if found is not None:
                self._kept.remove(found)
                self.reused += 1
        _close(old)
        line = self._line(origin) if found is None else found[0]
        line.guard.begin(deadline)
        return line

    def give_back(self, line: Line, *, usable: bool) -> None:
        """Keeps a line for the next user, if it is usable: its deadline has ended, and was not over."""
        with self._lock:
            old = self._without_old()
            if usable and line.guard.is_open and not self._is_closed and len(self._kept) < self._keep:
                self._kept.append((line, self._clock()))
            else:
                old.append(line)
        _close(old)

    def _without_old(self) -> list[Line]:
        """Takes out what is too old to be used."""
        now = self._clock()
        old = [item for item in self._kept if now - item[1] > IDLE_S or now - item[0].guard.made_at > AGE_S]
        for item in old:
            self._kept.remove(item)
        return [line for line, _ in old]

    def _line(self, origin: Origin) -> Line:
        guard = _Guard(origin, self._reach.get(origin.host, self._reach[""]), self._clock)
        if origin.scheme == "https":
            return Line(_TlsPool(origin.host, origin.port, maxsize=1, ssl_context=self._tls, guard=guard), guard)
        return Line(_PlainPool(origin.host, origin.port, maxsize=1, guard=guard), guard)


def _close(lines: Iterable[Line]) -> None:
    for line in lines:
        line.close()


def _tls(ca: bytes | None) -> ssl.SSLContext:
    """TLS 1.2 or newer, the host's name checked; with an authority, no other one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca is None:
        context.load_default_certs()
        return context
    try:
        context.load_verify_locations(cadata=ca.decode("ascii"))
    except (ssl.SSLError, ValueError):
        raise ConfigError("the ca of the registry is no certificate in PEM") from None
    return context
