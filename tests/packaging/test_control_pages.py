"""One id everywhere: folder, package, METADATA, tests, docs page, profiles, scenarios (CONTROLS 1)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gate import resources
from gate.app.controls import open_catalogue, page_of
from gate.evaluate.catalogue import control_id
from gate.model.artifact import ArtifactKind
from gate.model.settings import Target
from tools import control_pages

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = open_catalogue()
CONTROLS = CATALOGUE.controls
SOURCES = {id_: ROOT / "rego" / path for path in resources.rego_files() if (id_ := control_id(path)) is not None}


def name_of(control: str) -> str:
    return control.rpartition(".")[2]


def codes(control: str) -> set[str]:
    """The violation codes that a control's source names."""
    return set(re.findall(rf'"{re.escape(control)}\.([a-z_]+)"', SOURCES[control].read_text("utf-8")))


def test_there_are_controls() -> None:
    assert len(CONTROLS) >= 13
    assert set(CONTROLS) == set(SOURCES)


@pytest.mark.parametrize("control", CONTROLS)
def test_metadata_is_complete(control: str) -> None:
    info = CONTROLS[control]
    assert info.id == control
    assert SOURCES[control].stem == name_of(control)
    assert set(info.artifacts) <= {kind.value for kind in ArtifactKind}
    assert info.targets
    assert set(info.targets) <= {target.value for target in Target}
    assert info.frameworks
    assert all(entry.ids for entry in info.frameworks.values())
    assert all(item.default is not None for item in info.parameters)


@pytest.mark.parametrize("control", CONTROLS)
def test_the_package_is_the_id(control: str) -> None:
    """The block stands before its package, which is the place of the file."""
    text = SOURCES[control].read_text("utf-8")
    assert re.match(rf"# METADATA\n(?:#.*\n)+package gate\.controls\.{re.escape(control)}\n", text)


# What measures are worth and what they are about is two screens, and no more; the demands of a policy should move out.
LONGER = {"eval.binds": 150, "eval.passed": 260, "eval.safety": 200, "scan.vulnerabilities": 150}


@pytest.mark.parametrize("control", CONTROLS)
def test_a_control_fits_on_a_screen(control: str) -> None:
    """What it supports in which framework is a table for other readers, and not counted."""
    text = re.sub(r"(?m)^#   frameworks:\n(?:#     .*\n)+", "", SOURCES[control].read_text("utf-8"))
    assert len(text.splitlines()) <= LONGER.get(control, 120)


@pytest.mark.parametrize("control", CONTROLS)
def test_there_are_tests_and_a_page_for_every_code(control: str) -> None:
    own = ROOT / "rego_tests/gate/tests" / control.replace(".", "/") / f"{name_of(control)}_test.rego"
    tests = own.read_text("utf-8")
    page = (ROOT / page_of(CONTROLS[control])).read_text("utf-8")
    assert codes(control)
    for code in codes(control):
        assert f'"{control}.{code}"' in tests
        assert f"- `{control}.{code}`: " in page
    for word in ("test_passes_when_", "test_fails_when_", "test_errors_when_"):
        assert word in tests


def test_folders_agree() -> None:
    docs, folder = ROOT / "docs/controls", ROOT / "rego_tests/gate/tests"
    pages = {".".join(path.relative_to(docs).with_suffix("").parts) for path in docs.glob("*/**/*.md")}
    tests = {".".join(path.relative_to(folder).parts[:-1]) for path in folder.rglob("*_test.rego")}
    assert pages == set(CONTROLS) == tests


def test_scenarios_name_controls() -> None:
    folder = ROOT / "fixtures/scenarios"
    named = {path.parent.name + "." + path.name for path in folder.glob("*/*") if path.is_dir()}
    families = {info.family for info in CONTROLS.values()}
    assert {name for name in named if name.rpartition(".")[0] in families} <= set(CONTROLS)


@pytest.mark.parametrize("name", CATALOGUE.profiles)
def test_profiles_name_controls_and_parameters(name: str) -> None:
    profile = json.loads((ROOT / f"rego/gate/profiles/{name}/data.json").read_text("utf-8"))
    assert {"name", "description", "controls"} <= set(profile)
    assert profile["name"] == name
    # That controls and parameters exist, and that one control is enforced, the catalogue has seen.
    assert set(CATALOGUE.profiles[name].controls) <= set(CONTROLS)


def test_pages_are_up_to_date() -> None:
    assert control_pages.main(["--check"]) == 0


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """The page of one control in a folder with all of them, up to date."""
    for info in CONTROLS.values():
        page = tmp_path / page_of(info)
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_bytes((ROOT / page_of(info)).read_bytes())
    monkeypatch.setattr(control_pages, "ROOT", tmp_path)
    control_pages.main([])
    capsys.readouterr()
    return tmp_path / page_of(CONTROLS["scan.malware"])


def test_a_page_that_is_out_of_date_is_found_and_written(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = copy.read_text()
    copy.write_text(text.replace("| severity | critical |", "| severity | low |"))
    assert control_pages.main(["--check"]) == 1
    assert control_pages.main([]) == 0
    assert copy.read_text() == text
    assert capsys.readouterr().out.splitlines() == [
        "docs/controls/scan/malware.md: out of date",
        "docs/controls/scan/malware.md: written",
    ]


def test_a_page_without_a_place_for_it_is_an_error(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy.unlink()
    assert control_pages.main([]) == 2
    assert "docs/controls/scan/malware.md has no `<!-- generated -->`" in capsys.readouterr().err
