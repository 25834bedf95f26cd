"""The application without sockets: clients that vanish, no room for bodies, and what cannot happen over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from gate.formats.admission_review import write_review
from gate.model.admission import Answer, Cause
from gate.model.admission_settings import AdmissionLimits
from gate.server import webhook
from gate.server.crew import Crew
from gate.server.logs import Log
from gate.server.metrics import Metrics
from gate.server.webhook import Webhook
from tests.support.webhook import review
from tests.support.webhook_judge import Told

HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"10")]


class Judge:
    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def answer(self, body: bytes, _: float, /) -> Told:
        self.bodies.append(body)
        return Told(Answer("u", True, Cause.ALLOWED, ""))


class Case:
    def __init__(self, log: Log) -> None:
        self.judge, self.metrics, self.sent = Judge(), Metrics(), list[Any]()
        self._log = log
        self.write: Any = write_review

    def ask(self, *messages: dict[str, Any], **scope: Any) -> int | None:
        """The status of the answer to what a client sends; `None` without one."""
        left = list(messages)
        self.sent = []

        async def receive() -> Any:
            if not left:
                await asyncio.sleep(60)
            return left.pop(0)

        async def send(message: Any) -> None:
            self.sent.append(message)

        async def go() -> None:
            crew: Crew[Any] = Crew(1, 0)
            limits = AdmissionLimits(deadline_s=0.3)
            application = Webhook(self.judge, self.write, crew, limits, self.metrics, self._log)
            whole = {"path": "/validate", "method": "POST", "headers": HEADERS, "query_string": b"", **scope}
            await application(whole, receive, send)
            crew.close()

        asyncio.run(go())
        return self.sent[0]["status"] if self.sent else None


@pytest.fixture
def case() -> Iterator[Case]:
    log = Log(lambda _: None)
    yield Case(log)
    log.close()


def piece(data: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": data, "more_body": more}


def test_a_body_in_pieces_is_judged_whole(case: Case) -> None:
    data = review("allow")
    assert case.ask(piece(data[:5], more=True), piece(b"", more=True), piece(data[5:])) == 200
    assert case.judge.bodies == [data]
    assert json.loads(case.sent[1]["body"])["response"]["allowed"] is True


def test_a_client_that_vanishes_is_not_judged(case: Case) -> None:
    assert case.ask(piece(b"{", more=True), {"type": "http.disconnect"}) is None
    assert case.judge.bodies == []


def test_s42_what_does_not_arrive_is_not_judged(case: Case) -> None:
    assert case.ask(piece(review("allow"), more=True)) == 408
    assert case.judge.bodies == []


def test_s42_bodies_take_no_more_memory_than_there_is_for_them(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "_ROOM", 1_000)
    assert case.ask(piece(b"x" * 600, more=True), piece(b"x" * 600)) == 503
    assert case.judge.bodies == []
    assert case.ask(piece(b"x" * 900)) == 200


def test_s42_what_is_too_large_is_read_for_a_while_and_thrown_away(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"99999999")]
    assert case.ask(piece(b"x"), headers=headers) == 413
    assert case.ask(piece(b"x", more=True), {"type": "http.disconnect"}, headers=headers) == 413
    monkeypatch.setattr(webhook, "_DISCARD", 10)
    assert case.ask(*[piece(b"x" * 6, more=True)] * 3, headers=headers) == 413
    monkeypatch.setattr(webhook, "_DISCARD_S", 0.05)
    assert case.ask(headers=headers) == 413
    assert case.judge.bodies == []


def test_an_answer_that_cannot_be_written_is_a_refusal(case: Case) -> None:
    def fail(_: Answer) -> bytes:
        raise ValueError("of a test")

    case.write = fail
    assert case.ask(piece(review("allow", "uid-unwritten"))) == 200
    response = json.loads(case.sent[1]["body"])["response"]
    assert (response["uid"], response["allowed"]) == ("uid-unwritten", False)


@pytest.mark.parametrize("headers", [None, []])
def test_a_head_without_headers_is_no_review(case: Case, headers: Any) -> None:
    assert case.ask(headers=headers) == 415


def test_a_query_of_another_type_gives_no_time(case: Case) -> None:
    assert case.ask(piece(review("allow")), query_string=None) == 200


def test_a_refusal_whose_code_is_none_of_http_is_a_bad_request(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(Answer("", False, Cause.REVIEW, "no", 999))
    monkeypatch.setattr(case.judge, "answer", lambda *_: told)
    assert case.ask(piece(b"{}")) == 400
