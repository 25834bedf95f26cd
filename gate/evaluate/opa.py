"""A policy in an OPA server beside the gate, which is asked one question and believed only with proof.

Every answer has to name the revision of the bundle that gave it, and that is the digest of the policy that the gate
itself has loaded and checked. An answer that is late, incomplete or anything else than expected is an error, and its
content is never shown: it may hold what the input document holds.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Final
from urllib.parse import urlsplit

import requests
from opa_client import OpaClient
from requests.adapters import BaseAdapter

from gate.errors import ConfigError, PolicyError, PolicyTimeout
from gate.evaluate.bundle import PolicyBundle
from gate.evaluate.interface import ENTRYPOINT
from gate.evaluate.opa_answer import (
    LOG,
    MAX_ANSWER_BYTES,
    OTHER,
    Answer,
    check_revision,
    check_status,
    read_answer,
    result_of,
)
from gate.evaluate.regorus import RegorusEngine
from gate.model.document import InputDocument
from gate.model.settings import EngineSettings

PATH: Final = f"/v1/{ENTRYPOINT.replace('.', '/')}"
"""The one path that is ever asked."""
PARAMETERS: Final = {"provenance": "true", "strict-builtin-errors": "true"}
"""Without the second, a builtin that fails would make a rule undefined, and a refusal a pass."""
CONNECT_S: Final = 2.0
MAX_FAILURES: Final = 3
"""After so many failures in a row nothing is asked for `PAUSE_S` seconds, and then once for a trial.

A webhook shall let things in again soon after its server is well, and not hang in all threads while it is not.
"""
PAUSE_S: Final = 5.0

_RETRY_AFTER_S: Final = (0.1, 0.3, 0.6)


class OpaEngine:
    """A policy in an OPA server. The instance may be shared by threads.

    The policy is also loaded by the embedded engine: what its static checks refuse is refused here too.
    """

    name = "opa"

    def __init__(
        self,
        bundle: PolicyBundle,
        settings: EngineSettings,
        token: str | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises `PolicyError` for a policy that no engine may load, `ConfigError` for settings that are not safe."""
        RegorusEngine(bundle)
        self._revision = bundle.digest
        self.server = Sidecar(settings, token)
        self._breaker = _Breaker(self.server.url, clock)
        self._version = "unknown"

    @property
    def version(self) -> str:
        """The server's version as of its last good answer."""
        return self._version

    def report(self, document: InputDocument) -> bytes:
        """See `Engine.report`."""
        self._breaker.check()
        try:
            answer = self.server.ask(document.canonical)
            check_revision(answer, self._revision, self.server.url)
            report = result_of(answer, self.server.url)
        except PolicyError:
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        self._version = answer.version
        return report


class Sidecar:
    """An OPA server at an address. Whatever it does, a question ends by the time limit of the settings."""

    def __init__(self, settings: EngineSettings, token: str | None) -> None:
        """Raises `ConfigError` for an address without the authority that vouches for it, and the other way round."""
        self.url = settings.url or ""
        parts = urlsplit(self.url)
        if (parts.scheme == "https") is not (settings.ca is not None):
            raise ConfigError(
                f"the OPA server at {self.url} needs {'https' if settings.ca is not None else 'a ca'}",
                hint="https goes with the file of the only authorities that may vouch for the server, http with none",
            )
        transport = _Transport(self.url, _tls(settings.ca), float(settings.timeout_s))
        self._named = _Client(self.url, transport, token)
        self._nameless = _Client(self.url, transport, None)

    def ask(self, document: bytes) -> Answer:
        """What the server answers for a document in canonical JSON; raises `PolicyError` or `PolicyTimeout`."""
        body = b'{"input":' + document + b"}"
        response = self._named.send("POST", PATH, PARAMETERS, body)
        check_status(response.status_code, self.url)
        kind, encoding = (response.headers.get(f"Content-{name}") for name in ("Type", "Encoding"))
        return read_answer(response.content, kind, encoding, self.url)

    def status(self, method: str, path: str, *, named: bool) -> int:
        """The status of the answer to any other request, with the token or without; raises like `ask`."""
        client = self._named if named else self._nameless
        return client.send(
            method, path, PARAMETERS if path == PATH else {}, None if method == "GET" else b"{}"
        ).status_code


