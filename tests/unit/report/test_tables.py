"""Tables: what a cell holds never becomes markup, a formula, another cell or a control character."""

from __future__ import annotations

import csv
import io
import re

from hypothesis import given
from hypothesis import strategies as st

from gate.report.tables import Table

ANY_TEXT = st.text(st.characters(codec=None), max_size=80)
TABLE = Table(("id", "what"), (("a.one", "first | =1"), ("b.longer", "")), frozenset({"id"}))


def test_columns_stand_below_one_another() -> None:
    assert TABLE.text() == "id        what\na.one     first | =1\nb.longer"


def test_markdown_has_identifiers_as_code() -> None:
    assert TABLE.markdown() == "| id | what |\n|---|---|\n| `a.one` | first `\\x7c` `=1` |\n| `b.longer` |  |"


def test_csv_has_a_line_of_heads() -> None:
    assert TABLE.csv() == "id,what\r\na.one,first | =1\r\nb.longer,\r\n"


@given(ANY_TEXT, ANY_TEXT)
def test_hostile_cells_stay_cells(one: str, other: str) -> None:
    table = Table(("a", one), ((one, other), (other, one)), frozenset({"a"}))
    assert len(table.text().split("\n")) == 3
    assert all(line.isprintable() for line in table.text().split("\n"))
    lines = table.markdown().split("\n")
    assert len(lines) == 4
    assert all(re.sub(r"`[^`]*`", "", line).count("|") == 3 for line in lines)
    rows = list(csv.reader(io.StringIO(table.csv(), newline=""), strict=True))
    assert [len(row) for row in rows] == [2, 2, 2]
    assert not [cell for row in rows for cell in row if cell.lstrip(" ")[:1] in tuple("=+-@\t\r")]
