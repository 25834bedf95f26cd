"""Values of secrets are taken out of every text before it is kept (SECURITY 35)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

_MARK: Final = "[redacted]"
_WORD: Final = (
    r"(?:secret|credential|passw|passphrase|token(?!i[sz])|bearer|cookie|auth(?!or(?!i[sz]))|"
    r"(?:api|access|private)[ _.-]?key)"
)
_WORDS: Final = re.compile(_WORD, re.IGNORECASE)
_NAMED: Final = re.compile(rf"{_WORD}[\w.-]{{0,100}}[\"']?[=:]\s*", re.IGNORECASE)
_USER: Final = re.compile(r"(://)[^/@\s]*@")


def redacted(text: str, values: Iterable[str]) -> str:
    """The text with each value blotted out, the longest first, whole or by the lines that it has."""
    parts = {part.strip() for value in values for part in (value, *value.splitlines())}
    for part in sorted(parts, key=len, reverse=True):
        if part:
            text = text.replace(part, _MARK)
    return text


def is_about_secrets(text: str) -> bool:
    """Whether a text has a word in it by which secrets are called."""
    return _WORDS.search(text) is not None


def redacted_arguments(arguments: Sequence[str]) -> list[str]:
    """The arguments of a command without what is called a secret: by its option, by a header, or in a URL."""
    found: list[str] = []
    is_value = False
    for argument in arguments:
        named = _NAMED.search(argument)
        if is_value and not argument.startswith("--"):
            found.append(_MARK)
        elif named is not None:
            found.append(argument[: named.end()] + _MARK)
        else:
            found.append(_USER.sub(rf"\1{_MARK}@", argument))
        is_value = named is None and argument.startswith("-") and is_about_secrets(argument)
    return found
