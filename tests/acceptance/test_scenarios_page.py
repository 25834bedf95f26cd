"""The page about scenarios, run as it stands, and what `gate scenarios` says to wrong usage."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from pathlib import Path

import pytest

from gate.formats import schema
from tests.acceptance.world import inside
from tests.support.pages import run_page
from tests.support.scenario_sets import REAL, real_set

ROOT = Path(__file__).resolve().parents[2]
SIGNED, UNSIGNED = "allow/artifact-signed", "deny/artifact-signed-nothing"


@pytest.mark.no_cover
def test_the_page_runs_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    shown = run_page("scenarios.md", tmp_path, tmp_path / "programs")
    assert shown.count("\nas expected: ") == 5
    assert "deny/weights-backdoored-model-training" in shown
    assert "FALSE ALLOW  deny/container-unsafe-deserialization-deployment" in shown
    assert "FALSE REFUSAL  allow/weights-unsafe-deserialization-training" in shown
    assert schema.problem("scenarios.json", json.loads((tmp_path / "evaluation.json").read_text())) is None
    assert (tmp_path / "evaluation.svg").read_text().startswith("<svg ")


def test_the_page_about_the_evaluation_counts_what_is_there() -> None:
    page = (ROOT / "docs/explanation/evaluation.md").read_text()
    names = [path.parent.relative_to(REAL).as_posix() for path in REAL.glob("*/*/scenario.json")]
    crossed = re.compile(r"(\w+)/(?:weights|adapter|dataset|package|container)-.*(?:training|fine-tuning|deployment).*")
    matrix = Counter(found[1] for found in map(crossed.fullmatch, names) if found)
    apps = Counter(name.partition("/")[0] for name in names if name.partition("/")[2].split("-")[0] == "app")
    rest = Counter(name.partition("/")[0] for name in names) - matrix - apps
    assert f"| {matrix['deny']} attacks, one for each cell that makes sense, and {matrix['unseen']} that" in page
    assert f"| good twins of these | {matrix['allow']}: " in page
    assert f"| {apps['deny']} attacks, {apps['unseen']} that nothing tells, {apps['allow']} twins |" in page
    assert f"| {rest['allow']} and {rest['deny']} |" in page
    assert f"as it is set up | {rest['error']} |" in page


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return real_set(tmp_path / "scenarios", SIGNED, UNSIGNED)


def test_the_forms_of_a_report_go_to_the_screen_or_into_a_file(folder: Path, tmp_path: Path) -> None:
    run = ("scenarios", "run", "--folder", str(folder), "--jobs", "1")
    assert inside(*run).out.endswith("as expected: 2 scenarios, 0 false allows, 0 false refusals\n")
    assert inside(*run, "--format", "svg").out.startswith("<svg ")
    done = inside(*run, "--format", "json", "--output", str(tmp_path / "report.json"))
    assert done.out == "as expected: 2 scenarios, 0 false allows, 0 false refusals\n"
    assert json.loads((tmp_path / "report.json").read_text())["set"]["scenarios"] == 2


def test_lists_are_for_people_and_programs(folder: Path) -> None:
    assert SIGNED in inside("scenarios", "list", "--folder", str(folder)).out
    listed = inside("scenarios", "list", "--folder", str(folder), "--format", "json", "--only", "deny/")
    assert [one["name"] for one in json.loads(listed.out)] == [UNSIGNED]


def test_repositories_are_kept_in_a_new_folder_only(folder: Path, tmp_path: Path) -> None:
    run = ("scenarios", "run", "--folder", str(folder), "--jobs", "1", "--keep", str(tmp_path / "kept"))
    assert inside(*run).code == 0
    assert (tmp_path / "kept" / UNSIGNED / "gate.yaml").is_file()
    done = inside(*run)
    assert done.code == 2
    assert "exists already" in done.err


def test_one_profile_for_all_shows_what_it_does_not_ask_for(folder: Path) -> None:
    done = inside("scenarios", "run", "--folder", str(folder), "--jobs", "1", "--profile", "ladder-1-hashes")
    assert done.code == 13
    assert f"FALSE ALLOW  {UNSIGNED}" in done.out
    assert "OTHERWISE" not in done.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("run --gate 'x", "--gate: No closing quotation"),
        ("run --gate ''", "--gate: there is no command"),
        ("run --gate x --profile baseline", "--profile is for this gate"),
        ("run --gate /no/such/gate --jobs 1", "cannot be run"),
        ("run --profile ladder-1", "there is no packaged profile 'ladder-1'"),
        ("run --only nothing-like-that", "has 'nothing-like-that' in its name"),
        ("list --folder nowhere", "there is no folder"),
        ("run --jobs 0", "--jobs"),
    ],
)
def test_wrong_usage_is_said_with_what_to_do(folder: Path, arguments: str, message: str) -> None:
    words = shlex.split(arguments.replace("run ", f"run --folder {folder} ")) if "'x" not in arguments else None
    done = inside("scenarios", *(words or ["run", "--folder", str(folder), "--gate", "'x"]))
    assert done.code == 2
    assert message in done.err
    assert done.out == ""
