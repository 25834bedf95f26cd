"""Text from outside, made safe for the sink it is shown in: one function per sink (SECURITY 34).

Everything that is shown passes through one of these functions exactly once, where it is put into the output.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable
from html import escape
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

_CODE_SPAN: Final = re.compile(r"`([^`]+)`")
# What Markdown and the sites that render it take for nothing else than a word: no punctuation inside but hyphens
# and apostrophes between letters; no number that could be a commit, an issue or the head of a list.
_PLAIN_WORD: Final = re.compile(
    r"(?!\W?[0-9a-fA-F]{7,}\W*$)[(\"']?[^\W\d_]+(?:[-'][^\W\d_]+)*[)\"']?[.,;:!?]?|\(?[0-9]{1,6},?"
)

# What a CI service would take for a command in a job's output: `::` that begins a word, as a line may be broken before
# it, and the second `#` of `##[` and `##word[`.
_COMMAND: Final = re.compile(r"(?:(?<![^ ]):(?=:)|(?<=#)#(?=[A-Za-z]*\[))")

# What begins a formula, also in the full width that spreadsheets of East Asia read alike.
_FORMULA: Final = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")

# A separator of other programs, before what begins a formula with or without quotes and blanks around it.
_CELL_IN_CELL: Final = re.compile(r";(?=[ '\"]*[=+\-@\uff1d\uff0b\uff0d\uff20])")

# Punctuation around a code span that cannot be markup.
_WRAPPED: Final = re.compile(r"(\(?)(.+?)(\)?(?:[,;:]|(?<!\.)\.)?)")


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


def markdown(text: str, limit: int = LIMIT) -> str:
    r"""Prose for Markdown, also inside a table's cell: plain words as they are, anything else in code spans.

    Sites that render Markdown find mentions, issues, commits and addresses after they have undone escapes, and
    only code spans are left alone. So only words of letters (with a hyphen or apostrophe between them, and
    ordinary punctuation at their end) and short numbers are prose. `` `code` `` in the text stays code.
    """
    shown: list[str] = []
    for place, part in enumerate(_CODE_SPAN.split(terminal(text, limit))):
        if place % 2:
            shown.append(_span(part))
        else:
            shown += (_word(word) for word in part.split(" ") if word)
    return " ".join(shown)


def markdown_code(text: str, limit: int = LIMIT) -> str:
    r"""A code span for Markdown, also inside a table's cell: nothing in it is markup.

    A backtick and a vertical bar, which could end the span or the cell, become `\x60` and `\x7c`.
    """
    return _span(terminal(text, limit))


def html(text: str, limit: int = LIMIT) -> str:
    """Text of HTML, or of an attribute's value in double quotes: no character of it is markup or ends the value."""
    return escape(terminal(text, limit))


def workflow_data(text: str, limit: int = LIMIT) -> str:
    """The message of a workflow command: GitHub's runner gives it back as it is in a terminal."""
    return terminal(text, limit).replace("%", "%25")


def workflow_property(text: str, limit: int = LIMIT) -> str:
    """A property of a workflow command, as the path of a file: it ends neither itself nor the command."""
    return workflow_data(text, limit).replace(":", "%3A").replace(",", "%2C")


def sarif(text: str, limit: int = LIMIT) -> str:
    r"""A message of SARIF (3.11): nothing in it is a placeholder or a link.

    Braces are doubled, as the format has it for those that are meant; the parenthesis that would make square brackets
    the text of a link becomes `\x28`.
    """
    return terminal(text, limit).replace("{", "{{").replace("}", "}}").replace("](", "]\\x28")


def mermaid(text: str, limit: int = LIMIT) -> str:
    """A label of Mermaid inside double quotes, in its escapes: no character of it ends the label or begins markup."""
    return "".join(char if char.isalnum() or char in " .|:/_-" else f"#{ord(char)};" for char in terminal(text, limit))


def dot(text: str, limit: int = LIMIT) -> str:
    """A label of DOT inside double quotes; a backslash is one, and begins no escape of Graphviz."""
    return terminal(text, limit).replace("\\", "\\\\").replace('"', '\\"')


def spreadsheet(text: str, limit: int = LIMIT) -> str:
    """A cell of a CSV file that no program takes for a formula.

    What begins like one gets an apostrophe before it, which spreadsheets take for "this is text"; the characters
    that could begin a further cell or line are escaped as in `terminal`. Quoting is left to who writes the file.
    Programs of other countries split at semicolons, and heed quotes in the first cell alone: what would begin a formula
    after one gets an apostrophe too.
    """
    clean = _CELL_IN_CELL.sub(";'", terminal(text, limit))
    return f"'{clean}" if clean.lstrip(" ")[:1] in _FORMULA else clean


def _word(word: str) -> str:
    if _PLAIN_WORD.fullmatch(word):
        return word
    match = _WRAPPED.fullmatch(word)
    return f"{match[1]}{_span(match[2])}{match[3]}" if match else _span(word)


def _span(clean: str) -> str:
    return "`" + (clean.replace("`", "\\x60").replace("|", "\\x7c") or " ") + "`"


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
