"""docs/how-to/scanner-reports.md names every tool whose reports are read, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from gate.formats.reports import TOOLS

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/scanner-reports.md"


def test_every_tool_has_a_row() -> None:
    named = re.findall(r"^\| `([a-z-]+)` \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert sorted(named) == sorted([*TOOLS, "tool"])
