"""Connections only to addresses that were looked at: what is checked is what is connected to (SECURITY 30)."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final, TypeVar

from gate.errors import EvidenceError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
T = TypeVar("T")
_TRANSLATED: Final = ipaddress.ip_network("64:ff9b::/96")
_LOW_32: Final = (1 << 32) - 1
CONNECT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Reach:
    """Which addresses that are not public may be connected to."""

    loopback: bool = False
    private: bool = False
    link_local: bool = False

    def allows(self, address: Address) -> bool:
        """Whether an address may be connected to, also when it is written as another one."""
        address = _meant(address)
        if address.is_loopback:
            return self.loopback
        if address.is_link_local:
            return self.link_local
        if address.is_multicast or address.is_unspecified or address.is_reserved:
            return False
        is_site = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
        return self.private or (address.is_global and not is_site)


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & _LOW_32)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None) or address


class Deadline:
    """The time by which everything has ended. Sockets in use are shut down then, so that no read outlives it.

    A limit for each read would let a server that sends a byte now and then hold the gate for ever.
    """

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self._ends = time.monotonic() + limit_s
        self._lock = threading.Lock()
        self._sockets: dict[object, socket.socket] = {}
        self._timer = threading.Timer(limit_s, self._shut_down)
        self._timer.daemon = True
        self._timer.start()

    def close(self) -> None:
        """Ends the watch."""
        self._timer.cancel()
        with self._lock:
            for kept in self._sockets.values():
                kept.close()
            self._sockets.clear()

    def end(self) -> None:
        """Makes now the end."""
        self._ends = time.monotonic()
        self._timer.cancel()
        self._shut_down()

    @property
    def is_over(self) -> bool:
        """Whether no time is left."""
        return time.monotonic() >= self._ends

    def left(self) -> float:
        """Seconds up to the end; raises `TimeoutError` when there are none."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def pause(self, seconds: float) -> None:
        """Waits, but not beyond the end; raises `TimeoutError` when it is reached."""
        time.sleep(min(seconds, self.left()))
        self.left()

    def watch(self, key: object, connection: socket.socket) -> None:
        """Shuts the connection down at the end, instead of the one that was watched under the key before."""
        # A copy: TLS takes the socket over, and the connection under both is the same.
        with self._lock:
            self._forget(key)
            self._sockets[key] = connection.dup()
        if self.is_over:
            self._shut_down()

    def unwatch(self, key: object) -> None:
        """Lets a connection go that is not used any more."""
        with self._lock:
            self._forget(key)

    def _forget(self, key: object) -> None:
        if (kept := self._sockets.pop(key, None)) is not None:
            kept.close()

    def _shut_down(self) -> None:
        with self._lock:
            for kept in self._sockets.values():
                shut_down(kept)


def shut_down(connection: socket.socket) -> None:
    """Wakes up whoever reads or writes."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def connect(host: str, port: int, reach: Reach, deadline: Deadline) -> socket.socket:
    """A connection to a host all of whose addresses are allowed.

    The name is looked up once and only what was looked at is connected to, so that no second answer counts. Raises
    `EvidenceError` for an address that is not allowed, `OSError` when nobody is there.
    """
    found = _in_time(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), deadline)
    failure: OSError = OSError("it has no address")
    for entry in found:
        address = ipaddress.ip_address(str(entry[4][0]).partition("%")[0])
        if not reach.allows(address):
            raise EvidenceError(
                f"{host} has the address {address}, which is not a public one, and the gate does not connect to it",
                hint="private: true in evidence.oci of gate.yaml, or --private, if this registry is meant",
            )
    for family, kind, protocol, _, place in found:
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(min(CONNECT_S, deadline.left()))
            connection.connect(place)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure


def _in_time(work: Callable[[], T], deadline: Deadline) -> T:
    """The result of something that can't be given a limit: it is left behind when the time is over."""
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except Exception as error:  # noqa: BLE001  # whoever waits for the outcome gets it
            outcome.set_exception(error)

    threading.Thread(target=run, name="gate-lookup", daemon=True).start()
    return outcome.result(deadline.left())
