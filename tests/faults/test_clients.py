"""Clients that hold connections open for nothing, while good requests go on."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from pathlib import Path

from tests.faults.load import RATE
from tests.faults.site import Told, configured, folder, subjects, under_load
from tests.support.certificates import Authority, Pair
from tests.support.registries import Registry
from tests.support.webhook_site import Site

CONNECTIONS = 200
FEW = 15
"""Requests a second: as an API server does, they go over few connections, which are used all the time."""
FAULT_S = 9.0
HEAD = b"POST /validate?timeout=10s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n"


class Slow(threading.Thread):
    """A client that sends a byte now and then: of a handshake, a head or a body; it comes again when it is put out."""

    def __init__(self, port: int, context: ssl.SSLContext, number: int, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self.port, self.context, self.number, self.over = port, context, number, over
        self.times = 0

    def run(self) -> None:
        while not self.over.is_set():
            with contextlib.suppress(OSError):
                self._hold()
            self.over.wait(0.5)

    def _hold(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as plain:
            self.times += 1
            if self.number % 4 == 0:
                self._trickle(plain, b"\x16\x03\x01\x02\x00" + bytes(500))
                return
            with self.context.wrap_socket(plain, server_hostname="127.0.0.1") as tls:
                if self.number % 4 == 1:
                    self._trickle(tls, HEAD)
                elif self.number % 4 == 2:
                    tls.sendall(HEAD + b"\r\n")
                    self._trickle(tls, b"{" * 1000)
                else:
                    self._trickle(tls, b"")

    def _trickle(self, stream: socket.socket, data: bytes) -> None:
        for number in range(max(len(data), 1)):
            stream.sendall(data[number : number + 1])
            if self.over.wait(0.5):
                return


def test_slow_clients(registry: Registry, tmp_path: Path, authority: Authority, pair: Pair, told: Told) -> None:
    """More of them than there is room for, 200 where 150 are allowed: what is good is let in all the while."""
    site = Site(folder(tmp_path / "site"), registry)
    limits = {"deadline": "3s", "queue": 200, "concurrent": 8, "connections": 150}
    configured(site, limits=limits)
    context = ssl.create_default_context(cafile=str(authority.path))
    over = threading.Event()
    with under_load(site, authority, pair, subjects(site, "slow"), rate=min(RATE, FEW)) as run:
        slow = [Slow(run.process.port, context, number, over) for number in range(CONNECTIONS)]
        began = time.monotonic()
        for one in slow:
            one.start()
        run.load.wait(FAULT_S)
        connections = run.process.metric("gate_webhook_connections")
        over.set()
        for one in slow:
            one.join()
        ended = time.monotonic()
        run.load.recovered(ended)
    figures = run.figures()
    during = [one for one in run.load.asked if one.subject.is_good and began <= one.began <= ended]
    assert connections <= 150
    assert sum(one.times for one in slow) > CONNECTIONS
    assert all(one.allowed for one in during if one.cause not in {"overloaded", "deadline"})
    told({"slow": sum(one.times for one in slow), "connections": connections, "during": len(during), **figures})
