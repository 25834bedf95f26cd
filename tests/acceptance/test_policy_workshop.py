"""`gate policy test`, `gate policy eval` and `gate explain` as an author of controls uses them."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from gate.app.explain import INPUT_BYTES
from tests.acceptance.world import Done, inside
from tests.property import rego_library as library
from tests.support.opa_server import opa_program

INPUT = library.HERE / "inputs/pull_request.json"
CONTROL = """# METADATA
# title: Own
# description: Every model is small.
# custom:
#   severity: low
#   claims: [sbom]
#   artifacts: [weights]
#   targets: [deployment]
#   waivable: true
#   fix: Make it smaller.
#   frameworks: {}
package gate.controls.team.small

import data.gate.lib.document
import data.gate.lib.result
import future.keywords.not

default status := "error"

status := result.status(subjects, subjects, violations) if is_object(document.artifacts)

subjects := {name | some name, _ in document.artifacts}

violations contains entry if {
	some name, artifact in document.artifacts
	artifact.bytes > 100
	entry := result.violation("team.small.missing", "it is large", {"artifact": name})
}

evidence := set()

reason := "small"
"""
TESTS = """package gate.controls.team.small_test

import data.gate.controls.team.small
import future.keywords.not

document := {"artifacts": {"m": {"bytes": 1}}}

test_is_an_error_without_artifacts if {
	doc := {}
	small.status == "error" with input as doc
}
"""
FAILING = """
test_wrong if {
	small.reason == "\\u001b[31mlarge"
}

todo_later if 1 == 2
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "policy/gate/controls/team/small"
    folder.mkdir(parents=True)
    (folder / "small.rego").write_text(CONTROL)
    (folder / "small_test.rego").write_text(TESTS)
    monkeypatch.chdir(tmp_path)
    return folder


def scenario(name: str, document: object, expected: object) -> Path:
    folder = Path("policy/scenarios/team.small") / name
    folder.mkdir(parents=True)
    (folder / "input.json").write_text(json.dumps(document))
    (folder / "expected.json").write_text(json.dumps(expected))
    return folder


def asking() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(INPUT.read_text())
    document["profile"]["controls"]["team.small"] = {"mode": "enforce"}
    return document


def results(done: Done) -> dict[str, tuple[str, str | None]]:
    return {test["name"]: (test["outcome"], test["message"]) for test in json.loads(done.out)["tests"]}


def test_the_library_passes_with_every_line_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(library.ROOT)
    asked = ("policy", "test", "rego", "--tests", "rego_tests", "--format", "json")
    done = inside(*asked)
    assert done.code == 0
    found = json.loads(done.out)
    assert {file["percent"] for file in found["coverage"]} == {100}
    other = inside(*asked, "--engine", "opa", "--opa", opa_program(), "--no-coverage")
    assert results(other) == results(done)
    assert found["counts"]["pass"] == len(found["tests"]) > 500


def test_lines_that_no_test_reaches_are_listed(own: Path) -> None:
    done = inside("policy", "test")
    assert done.code == 13
    assert "policy/gate/controls/team/small/small.rego:26  artifact.bytes > 100" in done.out
    assert inside("policy", "test", "--threshold", "1").code == 0
    assert inside("policy", "test", "--no-coverage").code == 0
    (own / "other_test.rego").write_text("package gate.controls.team.small_test\n\ntest_a := true\n")
    (own / "small_test.rego").unlink()
    done = inside("policy", "test", "--format", "json")
    assert json.loads(done.out)["coverage"][0]["covered"] == 0


def test_a_failure_says_what_was_there_and_hides_nothing(own: Path) -> None:
    (own / "small_test.rego").write_text(TESTS + FAILING)
    done = inside("policy", "test", "--filter", "wrong", "--junit", "junit.xml")
    assert done.code == 13
    assert 'left: "small"' in done.out
    assert "\x1b" not in done.out
    assert "small_test.rego:13: undefined: no body of it holds" in done.out
    (failed,) = ET.parse("junit.xml").iter("failure")
    assert "left:" in str(failed.text)
    whole = inside("policy", "test", "--junit", "junit.xml")
    assert (
        "skipped  policy/gate/controls/team/small/small_test.rego:17  gate.controls.team.small_test.todo_later"
        in whole.out
    )
    assert len(list(ET.parse("junit.xml").iter("skipped"))) == 1


