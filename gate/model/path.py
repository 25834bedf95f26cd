r"""How paths appear in documents: text that no two different paths share.

Git and the file system know bytes; documents need text. A path is decoded as UTF-8; a backslash is doubled
and a byte that does not decode becomes `\xNN`, so that the text can be turned back into the bytes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

MAX_TAILS: Final = 64
"""How many paths at the end of a name are looked at: deeper files exist, but not below a gate."""

# What is shown as nothing: control characters and those that Unicode says to ignore by default.
_UNSEEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]+"
)
_NEVER_PLAIN: Final = re.compile(r"[\x00-\x1f\x7f\\]")
_ESCAPE = re.compile(rb"\\\\|\\x([0-9a-f]{2})")


def path_text(raw: bytes) -> str:
    """The text for a relative path given as bytes with `/` between segments."""
    return raw.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")


def path_bytes(text: str) -> bytes:
    """The bytes a text of `path_text` stands for."""
    return _ESCAPE.sub(lambda m: bytes.fromhex(m[1].decode()) if m[1] else b"\\", text.encode("utf-8"))


def is_plain_relative(text: str) -> bool:
    """Whether a name out of evidence is relative, `/`-separated and stays below its root.

    Refuses absolute names, empty, `.` and `..` segments, backslashes, drive letters and control characters
    (SECURITY 12). The name is only compared, never opened.
    """
    if not text or _NEVER_PLAIN.search(text):
        return False
    if len(text) > 1 and text[1] == ":" and text[0].isascii() and text[0].isalpha():
        return False
    return all(segment not in {"", ".", ".."} for segment in text.split("/"))


def plain_name(name: str) -> str:
    """A name out of evidence as paths are written here: without segments that are empty or `.`."""
    if "//" in name or "./" in name:
        return "/".join(part for part in name.split("/") if part not in {"", "."})
    return name


def path_tails(name: str) -> Iterator[str]:
    """A name out of evidence and every path that it ends in, at most `MAX_TAILS` of them, the longest first."""
    head, *parts = plain_name(name).rsplit("/", MAX_TAILS - 1)
    yield "/".join((head, *parts))
    for start in range(len(parts)):
        yield "/".join(parts[start:])


def fold(path: str) -> str:
    """What a path, or a pattern, is compared as to find look-alikes: other case, width or unseen characters.

    The result may have other slashes than the path: a fullwidth one looks like one that separates.
    """
    plain = path_characters(path)
    if plain.isascii() and plain.isprintable():
        return plain.lower()
    once = unicodedata.normalize("NFKC", _UNSEEN.sub("", plain)).casefold()
    return _UNSEEN.sub("", unicodedata.normalize("NFKC", once))


def path_characters(path: str) -> str:
    """The path with one character for each byte that is not UTF-8."""
    # One character for each escape, so that `?` cannot be dodged by a byte that is not UTF-8.
    if "\\" not in path:
        return path
    try:
        return path_bytes(path).decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return path
