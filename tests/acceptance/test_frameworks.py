"""Frameworks as a compliance team uses them: lists of their own, and the evidence of a decision."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gate.formats.schema import problem
from tests.acceptance.world import NOW, World, inside
from tests.support.decisions import approval, refusal
from tests.support.pages import HOW_TO, run_page

NEVER = re.compile("(?i)" + "|".join(("compl" + "ies", "complia" + "nt", "certif" + "ied", "satisf" + "ies")))
FORMS = ("text", "json", "csv", "markdown", "oscal")
BLOCKS = dict(
    re.findall(r"^```yaml (\S+)\n(.*?)^```$", (HOW_TO / "map-a-framework.md").read_text(), re.DOTALL | re.MULTILINE)
)
ACME = BLOCKS["frameworks/acme.yaml"]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with the list of the page."""
    folder = tmp_path / "frameworks"
    folder.mkdir()
    (folder / "acme.yaml").write_text(ACME)
    (folder / "README.md").write_text("what is no list is left alone")
    return folder


@pytest.fixture
def saved(tmp_path: Path) -> str:
    from gate.report.json import render_json

    place = tmp_path / "decision.json"
    place.write_text(render_json(approval()))
    return str(place)


def document(*arguments: str) -> Any:
    done = inside("controls", "matrix", *arguments, "--format", "json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_the_list_of_the_page_fits_the_published_schema() -> None:
    assert problem("framework.json", yaml.safe_load(ACME)) is None


# -- a team's own lists ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["frameworks", "frameworks/acme.yaml"])
def test_an_own_list_is_a_framework_like_any_other(own: Path, name: str) -> None:
    value = document("--framework-file", str(own.parent / name), "--framework", "ACME-AI-7")
    assert problem("controls-matrix.json", value) is None
    (framework,) = value["frameworks"]
    assert (framework["title"], framework["source"]) == ("Rules for models in production", "the intranet, page 4711")
    found = {
        row["id"]: [(control["id"], control["relation"]) for control in row["controls"]]
        for row in framework["requirements"]
    }
    assert found == {
        "7.1": [("artifact.signed", "supports"), ("build.provenance", "supports")],
        "7.2": [("scan.malware", "partly supports")],
        "7.3": [],
    }
    assert framework["gaps"]["requirements"] == ["7.3"]


def test_an_own_list_stands_beside_the_packaged_ones(own: Path) -> None:
    names = [framework["id"] for framework in document("--framework-file", str(own))["frameworks"]]
    assert {"ACME-AI-7", "EU-AI-Act", "ISO-42001", "NIST-AI-RMF-1.0"} <= set(names)


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (ACME.replace("ACME-AI-7", "EU-AI-Act"), 2, "a packaged list is called 'EU-AI-Act' too"),
        (ACME.replace("scan.malware", "scan.malwares"), 2, "ACME-AI-7 maps the control 'scan.malwares', which is not"),
        (ACME.replace('ids: ["7.2"]', 'ids: ["7.9"]'), 4, "line 14: there is no requirement '7.9'"),
        (ACME.replace("complete: true", "complete: yes"), 4, "line 4: expected true or false"),
        ("[", 4, "not YAML"),
        ("", 4, "the document is empty"),
        ("x" * (257 << 10), 3, "acme.yaml"),
    ],
)
def test_what_is_no_list_is_an_error_that_says_where(own: Path, text: str, code: int, words: str) -> None:
    (own / "acme.yaml").write_text(text)
    done = inside("controls", "matrix", "--framework-file", str(own))
    assert (done.code, done.out) == (code, "")
    assert words in done.err


def test_two_lists_of_one_name_are_an_error(own: Path) -> None:
    (own / "again.json").write_text((own / "acme.yaml").read_text())
    done = inside("controls", "matrix", "--framework-file", str(own))
    assert done.code == 2
    assert "again.json: another list is called 'ACME-AI-7' too" in done.err


