"""The one reader for JSON from outside (SECURITY 17).

Accepts exactly RFC 8259 in UTF-8 without a byte order mark, and less: no duplicate keys, no NaN or infinity,
integers within int64, finite floats, at most 64 levels, a byte limit, no lone surrogates. What two parsers
could read differently is refused, so that the bytes that were verified mean one thing only.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any, Final, Self

from gate.model.json import JsonObject, JsonValue

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 64
_INT64: Final = 1 << 63
_INT64_DIGITS: Final = 20
# An unterminated string runs to the end as one token, so that no text is scanned twice.
_STRINGS: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_TOKENS: Final = re.compile(rb"%b|[\[\]{}]" % _STRINGS.pattern, re.DOTALL)
_SQUARE: Final = bytes.maketrans(b"{}", b"[]")
_TOO_DEEP: Final = b"[" * (MAX_DEPTH + 1)
_NO_BRACKET: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")


class StrictJsonError(ValueError):
    """The bytes are not JSON that the gate reads. The text says what is wrong and, where known, where."""


class ExactFloat(float):
    """A number with the decimal text it was read from."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        """The number that a text stands for; not finite for NaN, infinity and what a double cannot hold."""
        self = super().__new__(cls, text)
        self.text = text
        return self


def loads(data: bytes, *, limit: int = MAX_BYTES) -> JsonValue:
    """The value of a JSON text; raises `StrictJsonError`. `limit` is the number of bytes that may be read."""
    return _loads(data, limit, _DECODER)


def loads_exact(data: bytes, *, limit: int = MAX_BYTES) -> JsonValue:
    """Like `loads`; each float is an `ExactFloat`, and an error about NaN or infinity names its place."""
    value = _loads(data, limit, _EXACT_DECODER)
    _check_finite(value, "")
    return value


def _loads(data: bytes, limit: int, decoder: json.JSONDecoder) -> JsonValue:
    if len(data) > limit:
        raise StrictJsonError(f"{len(data)} bytes, more than the {limit} allowed")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise StrictJsonError(f"not UTF-8 at byte {error.start}") from None
    if text.startswith("\ufeff"):
        raise StrictJsonError("starts with a byte order mark")
    _check_depth(data)
    try:
        value: JsonValue = decoder.decode(text)
    except json.JSONDecodeError as error:
        raise StrictJsonError(f"not JSON at line {error.lineno}, column {error.colno}: {error.msg}") from None
    if "\\u" in text:
        _check_surrogates(value)
    return value


def loads_object(data: bytes, *, limit: int = MAX_BYTES) -> JsonObject:
    """Like `loads`, for a text whose value must be an object."""
    value = loads(data, limit=limit)
    if not isinstance(value, dict):
        raise StrictJsonError("not a JSON object")
    return value


def _check_depth(data: bytes) -> None:
    """Refuses deep nesting before the parser recurses into it; linear, and exact for any text that is JSON."""
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH or _is_flat(data):
        return
    depth = 0
    for token in _TOKENS.finditer(data):
        first = token[0][0]
        if first in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise StrictJsonError(f"more than {MAX_DEPTH} levels of nesting at byte {token.start()}")
        elif first in b"]}":
            depth -= 1


def _is_flat(data: bytes) -> bool:
    """Whether brackets outside of strings come in pairs, and not too deep in one another.

    Without an escape every other piece between two quotes is a string. Each turn takes the innermost pairs out, and
    only those. That a bracket has a partner of its own kind is the parser's business.
    """
    between = _STRINGS.sub(b"", data) if b"\\" in data else b"".join(data.split(b'"')[::2])
    brackets = between.translate(_SQUARE, _NO_BRACKET)
    for _ in range(MAX_DEPTH):
        inner = brackets.replace(b"[]", b"")
        if len(inner) == len(brackets) or _TOO_DEEP in inner:
            return not inner
        brackets = inner
    return not brackets


def _check_surrogates(value: JsonValue) -> None:
    if isinstance(value, str):
        if _SURROGATE.search(value):
            raise StrictJsonError("a string holds a lone surrogate")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_surrogates(key)
            _check_surrogates(item)
    elif isinstance(value, list):
        for item in value:
            _check_surrogates(item)


def _check_finite(value: JsonValue, place: str) -> None:
    if isinstance(value, ExactFloat) and not math.isfinite(value):
        raise StrictJsonError(f"{place[1:] or 'the document'} is {value.text[:40]}, which is not a number")
    if isinstance(value, dict):
        for key, item in value.items():
            _check_finite(item, f"{place}.{key[:80]}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _check_finite(item, f"{place}.{number}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        (key, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise StrictJsonError(f"duplicate key {key[:80]!r}")
    return found


def _integer(text: str) -> int:
    if len(text) > _INT64_DIGITS or not -_INT64 <= (number := int(text)) < _INT64:
        raise StrictJsonError("an integer is outside the range of int64")
    return number


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise StrictJsonError("a number is too large")
    return number


def _constant(text: str) -> float:
    raise StrictJsonError(f"{text} is not a JSON number")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_float, parse_constant=_constant
)
_EXACT_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=ExactFloat, parse_constant=ExactFloat
)
