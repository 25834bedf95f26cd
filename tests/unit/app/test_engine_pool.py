"""Engines for many threads: one evaluation has one for itself, and one that failed is not used again."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gate.app.engine_pool import EnginePool
from gate.errors import PolicyError
from gate.model.digest import sha256_digest
from gate.model.document import InputDocument

DOCUMENT = InputDocument({}, b"{}", sha256_digest(b"{}"))


class Engine:
    """Fails when two threads are in it at once."""

    name = "an engine"

    def __init__(self, number: int, gate: threading.Barrier | None) -> None:
        self.version, self._gate, self._inside = f"1.{number}", gate, threading.Lock()
        self.fails = False

    def report(self, _document: InputDocument) -> bytes:
        if self.fails:
            raise PolicyError("it failed")
        assert self._inside.acquire(blocking=False)
        if self._gate is not None:
            self._gate.wait(30)
        self._inside.release()
        return self.version.encode()


class Made:
    def __init__(self, parties: int = 0) -> None:
        self.engines: list[Engine] = []
        self._gate = threading.Barrier(parties) if parties else None

    def __call__(self) -> Engine:
        self.engines.append(Engine(len(self.engines), self._gate))
        return self.engines[-1]


def test_each_thread_has_an_engine_for_itself_and_its_version() -> None:
    made = Made(4)
    pool = EnginePool(made, "a key", turns=4)
    assert (pool.name, pool.version, pool.made_for, len(made.engines)) == ("an engine", "1.0", "a key", 1)

    def ask(_: int) -> tuple[bytes, str]:
        return pool.report(DOCUMENT), pool.version

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(ask, range(4)))
        assert sorted(answers) == [(f"1.{n}".encode(), f"1.{n}") for n in range(4)]
        list(threads.map(ask, range(40)))
    assert len(made.engines) == 4, "they are used again"


def test_others_wait_for_their_turn() -> None:
    made = Made(2)
    pool = EnginePool(made, None, turns=2)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: pool.report(DOCUMENT), range(40)))
    assert len(made.engines) == 2
    made.engines[0].fails = made.engines[1].fails = True
    for _ in range(2):
        with pytest.raises(PolicyError, match="it failed"):
            pool.report(DOCUMENT)
    with ThreadPoolExecutor(2) as threads:
        assert len(list(threads.map(lambda _: pool.report(DOCUMENT), range(2)))) == 2, "a failure gives its turn back"


def test_an_engine_that_failed_is_not_used_again() -> None:
    made = Made()
    pool = EnginePool(made, None)
    made.engines[0].fails = True
    with pytest.raises(PolicyError, match="it failed"):
        pool.report(DOCUMENT)
    assert (pool.report(DOCUMENT), pool.report(DOCUMENT), len(made.engines)) == (b"1.1", b"1.1", 2)


def test_an_engine_that_may_be_shared_is_the_only_one() -> None:
    made = Made()
    pool = EnginePool(made, None, is_shared=True)
    made.engines[0].fails = True
    with pytest.raises(PolicyError, match="it failed"):
        pool.report(DOCUMENT)
    made.engines[0].fails = False
    made.engines[0].version = "2"
    assert (pool.report(DOCUMENT), pool.version, len(made.engines)) == (b"2", "2", 1)
