"""The worker's own side, in this process: it confines itself before it reads, and binds its answer to the request."""

from __future__ import annotations

import hashlib
import io
import json
import resource
import sys
from types import SimpleNamespace

import pytest

from gate.evaluate import worker

DOCUMENT = b'{"a":1}'


def request_of(main: str) -> bytes:
    modules = {"gate/main/main.rego": f"package gate.main\n\n{main}\n"}
    return json.dumps(modules).encode() + b"\n" + DOCUMENT


def ask(main: str, evaluation_s: float = 20) -> tuple[str, str, bytes]:
    request = request_of(main)
    head, _, body = worker.answer(request, evaluation_s).partition(b"\n")
    kind, digest, size = head.decode().split(" ")
    assert digest == hashlib.sha256(request).hexdigest()
    assert int(size) == len(body)
    return kind, digest, body


def test_the_worker_reports() -> None:
    kind, _, body = ask("report := input.a")
    assert (kind, body) == ("report", b"1")


def test_the_worker_says_what_the_engine_says() -> None:
    kind, _, body = ask("report := 1 if input.b")
    assert (kind, json.loads(body)[0]) == ("error", "data.gate.main.report is undefined")
    slow = "report := count([1 | some i in numbers.range(1, 5000); some j in numbers.range(1, 5000); i + j < 0])"
    kind, _, body = ask(slow, 0.05)
    assert (kind, json.loads(body)[0]) == ("timeout", "the evaluation took longer than 0.05 seconds")


Limits = dict[int, tuple[int, int]]


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Limits:
    """The limits that this process was given, without giving them to it."""
    found: Limits = {}
    monkeypatch.setattr(resource, "setrlimit", found.__setitem__)
    return found


def test_the_worker_confines_itself_before_it_reads(monkeypatch: pytest.MonkeyPatch, limits: Limits) -> None:
    class Input(io.BytesIO):
        def read(self, *_size: object) -> bytes:
            assert resource.RLIMIT_AS in limits
            return super().read()

    output = io.BytesIO()
    monkeypatch.setattr(sys, "argv", ["-c", "/folder", str(1 << 30), "7", "5.0"])
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=Input(request_of("report := input.a"))))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=output))
    worker.main()
    assert output.getvalue().endswith(b" 1\n1")
    assert limits == {
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_FSIZE: (0, 0),
        resource.RLIMIT_NOFILE: (3, 3),
        resource.RLIMIT_CPU: (7, 8),
        resource.RLIMIT_AS: (1 << 30, 1 << 30),
    }


def test_a_limit_that_is_lower_already_stays(monkeypatch: pytest.MonkeyPatch, limits: Limits) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _what: (2, 2))
    worker.confine(1 << 30, 7)
    assert limits[resource.RLIMIT_AS] == limits[resource.RLIMIT_CPU] == limits[resource.RLIMIT_NOFILE] == (2, 2)


def test_elsewhere_than_on_linux_the_address_space_has_no_limit(
    monkeypatch: pytest.MonkeyPatch, limits: Limits
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    worker.confine(1 << 30, 7)
    assert resource.RLIMIT_AS not in limits
    assert resource.RLIMIT_NOFILE in limits
