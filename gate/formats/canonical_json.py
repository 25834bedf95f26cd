"""Canonical JSON (RFC 8785) for everything that is digested, compared or recorded."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from gate._native import canonical_json
from gate.formats.secrets import clean_text, redacted
from gate.model.json import JsonObject, JsonValue

# A number of so many digits or with an exponent, or a string that looks like one, in the JSON text of an object.
_LONG: Final = re.compile(rb"[-:,\[\s][0-9]{16}|[0-9][eE]")
_LARGEST: Final = 2**53 - 1
_DIGITS: Final = 15


class CanonicalJsonError(ValueError):
    """The value has no canonical form: a number that a double cannot hold exactly, NaN, infinity, a surrogate."""


@dataclass(frozen=True, slots=True)
class Canonical:
    """A JSON object, as it was given where nothing is changed in it, and its canonical form."""

    value: JsonObject
    data: bytes


def dumps(value: JsonValue) -> bytes:
    """The canonical form; raises `CanonicalJsonError`."""
    try:
        return canonical_json(value).encode("utf-8")
    except ValueError as error:
        raise CanonicalJsonError(str(error)) from None


def without_secrets(value: JsonObject, *, is_outside: bool = False) -> Canonical:
    """The object as `redacted` gives it; raises like that, and `CanonicalJsonError`."""
    text = clean_text(value)
    if text is not None:
        return Canonical(value, text.encode("utf-8"))
    plain = redacted(value, is_outside=is_outside)
    return Canonical(plain, dumps(plain))


def check(value: JsonValue, source: bytes) -> None:
    """Raises `CanonicalJsonError` unless a value has a canonical form, which means the same to whoever reads it.

    `source` is the strict JSON, an object, that it was read from. There are no surrogates, NaN and infinity in that, so
    only what is written as an integer of 16 digits or more can have none.
    """
    if _LONG.search(source):
        read(dumps(value))


def read(data: bytes) -> JsonObject:
    """The object in a canonical form; raises `CanonicalJsonError` for a double that is written like a large integer."""
    value: JsonObject = json.loads(data, parse_int=_integer)
    return value


def _integer(text: str) -> int:
    if len(text) > _DIGITS and abs(int(text)) > _LARGEST:
        raise CanonicalJsonError("a number is larger than all doubles hold exactly")
    return int(text)


def pretty(value: JsonValue) -> str:
    """Indented JSON in printable ASCII, sorted: safe for a terminal and equal to the canonical form as a value.

    Only what looks like a secret is redacted (SECURITY 35). Nothing in it is a command to a CI service whose log it is
    printed to: those begin with `##` in some.
    """
    return _harmless(json.dumps(redacted(value), sort_keys=True, indent=2, ensure_ascii=True, allow_nan=False))


def line(value: JsonValue) -> str:
    """The same on one line, without a line feed: one line of JSON Lines."""
    return _harmless(
        json.dumps(redacted(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    )


def _harmless(text: str) -> str:
    return text.replace("\x7f", "\\u007f").replace("##", "#\\u0023")
