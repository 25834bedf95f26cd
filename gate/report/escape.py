"""Text from outside, made safe for the sink it is shown in: one function per sink (SECURITY 34).

Everything that is shown passes through one of these functions exactly once, where it is put into the output.
"""

from __future__ import annotations

import re
from html import escape
from typing import Final

from gate.formats.printable import LIMIT, terminal

__all__ = [
    "LIMIT",
    "dot",
    "html",
    "markdown",
    "markdown_code",
    "mermaid",
    "sarif",
    "spreadsheet",
    "terminal",
    "workflow_data",
    "workflow_property",
]

_CODE_SPAN: Final = re.compile(r"`([^`]+)`")
# What Markdown and the sites that render it take for nothing else than a word: no punctuation inside but hyphens
# and apostrophes between letters; no number that could be a commit, an issue or the head of a list.
_PLAIN_WORD: Final = re.compile(
    r"(?!\W?[0-9a-fA-F]{7,}\W*$)[(\"']?[^\W\d_]+(?:[-'][^\W\d_]+)*[)\"']?[.,;:!?]?|\(?[0-9]{1,6},?"
)

# What begins a formula, also in the full width that spreadsheets of East Asia read alike.
_FORMULA: Final = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")

# A separator of other programs, before what begins a formula with or without quotes and blanks around it.
_CELL_IN_CELL: Final = re.compile(r";(?=[ '\"]*[=+\-@\uff1d\uff0b\uff0d\uff20])")

# Punctuation around a code span that cannot be markup.
_WRAPPED: Final = re.compile(r"(\(?)(.+?)(\)?(?:[,;:]|(?<!\.)\.)?)")


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
