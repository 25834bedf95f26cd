"""Kept connections: watched by whoever uses them, used again only after a good end, and none of them left open."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gate.collect.registry import connections as kept_connections
from gate.collect.registry.access import Target
from gate.collect.registry.addresses import Deadline
from gate.collect.registry.client import Bounds, Client, connections_to
from gate.collect.registry.connections import AGE_S, IDLE_S, Connections
from gate.errors import EvidenceError, UnavailableError
from gate.formats.image_reference import Repository
from gate.model.registry import RegistryAccess
from tests.support.hostile_registry import REPOSITORY, Handler, HostileRegistry
from tests.support.liar import Authority, server_context

QUICK = Bounds(pauses_s=())


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def target(registry: HostileRegistry, **access: Any) -> Target:
    return Target(Repository(registry.host, REPOSITORY), RegistryAccess(**{"timeout_s": 10, **access}))


def ask(place: Target, connections: Connections, tag: str = "v1") -> bool:
    with Client(place, bounds=QUICK, connections=connections) as client:
        return client.manifest(tag) is not None


class Seen:
    """The connections of a registry, in order."""

    def __init__(self, behave: Callable[[Handler], bool] = lambda _: False) -> None:
        self.addresses: list[Any] = []
        self.behave = behave

    def __call__(self, asked: Handler) -> bool:
        self.addresses.append(asked.client_address)
        return self.behave(asked)

    @property
    def number(self) -> int:
        return len(set(self.addresses))


def test_a_connection_is_used_again_until_it_is_idle_or_old() -> None:
    seen, clock = Seen(), Clock()
    with HostileRegistry(seen) as registry, closing(connections_to(target(registry), keep=2, clock=clock)) as lines:
        for _ in range(3):
            assert ask(target(registry), lines)
        assert (seen.number, lines.reused) == (1, 2)
        clock.now += IDLE_S + 1
        assert ask(target(registry), lines)
        assert (seen.number, lines.reused) == (2, 2)
        for _ in range(int(AGE_S // IDLE_S) + 2):
            clock.now += IDLE_S - 1
            assert ask(target(registry), lines)
        assert seen.number == 3


def test_without_keeping_each_client_has_its_own() -> None:
    seen = Seen()
    with HostileRegistry(seen) as registry, closing(connections_to(target(registry))) as lines:
        assert ask(target(registry), lines)
        assert ask(target(registry), lines)
        assert seen.number == 2


def test_no_more_are_kept_than_was_said_and_no_two_use_one() -> None:
    begin = threading.Barrier(4)

    def together(asked: Handler) -> bool:
        if asked.name == "v1":
            begin.wait(10)
        return False

    seen = Seen(together)
    with HostileRegistry(seen) as registry, closing(connections_to(target(registry), keep=2)) as lines:
        threads = [threading.Thread(target=ask, args=(target(registry), lines)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen.number == 4
        assert len(lines._kept) == 2


def too_much(asked: Handler) -> bool:
    """Answers, and a moment later answers again."""
    asked.say(404)
    time.sleep(0.1)
    asked.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    return True


BAD_ENDS: dict[str, Callable[[Handler], bool]] = {
    "a body that nobody reads": lambda asked: asked.say(404, b"x" * 100),
    "too little": lambda asked: asked.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"),
    "no HTTP": lambda asked: asked.raw(b"hello\r\n\r\n"),
    "an end": lambda asked: asked.say(404, Connection="close"),
    "too much": too_much,
}


@pytest.mark.parametrize("name", BAD_ENDS)
def test_s30_what_ended_badly_is_not_used_again(name: str) -> None:
    seen = Seen(lambda asked: asked.name == "bad" and BAD_ENDS[name](asked))
    with HostileRegistry(seen) as registry, closing(connections_to(target(registry), keep=2)) as lines:
        try:
            assert not ask(target(registry), lines, "bad")
        except EvidenceError:
            assert len(lines._kept) == 0
        time.sleep(0.3)
        assert ask(target(registry), lines)
        assert seen.number == 2


def test_s30_a_deadline_ends_what_is_read_over_a_kept_connection() -> None:
    ended = threading.Event()
    seen = Seen(lambda asked: asked.name == "slow" and not ended.wait(20))
    with HostileRegistry(seen) as registry, closing(connections_to(target(registry), keep=2)) as lines:
        assert ask(target(registry), lines)
        began = time.monotonic()
        with pytest.raises(UnavailableError, match="did not answer in time"):
            ask(target(registry, timeout_s=1), lines, "slow")
        assert time.monotonic() - began < 5
        assert (seen.number, len(lines._kept)) == (1, 0)
        ended.set()
        assert ask(target(registry), lines)
        assert seen.number == 2


def test_a_registry_that_ended_a_kept_connection_is_connected_to_again() -> None:
    seen = Seen()
    with HostileRegistry(seen) as registry, closing(connections_to(target(registry), keep=2)) as lines:
        assert ask(target(registry), lines)
        ((line, _),) = lines._kept
        assert line.guard._held is not None
        line.guard._held.shutdown(2)
        assert ask(target(registry), lines)
        assert seen.number == 2


def test_s30_a_new_connection_is_looked_at_like_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    with HostileRegistry() as registry, closing(connections_to(target(registry), keep=2)) as lines:
        assert ask(target(registry), lines)

        def refuse(*_: object) -> None:
            raise EvidenceError("which is not a public one")

        monkeypatch.setattr(kept_connections, "connect", refuse)
        assert ask(target(registry), lines)
        ((line, _),) = lines._kept
        waiting = line.pool.pool
        assert waiting is not None
        waiting.queue[-1].close()
        with pytest.raises(EvidenceError, match="not a public one"):
            ask(target(registry), lines)


def test_after_closing_nothing_is_kept() -> None:
    with HostileRegistry() as registry:
        lines = connections_to(target(registry), keep=2)
        assert ask(target(registry), lines)
        lines.close()
        assert ask(target(registry), lines)
        assert lines._kept == []


def test_a_line_that_nobody_uses_connects_to_nothing() -> None:
    with HostileRegistry() as registry:
        place = target(registry)
        lines = connections_to(place, keep=2)
        with closing(Deadline(5)) as deadline:
            lines.give_back(lines.lend(place.origin, deadline), usable=True)
        assert lines._kept == []
        with pytest.raises(TimeoutError):
            lines._line(place.origin).guard.connect()


def test_tls_is_kept_as_well(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    seen = Seen()
    context = server_context(*authority.issue("registry", "127.0.0.1"))
    with HostileRegistry(seen, tls=context) as registry:
        place = target(registry, ca=authority.pem)
        with closing(connections_to(place, keep=2)) as lines:
            for _ in range(3):
                assert ask(place, lines)
        assert (seen.number, lines.reused) == (1, 2)
