"""`gate check --format markdown`: the comment for a pull request, read as CommonMark with tables."""

from __future__ import annotations

from markdown_it import MarkdownIt

from tests.support.readings import Reading
from tests.support.readings.words import exit_code_of, id_of, is_dry_run, verdict_of


def read(text: str) -> Reading:
    end = text.rsplit("\n---\n", 1)[1]
    return Reading(
        verdict=verdict_of(text.splitlines()[0]),
        refused=frozenset(cells[0] for cells in rows(text, "Refused")),
        id=id_of(end),
        exit_code=exit_code_of(end),
        dry_run=is_dry_run(text.split("\n### ", 1)[0]),
        warned=frozenset(cells[0] for cells in rows(text, "Warnings")),
    )


def rows(text: str, title: str) -> list[list[str]]:
    """The cells of the table below a heading, as plain text."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    found: list[list[str]] = []
    is_below = is_body = False
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            is_below = tokens[place + 1].content == title
        elif token.type == "html_block":
            is_below = False
        elif token.type in {"tbody_open", "tbody_close"}:
            is_body = token.type == "tbody_open"
        elif token.type == "tr_open" and is_below and is_body:
            found.append([])
        elif token.type == "inline" and is_below and is_body:
            children = token.children or []
            found[-1].append("".join(child.content for child in children if child.type in {"text", "code_inline"}))
    return found
