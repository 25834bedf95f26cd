"""Logs: one line of JSON for each event, whatever is in it, and nobody waits for whoever reads them."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from typing import Any

import pytest

from gate.server.logs import Handler, Log, write_error


class Sink:
    def __init__(self) -> None:
        self.data = b""

    def __call__(self, data: bytes) -> None:
        self.data += data

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.data.splitlines()]


def logged(event: str, **more: Any) -> bytes:
    sink = Sink()
    log = Log(sink)
    log.say(event, **more)
    log.close()
    return sink.data


def test_an_event_is_one_line_with_its_time() -> None:
    data = logged("review", uid="u", cause=None, ms=0.5, controls=["a"])
    assert data.endswith(b"\n")
    line = json.loads(data)
    assert line.pop("time").endswith("Z")
    assert line == {"level": "info", "event": "review", "uid": "u", "ms": 0.5, "controls": ["a"]}


@pytest.mark.parametrize(
    "text", ["a\nb", "a\r\nb", "\x1b[31mred", "\u202eevil", "\u2028", "\ud800", '"}{"a":"', "\x00", "é"]
)
def test_s34_nothing_from_outside_ends_a_line_or_moves_a_cursor(text: str) -> None:
    data = logged("review", uid=text, message=text * 2)
    assert data.isascii()
    assert data.count(b"\n") == 1
    assert data[:-1].decode().isprintable()
    assert set(json.loads(data)) == {"time", "level", "event", "uid", "message"}


def test_s35_a_secret_in_a_message_is_not_logged() -> None:
    secret = "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vW7yZ1bC3dE5fG7"
    assert secret.encode() not in logged("review", message=f"token {secret} in an image")


def test_a_text_is_bounded() -> None:
    assert len(logged("review", message="x" * 1_000_000)) < 6000


def test_s42_whoever_does_not_read_the_log_makes_nobody_wait() -> None:
    gone = threading.Event()
    log = Log(lambda _: gone.wait(20))
    began = time.monotonic()
    for number in range(10_000):
        log.say("review", number=number)
    assert time.monotonic() - began < 5
    assert log.dropped > 5_000
    gone.set()
    log.close()


def test_closing_does_not_wait_for_ever_either() -> None:
    gone = threading.Event()
    log = Log(lambda _: gone.wait(20))
    for number in range(10_000):
        log.say("review", number=number)
    began = time.monotonic()
    log.close(0.2)
    assert time.monotonic() - began < 5
    gone.set()


def test_what_libraries_log_is_a_line_without_traceback() -> None:
    sink = Sink()
    log = Log(sink)
    logger = logging.getLogger("a library of tests")
    logger.propagate = False
    logger.addHandler(handler := Handler(log))
    logger.info("nobody needs this")
    logger.warning("a %s\nwarning", "long")
    error = ValueError("what\nhappened")
    logger.error("it failed", exc_info=(ValueError, error, None))
    logger.removeHandler(handler)
    log.close()
    first, second = sink.lines
    assert first["level"] == "warning"
    assert first["message"] == "a long\\x0awarning"
    assert (second["level"], second["error"]) == ("error", "ValueError: what\\x0ahappened")
    assert b"Traceback" not in sink.data


def test_a_standard_error_that_is_gone_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        @property
        def buffer(self) -> Any:
            raise ValueError("closed")

    monkeypatch.setattr(sys, "stderr", Gone())
    write_error(b"x")
