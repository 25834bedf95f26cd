"""A real OPA server on loopback, with a port of its own, that ends for sure."""

from __future__ import annotations

import functools
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
START_S = 60.0
"""A first start reads the program from the disk, with whatever else the machine does."""
ANSWER_S = 60.0
ATTEMPTS = 5

Ready = Callable[[int], bool]


@functools.cache
def opa_program() -> str:
    """The path of the pinned OPA, built once."""
    command = [sys.executable, str(ROOT / "tools/build.py"), "opa"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def healthy(port: int) -> bool:
    """The server says over HTTP that it is; enough where neither TLS nor authorisation is in the way."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def listening(port: int) -> bool:
    """Something accepts connections."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


class OpaServer:
    """`opa run --server` with some arguments, started and ready when this returns.

    `process` may be signalled as a test needs; `close` kills it. Use it as a context manager. What the server writes
    is in `log` after the end, if a file for it was given.
    """

    def __init__(
        self,
        *arguments: str,
        ready: Ready = healthy,
        environment: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> None:
        self._arguments = arguments
        self._environment = environment
        self._log = log
        # Between the choice of a port and its use somebody else may take it; then the server ends by itself.
        for _ in range(ATTEMPTS):
            self.port = _free_port()
            self.process = self._start()
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_S)
            is_ready = False
            try:
                is_ready = self._wait(ready)
            finally:
                if not is_ready:
                    self.close()
            if is_ready:
                return
        raise AssertionError(f"OPA does not start with {arguments}")

    @property
    def url(self) -> str:
        """Where it listens, for plain HTTP."""
        return f"http://127.0.0.1:{self.port}"

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and content of the answer to one request, over a connection that stays open."""
        self._connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        """Kills the server, whatever state it is in, and waits for its end."""
        self._connection.close()
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> subprocess.Popen[bytes]:
        address = ["--addr", f"127.0.0.1:{self.port}", "--skip-version-check"]
        command = [opa_program(), "run", "--server", *address, *self._arguments]
        with (self._log or Path(os.devnull)).open("ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment)

    def _wait(self, ready: Ready) -> bool:
        """Whether it is ready, or has ended or takes too long instead."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.process.poll() is None:
            if ready(self.port):
                return self.process.poll() is None
            time.sleep(0.02)
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
