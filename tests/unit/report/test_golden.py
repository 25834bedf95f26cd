from __future__ import annotations

import builtins
import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from gate import resources
from gate.errors import ConfigError
from gate.formats.schema import problem
from gate.model.decision import Decision, Verdict
from gate.report.interface import FORMATS, REPORTS, render
from gate.report.json import decision_json, render_json
from gate.report.text import render_text
from tests.support.decisions import GOLDEN, approval, dry_refusal, refusal
from tests.support.golden import assert_golden

HERE = Path(__file__).parent / "golden"
EXAMPLE = Path(__file__).resolve().parents[3] / "schemas/examples/decision.json"
SUFFIX = {"text": "txt", "json": "json", "markdown": "md"}
SUFFIX |= {"summary": "summary.md", "sarif": "sarif", "junit": "junit.xml", "github": "github.txt", "csv": "csv"}
SUFFIX |= {name: f"{name}.json" for name in ("gitlab-annotations", "gitlab-codequality")}
SUFFIX |= {name: f"{name}.json" for name in ("oscal-results", "oscal-component", "cyclonedx", "vsa", "svr")}
VERDICT_LINE = {"refusal": "DENY  ", "approval": "ALLOW  ", "undecided": "NO DECISION  ", "dry_refusal": "DENY  "}


def test_all_forms_have_golden_files_but_the_page_that_a_browser_reads() -> None:
    assert {*FORMATS} - SUFFIX.keys() == {"html"}


@pytest.mark.parametrize("form", SUFFIX)
@pytest.mark.parametrize("name", GOLDEN)
def test_report_is_the_golden_one(name: str, form: str) -> None:
    assert_golden(HERE / f"{name}.{SUFFIX[form]}", render(form, GOLDEN[name]()))


def test_the_example_of_the_schema_is_a_real_decision() -> None:
    assert_golden(EXAMPLE, render_json(refusal()))
    assert problem("decision.json", json.loads(EXAMPLE.read_text("utf-8"))) is None


@pytest.mark.parametrize("name", GOLDEN)
def test_the_document_fits_its_schema(name: str) -> None:
    document = decision_json(GOLDEN[name]())
    assert problem("decision.json", document) is None
    assert json.loads(render("json", GOLDEN[name]())) == document


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "allow"},
        {"exit_code": 0},
        {"causes": [13, 13]},
        {"extra": 1},
        {"decided_at": "yesterday"},
        {"schema": "urn:gate:decision:v2"},
    ],
)
def test_the_schema_refuses(change: dict[str, Any]) -> None:
    assert problem("decision.json", {**decision_json(refusal()), **change}) is not None


def _places(schema: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    yield path, schema
    for name, item in schema.get("properties", {}).items():
        yield from _places(item, f"{path}/{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from _places(schema[key], f"{path}/{key}")


def test_every_field_of_the_schema_is_described_and_closed() -> None:
    schema = json.loads(resources.schema("decision.json"))
    assert schema["$id"] == "urn:gate:decision:v1"
    for path, item in _places(schema):
        if "$ref" not in item:
            assert item.get("description"), path
        if item.get("type") == "object":
            assert "additionalProperties" in item, path
        if path.endswith("_s"):
            assert "seconds" in item["description"], path


@pytest.mark.parametrize("name", GOLDEN)
def test_only_the_first_and_the_last_line_begin_at_the_margin(name: str) -> None:
    lines = render("text", GOLDEN[name]()).splitlines()
    assert lines[0].startswith(VERDICT_LINE[name])
    assert lines[-1].endswith(", decision 01J8ZQ4T7M3N5P6R7S8T9V0W1X")
    assert [line for line in lines[1:-1] if line and not line.startswith("  ")] == []
    assert [line for line in lines if line != line.rstrip()] == []


@pytest.mark.parametrize("name", GOLDEN)
def test_colour_changes_nothing_but_colour(name: str) -> None:
    decision = GOLDEN[name]()
    coloured = render("text", decision, colour=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render("text", decision)
    assert render("json", decision, colour=True) == render("json", decision)
    assert "\x1b" not in render("text", decision)


@pytest.mark.parametrize("width", [10, 60, 100, 200])
def test_prose_is_wrapped_to_the_width_and_words_are_whole(width: int) -> None:
    decision = refusal()
    lines = render_text(decision, width=width).splitlines()
    room = max(width, 22 + 30)
    prose = [line for line in lines[1:-1] if not line.lstrip().startswith("run: ")]
    assert all(len(line) <= room or " " not in line[22:] for line in prose)
    assert any("models/summarizer/model.safetensors" in line for line in lines)


def test_a_dry_run_says_so_everywhere() -> None:
    assert "DRY RUN: nothing is blocked. Without --dry-run this exits with 10" in render("text", dry_refusal())
    assert "> **DRY RUN: nothing is blocked." in render("markdown", dry_refusal())
    assert json.loads(render("json", dry_refusal()))["dry_run"] is True
    allowed = dataclasses.replace(approval(), dry_run=True)
    assert "DRY RUN: the verdict and the exit code are those of a real run." in render("text", allowed)


def test_an_unknown_report_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="there is no report 'xml'") as caught:
        render("xml", refusal())
    assert caught.value.hint == f"one of {', '.join(FORMATS)}"
    assert tuple(REPORTS) == FORMATS


@pytest.mark.parametrize("form", FORMATS)
def test_a_report_is_pure(form: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    decisions: list[Decision] = [make() for make in GOLDEN.values()]
    first = [render(form, decision) for decision in decisions]

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a report does nothing but return text")

    monkeypatch.setattr(builtins, "open", refuse)
    monkeypatch.setattr("os.open", refuse)
    monkeypatch.setattr("time.time", refuse)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "20")
    second = [render(form, decision) for decision in decisions]
    monkeypatch.undo()
    assert first == second
    assert all(text.endswith("\n") for text in first)
    assert capsys.readouterr() == ("", "")
    assert [decision.verdict for decision in decisions] == [Verdict.DENY, Verdict.ALLOW, Verdict.ERROR, Verdict.DENY]
