"""Canonical JSON (RFC 8785) for everything that is digested, compared or recorded."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final, cast

from gate.formats.secrets import clean_text, redacted
from gate.model.json import JsonObject, JsonValue

# What the C encoder of the standard library writes differently from RFC 8785: floats, integers that a double
# cannot hold, keys outside ASCII (sorted by UTF-16 code units there). Strings are matched first, so that only
# what stands between them is looked at.
_STRING: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
_KEY: Final = re.compile(_STRING.pattern + ":")
_NUMBER: Final = re.compile(r"[0-9][.eE]|[0-9]{16}")
# A number of so many digits, or a string that looks like one, in the JSON text of an object.
_LONG: Final = re.compile(rb"[-:,\[\s][0-9]{16}")
_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


class CanonicalJsonError(ValueError):
    """The value has no canonical form: a number that a double cannot hold exactly, NaN, infinity, a surrogate."""


@dataclass(frozen=True, slots=True)
class Canonical:
    """A JSON object and its canonical form."""

    value: JsonObject
    data: bytes


def dumps(value: JsonValue) -> bytes:
    """The canonical form; raises `CanonicalJsonError`.

    The standard library's encoder writes the same bytes for nearly all documents, and ten times faster; anything
    unusual goes through the `rfc8785` package, which is also the oracle in the tests.
    """
    try:
        text = _ENCODER.encode(value)
        if _is_plain(text):
            return text.encode("utf-8")
    except (ValueError, UnicodeEncodeError) as error:
        raise CanonicalJsonError(str(error)) from None
    return _with_library(value)


def without_secrets(value: JsonObject, *, is_outside: bool = False) -> Canonical:
    """The object as `redacted` gives it; raises like that, and `CanonicalJsonError`."""
    text = clean_text(value)
    if text is None or not _is_plain(text):
        plain = redacted(value, is_outside=is_outside)
        return Canonical(plain, dumps(plain))
    try:
        return Canonical(json.loads(text), text.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise CanonicalJsonError(str(error)) from None


def check(value: JsonValue, source: bytes) -> None:
    """Raises `CanonicalJsonError` unless a value has a canonical form.

    `source` is the strict JSON, an object, that it was read from. There are no surrogates, NaN and infinity in that, so
    only an integer of 16 digits or more can have none.
    """
    if _LONG.search(source):
        dumps(value)


def _is_plain(text: str) -> bool:
    if not text.isascii() and any(not key[0].isascii() for key in _KEY.finditer(text)):
        return False
    # Without an escape every other piece between two quotes is a string. The quotes keep numbers apart.
    between = _STRING.sub("", text) if "\\" in text else '"'.join(text.split('"')[::2])
    return _NUMBER.search(between) is None


def _with_library(value: JsonValue) -> bytes:
    import rfc8785

    try:
        return rfc8785.dumps(cast("Any", value))
    except rfc8785.CanonicalizationError as error:
        raise CanonicalJsonError(str(error)) from None
    except UnicodeEncodeError as error:
        raise CanonicalJsonError(str(error)) from None


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
