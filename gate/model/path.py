r"""How paths appear in documents: text that no two different paths share.

Git and the file system know bytes; documents need text. A path is decoded as UTF-8; a backslash is doubled
and a byte that does not decode becomes `\xNN`, so that the text can be turned back into the bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

MAX_TAILS: Final = 64
"""How many paths at the end of a name are looked at: deeper files exist, but not below a gate."""

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
    if not text or "\\" in text or any(ord(c) < 0x20 or ord(c) == 0x7F for c in text):
        return False
    if len(text) > 1 and text[1] == ":" and text[0].isascii() and text[0].isalpha():
        return False
    return all(segment not in {"", ".", ".."} for segment in text.split("/"))


def plain_name(name: str) -> str:
    """A name out of evidence without the `./` that some tools put in front."""
    return name.removeprefix("./")


def path_tails(name: str) -> Iterator[str]:
    """A name out of evidence and every path that it ends in, at most `MAX_TAILS` of them, the longest first."""
    head, *parts = plain_name(name).rsplit("/", MAX_TAILS - 1)
    yield "/".join((head, *parts))
    for start in range(len(parts)):
        yield "/".join(parts[start:])