@pytest.mark.parametrize("name", ["nowhere", "x" * 5000, "circle", "a\0b"])
def test_a_list_that_is_not_there_is_an_error(name: str, tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to("circle")
    done = inside("controls", "matrix", "--framework-file", str(tmp_path / name))
    assert (done.code, done.out) == (2, "")
    assert "there is no list of requirements" in done.err


def test_a_folder_without_lists_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.md").write_text("text")
    done = inside("controls", "matrix", "--framework-file", str(tmp_path))
    assert done.code == 2
    assert "holds no list of requirements" in done.err


def test_an_unknown_framework_is_an_error() -> None:
    done = inside("controls", "matrix", "--framework", "EU-AI-ACT")
    assert done.code == 2
    assert "did you mean 'EU-AI-Act'?" in done.err


# -- the evidence of a decision ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_supports_and_promises_nothing(form: str, saved: str) -> None:
    for arguments in ([], ["--decision", saved]):
        done = inside("controls", "matrix", "--framework", "NIST-800-53r5", "--format", form, *arguments)
        assert done.code == 0
        assert "support" in done.out
        assert not NEVER.search(done.out)


def test_a_real_decision_is_read_by_every_framework(world: World, tmp_path: Path) -> None:
    saved = tmp_path / "decision.json"
    arguments = ("--base", "main", "--now", NOW, "--root", str(world.root))
    assert inside("check", *arguments, "--output", str(saved)).code == 0
    value = document("--decision", str(saved))
    assert problem("framework-evidence.json", value) is None
    frameworks = {framework["id"]: framework for framework in value["frameworks"]}
    assert len(frameworks) == 13
    for framework in frameworks.values():
        states = {row["state"] for row in framework["requirements"]}
        assert not states & {"failed", "waived or reused"}, framework["id"]
        assert sum(framework["counts"].values()) == len(framework["requirements"])
    signed = {row["id"]: row for row in frameworks["NIST-800-53r5"]["requirements"]}["CM-14"]
    assert signed["state"] == "supported"
    passed = next(control for control in signed["controls"] if control["id"] == "artifact.signed")
    assert {value["evidence"][payload]["claim"] for payload in passed["evidence"]} == {"artifact.signature"}


def test_an_own_list_is_applied_to_an_old_decision(own: Path, saved: str) -> None:
    done = inside("controls", "matrix", "--framework-file", str(own), "--framework", "ACME-AI-7", "--decision", saved)
    assert "  7.1  Models come from builders that we know: supported\n" in done.out
    assert "  7.2  Models are scanned before use: partly supported\n" in done.out
    assert "  No control for 1 requirement:\n    7.3\n" in done.out


def test_controls_that_only_the_decision_has_are_judged_too(saved: str, tmp_path: Path) -> None:
    value = json.loads(Path(saved).read_text())
    value["controls"]["custom.team.own"] = value["controls"]["artifact.pinned"] | {
        "frameworks": {"TEAM-1": ["1"]},
        "relations": {"TEAM-1": "supports"},
    }
    (tmp_path / "own.json").write_text(json.dumps(value))
    text = inside("controls", "matrix", "--decision", str(tmp_path / "own.json"), "--framework", "TEAM-1").out
    assert "  1  (not in the gate's list): supported\n    supports         custom.team.own: pass\n" in text


def test_the_spreadsheet_of_a_refusal_says_why(tmp_path: Path) -> None:
    from gate.report.json import render_json

    (tmp_path / "refusal.json").write_text(render_json(refusal()))
    arguments = ("--decision", str(tmp_path / "refusal.json"), "--framework", "OWASP-LLM-2025", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(inside("controls", "matrix", *arguments).out, newline="")))
    by_control = {row["control"]: row for row in rows if row["requirement"] == "LLM03"}
    assert by_control["artifact.signed"]["why"] == "artifact.signed.missing"
    assert by_control["scan.malware"]["why"] == "scan.malware.finding, waiver W-12"
    assert by_control["build.provenance"]["why"] == "the decision did not ask for it"
    assert {row["state"] for row in rows if row["requirement"] == "LLM03"} == {"failed"}


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema": "urn:gate:decision:v1"}'])
def test_what_is_no_decision_is_an_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(text)
    done = inside("controls", "matrix", "--decision", str(tmp_path / "x.json"))
    assert (done.code, done.out) == (3, "")
    assert "is not a decision" in done.err
    assert inside("controls", "matrix", "--decision", str(tmp_path / "gone.json")).code == 3


# -- OSCAL -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decided", [False, True])
def test_the_component_definition_is_one_for_other_tools(decided: bool, own: Path, saved: str) -> None:
    from trestle.oscal.component import ComponentDefinition

    arguments = ["--framework-file", str(own), *(["--decision", saved] if decided else [])]
    done = inside("controls", "matrix", "--format", "oscal", *arguments)
    assert done.code == 0
    value = json.loads(done.out)["component-definition"]
    ComponentDefinition.parse_obj(value)
    (component,) = value["components"]
    sources = {
        prop["value"]: implementation
        for implementation in component["control-implementations"]
        for prop in implementation.get("props", [])
    }
    assert {"ACME-AI-7", "EU-AI-Act", "NIST-800-53r5"} <= set(sources)
    assert "si-7.15" in {item["control-id"] for item in sources["NIST-800-53r5"]["implemented-requirements"]}
    supply = {item["control-id"]: item for item in sources["OWASP-LLM-2025"]["implemented-requirements"]}["LLM03"]
    told = {(prop["name"], prop["value"]) for prop in supply["props"]}
    assert {("supports", "artifact.signed"), ("partly-supports", "artifact.transparent")} <= told
    assert ({("status", "pass"), ("status", "not asked for")} <= told) == decided


# -- the page ----------------------------------------------------------------------------------------------------------


@pytest.mark.no_cover
def test_the_page_runs_as_it_stands(own: Path, saved: str, tmp_path: Path) -> None:
    shown = run_page("map-a-framework.md", tmp_path, tmp_path / "programs")
    assert Path(saved).parent == own.parent == tmp_path
    assert "Article 15  Accuracy, robustness and cybersecurity" in shown
    assert "ACME-AI-7  Rules for models in production, 2026-10" in shown
    for name in ("matrix.csv", "component-definition.json", "evidence.csv", "evidence.md"):
        assert (tmp_path / name).stat().st_size > 1000, name