def test_opa_gives_the_same_results(own: Path) -> None:
    (own / "small_test.rego").write_text(
        TESTS + FAILING + '\ntest_cases[name] if {\n\tsome name, x in {"a": 1, "b": 2}\n\tx == 1\n}\n'
    )
    here = inside("policy", "test", "--format", "json")
    there = inside("policy", "test", "--format", "json", "--engine", "opa", "--opa", opa_program())
    outcomes = [[(t["name"], t["case"], t["outcome"]) for t in json.loads(one.out)["tests"]] for one in (here, there)]
    assert outcomes[0] == outcomes[1]
    assert json.loads(there.out)["coverage"] is None  # OPA says nothing of lines when a test fails
    (own / "small_test.rego").write_text(TESTS)
    there = inside("policy", "test", "--format", "json", "--engine", "opa", "--opa", opa_program())
    assert json.loads(there.out)["coverage"][0]["percent"] < 100


@pytest.mark.usefixtures("own")
def test_opa_that_is_not_there_or_does_not_run_is_an_error(tmp_path: Path) -> None:
    assert "no program" in inside("policy", "test", "--engine", "opa", "--opa", "no-such-opa").err
    script = tmp_path / "opa"
    script.write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    script.chmod(0o755)
    done = inside("policy", "test", "--engine", "opa", "--opa", str(script))
    assert done.code == 4
    assert "broken" in done.err


def opa_that(script: str) -> tuple[str, ...]:
    program = Path("opa").absolute()
    program.write_text(script)
    program.chmod(0o755)
    return ("policy", "test", "--engine", "opa", "--opa", str(program))


@pytest.mark.usefixtures("own")
def test_an_opa_that_cannot_be_started_is_an_error() -> None:
    done = inside(*opa_that("#!/nonexistent/interpreter\n"))
    assert done.code == 4
    assert "opa does not run: " in done.err
    assert not done.out


@pytest.mark.usefixtures("own")
def test_an_opa_that_leaves_tests_out_proves_nothing() -> None:
    done = inside(*opa_that("#!/bin/sh\necho null\n"), "--no-coverage")
    assert done.code == 4
    assert "OPA does not run gate.controls.team.small_test.test_is_an_error_without_artifacts" in done.err
    assert not done.out


def test_a_test_that_ends_in_an_error_is_one_in_both_engines(own: Path) -> None:
    conflict = "\ntest_conflict if both == 1\n\nboth := x if some x in [1, 2]\n"
    (own / "small_test.rego").write_text(TESTS + conflict)
    for engine in ((), ("--engine", "opa", "--opa", opa_program())):
        done = inside("policy", "test", "--format", "json", "--no-coverage", *engine)
        assert done.code == 13
        outcome, message = results(done)["gate.controls.team.small_test.test_conflict"]
        assert outcome == "error"
        assert "small_test" in str(message)


@pytest.mark.usefixtures("own")
def test_scenarios_are_judged_exactly() -> None:
    refused = {"status": "fail", "codes": ["team.small.missing"]}
    scenario("right", asking(), refused)
    scenario("wrong", asking(), {"status": "pass"})
    scenario("unasked", json.loads(INPUT.read_text()), refused)
    scenario("odd", asking(), {"status": "perhaps"})
    scenario("invalid", {}, refused)
    (scenario("half", {}, refused) / "input.json").unlink()
    shutil.copytree("policy/scenarios/team.small/right", "policy/scenarios/team.smal/right")
    done = inside("policy", "test", "--filter", "scenarios/", "--format", "json")
    found = {name.removeprefix("policy/scenarios/team."): said for name, said in results(done).items()}
    assert found["small/right"] == ("pass", None)
    assert found["small/wrong"][0] == "fail"
    assert "fail (team.small.missing), expected pass" in str(found["small/wrong"][1])
    for name, word in {
        "small/unasked": "does not ask for",
        "small/odd": "is not",
        "small/invalid": "schema",
        "small/half": "no input.json",
        "smal/right": "did you mean 'team.small'",
    }.items():
        assert found[name][0] == "error"
        assert word in str(found[name][1])


def test_no_test_is_an_error(own: Path) -> None:
    assert inside("policy", "test", "--filter", "nothing").code == 2
    (own / "small_test.rego").unlink()
    assert "no test" in inside("policy", "test").err


@pytest.mark.usefixtures("own")
def test_explain_shows_conditions_and_the_nearest_evidence() -> None:
    Path("input.json").write_text(json.dumps(asking()))
    done = inside("explain", "team.small", "--input", "input.json")
    assert done.code == 0
    for text in (
        "team.small: fail  (Own)",
        "expected: a verified statement of sbom that covers summarizer",
        "nearest:  the document holds no statement of sbom",
        "fix: Make it smaller.",
        "yes    26  artifact.bytes > 100",
        "policy/gate/controls/team/small/small.rego:24",
    ):
        assert text in done.out
    found = json.loads(inside("explain", "team.small", "--input", "input.json", "--format", "json").out)
    assert (found["status"], found["mode"]) == ("fail", "enforce")
    assert {rule["name"] for rule in found["rules"]} == {"status", "subjects", "violations", "evidence", "reason"}


