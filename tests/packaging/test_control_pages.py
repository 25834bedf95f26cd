"""One id everywhere: folder, package, METADATA, tests, docs page, profiles, scenarios (CONTROLS 1)."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
KINDS = {
    "weights",
    "adapter",
    "dataset",
    "package",
    "container",
    "prompt",
    "corpus",
    "evaluation",
    "route",
    "slo",
    "plugin",
}
FRAMEWORKS = {"OWASP-LLM-2025", "MITRE-ATLAS-5", "NIST-800-218A", "OWASP-AISVS-1.0", "SLSA-1.2", "S2C2F"}


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("control_pages", ROOT / "tools/control_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGES = load()
CONTROLS = dict(PAGES.controls())


def codes(control: str) -> set[str]:
    """The violation codes that a control's source names."""
    return set(re.findall(rf'"{re.escape(control)}\.([a-z_]+)"', CONTROLS[control].read_text("utf-8")))


def test_there_are_controls() -> None:
    assert len(CONTROLS) >= 13


@pytest.mark.parametrize("control", CONTROLS)
def test_metadata_is_complete(control: str) -> None:
    block = PAGES.metadata(CONTROLS[control])
    custom = block["custom"]
    assert block["id"] == control
    assert CONTROLS[control].stem == control.partition(".")[2]
    assert set(custom) - {"parameters"} == {
        "severity",
        "claims",
        "artifacts",
        "targets",
        "waivable",
        "fix",
        "frameworks",
    }
    assert custom["severity"] in ("low", "medium", "high", "critical")
    assert set(custom["artifacts"]) <= KINDS
    assert set(custom["targets"]) <= {"training", "fine-tuning", "deployment"}
    assert isinstance(custom["waivable"], bool)
    assert set(custom["frameworks"]) <= FRAMEWORKS
    assert all(
        entry["relation"] in ("supports", "partly supports") and entry["ids"] for entry in custom["frameworks"].values()
    )
    assert all(set(entry) == {"name", "type", "default", "meaning"} for entry in custom.get("parameters", []))


@pytest.mark.parametrize("control", CONTROLS)
def test_a_control_fits_on_a_screen(control: str) -> None:
    assert len(CONTROLS[control].read_text("utf-8").splitlines()) <= 120


@pytest.mark.parametrize("control", CONTROLS)
def test_there_are_tests_and_a_page_for_every_code(control: str) -> None:
    own = ROOT / "rego_tests/gate/controls" / control.replace(".", "/") / f"{control.partition('.')[2]}_test.rego"
    tests = own.read_text("utf-8")
    page = PAGES.page_of(control).read_text("utf-8")
    assert codes(control)
    for code in codes(control):
        assert f'"{control}.{code}"' in tests
        assert f"- `{control}.{code}`: " in page
    for word in ("test_passes_when_", "test_fails_when_", "test_errors_when_"):
        assert word in tests


def test_folders_agree() -> None:
    pages = {
        path.relative_to(PAGES.PAGES).with_suffix("").as_posix().replace("/", ".")
        for path in PAGES.PAGES.glob("*/*.md")
    }
    folder = ROOT / "rego_tests/gate/controls"
    tests = {".".join(path.relative_to(folder).parts[:2]) for path in folder.glob("*/*/*_test.rego")}
    assert pages == set(CONTROLS) == tests


def test_scenarios_name_controls() -> None:
    folder = ROOT / "fixtures/scenarios"
    named = (
        {path.parent.name + "." + path.name for path in folder.glob("*/*") if path.is_dir()}
        if folder.is_dir()
        else set()
    )
    assert {
        name for name in named if name.partition(".")[0] in {control.partition(".")[0] for control in CONTROLS}
    } <= set(CONTROLS)


@pytest.mark.parametrize("name", sorted(path.parent.name for path in (ROOT / "rego/gate/profiles").glob("*/data.json")))
def test_profiles_name_controls_and_parameters(name: str) -> None:
    profile = json.loads((ROOT / f"rego/gate/profiles/{name}/data.json").read_text("utf-8"))
    assert set(profile) == {"name", "description", "controls", "parameters"}
    assert profile["name"] == name
    assert set(profile["controls"]) <= set(CONTROLS)
    assert any(entry == {"mode": "enforce"} for entry in profile["controls"].values())
    for control, values in profile["parameters"].items():
        known = {entry["name"] for entry in PAGES.metadata(CONTROLS[control])["custom"].get("parameters", [])}
        assert set(values) <= known or "<claim>" in known


def test_pages_are_up_to_date() -> None:
    assert PAGES.main(["--check"]) == 0