class _Client(OpaClient):  # type: ignore[misc]  # the library has no types
    """The library's client without what it takes from the environment, and over our transport."""

    def __init__(self, url: str, transport: BaseAdapter, token: str | None) -> None:
        parts = urlsplit(url)
        self._url, self._transport = url, transport
        super().__init__(host=parts.hostname or "", ssl=parts.scheme == "https", token=token, retries=0)

    def _init_session(self) -> requests.Session:
        session: requests.Session = super()._init_session()
        session.trust_env = False  # no proxies, no netrc that would replace the token, no other authorities
        session.max_redirects = 0
        session.adapters.clear()
        session.mount(f"{urlsplit(self._url).scheme}://", self._transport)
        for name in ("User-Agent", "Accept-Encoding", "Accept", "Connection"):
            del session.headers[name]
        session.headers.update({"User-Agent": "gate", "Accept": "application/json", "Connection": "close"})
        return session

    def send(self, method: str, path: str, parameters: Mapping[str, str], body: bytes | None) -> requests.Response:
        """One request, never followed by another."""
        session: requests.Session = self._session
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            return session.request(
                method, self._url + path, params=parameters, data=body, headers=headers, allow_redirects=False
            )
        except requests.RequestException:
            raise ConfigError(f"{self._url} is no address of a server") from None


class _Transport(BaseAdapter):
    """One request over a connection of its own, with a deadline for all of it and a limit of the answer's bytes.

    The content of an answer is read with status 200 only.
    """

    def __init__(self, url: str, tls: ssl.SSLContext | None, limit_s: float) -> None:
        super().__init__()
        parts = urlsplit(url)
        self._url, self._netloc = url, parts.netloc
        self._address = (parts.hostname or "", parts.port or (443 if tls else 80))
        self._tls = tls
        self._limit_s = limit_s

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        """Raises `PolicyTimeout` at the deadline, and `PolicyError` when there is no complete answer."""
        exchange = _Exchange(self._address, self._netloc, self._tls, request, time.monotonic() + self._limit_s)
        try:
            return exchange.response()
        except TimeoutError:
            raise PolicyTimeout(
                f"{self._url} did not answer within {self._limit_s:g} seconds",
                hint="see whether the server is overloaded or stopped; the limit is engine.timeout_s",
            ) from None
        except ConnectionRefusedError:
            raise PolicyError(f"no server listens at {self._url}", hint="start it, or correct the address") from None
        except ssl.SSLCertVerificationError as error:
            raise PolicyError(
                f"the certificate of {self._url} is not trusted: {error.verify_message}",
                hint="the given ca has to vouch for the server, for the name in the address, and now",
            ) from None
        except ssl.SSLError as error:
            raise PolicyError(f"no TLS connection with {self._url}: {error.reason or 'it broke'}", hint=OTHER) from None
        except OSError as error:
            raise PolicyError(
                f"the connection to {self._url} failed: {error.strerror or 'it broke'}", hint=LOG
            ) from None
        except (http.client.HTTPException, ValueError):
            raise PolicyError(f"{self._url} does not answer as an HTTP server does", hint=OTHER) from None

    def close(self) -> None:
        """Nothing stays open between requests."""


