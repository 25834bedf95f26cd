"""Numbers written as text, in the syntax of CPython's unpickler (`Modules/_pickle.c`), wider than what picklers write.

A scanner that stops at a number which the unpickler accepts does not see what comes after it.
"""

from __future__ import annotations

import re
from typing import Final

from gate.inspect.pickle_values import NUMBER, MalformedError, UnknownError, Value

_LONGEST: Final = 4000
"""CPython refuses more than 4300 decimal digits, unless it is told to go on."""
_LARGEST: Final = 1 << 127
_OCTAL: Final = re.compile(rb"[+-]?0[0-7]+")
_PROBLEM: Final = "a number is not written as one"


def integer_of(line: bytes) -> Value:
    """The operand of INT and LONG: any base, with blanks and underscores; a NUL ends it (`strtol`, base 0)."""
    text = _before_nul(line).strip()
    if len(text) > _LONGEST or (not text and b"\0" in line):
        return NUMBER
    try:
        value = int(text, 8 if _OCTAL.fullmatch(text) else 0)
    except ValueError:
        raise MalformedError(_PROBLEM) from None
    return value if abs(value) < _LARGEST else NUMBER


def float_of(line: bytes) -> Value:
    """The operand of FLOAT: infinities and what is no number have several names."""
    text = _before_nul(line)
    try:
        if len(text) <= _LONGEST:
            float(text)
    except ValueError:
        raise MalformedError(_PROBLEM) from None
    return NUMBER


def index_of(line: bytes) -> int:
    """The operand of GET and PUT: decimal, with blanks and underscores. One too long to be read may be any."""
    text = _before_nul(line).strip()
    if len(text) > _LONGEST:
        raise UnknownError("a memo index is too long")
    try:
        value = int(text, 10)
    except ValueError:
        value = -1
    if value < 0:
        raise MalformedError("a memo index is not a number")
    return value


def _before_nul(line: bytes) -> bytes:
    return line.partition(b"\0")[0]
