"""Readiness is found out now and then; what is old, or cannot be found out, is no yes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from gate.server.health import Every, Health, Readiness
from gate.server.metrics import Latest


def asked(application: Health, path: str, method: str = "GET") -> tuple[int, dict[bytes, bytes], str]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    asyncio.run(application({"method": method, "path": path}, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"].decode()


class Case:
    def __init__(self) -> None:
        self.now, self.problems, self.dead = 0.0, [], None
        self.error: Exception | None = None
        self.readiness = Readiness(self.find, lambda: self.now)
        self.health = Health(self.readiness, lambda: self.dead, Latest(lambda: b"a 1\n"))

    now: float
    problems: list[str]
    dead: str | None

    def find(self) -> Sequence[str]:
        if self.error is not None:
            raise self.error
        return self.problems


def test_it_is_not_ready_before_that_was_found_out() -> None:
    case = Case()
    assert asked(case.health, "/readyz")[0] == 503
    case.readiness.look()
    assert asked(case.health, "/readyz")[::2] == (200, "ok\n")


def test_problems_are_told_one_a_line_and_made_safe() -> None:
    case = Case()
    case.problems = ["the log is\nfull", "x" * 1000]
    case.readiness.look()
    status, _, text = asked(case.health, "/readyz")
    assert status == 503
    assert text.splitlines()[0] == "the log is\\x0afull"
    assert len(text) < 500
    assert asked(case.health, "/livez")[0] == 200


@pytest.mark.parametrize("error", [ValueError("x"), OSError("x"), RecursionError()])
def test_what_cannot_be_found_out_is_no_yes(error: Exception) -> None:
    case = Case()
    case.readiness.look()
    case.error = error
    case.readiness.look()
    assert asked(case.health, "/readyz")[0] == 503


def test_what_was_found_out_long_ago_is_no_yes() -> None:
    case = Case()
    case.readiness.look()
    case.now = 14.0
    assert asked(case.health, "/readyz")[0] == 200
    case.now = 16.0
    assert asked(case.health, "/readyz")[0] == 503


def test_it_is_not_ready_while_it_stops_and_alive_all_the_same() -> None:
    case = Case()
    case.readiness.look()
    case.readiness.is_stopping = True
    assert asked(case.health, "/readyz")[0] == 503
    assert asked(case.health, "/livez")[0] == 200


def test_a_process_whose_threads_hang_is_not_alive() -> None:
    case = Case()
    case.dead = "every thread hangs"
    assert asked(case.health, "/livez")[::2] == (503, "every thread hangs\n")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/metrics", 200),
        ("HEAD", "/livez", 200),
        ("POST", "/livez", 405),
        ("DELETE", "/metrics", 405),
        ("GET", "/", 404),
        ("GET", "/validate", 404),
        ("POST", "/validate", 404),
        ("GET", "/readyz/", 404),
        ("GET", "/debug/pprof", 404),
    ],
)
def test_nothing_else_is_there(method: str, path: str, status: int) -> None:
    found, headers, _ = asked(Case().health, path, method)
    assert found == status
    assert (headers.get(b"connection") == b"close") == (status != 200)


def test_something_is_done_again_and_again_until_it_is_told_to_stop() -> None:
    done = threading.Semaphore(0)
    every = Every(0.01, done.release, "of a test")
    assert all(done.acquire(timeout=5) for _ in range(3))
    every.stop()


def test_something_is_done_at_once_when_it_is_woken() -> None:
    done = threading.Semaphore(0)
    every = Every(3600, done.release, "of a test")
    every.now()
    assert done.acquire(timeout=5)
    every.stop()
    assert not done.acquire(blocking=False)
