"""Memory in bounds: what was used last stays, and what was put in is what comes out."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from gate.formats.lru import OVERHEAD_BYTES, Lru, sealed

ROOM = OVERHEAD_BYTES + 10


def test_what_was_used_least_goes_first() -> None:
    kept: Lru[str] = Lru(3 * ROOM)
    for name in "abc":
        kept.put(name, name.upper(), 10)
    assert kept.get("a") == "A"
    kept.put("d", "D", 10)
    assert [kept.get(name) for name in "abcd"] == ["A", None, "C", "D"]
    assert (len(kept), kept.bytes) == (3, 3 * ROOM)


def test_a_value_takes_the_place_of_the_one_before() -> None:
    kept: Lru[str] = Lru(3 * ROOM)
    kept.put("a", "1", 10)
    kept.put("a", "2", 5)
    assert (kept.get("a"), kept.bytes, len(kept)) == ("2", ROOM - 5, 1)


def test_what_is_larger_than_everything_is_not_kept_and_the_old_one_neither() -> None:
    kept: Lru[str] = Lru(3 * ROOM)
    kept.put("a", "1", 10)
    kept.put("a", "2", 3 * ROOM)
    assert (kept.get("a"), kept.bytes) == (None, 0)


def test_only_the_value_that_is_meant_is_forgotten() -> None:
    kept: Lru[list[int]] = Lru(3 * ROOM)
    old, new = [1], [1]
    kept.put("a", new, 1)
    kept.discard("a", old)
    kept.discard("b")
    assert kept.get("a") is new
    kept.discard("a", new)
    assert (kept.get("a"), kept.bytes) == (None, 0)
    kept.put("a", new, 1)
    kept.discard("a")
    assert kept.get("a") is None


def test_less_room_ends_what_does_not_fit_any_more() -> None:
    kept: Lru[str] = Lru(3 * ROOM)
    for name in "abc":
        kept.put(name, name, 10)
    kept.resize(ROOM)
    assert [kept.get(name) for name in "abc"] == [None, None, "c"]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 2 * ROOM), st.booleans())))
def test_the_bound_holds_whatever_is_done(steps: list[tuple[str, int, bool]]) -> None:
    kept: Lru[int] = Lru(4 * ROOM)
    sizes: dict[str, int] = {}
    for name, size, is_put in steps:
        if is_put:
            kept.put(name, size, size)
            sizes[name] = size
        else:
            kept.discard(name)
            sizes.pop(name, None)
        assert 0 <= kept.bytes <= 4 * ROOM
        found = {key: kept.get(key) for key in "abcdef"}
        assert all(value in {None, sizes.get(key)} for key, value in found.items())
        assert kept.bytes == sum(value + OVERHEAD_BYTES for value in found.values() if value is not None)


def test_many_threads() -> None:
    kept: Lru[int] = Lru(20 * ROOM)
    begin = threading.Barrier(16)
    wrong: list[str] = []

    def work(number: int) -> None:
        begin.wait()
        for turn in range(500):
            name = str((number * 7 + turn) % 50)
            kept.put(name, int(name), turn % 100)
            found = kept.get(name)
            if found not in {None, int(name)}:
                wrong.append(name)
            if turn % 9 == 0:
                kept.discard(name)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert 0 <= kept.bytes <= 20 * ROOM


@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
def test_s41_a_seal_is_of_these_parts_and_no_others(one: list[bytes], other: list[bytes]) -> None:
    assert (sealed(one) == sealed(other)) == (one == other)
