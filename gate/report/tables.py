"""Rows and columns for a terminal, for Markdown and for a spreadsheet; every cell is escaped for its sink."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gate.report.escape import markdown, markdown_code, spreadsheet, terminal

_TEXT_CELL: Final = 120
_CELL: Final = 4_000


@dataclass(frozen=True, slots=True)
class Table:
    """Columns by their heads, and rows of plain text; those named in `code` are identifiers."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    code: frozenset[str] = frozenset()

    def text(self) -> str:
        """Columns beside one another, with the heads over them."""
        shown = [[terminal(cell, _TEXT_CELL) for cell in row] for row in (self.heads, *self.rows)]
        widths = [max(len(row[place]) for row in shown) for place in range(len(self.heads))]
        return "\n".join(_line(row, widths) for row in shown)

    def markdown(self) -> str:
        """A table of GitHub's Markdown."""
        lines = [_cells([markdown(head) for head in self.heads]), f"|{'---|' * len(self.heads)}"]
        lines += [
            _cells([self._cell(head, cell) for head, cell in zip(self.heads, row, strict=True)]) for row in self.rows
        ]
        return "\n".join(lines)

    def _cell(self, head: str, cell: str) -> str:
        if not cell:
            return ""
        return markdown_code(cell, _CELL) if head in self.code else markdown(cell, _CELL)

    def csv(self) -> str:
        """Comma-separated values (RFC 4180) with a line of heads."""
        page = io.StringIO(newline="")
        writer = csv.writer(page)
        writer.writerows([spreadsheet(cell, _CELL) for cell in row] for row in (self.heads, *self.rows))
        return page.getvalue()


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