class _Exchange:
    """A request and its answer, in a thread that is left behind at the deadline.

    A limit for each read would let a server that sends a byte now and then hold the gate for ever, and looking a name
    up can't be limited at all. When the time is over the socket is shut down, which ends the thread.
    """

    def __init__(
        self,
        address: tuple[str, int],
        host: str,
        tls: ssl.SSLContext | None,
        request: requests.PreparedRequest,
        deadline: float,
    ) -> None:
        self._address, self._host, self._tls, self._request, self._deadline = address, host, tls, request, deadline
        self._socket: socket.socket | None = None
        self._outcome: Future[requests.Response] = Future()

    def response(self) -> requests.Response:
        """The answer; raises `TimeoutError` at the deadline, or what went wrong."""
        threading.Thread(target=self._run, name="gate-opa", daemon=True).start()
        try:
            return self._outcome.result(self._deadline - time.monotonic())
        finally:
            if self._socket is not None:
                _shut_down(self._socket)

    def _run(self) -> None:
        try:
            self._outcome.set_result(self._talk())
        except Exception as error:  # noqa: BLE001  # whoever waits for the outcome gets it
            self._outcome.set_exception(error)

    def _talk(self) -> requests.Response:
        with self._connect() as plain:
            self._socket = plain
            if self._tls is None:
                return self._exchange(plain)
            with self._tls.wrap_socket(
                plain, server_hostname=self._address[0], do_handshake_on_connect=False
            ) as connection:
                self._socket = connection
                connection.settimeout(self._left())
                connection.do_handshake()
                return self._exchange(connection)

    def _connect(self) -> socket.socket:
        """Tries again where nobody listens: the server may be starting. Nothing else is ever tried twice."""
        for pause_s in _RETRY_AFTER_S:
            try:
                return socket.create_connection(self._address, min(CONNECT_S, self._left()))
            except ConnectionRefusedError:
                time.sleep(min(pause_s, self._left()))
        return socket.create_connection(self._address, min(CONNECT_S, self._left()))

    def _exchange(self, connection: socket.socket) -> requests.Response:
        connection.settimeout(self._left())
        # Head and body are sent apart; without this the second would wait for the other side to confirm the first.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = http.client.HTTPConnection(*self._address)
        client.sock = connection
        request = self._request
        headers = {"Host": self._host, **{name: str(value) for name, value in request.headers.items()}}
        body = request.body if isinstance(request.body, bytes) else None
        client.request(request.method or "", request.path_url, body, headers)
        with client.getresponse() as answer:
            return _read(answer)

    def _left(self) -> float:
        """Seconds up to the deadline."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def _read(answer: http.client.HTTPResponse) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status
    response.raw = io.BytesIO()
    if answer.status == http.client.OK:
        for name in ("Content-Type", "Content-Encoding"):
            if (text := answer.getheader(name)) is not None:
                response.headers[name] = text
        content = answer.read(MAX_ANSWER_BYTES + 1)
        if len(content) > MAX_ANSWER_BYTES:
            raise PolicyError(f"the OPA server answered with more than {MAX_ANSWER_BYTES} bytes", hint=OTHER)
        response.raw = io.BytesIO(content)
    return response


def _shut_down(connection: socket.socket) -> None:
    """Wakes up whoever reads or writes; past TLS, which would wait for the other side."""
    try:
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    except OSError:
        return


class _Breaker:
    """Stops asking a server that does not answer well, so that many questions do not wait for each time limit."""

    def __init__(self, url: str, clock: Callable[[], float]) -> None:
        self._url, self._clock = url, clock
        self._lock = threading.Lock()
        self._failures = 0
        self._closed_until = 0.0

    def check(self) -> None:
        """Raises `PolicyError` during a pause. After it, one question is let through until it is answered."""
        with self._lock:
            if self._failures < MAX_FAILURES:
                return
            now = self._clock()
            if now < self._closed_until:
                raise PolicyError(
                    f"{self._url} failed {self._failures} times in a row and is not asked for {PAUSE_S:g} seconds",
                    hint="the errors before this one say why",
                )
            self._closed_until = now + PAUSE_S

    def failed(self) -> None:
        """Counts a failure; enough of them begin a pause."""
        with self._lock:
            self._failures += 1
            self._closed_until = self._clock() + PAUSE_S

    def succeeded(self) -> None:
        """Forgets the failures."""
        with self._lock:
            self._failures = 0


def _tls(ca: bytes | None) -> ssl.SSLContext | None:
    """TLS 1.2 or newer, the host's name checked, and no authority but the given ones."""
    if ca is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cadata=ca.decode("ascii"))
    except (ssl.SSLError, ValueError):
        raise ConfigError("the ca of the OPA server is no certificate in PEM") from None
    return context
