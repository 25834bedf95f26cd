"""Every scenario below `fixtures/scenarios`, with real git and real signatures."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from gate.app.controls import catalogue
from gate.app.scenario_lay import lay
from gate.app.scenarios import Work, load_set
from gate.formats import schema
from gate.model.scenario import Expected
from tests.acceptance.world import Repository, gate
from tools.make_scenarios import all_files, main

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "fixtures"
SET, WORKS = load_set(FIXTURES / "scenarios")
BY_NAME = {work.scenario.name: work for work in WORKS}
NAMES = list(BY_NAME)
UNDECIDED = {2, 3, 4}


def build(work: Work, root: Path) -> Repository:
    """The repository of a scenario."""
    lay(work.scenario, work.files, root)
    return Repository(root)


def arguments(work: Work) -> list[str]:
    """How `gate check` and `gate input` are told what to judge."""
    told = json.loads(work.files["scenario.json"])
    against = told["change"]["against"]
    return [*(["--base", against] if against is not None else []), "--now", told["now"]]


def one_for_each_exit_code() -> list[str]:
    """The first scenario of each exit code, and all in which no decision is made."""
    first = {work.scenario.own.exit_code: name for name, work in reversed(BY_NAME.items())}
    return sorted({*first.values(), *(name for name in NAMES if name.startswith("error/"))})


@pytest.mark.parametrize("name", one_for_each_exit_code())
def test_a_scenario_through_the_program(name: str, tmp_path: Path) -> None:
    """The other tests ask the gate without its command line, which is quicker."""
    work = BY_NAME[name]
    repository = build(work, tmp_path / "repository")
    output = tmp_path / "decision.json"
    done = gate("check", *arguments(work), "--output", str(output), cwd=repository.root)

    assert done.code == work.scenario.own.exit_code, done.text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", done.text)
    for word in work.scenario.own.words:
        assert word in done.text, done.text
    if done.code in {2, 3}:
        assert done.out == ""
        assert output.read_bytes() == b""
        return
    decision = json.loads(output.read_text())
    assert decision["schema"] == "urn:gate:decision:v1"
    assert decision["exit_code"] == done.code
    assert decision["verdict"] == ("error" if done.code == 4 else "allow" if done.code == 0 else "deny")
    assert done.code == 4 or done.err == ""


@pytest.mark.no_cover
def test_the_whole_set_ends_as_it_has_to(tmp_path: Path) -> None:
    """`gate scenarios run`: no attack is let through, nothing good is refused, and each answer has the right reason."""
    report = tmp_path / "report.json"
    done = gate(*("scenarios", "run", "--format", "json", "--output", str(report)), cwd=ROOT, timeout=600)
    assert done.code == 0, report.read_text()[-6000:]
    found = json.loads(report.read_text())
    assert schema.problem("scenarios.json", found) is None
    assert [one["name"] for one in found["scenarios"]] == NAMES
    assert [one for one in found["scenarios"] if one["differences"]] == []
    assert found["false_allows"] == []
    assert found["false_refusals"] == []
    assert sum(found["decisions"]["total"].values()) == found["set"]["scenarios"] == len(NAMES) >= 150
    check_matrix(found["coverage"]["cells"])
    counts = found["coverage"]["controls"]
    assert set(counts) == set(catalogue())
    assert [name for name, one in counts.items() if not one["passed"] or not one["refused"]] == []


def check_matrix(cells: list[dict[str, Any]]) -> None:
    """Every cell is attacked, with a good twin, and held somewhere, or is said to make no sense."""
    for cell in cells:
        assert (cell["attacks"] == 0) == (cell["reason"] is not None), cell
        assert cell["refused"] + cell["unseen"] == cell["attacks"], cell
        assert cell["attacks"] == 0 or min(cell["refused"], cell["twins"]) >= 1, cell


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
    assert control in BY_NAME[f"allow/{name}"].scenario.own.passing
    assert BY_NAME[f"deny/{name}"].scenario.own.failing == (control,)


def test_every_reason_of_refusal_has_a_scenario() -> None:
    codes = {work.scenario.own.exit_code for work in WORKS}
    assert {0, 2, 3, 4, 10, 11, 12, 13, 14} == codes


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_says_what_other_gates_need(name: str) -> None:
    """The decision that is right, and for an attack a twin without it that asks for the same."""
    told = BY_NAME[name].scenario
    exits = {Expected.ALLOW: {0}, Expected.UNSEEN: {0}, Expected.ERROR: UNDECIDED, Expected.DENY: {10, 11, 12, 13, 14}}
    assert told.own.exit_code in exits[told.expected]
    assert (told.twin is not None) == told.is_attack
    if told.twin is not None:
        assert BY_NAME[told.twin].scenario.expected is Expected.ALLOW
    if told.expected is Expected.UNSEEN:
        assert told.seen_by
        assert all(BY_NAME[other].scenario.expected is Expected.DENY for other in told.seen_by)
        assert all(BY_NAME[other].scenario.threat == told.threat for other in told.seen_by)


def test_another_gate_is_judged_by_the_same_scenarios(tmp_path: Path) -> None:
    """One that says yes to everything lets each attack through, and one that knows a name stops that."""
    script = tmp_path / "other.py"
    script.write_text("import os, sys\nsys.exit('artifact-signed-by-stranger' in os.environ['SCENARIO'])\n")
    words = ["scenarios", "run", "--only", "artifact-signed-by", "--format", "json", "--jobs", "1"]
    done = gate(*words, "--gate", f"{sys.executable} {script}", cwd=ROOT)
    assert done.code == 13
    found = json.loads(done.out)
    assert found["false_allows"] == ["deny/artifact-signed-by-one-of-two"]
    assert found["decisions"]["by_threat"]["forged-provenance"]["true_refusals"] == 1
    assert found["gate"] == {"name": f"{sys.executable} {script}", "version": None, "policy": None}


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    work = BY_NAME["allow/artifact-signed"]
    done = gate(
        *("scenarios", "run", "--only", work.scenario.name, "--folder", str(FIXTURES / "scenarios"), "--jobs", "1"),
        cwd=ROOT,
        environment={"TMPDIR": str(tmp_path)},
    )
    assert done.code == 0
    assert list(tmp_path.iterdir()) == []
