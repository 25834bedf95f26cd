"""A webhook's process and its clients, for tests. Every process ends for sure, and every test has ports of its own."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.certificates import Authority, Pair

ROOT = Path(__file__).resolve().parents[2]
START_S = 60.0
MEASURING = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}


def wait_for(what: Callable[[], Any], seconds: float = 20.0) -> Any:
    """The first answer that is not false."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.02)
    return found


def review(name: str, uid: str = "uid-1", **more: Any) -> bytes:
    """A review as an API server writes its beginning; a test judge does what the name says."""
    request = {"uid": uid, "name": name, **more}
    document = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request}
    return json.dumps(document, separators=(",", ":")).encode()


class Process:
    """A process that logs lines of JSON on standard error, and tells there on which ports it listens."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> None:
        whole = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={**whole, **MEASURING, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self.text: list[str] = []
        self.lines: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            for line in stream:
                self.text.append(line.decode())
                if line.startswith(b"{"):
                    self.lines.append(json.loads(line))

    def log(self, event: str) -> list[dict[str, Any]]:
        return [line for line in list(self.lines) if line["event"] == event]

    def started(self) -> Self:
        """Waits until it listens."""
        end = time.monotonic() + START_S
        while not self.log("started"):
            assert self.process.poll() is None, "".join(self.text)
            assert time.monotonic() < end, "".join(self.text)
            time.sleep(0.01)
        return self

    @property
    def port(self) -> int:
        return int(self.log("started")[0]["port"])

    @property
    def health_port(self) -> int:
        return int(self.log("started")[0]["health_port"])

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self, seconds: float = 30.0) -> int:
        """The exit code."""
        code = self.process.wait(seconds)
        self._reader.join(seconds)
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            # With consideration, so that what is measured is written down.
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.ended()

    # --- clients ------------------------------------------------------------------------------------------------------

    def get(self, path: str) -> tuple[int, str]:
        """What the health port answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.health_port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def metric(self, name: str) -> float:
        """A series, by its name with labels."""
        time.sleep(1.05)  # it is made once a second
        _, text = self.get("/metrics")
        return next(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(f"{name} "))


class Client:
    """A connection to a webhook."""

    def __init__(self, port: int, authority: Authority, pair: Pair | None = None, **options: Any) -> None:
        context = ssl.create_default_context(cafile=str(authority.path))
        if pair is not None:
            context.load_cert_chain(pair.certificate, pair.key)
        for name, value in options.items():
            setattr(context, name, value)
        self.connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=20)
        self.headers: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.connection.close()

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        self.connection.request(method, path, body, headers or {})
        answer = self.connection.getresponse()
        self.headers = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, answer.read()

    def post(self, body: bytes, query: str = "") -> tuple[int, bytes]:
        return self.call("POST", f"/validate{query}", body, {"Content-Type": "application/json"})

    def judged(self, body: bytes, query: str = "?timeout=10s") -> dict[str, Any]:
        """The response of a review."""
        status, data = self.post(body, query)
        document = json.loads(data)
        assert status == 200, data
        assert (document["apiVersion"], document["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
        found: dict[str, Any] = document["response"]
        return found

    @property
    def serial(self) -> str:
        """Of the server's certificate."""
        socket_ = self.connection.sock
        assert isinstance(socket_, ssl.SSLSocket)
        certificate = socket_.getpeercert()
        assert certificate is not None
        return str(certificate["serialNumber"])


def raw(port: int, authority: Authority, data: bytes, seconds: float = 10.0) -> bytes:
    """Everything that is answered to some bytes, until the connection ends."""
    context = ssl.create_default_context(cafile=str(authority.path))
    with (
        socket.create_connection(("127.0.0.1", port), timeout=seconds) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as tls,
    ):
        tls.sendall(data)
        found = b""
        try:
            while piece := tls.recv(65536):
                found += piece
        except (ConnectionError, ssl.SSLError):
            return found
        return found


def judging(folder: Path, pair: Pair, limits: Mapping[str, Any] | None = None, **options: Any) -> Process:
    """A server with the judge of tests."""
    given = {"host": "127.0.0.1", "port": 0, "health_port": 0, "watch_s": 0.1, "linger_s": 0.0, "drain_s": 5.0}
    given |= {"certificate": str(pair.certificate), "key": str(pair.key), **options}
    command = [sys.executable, "-m", "tests.support.webhook_judge", json.dumps(given), json.dumps(limits or {})]
    return Process(command, folder)
