"""Decimal numbers: exact values, and millionths that never make a value look better than it is."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gate.formats.numbers import MILLION, NumberError, decimal_text, exact, high, low, parse_decimal

LARGEST = 9007199254740991
WHOLE = st.from_regex(r"-?(0|[1-9][0-9]{0,9})", fullmatch=True)
TEXTS = st.builds(
    "{}{}{}".format,
    WHOLE,
    st.just("") | st.from_regex(r"\.[0-9]{1,20}", fullmatch=True),
    st.just("") | st.from_regex(r"[eE][-+]?[0-9]{1,3}", fullmatch=True),
)


def fraction(text: str) -> Fraction:
    """The value by another way than `Decimal`."""
    body, _, power = text.lower().partition("e")
    whole, _, decimals = body.partition(".")
    return Fraction(int(whole + decimals), 10 ** len(decimals)) * Fraction(10) ** int(power or 0)


def parsed(text: str) -> Decimal | None:
    try:
        return parse_decimal(text)
    except NumberError:
        return None


@given(TEXTS)
@example("9007199254.740991")
@example("9007199254.7409910000000000000000000001")
@example("9007199254.7409909999999999999999999999")
@example("-9007199254.7409910000000000000000000001")
@example("0e999")
@example("-0.000")
@example("1e-280")
def test_the_value_lies_between_its_millionths_and_these_fit_a_rule(text: str) -> None:
    value = parsed(text)
    truth = fraction(text) * MILLION
    if value is None:
        assert abs(truth) > LARGEST or abs(truth) < Fraction(1, 10**200) or len(text) > 40
        return
    assert low(value) == truth.__floor__()
    assert high(value) == truth.__ceil__()
    assert -LARGEST <= low(value) <= high(value) <= LARGEST
    if truth.denominator == 1:
        assert exact(value) == truth
    else:
        with pytest.raises(NumberError, match="more than six decimals"):
            exact(value)


@given(TEXTS)
@example("0e999")
@example("-0")
@example("-0.0e5")
@example("120e-1")
def test_a_value_is_written_in_one_way(text: str) -> None:
    value = parsed(text)
    if value is None:
        return
    written = decimal_text(value)
    assert fraction(written) == fraction(text)
    assert "e" not in written.lower()
    assert written == "0" or not written.startswith("-0") or "." in written
    assert "." not in written or written[-1] not in "0."
    if len(written) <= 40:
        assert decimal_text(parse_decimal(written)) == written


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " 1",
            "1 ",
            "+1",
            "01",
            "1.",
            ".5",
            "1e",
            "0x1",
            "1_000",
            "\u0661",
            "NaN",
            "nan",
            "Infinity",
            "-Infinity",
        ),
        *(
            "-Infinity",
            "1e1000",
            "1" * 41,
            "1\n",
            "true",
            "1,5",
            "9007199254.740992",
            "-9007199254.740992",
            "1e16",
            "1e-999",
        ),
    ],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(NumberError):
        parse_decimal(text)


def test_the_message_holds_only_the_beginning_of_a_long_text() -> None:
    with pytest.raises(NumberError) as error:
        parse_decimal("x" * 100_000)
    assert len(str(error.value)) < 200
