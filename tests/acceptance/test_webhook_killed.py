"""A webhook that is killed while it answers has recorded whatever it let in, and begins again without help."""

from __future__ import annotations

import http.client
import signal
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.world import inside
from tests.support.certificates import Authority
from tests.support.registries import Registry
from tests.support.webhook import Client, Process
from tests.support.webhook_site import Site

KILLS = 4


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with Registry(tmp_path_factory.mktemp("registry"), "cue") as running:
        yield running


class Load:
    """Clients that ask for good and bad images until there is nobody to ask."""

    def __init__(self, process: Process, authority: Authority, bodies: dict[str, bytes]) -> None:
        self.answers: list[tuple[str, dict[str, Any]]] = []
        self._threads = [
            threading.Thread(target=self._ask, args=(process, authority, number, bodies)) for number in range(6)
        ]
        for thread in self._threads:
            thread.start()

    def _ask(self, process: Process, authority: Authority, number: int, bodies: dict[str, bytes]) -> None:
        try:
            with Client(process.port, authority) as client:
                while True:
                    for name in ("good", "bad")[number % 2 :]:
                        self.answers.append((name, client.judged(bodies[name])))
        except (OSError, http.client.HTTPException, ssl.SSLError):
            return

    def wait(self) -> None:
        for thread in self._threads:
            thread.join()


def test_s36_whoever_is_let_in_is_in_the_log_however_the_process_ended(tmp_path: Path, registry: Registry) -> None:
    authority = Authority(tmp_path / "authority")
    pair = authority.server("server")
    (tmp_path / "site").mkdir()
    site = Site(tmp_path / "site", registry)
    site.configure()
    bodies = {"good": site.review(site.good()), "bad": site.review(site.image("bad"))}
    allowed: set[str] = set()
    for turn in range(KILLS):
        with site.serve(pair) as process:
            process.started()
            load = Load(process, authority, bodies)
            while len(load.answers) < 20 + 7 * turn:
                assert process.process.poll() is None, "".join(process.text)
                time.sleep(0.01)
            process.signal(signal.SIGKILL)
            process.ended()
            load.wait()
        assert not any(answer["allowed"] for name, answer in load.answers if name == "bad")
        assert all(answer["allowed"] for name, answer in load.answers if name == "good")
        allowed |= {answer["auditAnnotations"]["decision"] for _, answer in load.answers if answer["allowed"]}
    done = inside("log", "verify", "--root", str(site.root))
    assert done.code == 0, done.text
    lines = inside("log", "export", "--root", str(site.root)).out
    assert len(allowed) > 5 * KILLS
    assert [decision for decision in allowed if decision not in lines] == []
