"""`docs/how-to/reports.md` works as written and names every format; the jobs of `run-in-ci.md` use such formats."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from gate.report.interface import FORMATS
from tests.acceptance.world import World
from tests.support.ci_commands import commands
from tests.support.pages import HOW_TO, run_page

PAGE = (HOW_TO / "reports.md").read_text("utf-8")
CI_PAGE = (HOW_TO / "run-in-ci.md").read_text("utf-8")


@pytest.mark.no_cover
def test_the_page_works_as_written(tmp_path: Path) -> None:
    world = World.make(tmp_path / "work", evidence=False)
    shown = run_page("reports.md", world.root, tmp_path / "programs")
    assert shown.startswith("## DENY: change against ")
    assert "\nexit 10\n" in shown
    assert commands(shown)[0].data.startswith("DENY: change against ")
    assert {result["level"] for result in json.loads(world_text(world, "gate.sarif"))["runs"][0]["results"]} == {
        "error"
    }
    assert ET.fromstring(world_text(world, "gate.xml")).tag == "testsuites"
    assert world_text(world, "decision.csv").startswith('"line","id","status",')
    assert json.loads(world_text(world, "codequality.json"))[0]["check_name"] == "verdict"
    assert "gate: DENY" in json.loads(world_text(world, "annotations.json"))


def world_text(world: World, name: str) -> str:
    return (world.root / name).read_text("utf-8")


def test_the_page_names_every_format() -> None:
    rows = re.findall(r"^\| (`[^|]+) \|", PAGE.partition("## Make them")[0], re.MULTILINE)
    assert [name for row in rows for name in re.findall(r"`([a-z-]+)`", row)] == [
        name for name in re.findall(r"`([a-z-]+)`", " ".join(rows)) if name in FORMATS
    ]
    assert set(re.findall(r"`([a-z-]+)`", " ".join(rows))) == set(FORMATS)


def test_the_jobs_ask_for_formats_that_there_are() -> None:
    for page in (PAGE, CI_PAGE):
        asked = set(re.findall(r"--report ([a-z-]+)=", page)) | set(re.findall(r"--format ([a-z-]+)", page))
        assert len(asked) >= 5
        assert asked <= set(FORMATS)


def test_files_that_a_job_hands_on_are_files_that_it_makes() -> None:
    made = set(re.findall(r"--report [a-z-]+=(\S+)|--output (\S+)", CI_PAGE))
    files = {name for pair in made for name in pair if name}
    used = set(re.findall(r"(?:sarif_file|codequality|annotations|junit): (\S+)", CI_PAGE))
    assert used
    assert used <= files
