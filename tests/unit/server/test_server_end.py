"""How the server begins and ends: what is asked is answered, nobody is sent to it any more, and the end is bounded."""

from __future__ import annotations

import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Authority, Pair
from tests.support.webhook import Client, Process, judging, review, wait_for


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def pair(authority: Authority) -> Pair:
    return authority.server("server")


class Asking:
    """Requests in flight, in threads."""

    def __init__(self, process: Process, authority: Authority, name: str, count: int) -> None:
        self.answers: list[dict[str, Any]] = []
        self.errors: list[Exception] = []
        self.closed: list[bool] = []

        def ask(number: int) -> None:
            try:
                with Client(process.port, authority) as client:
                    self.answers.append(client.judged(review(name, f"uid-{number}")))
                    self.closed.append(client.headers.get("connection") == "close")
            except Exception as error:  # noqa: BLE001 - told to the test
                self.errors.append(error)

        self._threads = [threading.Thread(target=ask, args=(number,)) for number in range(count)]
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        for thread in self._threads:
            thread.join()


def in_flight(process: Process) -> float:
    return process.metric("gate_webhook_in_flight")


def test_what_is_in_flight_is_answered_before_the_end(tmp_path: Path, authority: Authority, pair: Pair) -> None:
    with judging(tmp_path, pair, {"concurrent": 20, "queue": 40}) as process:
        process.started()
        asking = Asking(process, authority, "sleep-2-allow", 20)
        assert wait_for(lambda: in_flight(process) == 20)
        process.signal(signal.SIGTERM)
        asking.wait()
        assert asking.errors == []
        assert [answer["allowed"] for answer in asking.answers] == [True] * 20
        assert process.ended() == 0
        assert process.log("stopped")[0]["refused"] == 0


def test_it_answers_new_requests_for_a_while_and_is_not_ready(tmp_path: Path, authority: Authority, pair: Pair) -> None:
    with judging(tmp_path, pair, linger_s=2.0) as process, Client(process.started().port, authority) as kept:
        kept.judged(review("allow"))
        assert "connection" not in kept.headers
        process.signal(signal.SIGTERM)
        wait_for(lambda: process.log("stopping"))
        status, text = process.get("/readyz")
        assert (status, text) == (503, "it stops\n")
        assert process.get("/livez")[0] == 200
        # A request on a connection that was there, and one on a new one: both are answered, and both end.
        assert kept.judged(review("allow"))["allowed"]
        assert kept.headers["connection"] == "close"
        with Client(process.port, authority) as new:
            assert new.judged(review("deny"))["allowed"] is False
            assert new.headers["connection"] == "close"
        assert process.ended() == 0
        assert (tmp_path / "closed").exists()


def test_what_takes_longer_than_the_end_may_is_refused(tmp_path: Path, authority: Authority, pair: Pair) -> None:
    with judging(tmp_path, pair, {"deadline_s": 20.0}, drain_s=0.5) as process:
        process.started()
        asking = Asking(process, authority, "sleep-6-allow", 12)
        assert wait_for(lambda: in_flight(process) == 12)
        began = time.monotonic()
        process.signal(signal.SIGTERM)
        asking.wait()
        assert process.ended() == 1
        assert time.monotonic() - began < 5
        assert asking.errors == []
        assert {answer["uid"] for answer in asking.answers} == {f"uid-{number}" for number in range(12)}
        assert not any(answer["allowed"] for answer in asking.answers)
        assert {answer["status"]["code"] for answer in asking.answers} == {503}
        assert process.log("stopped")[0]["refused"] == 12


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_makes_it_end_sooner(
    tmp_path: Path, authority: Authority, pair: Pair, first: signal.Signals
) -> None:
    with judging(tmp_path, pair, {"deadline_s": 20.0}, linger_s=60.0, drain_s=60.0) as process:
        process.started()
        asking = Asking(process, authority, "sleep-8-allow", 1)
        assert wait_for(lambda: in_flight(process) == 1)
        began = time.monotonic()
        process.signal(first)
        wait_for(lambda: process.log("stopping"))
        process.signal(signal.SIGTERM)
        time.sleep(0.2)
        process.signal(signal.SIGTERM)
        assert process.ended() == 1
        assert time.monotonic() - began < 6
        asking.wait()
        assert [answer["allowed"] for answer in asking.answers] == [False]


def test_a_hangup_has_it_look_at_its_files_now(tmp_path: Path, authority: Authority, pair: Pair) -> None:
    with judging(tmp_path, pair, watch_s=3600.0) as process:
        process.started()
        authority.server("server")
        (tmp_path / "reload").touch()
        process.signal(signal.SIGHUP)
        wait_for(lambda: {line["what"] for line in process.log("reloaded")} == {"certificate", "configuration"})


def test_an_address_that_is_taken_is_a_usage_error(tmp_path: Path, pair: Pair) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for option in ("port", "health_port"):
            with judging(tmp_path, pair, **{option: taken.getsockname()[1]}) as process:
                assert process.ended() == 2
                assert f"--{option.replace('_', '-')}: cannot listen" in "".join(process.text)


@pytest.mark.parametrize("host", ["256.1.1.1", "no such host.invalid", "\u00e9" * 80])
def test_a_host_that_is_none_is_a_usage_error(tmp_path: Path, pair: Pair, host: str) -> None:
    with judging(tmp_path, pair, host=host) as process:
        assert process.ended() == 2
        assert "cannot listen" in "".join(process.text)


def test_a_certificate_that_cannot_be_used_is_a_usage_error(tmp_path: Path, pair: Pair) -> None:
    pair.key.write_bytes(b"")
    with judging(tmp_path, pair) as process:
        assert process.ended() == 2
        assert "no whole PEM file" in "".join(process.text)
        assert process.log("started") == []


def test_both_families_are_listened_to(tmp_path: Path, authority: Authority) -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    with judging(tmp_path, authority.server("both"), host="::") as process:
        process.started()
        with Client(process.port, authority) as client:
            assert client.judged(review("allow"))["allowed"]
