"""The states of a waiver, to the second."""

from __future__ import annotations

import pytest

from gate.model.digest import sha256_digest
from gate.model.waiver import EXPIRING_S, MAX_WAIVER_S, Waiver, WaiverState

DAY = 86400
WAIVER = Waiver("W-1", "scan.malware", sha256_digest(b"m"), None, "r", "T-1", "ann", "ben", 100 * DAY, 160 * DAY)


@pytest.mark.parametrize(
    ("now_s", "state"),
    [
        (0, WaiverState.PENDING),
        (100 * DAY - 1, WaiverState.PENDING),
        (100 * DAY, WaiverState.ACTIVE),
        (146 * DAY - 1, WaiverState.ACTIVE),
        (146 * DAY, WaiverState.EXPIRING),
        (160 * DAY - 1, WaiverState.EXPIRING),
        (160 * DAY, WaiverState.EXPIRED),
        (10**12, WaiverState.EXPIRED),
    ],
)
def test_s29_a_waiver_counts_from_its_first_second_and_not_at_its_end(now_s: int, state: WaiverState) -> None:
    assert WAIVER.state(now_s) is state


def test_s29_the_periods_are_those_documented() -> None:
    assert (MAX_WAIVER_S, EXPIRING_S) == (90 * DAY, 14 * DAY)
