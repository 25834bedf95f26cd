"""The time of decisions, which is believed only while two clocks agree (`QUALITY.md` 3: a clock that jumps)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from gate.errors import ClockError
from gate.formats.rfc3339 import format_time

SKEW_S: Final = 60
"""How far clocks may be apart: this machine's own, and those of machines that record in one log."""
_JUMPED: Final = "set the clock, or restart the gate if the clock is right now"
_BEHIND: Final = "set the clock; if the log is what is wrong, keep it and configure a new one"


class WallClock:
    """The wall clock beside one that nobody sets. Safe for threads: nothing changes after it was made."""

    def __init__(
        self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic, skew_s: int = SKEW_S
    ) -> None:
        self._wall, self._steady, self._skew_s = wall, steady, skew_s
        self._apart = wall() - steady()

    def now_s(self, recorded_s: int | None = None) -> int:
        """Seconds since 1970; `recorded_s` is the time of the last record in the log, where one is known.

        Raises `ClockError` while the wall clock is further from where it was at the start than the skew, either way,
        and while it is that far behind the log.
        """
        now = self._wall()
        jump = now - self._steady() - self._apart
        if abs(jump) > self._skew_s:
            way = "forward" if jump > 0 else "back"
            raise ClockError(f"the clock of this machine jumped {abs(jump):.0f} seconds {way}", hint=_JUMPED)
        if recorded_s is not None and now < recorded_s - self._skew_s:
            raise ClockError(
                f"the clock of this machine says {format_time(int(now))}, and the last decision was recorded at"
                f" {format_time(recorded_s)}",
                hint=_BEHIND,
            )
        return int(now)
