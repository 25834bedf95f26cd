"""One HTTP exchange after another with a few hosts, each within limits of bytes and time (SECURITY 30).

Redirects are not followed here, nothing is decompressed, no proxy and no netrc is used, and an answer is read only as
far as its caller allows.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Final

from urllib3 import BaseHTTPResponse, Timeout
from urllib3.exceptions import HTTPError, SSLError

from gate.collect.registry.access import Origin
from gate.collect.registry.addresses import CONNECT_S, Deadline
from gate.collect.registry.connections import Connections, Line
from gate.errors import EvidenceError, LimitError, UnavailableError

READ_S: Final = 15.0
_PIECE: Final = 1 << 16
UNAVAILABLE: Final = frozenset({429, 500, 502, 503, 504})
"""The statuses with which a server says that it cannot answer now."""
_LONGEST_PAUSE_S: Final = 10.0
_SAFE: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask. `limit` is the number of bytes of the answer that are read, and only with status 200.

    `is_repeatable` says that asking twice is as good as asking once, as for what is stored under its digest.
    """

    method: str
    origin: Origin
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)
    limit: int = 0
    is_repeatable: bool = False

    @property
    def is_safe(self) -> bool:
        """Whether it may be asked again."""
        return self.is_repeatable or self.method in _SAFE

    @property
    def place(self) -> str:
        """Where it goes, for people: without the query, which may hold a signature."""
        return f"{self.origin}{self.path.partition('?')[0]}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Header names are in lower case; one that came twice has its values joined by `, `."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class BrokenError(EvidenceError):
    """The connection or the answer broke off; asking again may help."""


class UnreachableError(BrokenError, UnavailableError):
    """There is no connection, or none any more."""


# What went wrong in our own words: the library's may hold what the server sent.
_REASONS: Final[Mapping[type[OSError], str]] = {
    socket.gaierror: "there is no such host",
    ConnectionRefusedError: "nobody listens there",
    TimeoutError: "it did not answer in time",
    ConnectionError: "the connection broke off",
}


class Transport:
    """Connections to registries, borrowed until `close`."""

    def __init__(self, limit_s: float, connections: Connections, pauses_s: tuple[float, ...]) -> None:
        self._connections, self._pauses_s = connections, pauses_s
        self._lines: dict[Origin, Line] = {}
        self.deadline = Deadline(limit_s)

    def close(self) -> None:
        """Gives all connections back."""
        # First: what the deadline has shut down is not usable, and says so only once nothing is watched any more.
        self.deadline.close()
        usable = not self.deadline.is_over
        for line in self._lines.values():
            self._connections.give_back(line, usable=usable)
        self._lines.clear()

    def send(self, request: Request) -> Answer:
        """The answer, asked for again where that is safe and may help; raises `EvidenceError` when there is none."""
        for pause_s in self._pauses_s:
            try:
                answer = self._exchange(request)
            except BrokenError:
                if not request.is_safe:
                    raise
                wait_s = pause_s
            else:
                wait_s = max(pause_s, _asked_pause_s(answer))
                if answer.status not in UNAVAILABLE or not request.is_safe or wait_s > _LONGEST_PAUSE_S:
                    return answer
            try:
                self.deadline.pause(wait_s)
            except TimeoutError:
                raise self._late(request) from None
        return self._exchange(request)

    def _exchange(self, request: Request) -> Answer:
        try:
            answer = self._talk(request)
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            if self.deadline.is_over:
                raise self._late(request) from None
            if isinstance(error, SSLError):
                raise _no_tls(request, error) from None
            broken = _broken(error)
            hint = "see whether the registry is up"
            if broken is None:
                raise BrokenError(f"{request.place} broke off, or what came is not HTTP", hint=hint) from None
            raise UnreachableError(f"{request.place}: {_REASONS[broken]}", hint=hint) from None
        # What was cut off at the end of the time can look complete.
        if self.deadline.is_over:
            raise self._late(request)
        return answer

    def _talk(self, request: Request) -> Answer:
        left = self.deadline.left()
        response = self._line(request.origin).pool.urlopen(
            request.method,
            request.path,
            body=request.body,
            headers={"Accept-Encoding": "identity", "User-Agent": "gate", **request.headers},
            retries=False,
            redirect=False,
            timeout=Timeout(connect=min(CONNECT_S, left), read=min(READ_S, left)),
            preload_content=False,
            decode_content=False,
        )
        is_whole = False
        try:
            answer = _read(request, response)
            is_whole = answer.status == 200 or response.length_remaining == 0
            return answer
        finally:
            if is_whole:
                response.release_conn()
            else:
                response.close()
                self.deadline.unwatch(request.origin)

    def _line(self, origin: Origin) -> Line:
        if origin not in self._lines:
            self._lines[origin] = self._connections.lend(origin, self.deadline)
        return self._lines[origin]

    def _late(self, request: Request) -> EvidenceError:
        return UnavailableError(
            f"{request.place} did not answer in time: everything together has {self.deadline.limit_s:g} seconds",
            hint="see whether the registry is overloaded; timeout_s in evidence.oci, or --timeout, is the limit",
        )


def _no_tls(request: Request, error: SSLError) -> EvidenceError:
    cause = error.args[0] if error.args else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return EvidenceError(
            f"the certificate of {request.origin} is not trusted: {cause.verify_message}",
            hint="name its authority: ca in evidence.oci of gate.yaml, or --ca FILE",
        )
    return EvidenceError(
        f"no TLS connection with {request.origin}",
        hint="a registry that speaks plain HTTP needs insecure: true, or --insecure",
    )


def _asked_pause_s(answer: Answer) -> float:
    text = answer.headers.get("retry-after", "")
    return float(text) if re.fullmatch(r"[0-9]{1,6}", text) else 0.0


def _read(request: Request, response: BaseHTTPResponse) -> Answer:
    headers = {name.lower(): response.headers[name] for name in response.headers}
    if response.status != 200 or request.method == "HEAD":
        return Answer(response.status, headers, b"")
    encoding = headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise EvidenceError(f"{request.place} answered with the encoding {encoding[:40]!r}, which nobody asked for")
    length = headers.get("content-length", "0")
    data = bytearray()
    if not (length.isdigit() and int(length) > request.limit):
        while len(data) <= request.limit and (piece := response.read(min(_PIECE, request.limit + 1 - len(data)))):
            data += piece
        if len(data) <= request.limit:
            return Answer(response.status, headers, bytes(data))
    raise LimitError(f"{request.place} answered with more than the {request.limit} bytes that are read")


def _broken(error: Exception) -> type[OSError] | None:
    """Which of the library's reasons means that there is no connection; `None` for an answer that is none."""
    cause: BaseException | None = error
    while cause is not None:
        for known in _REASONS:
            if isinstance(cause, known):
                return known
        cause = cause.__cause__ or cause.__context__
    return None
