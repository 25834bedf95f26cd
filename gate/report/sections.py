"""Sections of Markdown that have to fit into limited room: tables whose rows are made only while there is room."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gate.report.summary import counted


@dataclass(frozen=True, slots=True)
class Section:
    """A table. `opening` stands before its rows, `closing` after them; `noun` names an entry in the note.

    An entry is one row or several. It is made when there is room for it: a hostile decision holds many.
    """

    noun: str
    opening: str
    entries: Sequence[Callable[[], str]]
    closing: str = ""


def fit(sections: Iterable[Section], room: int) -> tuple[str, list[str]]:
    """The sections with as many of their entries as have room, and the counts of those that had none."""
    shown: list[str] = []
    dropped: list[str] = []
    for section in sections:
        left = room - len(section.opening) - len(section.closing)
        rows = []
        for entry in section.entries:
            line = entry() + "\n"
            left -= len(line)
            if left < 0:
                break
            rows.append(line)
        if rows:
            text = section.opening + "".join(rows) + section.closing
            shown.append(text)
            room -= len(text)
        if len(rows) < len(section.entries):
            dropped.append(counted(len(section.entries) - len(rows), section.noun))
    return "".join(shown), dropped


def table(noun: str, title: str, columns: Sequence[str], entries: Sequence[Callable[[], str]]) -> Section:
    """A table below a heading. The title and the columns are the gate's own words."""
    opening = f"\n### {title}\n\n{row(columns)}\n{row(['---'] * len(columns))}\n"
    return Section(noun, opening, entries)


def details(noun: str, title: str, columns: Sequence[str], entries: Sequence[Callable[[], str]]) -> Section:
    """A table that is folded away."""
    opening = f"\n<details>\n<summary>{title}</summary>\n\n{row(columns)}\n{row(['---'] * len(columns))}\n"
    return Section(noun, opening, entries, "\n</details>\n")


def row(cells: Iterable[str]) -> str:
    """A row of a table; the cells are safe for Markdown already."""
    return f"| {' | '.join(cells)} |"
