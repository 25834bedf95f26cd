"""The time for an answer lies inside the API server's (SECURITY 42)."""

from __future__ import annotations

import pytest

from gate.server.deadline import allowed_s


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        (b"timeout=10s", 4.0),
        (b"timeout=5s", 4.0),
        (b"timeout=4s", 3.5),
        (b"timeout=1s", 0.5),
        (b"timeout=2.5s", 2.0),
        (b"timeout=500ms", 0.1),
        (b"timeout=0s", 0.1),
        (b"timeout=1m30s", 4.0),
        (b"timeout=1m", 4.0),
        (b"a=b&timeout=3s", 2.5),
        # Of several the least holds: nobody gets more time by asking twice.
        (b"timeout=30s&timeout=3s", 2.5),
        (b"timeout=3s&timeout=30s", 2.5),
    ],
)
def test_s42_the_deadline_is_inside_that_of_the_api_server(query: bytes, seconds: float) -> None:
    assert allowed_s(query, 4.0) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "query",
    [
        b"",
        b"timeout=",
        b"timeout=never",
        b"timeout=-5s",
        b"timeout=1e9s",
        b"timeout=99999999999999999999s",
        b"timeout=10",
        b"timeout=5h",
        b"timeout=%31s",
        b"Timeout=1s",
        b"xtimeout=1s",
        b"timeout=1s\n",
        b"timeout=\xd9\xa1s",
        b"timeout=NaNs",
        b"timeout=infs",
    ],
)
def test_s42_what_is_no_duration_gives_no_more_than_the_configuration(query: bytes) -> None:
    assert allowed_s(query, 4.0) == 4.0
