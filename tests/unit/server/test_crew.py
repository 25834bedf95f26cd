"""The threads that judge: so many work, so many wait, and what hangs takes no more than its place (SECURITY 42)."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from gate.server.crew import Crew


def soon(seconds: float = 5.0) -> float:
    return time.monotonic() + seconds


def test_what_comes_of_work_is_told_with_how_long_it_waited() -> None:
    def slow() -> int:
        time.sleep(0.05)
        return 1

    async def go() -> None:
        crew: Crew[int] = Crew(1, 1)
        first = crew.ask(slow, soon())
        second = crew.ask(lambda: 2, soon())
        assert first is not None
        assert second is not None
        assert (crew.working, crew.waiting) == (1, 1)
        done = [await first, await second]
        assert [one.value for one in done] == [1, 2]
        assert done[0].waited_s < 0.04 <= done[1].waited_s
        assert (crew.working, crew.waiting) == (0, 0)
        crew.close()

    asyncio.run(go())


def test_s42_what_finds_no_place_is_not_taken() -> None:
    async def go() -> None:
        crew: Crew[object] = Crew(2, 3)
        gone = threading.Event()
        asked = [crew.ask(lambda: gone.wait(5), soon()) for _ in range(7)]
        assert [one is None for one in asked] == [False] * 5 + [True] * 2
        gone.set()
        await asyncio.gather(*(one for one in asked if one is not None))
        again = crew.ask(lambda: None, soon())
        assert again is not None
        await again
        crew.close()

    asyncio.run(go())


def test_s42_what_hangs_keeps_its_place_when_nobody_waits_for_it_any_more() -> None:
    async def go() -> None:
        crew: Crew[str] = Crew(1, 0)
        gone = threading.Event()
        hangs = crew.ask(lambda: str(gone.wait(5)), soon(0.05))
        assert hangs is not None
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(hangs, 0.1)
        assert crew.ask(lambda: "taken", soon()) is None
        assert crew.late(0.0) == 1
        assert crew.late(60.0) == 0
        gone.set()
        for _ in range(500):
            if crew.working:
                await asyncio.sleep(0.01)
        asked = crew.ask(lambda: "taken", soon())
        assert asked is not None
        assert (await asked).value == "taken"
        assert crew.late(0.0) == 0
        crew.close()

    asyncio.run(go())


def test_s42_work_that_nobody_waits_for_is_not_begun() -> None:
    async def go() -> None:
        crew: Crew[object] = Crew(1, 4)
        gone = threading.Event()
        begun: list[str] = []
        first = crew.ask(lambda: gone.wait(5), soon())
        left = crew.ask(lambda: begun.append("left"), soon())
        late = crew.ask(lambda: begun.append("late"), soon(0.01))
        assert first is not None
        assert left is not None
        assert late is not None
        left.cancel()
        await asyncio.sleep(0.05)
        gone.set()
        await first
        with pytest.raises(TimeoutError):
            await late
        assert begun == []
        crew.close()

    asyncio.run(go())


@pytest.mark.parametrize(
    "error", [ValueError("x"), SystemExit(0), KeyboardInterrupt(), StopIteration(), RecursionError()]
)
def test_whatever_goes_wrong_is_told_with_its_place_and_the_thread_goes_on(error: BaseException) -> None:
    def fail() -> None:
        raise error

    async def go() -> None:
        crew: Crew[None] = Crew(1, 1)
        for _ in range(3):
            asked = crew.ask(fail, soon())
            assert asked is not None
            with pytest.raises(RuntimeError, match=rf"{type(error).__name__} at .*test_crew:\d+: "):
                await asked
        crew.close()

    asyncio.run(go())


def test_when_the_time_of_the_server_is_over_nobody_waits_any_longer() -> None:
    gone = threading.Event()

    async def go() -> None:
        crew: Crew[object] = Crew(1, 2)
        asked = [crew.ask(lambda: gone.wait(5), soon()) for _ in range(3)]
        crew.abandon()
        crew.abandon()
        for one in asked:
            assert one is not None
            with pytest.raises(TimeoutError):
                await one
        crew.close()

    asyncio.run(go())
    gone.set()
    # A thread whose loop is gone ends and says nothing.
    end = soon()
    while any(thread.name.startswith("judge-") for thread in threading.enumerate()):
        assert time.monotonic() < end
        time.sleep(0.01)