def test_explain_says_which_rule_failed_and_goes_on(own: Path) -> None:
    text = CONTROL.replace('reason := "small"', 'reason := x if some x in ["small", "large"]')
    (own / "small.rego").write_text(text)
    Path("input.json").write_text(json.dumps(asking()))
    found = json.loads(inside("explain", "team.small", "--input", "input.json", "--format", "json").out)
    problems = {rule["name"]: rule["problem"] for rule in found["rules"]}
    assert "data.gate.controls.team.small.reason failed" in problems.pop("reason")
    assert not any(problems.values())
    assert (found["status"], found["reason"]) == ("fail", None)
    assert [item["code"] for item in found["violations"]] == ["team.small.missing"]


def test_explain_leaves_out_what_is_no_violation(own: Path) -> None:
    (own / "small.rego").write_text(CONTROL + '\nviolations contains "odd"\n')
    Path("input.json").write_text(json.dumps(asking()))
    done = inside("explain", "team.small", "--input", "input.json", "--format", "json")
    found = json.loads(done.out)
    assert [item["code"] for item in found["violations"]] == ["team.small.missing"]
    (rule,) = (rule for rule in found["rules"] if rule["name"] == "violations")
    assert "odd" in rule["value"]


@pytest.mark.parametrize("control", library.controls())
def test_every_control_of_the_library_can_be_explained(
    control: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = inside("explain", control, "--input", str(INPUT))
    assert done.code == 0
    assert f"gate controls show {control}" in done.out
    assert "cannot be traced" not in done.out


@pytest.mark.usefixtures("own")
def test_explain_without_input_says_what_is_checked() -> None:
    assert "gate input > input.json" in inside("explain", "team.small").out
    assert "docs/controls/scan/malware.md" in inside("explain", "scan.malware").out
    assert json.loads(inside("explain", "scan.malware", "--format", "json").out)["id"] == "scan.malware"
    assert "did you mean 'scan.malware'" in inside("explain", "scan.malwar").err


@pytest.mark.usefixtures("own")
def test_a_document_that_is_none_is_refused_with_its_place() -> None:
    for text, word in (("{", "line 1"), ('{"a": 1, "a": 2}', "duplicate"), ("{}", "schema")):
        Path("input.json").write_text(text)
        done = inside("explain", "scan.malware", "--input", "input.json")
        assert done.code == 3
        assert word in done.err
    assert "cannot be read" in inside("explain", "scan.malware", "--input", "nowhere.json").err


@pytest.mark.usefixtures("own")
def test_a_document_is_read_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    for data, code, word in (
        (json.dumps(asking()).encode(), 0, "team.small: fail"),
        (b"{", 3, "standard input is not"),
    ):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
        done = inside("explain", "team.small", "--input", "-")
        assert done.code == code
        assert word in done.out + done.err


@pytest.mark.usefixtures("own")
def test_a_document_that_is_too_large_is_refused() -> None:
    with Path("input.json").open("wb") as file:
        file.truncate(INPUT_BYTES + 1)
    done = inside("explain", "team.small", "--input", "input.json")
    assert done.code == 3
    assert f"--input: input.json has more than the {INPUT_BYTES} bytes allowed" in done.err


@pytest.mark.usefixtures("own")
def test_eval_answers_and_suggests() -> None:
    Path("input.json").write_text(json.dumps(asking()))
    done = inside("policy", "eval", "data.gate.controls.team.small.status", "--input", "input.json")
    assert json.loads(done.out) == ["fail"]
    lines = inside("policy", "eval", "some x in [1, 2]; x + 1", "--format", "text").out
    assert lines == "2\n3\n"
    done = inside("policy", "eval", "input.artifact", "--input", "input.json")
    assert done.code == 4
    assert "did you mean 'artifacts'" in done.err
    assert "--input input.json" in inside("policy", "eval", "input.artifacts").err
    assert "did you mean 'status'" in inside("policy", "eval", "data.gate.controls.team.small.statu").err


def test_a_scenario_does_not_pass_with_an_answer_that_no_decision_can_rest_on(own: Path) -> None:
    """`gate check` would be exit 4 for it, after everything else had been clean."""
    metadata = CONTROL.partition("package ")[0]
    rules = 'status := "pass"\n\nviolations := set()\n\nevidence := set()\n\nreason := null\n'
    (own / "small.rego").write_text(f"{metadata}package gate.controls.team.small\n\n{rules}")
    scenario("right", asking(), {"status": "pass", "codes": []})
    done = inside("policy", "test", "--filter", "scenarios/", "--format", "json")
    outcome, message = results(done)["policy/scenarios/team.small/right"]
    assert outcome == "error"
    assert "team.small passes without evidence or basis" in str(message)
    assert done.code == 13
