"""Every scenario below `fixtures/scenarios`, through the real program, with real git and real signatures."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gate.app.controls import catalogue
from tests.acceptance.world import Repository, gate
from tools.make_scenarios import all_files, main

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
FOLDERS = sorted(path.parent for path in (FIXTURES / "scenarios").glob("*/*/scenario.json"))
NAMES = [f"{path.parent.name}/{path.name}" for path in FOLDERS]


def build(scenario: Path, root: Path) -> Repository:
    """The repository of a scenario: its base on `main`, its change on `change`, and what lies beside them."""
    told = json.loads((scenario / "scenario.json").read_text())
    change = told["change"]
    repository = Repository.create(root)
    repository.copy(scenario / "base")
    for path in told["base"]["executable"]:
        (root / path).chmod(0o755)
    repository.commit("base")
    repository.git("checkout", "-q", "-b", "change")
    repository.copy(scenario / "change")
    for path in change["deleted"]:
        (root / path).unlink()
    for path in change["executable"]:
        (root / path).chmod(0o755)
    for path, target in change["links"].items():
        (root / path).unlink(missing_ok=True)
        (root / path).symlink_to(target)
    repository.commit("change")
    repository.copy(scenario / "evidence", ".gate/attestations")
    repository.copy(scenario / "reports", ".gate/reports")
    return repository


def with_status(decision: dict[str, Any], *statuses: str) -> set[str]:
    return {
        name
        for name, control in decision["controls"].items()
        if control["mode"] == "enforce" and control["status"] in statuses
    }


@pytest.mark.parametrize("scenario", FOLDERS, ids=NAMES)
def test_scenario(scenario: Path, tmp_path: Path) -> None:
    told = json.loads((scenario / "scenario.json").read_text())
    expect = told["expect"]
    repository = build(scenario, tmp_path / "repository")
    output = tmp_path / "decision.json"
    arguments = ["check", *told["arguments"], "--now", told["now"], "--output", str(output)]
    done = gate(*arguments, cwd=repository.root)

    assert done.code == expect["exit_code"], done.text
    assert scenario.parent.name == ("allow" if done.code == 0 else "deny" if done.code >= 10 else "error")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", done.text)
    for word in expect["words"]:
        assert word in done.text, done.text
    if done.code in {2, 3}:
        assert done.out == ""
        assert output.read_bytes() == b""
        return
    decision = json.loads(output.read_text())
    assert decision["schema"] == "urn:gate:decision:v1"
    assert decision["exit_code"] == done.code
    if done.code == 4:
        assert decision["verdict"] == "error"
        return
    assert done.err == ""
    assert decision["verdict"] == expect["verdict"]
    assert with_status(decision, "fail", "error") == set(expect["failing"])
    assert with_status(decision, "waived") == set(expect["waived"])
    assert set(expect["passing"]) <= with_status(decision, "pass")


def test_what_is_checked_in_is_what_the_generator_makes() -> None:
    """Kept samples are the exception: they stay as they were, whatever is generated today."""
    made = {path: data for path, data in all_files().items() if not path.startswith("compat/")}
    present = {
        path.relative_to(FIXTURES).as_posix(): path.read_bytes()
        for part in ("keys", "scenarios")
        for path in (FIXTURES / part).rglob("*")
        if path.is_file()
    }
    assert present.keys() == made.keys()
    assert [path for path, data in made.items() if present[path] != data] == []


def test_the_generator_writes_what_it_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["make_scenarios", str(tmp_path)])
    (tmp_path / "compat/v1/tree").mkdir(parents=True)
    (tmp_path / "compat/v1/tree/gate.yaml").write_text("kept")
    assert main() == 0
    assert (tmp_path / "compat/v1/tree/gate.yaml").read_text() == "kept"
    assert (tmp_path / "keys/README.md").read_bytes() == (FIXTURES / "keys/README.md").read_bytes()


@pytest.mark.parametrize("control", sorted(catalogue()))
def test_each_control_refuses_somewhere_and_passes_somewhere(control: str) -> None:
    """Its own scenario is named after it, with `-` for the dot, and in the refusing one nothing else refuses."""
    name = control.replace(".", "-")
    allowed, refused = (
        json.loads((FIXTURES / "scenarios" / outcome / name / "scenario.json").read_text())["expect"]
        for outcome in ("allow", "deny")
    )
    assert control in allowed["passing"]
    assert refused["failing"] == [control]


def test_every_reason_of_refusal_has_a_scenario() -> None:
    codes = {json.loads((folder / "scenario.json").read_text())["expect"]["exit_code"] for folder in FOLDERS}
    assert {0, 2, 3, 4, 10, 11, 12, 13, 14} == codes
