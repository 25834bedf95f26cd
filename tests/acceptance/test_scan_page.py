"""`docs/how-to/scan.md` works as written, and shows what is printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gate.model.scanned import State
from tests.support.pages import HOW_TO, run_page

PAGE = (HOW_TO / "scan.md").read_text("utf-8")


@pytest.mark.no_cover
def test_the_page_works_as_written(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    shown = run_page("scan.md", folder, tmp_path / "programs")
    [example] = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert shown.startswith(example)
    assert "every file was judged: 1 of 1, no findings.   exit 0" in shown
    assert list((folder / ".gate/statements").glob("*.json"))


def test_the_page_names_every_state_in_which_a_file_was_not_judged() -> None:
    named = set(re.findall(r"^\| `([a-z]+)` \|", PAGE, re.MULTILINE))
    assert named == {state.value for state in State} - {State.JUDGED.value}
