"""Text from outside as one line of printable text: what every sink of the gate starts from (SECURITY 34)."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from gate.formats.secrets import redact

LIMIT: Final = 600
"""Characters that a text from outside may take unless told otherwise, escapes included."""
_LONGEST: Final = 4096
"""Characters of the longest secret that is known by what it begins with: a private key."""
_REMEMBERED: Final = 16_384
"""Characters of the longest text whose form is kept for when it is shown again."""
_GAP: Final = " ... "
_MARKS_IN_A_ROW: Final = 3

# Categories that print nothing, or change how their neighbours print: controls, formats (bidi, zero width),
# surrogates, private use, unassigned, line and paragraph separators.
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKS: Final = frozenset({"Mn", "Me", "Mc"})
# Letters, marks and symbols that show nothing all the same: joiners, fillers, variation selectors, blank Braille.
_INVISIBLE: Final = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}
)

# What a CI service would take for a command in a job's output: `::` that begins a word, as a line may be broken before
# it, and the second `#` of `##[` and `##word[`.
_COMMAND: Final = re.compile(r"(?:(?<![^ ]):(?=:)|(?<=#)#(?=[A-Za-z]*\[))")


def terminal(text: str, limit: int = LIMIT) -> str:
    r"""One line of printable text that says what it hides.

    Every character that prints nothing or could confuse (controls, bidi and zero-width characters, separators,
    lone surrogates, private and unassigned ones, spaces other than U+0020, stacks of combining marks) becomes
    `\xNN` below U+0080 and `\uNNNN` or `\UNNNNNNNN` above. So does one character of what the log of a CI job would
    take for a command, as `::error::` and `##[group]`. A backslash stays as it is: paths double theirs (see
    `gate.model.path`), so in a path an escape is never mistaken for text. What is longer than `limit` characters
    keeps its head and its tail, with ` ... ` between them. What looks like a secret is redacted before (SECURITY 35).
    """
    return _known(text, limit) if len(text) <= _REMEMBERED else _shown(text, limit)


def _shown(text: str, limit: int) -> str:
    if len(text) > limit + 2 * _LONGEST:  # only the ends are shown
        text = redact(text[: limit + _LONGEST]) + redact(text[-limit - _LONGEST :])
    else:
        text = redact(text)
    if len(text) <= limit:
        if text.isascii() and text.isprintable() and not _COMMAND.search(text):
            return text
        units = list(_units(text))
        if sum(map(len, units)) <= limit:
            return "".join(units)
    tail_room = limit // 3
    tail = _fitting(reversed(list(_units(text[-tail_room:]))), tail_room)
    head = _fitting(_units(text[:limit]), limit - tail_room - len(_GAP))
    return "".join(head) + _GAP + "".join(reversed(tail))


# A report says the same names, files and reasons over and over.
_known: Final = functools.lru_cache(256)(_shown)


def _units(text: str) -> Iterable[str]:
    """Each character or its escape. A combining mark needs a letter before it, and few marks may stack up."""
    marks = _MARKS_IN_A_ROW
    begun = {match.start() for match in _COMMAND.finditer(text)}
    for place, character in enumerate(text):
        is_mark, is_letter, is_clear = _kind(character)
        marks = marks + 1 if is_mark else 0 if is_letter else _MARKS_IN_A_ROW
        is_stacked = is_mark and marks > _MARKS_IN_A_ROW
        if is_clear and not is_stacked and place not in begun:
            yield character
        else:
            yield _escaped(ord(character))


@functools.lru_cache(4096)
def _kind(character: str) -> tuple[bool, bool, bool]:
    """Is it a combining mark, a letter, and clear by itself?"""
    category = unicodedata.category(character)
    is_clear = category not in _HIDDEN and category != "Zs" and ord(character) not in _INVISIBLE
    return category in _MARKS, category.startswith("L"), is_clear or character == " "


def _escaped(code: int) -> str:
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _fitting(units: Iterable[str], room: int) -> list[str]:
    """As many units from the start as have room; an escape is never cut."""
    found: list[str] = []
    for unit in units:
        room -= len(unit)
        if room < 0:
            break
        found.append(unit)
    return found
