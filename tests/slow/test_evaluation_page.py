"""The table of profiles on the page about the evaluation is what the scenarios give: a minute or two."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gate.app.scenarios import load_set, run_scenarios, under_profile
from gate.model.scenario import Result
from gate.report.scenarios import tally

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/explanation/evaluation.md").read_text()
ROWS = re.findall(r"^\| `([a-z0-9-]+)` \| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_profile_does_what_the_page_says(row: tuple[str, str, str, str]) -> None:
    found, works = load_set(ROOT / "fixtures/scenarios", ["-training", "-fine-tuning", "-deployment"])
    counts = tally(run_scenarios(found, [under_profile(work, row[0]) for work in works], jobs=2).ended)
    shown = (counts[Result.TRUE_REFUSAL], counts[Result.FALSE_ALLOW], counts[Result.FALSE_REFUSAL])
    assert shown == tuple(map(int, row[1:]))
