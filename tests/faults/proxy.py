"""A proxy on loopback before a registry or an OPA server, which does what a test says: at once, for each request."""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

_HOP: Final = {"connection", "transfer-encoding", "keep-alive", "content-length", "date"}
_RESET: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Answer:
    """What the server behind it answered to a path."""

    path: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


Behaviour = Callable[["_Handler", Callable[[], Answer]], None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512
    proxy: Proxy

    def handle_error(self, *_: Any) -> None:
        """A client that is gone."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    server: _Server

    def log_message(self, *_: Any) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        proxy.requests += 1
        with contextlib.suppress(OSError, http.client.HTTPException):
            proxy.behaviour(self, lambda: proxy.asked(self, body))

    def do_POST(self) -> None:
        self.do_GET()

    def do_HEAD(self) -> None:
        self.do_GET()

    def reset(self) -> None:
        """Breaks the connection off."""
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.close_connection = True
        self.wfile = _Nowhere()  # type: ignore[assignment]
        self.connection.close()

    def send(self, answer: Answer, *, most: int | None = None, pause_s: float = 0.0) -> None:
        """Sends an answer with the length of all of it, and so much of it; byte by byte with a pause."""
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        data = b"" if self.command == "HEAD" else answer.body[:most]
        if not pause_s:
            self.wfile.write(data)
        for number in range(len(data) if pause_s else 0):
            self.wfile.write(data[number : number + 1])
            time.sleep(pause_s)


class _Nowhere:
    closed = False

    def write(self, _: bytes) -> int:
        return 0

    def flush(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class Proxy:
    """Use it as a context manager; `behaviour` may be changed at any time."""

    def __init__(self, port: int) -> None:
        self.behind = port
        self.behaviour: Behaviour = through
        self.requests = 0
        self.over = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def does(self, behaviour: Behaviour) -> float:
        """Changes what it does; when that was."""
        before, self.over = self.over, threading.Event()
        self.behaviour = behaviour
        before.set()
        return time.monotonic()

    def asked(self, handler: _Handler, body: bytes) -> Answer:
        """What the server behind it says."""
        connection = http.client.HTTPConnection("127.0.0.1", self.behind, timeout=20)
        try:
            headers = {name: value for name, value in handler.headers.items() if name.lower() not in _HOP}
            connection.request(handler.command, handler.path, body or None, headers)
            got = connection.getresponse()
            kept = tuple((name, value) for name, value in got.getheaders() if name.lower() not in _HOP)
            return Answer(handler.path, got.status, kept, got.read())
        finally:
            connection.close()


# --- what it can do ---------------------------------------------------------------------------------------------------


def through(handler: _Handler, ask: Callable[[], Answer]) -> None:
    """Nothing is wrong."""
    handler.send(ask())


def reset(handler: _Handler, _ask: Callable[[], Answer]) -> None:
    """Each connection breaks."""
    handler.reset()


def hole(handler: _Handler, _ask: Callable[[], Answer]) -> None:
    """Nothing is ever answered."""
    handler.server.proxy.over.wait(60)
    handler.reset()


def late(seconds: float) -> Behaviour:
    """Each answer comes so late."""

    def behaviour(handler: _Handler, ask: Callable[[], Answer]) -> None:
        answer = ask()
        handler.server.proxy.over.wait(seconds)
        handler.send(answer)

    return behaviour


def trickle(handler: _Handler, ask: Callable[[], Answer]) -> None:
    """A byte every now and then."""
    handler.send(ask(), pause_s=0.2)


def cut(handler: _Handler, ask: Callable[[], Answer]) -> None:
    """Half of what was promised comes, and then the connection breaks."""
    answer = ask()
    handler.send(answer, most=len(answer.body) // 2)
    handler.wfile.flush()
    handler.reset()


def lies(lie: Callable[[Answer], Answer]) -> Behaviour:
    """Something else is told than the truth."""

    def behaviour(handler: _Handler, ask: Callable[[], Answer]) -> None:
        handler.send(lie(ask()))

    return behaviour
