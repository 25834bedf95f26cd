"""Decimal numbers with their exact value, and as whole millionths for rules, which compare integers only."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from typing import Final

MILLION: Final = 1_000_000
_LARGEST: Final = 9007199254740991
_DIGITS: Final = 40
_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?")


class NumberError(ValueError):
    """The text is no decimal number that the gate reads."""


def parse_decimal(text: str) -> Decimal:
    """The exact value of a JSON number; raises `NumberError` for other texts and for what is out of range."""
    if len(text) > _DIGITS or not _DECIMAL.fullmatch(text):
        raise NumberError(f"{text[:60]!r} is no decimal number of at most {_DIGITS} characters")
    value = Decimal(text)
    if (value and not -7 * _DIGITS < value.adjusted() < 16) or max(-low(value), high(value)) > _LARGEST:
        raise NumberError(f"{text} is out of range")
    return value


def decimal_text(value: Decimal) -> str:
    """The one way in which a value is written: no exponent, no superfluous zeros."""
    text = format(value, "f")
    text = text.rstrip("0").removesuffix(".") if "." in text else text
    return "0" if text == "-0" else text


def low(value: Decimal) -> int:
    """The millionths in it, rounded down."""
    return _millionths(value, ROUND_FLOOR)


def high(value: Decimal) -> int:
    """The millionths in it, rounded up."""
    return _millionths(value, ROUND_CEILING)


def exact(value: Decimal) -> int:
    """The millionths in it; raises `NumberError` when it has more than six decimals."""
    if low(value) != high(value):
        raise NumberError(f"{decimal_text(value)} has more than six decimals")
    return low(value)


def _millionths(value: Decimal, rounding: str) -> int:
    with localcontext(prec=400):
        return int((value * MILLION).to_integral_value(rounding))
