"""`POST /validate`: what is asked is bounded, judged beside the event loop, and answered in time (SECURITY 42).

1. What is no review is refused by an HTTP status: another path, method or type, no length, too long, too slow.
2. Nobody waits for a place: a review that finds none is refused at once.
3. When the time is over the answer is a refusal, whatever the thread that judges is at.
4. An answer is a refusal unless the judge says otherwise; what goes wrong on the way is a refusal.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from gate.model.admission import Answer, Cause
from gate.model.admission_settings import AdmissionLimits
from gate.server.crew import Crew
from gate.server.deadline import allowed_s
from gate.server.interface import Answered, Judge, Message, Receive, Scope, Send
from gate.server.logs import Log
from gate.server.metrics import Metrics
from gate.server.refusals import own_refusal, plain_review

PATH: Final = "/validate"
_ROOM: Final = 96 << 20
"""Bytes of bodies that are held at a time."""
_GRACE_S: Final = 0.1
_DISCARD_S: Final = 1.0
_DISCARD: Final = 16 << 20
_JSON: Final = re.compile(rb"application/json(?:\s*;\s*charset=utf-8)?", re.IGNORECASE)
_TEXTS: Final = {
    400: "the request is not understood",
    404: "there is nothing here; reviews are posted to /validate",
    405: "reviews are posted",
    408: "the request did not arrive in time",
    411: "the request has no Content-Length",
    413: "the request is too large",
    415: "reviews are application/json, not compressed",
    503: "there is no room for the request",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer as it is sent, and what is told of it."""

    answer: Answer
    data: bytes
    answered: Answered | None = None


class _HttpError(Exception):
    """The request is no review."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _GoneError(Exception):
    """Nobody is there to be answered."""


class Webhook:
    """The application behind the listener with TLS."""

    def __init__(
        self,
        judge: Judge,
        write: Callable[[Answer], bytes],
        crew: Crew[Judged],
        limits: AdmissionLimits,
        metrics: Metrics,
        log: Log,
    ) -> None:
        self._judge, self._write, self._crew, self._limits = judge, write, crew, limits
        self._metrics, self._log = metrics, log
        self._room = _ROOM
        self._is_over = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        began = time.monotonic()
        try:
            self._check(scope)
            judged, waited_s = await self._reviewed(scope, receive, began)
        except _HttpError as error:
            self._metrics.refused(error.status)
            if error.status == 413:
                await _discard(receive)
            await _send_text(send, error.status)
            return
        except _GoneError:
            self._metrics.refused(0)
            return
        answer = judged.answer
        is_understood = answer.uid or answer.cause is not Cause.REVIEW
        await _send(send, 200 if is_understood else _status(answer.code), judged.data, b"application/json")
        self._tell(judged, waited_s, time.monotonic() - began)

    def give_up(self) -> None:
        """Refuses whatever is judged or waits: the time of this server is over."""
        self._is_over = True
        self._crew.abandon()

    def _check(self, scope: Scope) -> None:
        """Refuses what the head alone shows to be no review."""
        if scope["path"] != PATH:
            raise _HttpError(404)
        if scope["method"] != "POST":
            raise _HttpError(405)
        headers = scope["headers"]
        found: Mapping[bytes, bytes] = dict(headers) if isinstance(headers, list) else {}
        if _JSON.fullmatch(found.get(b"content-type", b"")) is None or b"content-encoding" in found:
            raise _HttpError(415)
        if b"content-length" not in found:
            raise _HttpError(411)
        if int(found[b"content-length"]) > self._limits.body_bytes:
            raise _HttpError(413)

    async def _reviewed(self, scope: Scope, receive: Receive, began: float) -> tuple[Judged, float]:
        query = scope["query_string"]
        ends_at = began + allowed_s(query if isinstance(query, bytes) else b"", self._limits.deadline_s)
        body = bytearray()
        try:
            try:
                async with asyncio.timeout_at(_on_loop(ends_at)):
                    await self._read(receive, body)
            except TimeoutError:
                raise _HttpError(408) from None
            return await self._judged(bytes(body), ends_at)
        finally:
            self._room += len(body)

    async def _read(self, receive: Receive, body: bytearray) -> None:
        """Reads the body. What is held is counted when it is there: a length that is only said takes no room."""
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise _GoneError
            piece = _piece(message)
            body += piece
            self._room -= len(piece)
            if self._room < 0:
                raise _HttpError(503)
            if not message.get("more_body"):
                return

    async def _judged(self, body: bytes, ends_at: float) -> tuple[Judged, float]:
        future = self._crew.ask(lambda: self._work(body, ends_at), ends_at)
        if future is None:
            return self._refused(body, Cause.OVERLOADED), 0.0
        try:
            # The judge knows the time too, and says better what it had come to.
            async with asyncio.timeout_at(_on_loop(ends_at + _GRACE_S)):
                done = await future
        except TimeoutError:
            return self._refused(body, Cause.STOPPING if self._is_over else Cause.DEADLINE), 0.0
        except RuntimeError as error:
            self._log.say("bug", "error", error=str(error))
            return self._refused(body, Cause.BUG), 0.0
        return done.value, done.waited_s

    def _work(self, body: bytes, ends_at: float) -> Judged:
        """In a thread of the crew."""
        answered = self._judge.answer(body, ends_at)
        judged = Judged(answered.answer, self._write(answered.answer), answered)
        if time.monotonic() > ends_at + _GRACE_S:
            self._metrics.late()
        return judged

    def _refused(self, body: bytes, cause: Cause) -> Judged:
        answer = own_refusal(body, cause)
        return Judged(answer, plain_review(answer))

    def _tell(self, judged: Judged, waited_s: float, seconds: float) -> None:
        answer, answered = judged.answer, judged.answered
        if answered is not None and answered.trace is not None:
            self._log.say("bug", "error", uid=answer.uid, trace=answered.trace)
        stages = {"wait": waited_s, **({} if answered is None else answered.seconds)}
        self._metrics.reviewed(answer.cause, None if answered is None else answered.verdict, seconds)
        self._metrics.staged(stages)
        self._log.say(
            "review",
            "error" if answer.cause is Cause.BUG else "info",
            uid=answer.uid,
            allowed=answer.allowed,
            cause=answer.cause.value,
            decision=None if answered is None else answered.decision_id,
            verdict=None if answered is None else answered.verdict,
            controls=list(answered.controls) if answered is not None and answered.controls else None,
            message=answer.message or None,
            ms=round(seconds * 1000, 1),
            stages_ms={stage: round(value * 1000, 1) for stage, value in stages.items()},
        )


def _piece(message: Message) -> bytes:
    piece = message.get("body", b"")
    return piece if isinstance(piece, bytes) else b""


async def _discard(receive: Receive) -> None:
    """Reads what is not wanted, for a while: a client that still writes would not see the answer."""
    left = _DISCARD
    try:
        async with asyncio.timeout(_DISCARD_S):
            while left > 0:
                message = await receive()
                left -= len(_piece(message))
                if not message.get("more_body"):
                    return
    except TimeoutError:
        return


async def _send_text(send: Send, status: int) -> None:
    await _send(send, status, _TEXTS[status].encode("ascii") + b"\n", b"text/plain; charset=utf-8", is_last=True)


async def _send(send: Send, status: int, data: bytes, kind: bytes, *, is_last: bool = False) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(data)).encode("ascii"))]
    if is_last:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})


def _status(code: int) -> int:
    return code if code in _TEXTS else 400


def _on_loop(at: float) -> float:
    """A time of the monotonic clock as that of the event loop, whatever its zero is."""
    return asyncio.get_running_loop().time() + at - time.monotonic()
