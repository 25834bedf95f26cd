"""Times and durations: one spelling in, whole seconds out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.formats.rfc3339 import format_time, parse_duration, parse_time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.999999999Z", 0),
        ("2026-11-20T12:00:00Z", 1795176000),
        ("2026-11-20T12:00:00.5Z", 1795176000),
        ("2026-11-20T12:00:00.123456789Z", 1795176000),
        ("2026-11-20T13:00:00+01:00", 1795176000),
        ("2026-11-20T06:30:00-05:30", 1795176000),
        ("2026-11-20T12:00:00+00:00", 1795176000),
        ("2026-11-20T12:00:00-00:00", 1795176000),
        ("2024-02-29T00:00:00Z", 1709164800),
        ("9999-12-31T23:59:59.999999999Z", 253402300799),
        ("1970-01-01T00:30:00-00:30", 3600),
    ],
)
def test_a_complete_time_is_read_and_rounded_down(text: str, seconds: int) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026-11-20",
        "2026-11-20T12:00:00",
        "2026-11-20T12:00Z",
        "2026-11-20 12:00:00Z",
        "2026-11-20t12:00:00Z",
        "2026-11-20T12:00:00z",
        "20261120T120000Z",
        "2026-324T12:00:00Z",
        "2026-W47-5T12:00:00Z",
        "2026-11-20T12:00:00Z ",
        " 2026-11-20T12:00:00Z",
        "2026-11-20T12:00:00Z\n",
        "2026-11-20T12:00:00.Z",
        "2026-11-20T12:00:00,5Z",
        "2026-11-20T12:00:00.1234567890Z",
        "2026-11-20T12:00:00+0100",
        "2026-11-20T12:00:00+01",
        "2026-11-20T12:00:00+01:60",
        "2026-11-20T12:00:00+24:00",
        "2026-11-20T12:00:00+99:99",
        "2026-11-20T24:00:00Z",
        "2026-11-20T12:60:00Z",
        "2026-11-20T12:00:60Z",
        "2016-12-31T23:59:60Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-11-31T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "1969-12-31T23:59:59Z",
        "1969-12-31T23:59:59.5Z",
        "1970-01-01T00:00:00+00:01",
        "-2026-11-20T12:00:00Z",
        "+12026-11-20T12:00:00Z",
        "12026-11-20T12:00:00Z",
        "\u0662\u0660\u0662\u0666-11-20T12:00:00Z",
        "\uff12026-11-20T12:00:00Z",
        "2026-11-20T12:00:00\u2212 01:00",
        "1795176000",
        "now",
        "2026-11-20T12:00:00Z2026-11-20T12:00:00Z",
        "2026-11-20T12:00:00 Z",
        "2026-11-20T12:00:00UTC",
    ],
    ids=ascii,
)
def test_s15_any_other_text_is_no_time(text: str) -> None:
    assert parse_time(text) is None


@given(st.integers(0, 253402300799))
def test_what_is_written_is_read_back(seconds: int) -> None:
    assert parse_time(format_time(seconds)) == seconds


@given(st.text(alphabet="0123456789-:TZ+. ", max_size=30) | st.text(max_size=30))
def test_any_text_gives_seconds_or_nothing(text: str) -> None:
    found = parse_time(text)
    assert found is None or found >= 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0),
        ("1s", 1),
        ("90m", 5400),
        ("12h", 43200),
        ("30d", 2592000),
        ("2w", 1209600),
        ("007d", 604800),
        ("999999w", 604799395200),
    ],
)
def test_a_duration_is_a_number_with_a_unit(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "30",
        "d",
        "30 d",
        " 30d",
        "30d ",
        "30d\n",
        "-1d",
        "+1d",
        "1.5d",
        "1e3s",
        "30D",
        "1y",
        "1M",
        "1ms",
        "1d12h",
        "P30D",
        "1000000s",
        "\u0663d",
        "3_0d",
        "0x1s",
    ],
    ids=ascii,
)
def test_any_other_text_is_no_duration(text: str) -> None:
    assert parse_duration(text) is None
