"""Decisions of every kind are made again from what is written of them: approvals, refusals, waivers, no verdict."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gate.app.check import judge
from gate.app.replay import replay
from gate.app.scenario_lay import lay
from gate.app.scenarios import Work, load_set
from gate.app.workspace import Request, open_workspace
from gate.formats.canonical_json import pretty
from gate.formats.case_file import case_json, make_case, read_case
from gate.report.json import render_json

_, WORKS = load_set(Path(__file__).resolve().parents[2] / "fixtures/scenarios")
UNDECIDED = {2, 3}


def chosen() -> list[Work]:
    """The first scenario of each exit code, and the first approval with a waiver."""
    found = {work.scenario.own.exit_code: work for work in reversed(WORKS)}
    waived = next(work for work in WORKS if "waived" in work.scenario.name and work.scenario.own.exit_code == 0)
    return [*(work for code, work in sorted(found.items()) if code not in UNDECIDED), waived]


@pytest.mark.parametrize("work", chosen(), ids=lambda work: work.scenario.name)
def test_what_is_written_of_a_decision_gives_it_again(work: Work, tmp_path: Path) -> None:
    scenario, root = work.scenario, tmp_path / "repository"
    lay(scenario, work.files, root)
    request = Request(root, root, "gate.yaml", scenario.against, False, scenario.now_s)
    workspace = open_workspace(request)
    judged = judge(workspace)
    assert judged.decision.exit_code == scenario.own.exit_code
    case = make_case(json.loads(render_json(judged.decision)), judged.document.canonical, workspace.bundle.files)
    found = replay(read_case(pretty(case_json(case)).encode()))
    assert found.is_same_bytes, found
    assert (found.problems, found.makers) == ((), ())
