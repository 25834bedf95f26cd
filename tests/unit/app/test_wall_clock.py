"""The time of decisions is believed only while two clocks agree, and not before what is recorded."""

from __future__ import annotations

import time

import pytest

from gate.app.wall_clock import WallClock
from gate.errors import ClockError


class Clocks:
    def __init__(self) -> None:
        self.wall, self.steady = 1_800_000_000.0, 50.0

    def made(self) -> WallClock:
        return WallClock(lambda: self.wall, lambda: self.steady)

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


def test_time_goes_on() -> None:
    clocks = Clocks()
    clock = clocks.made()
    assert clock.now_s() == 1_800_000_000
    clocks.passes(86_400 * 400)
    assert clock.now_s() == 1_800_000_000 + 86_400 * 400
    assert abs(WallClock().now_s() - time.time()) < 5


@pytest.mark.parametrize("jump", [61, 3600, 365 * 86_400, -61, -365 * 86_400])
def test_a_jump_is_refused_until_the_clocks_agree_again(jump: float) -> None:
    clocks = Clocks()
    clock = clocks.made()
    clocks.wall += jump
    for _ in range(3):
        with pytest.raises(ClockError, match=f"jumped {abs(jump)} seconds {'forward' if jump > 0 else 'back'}"):
            clock.now_s()
        clocks.passes(1000)
    clocks.wall -= jump
    assert clock.now_s() == 1_800_003_000


@pytest.mark.parametrize("jump", [59, -59, 0.4])
def test_a_correction_is_no_jump(jump: float) -> None:
    clocks = Clocks()
    clock = clocks.made()
    clocks.wall += jump
    assert clock.now_s() == int(1_800_000_000 + jump)


def test_small_steps_add_up() -> None:
    clocks = Clocks()
    clock = clocks.made()
    clocks.wall += 40
    clock.now_s()
    clocks.wall += 40
    with pytest.raises(ClockError, match="jumped 80 seconds forward"):
        clock.now_s()


def test_s36_a_clock_behind_the_log_is_refused() -> None:
    clock = Clocks().made()
    assert clock.now_s(1_800_000_060) == 1_800_000_000
    with pytest.raises(
        ClockError, match="says 2027-01-15T08:00:00Z, and the last decision was recorded at 2027-01-15T08:01:01Z"
    ):
        clock.now_s(1_800_000_061)
