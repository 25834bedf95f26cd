"""One look for all who ask: each waits for as long as it likes, and what went wrong is told and forgotten."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gate.collect.flights import Flights, _Flight
from gate.errors import EvidenceError, LimitError, UnavailableError

WAIT_S = 20.0


@pytest.fixture
def flights() -> Iterator[Flights[int]]:
    found: Flights[int] = Flights("r.example", 2, 2)
    yield found
    found.close()


def until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.005)


def test_all_who_ask_meanwhile_get_one_outcome(flights: Flights[int]) -> None:
    held, looks = threading.Event(), []

    def look() -> int:
        looks.append(1)
        held.wait(WAIT_S)
        return len(looks)

    with ThreadPoolExecutor(50) as pool:
        asking = [pool.submit(flights.join, "a", look, WAIT_S) for _ in range(50)]
        until(lambda: flights.shared == 49)
        held.set()
        assert {item.result() for item in asking} == {1}
    assert flights.join("a", look, WAIT_S) == 2
    assert (flights.begun, flights.shared) == (2, 49)


def test_others_are_looked_at_at_the_same_time(flights: Flights[int]) -> None:
    both = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(flights.join, name, lambda: both.wait(WAIT_S), WAIT_S) for name in "ab"]
        assert sorted(item.result() for item in asking) == [0, 1]


def test_s41_an_error_is_told_as_it_is_to_each_and_forgotten(flights: Flights[int]) -> None:
    held = threading.Event()
    raised = LimitError("too much", hint="less", details=("a", "b"))

    def look() -> int:
        held.wait(WAIT_S)
        raise raised

    def ask(_: int) -> LimitError:
        with pytest.raises(LimitError) as caught:
            flights.join("a", look, WAIT_S)
        return caught.value

    with ThreadPoolExecutor(20) as pool:
        asking = [pool.submit(ask, number) for number in range(20)]
        until(lambda: flights.shared == 19)
        held.set()
        found = [item.result() for item in asking]
    assert len({id(item) for item in found}) == 20
    assert raised not in found
    assert {(str(item), item.hint, item.details) for item in found} == {("too much", "less", ("a", "b"))}
    assert flights.join("a", lambda: 7, WAIT_S) == 7


def test_what_ends_the_interpreter_ends_no_thread_of_looks(flights: Flights[int]) -> None:
    def leave() -> int:
        raise SystemExit(3)

    for _ in range(3):
        with pytest.raises(SystemExit):
            flights.join("a", leave, WAIT_S)
    assert flights.join("a", lambda: 7, WAIT_S) == 7


def test_who_gives_up_ends_nothing(flights: Flights[int]) -> None:
    held = threading.Event()

    def look() -> int:
        held.wait(WAIT_S)
        return 7

    with ThreadPoolExecutor(1) as pool:
        patient = pool.submit(flights.join, "a", look, WAIT_S)
        until(lambda: flights.begun == 1)
        for wait_s in (-1.0, 0.0, 0.05):
            with pytest.raises(TimeoutError):
                flights.join("a", look, wait_s)
        held.set()
        assert patient.result() == 7
    assert flights.begun == 1


def test_what_nobody_waits_for_is_not_begun(flights: Flights[int]) -> None:
    held = threading.Event()
    for name in "ab":
        flights.begin(name, lambda: int(held.wait(WAIT_S)))
    until(lambda: flights.begun == 2)
    with pytest.raises(TimeoutError):
        flights.join("c", lambda: pytest.fail("nobody waits"), 0.01)
    flights.begin("d", lambda: 7)
    held.set()
    assert flights.join("d", lambda: 8, WAIT_S) in {7, 8}
    until(lambda: not flights._flights)
    assert flights.join("c", lambda: 9, WAIT_S) == 9


def test_s42_more_than_there_is_room_for_is_refused_at_once(flights: Flights[int]) -> None:
    held = threading.Event()
    for name in "abcd":
        flights.begin(name, lambda: int(held.wait(WAIT_S)))
    with pytest.raises(UnavailableError, match=r"r\.example: 4 images are being looked up already"):
        flights.join("e", lambda: 7, WAIT_S)
    flights.begin("a", lambda: 7)
    held.set()
    assert flights.join("a", lambda: 7, WAIT_S) in {1, 7}


def test_closing_tells_all_who_wait() -> None:
    flights: Flights[int] = Flights("r.example", 1, 5)
    held = threading.Event()
    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(flights.join, name, lambda: int(held.wait(WAIT_S)), WAIT_S) for name in "aabc"]
        until(lambda: flights.begun + len(flights._flights) + flights.shared == 5)
        closing = threading.Thread(target=flights.close)
        closing.start()
        for item in asking:
            with pytest.raises(UnavailableError, match="is not asked any more"):
                item.result()
        held.set()
        closing.join()
    with pytest.raises(EvidenceError, match="is not asked any more"):
        flights.join("d", lambda: 7, WAIT_S)
    flights.close()


def test_a_look_that_was_given_up_is_not_begun(flights: Flights[int]) -> None:
    flights._fly("a", _Flight(), lambda: pytest.fail("nobody waits"))
    assert flights.begun == 0
