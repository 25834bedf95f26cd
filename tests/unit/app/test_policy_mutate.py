"""`gate policy mutate` and `gate policy sweep` on a small policy: what survives is said, and everything is counted."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Self

import pytest

from gate.app import policy_mutate
from gate.app.policy_mutate import judge_quietly, passes
from gate.cli.main import run
from gate.errors import PolicyTimeout
from gate.evaluate.regorus import CompiledRules

CONTROL = """# METADATA
# title: A control
# description: All of it is sound.
# custom:
#   severity: high
#   claims: []
#   artifacts: [weights]
#   targets: [deployment]
#   waivable: true
#   fix: Make it sound.
package custom.test.own

import data.custom.lib.limit
import data.gate.lib.document
import future.keywords.not

default status := "error"

status := "pass" if {
	limit.is_small(input.change.size)
	every artifact in document.artifacts {
		artifact.kind == "weights"
	}
	count(document.artifacts) > 0
}

violations := set()

evidence := set()

reason := "it is small"
"""
LIMIT = "package custom.lib.limit\n\nimport future.keywords.not\n\nis_small(size) if size <= 3\n"
TESTS = """package custom.test.own_test

import data.custom.test.own
import future.keywords.not

document(size, kind) := {"change": {"size": size}, "artifacts": {"a": {
	"kind": kind, "mutable_reference": false, "digest": null, "path": "a", "reference": null, "files": {},
}}}

answer(size, kind) := status if {
	doc := document(size, kind)
	status := own.status with input as doc
}

test_passes if answer(3, "weights") == "pass"

test_errors[case] := value if {
	some case, doc in {"larger": document(4, "weights"), "other": document(3, "dataset")}
	status := own.status with input as doc
	value := status == "error"
}

test_the_rest if [own.violations, own.evidence, own.reason] == [set(), set(), "it is small"]
"""
OWN = "policy/custom/test/own/own.rego"
SIZE = {"context": {}, "change": {"size": 3}, "scans": {}, "artifacts": {
    "a": {"kind": "weights", "mutable_reference": False, "digest": None, "path": "a", "reference": None, "files": {}}
}}  # fmt: skip
SCENARIO = "policy/scenarios/custom.test.own/passes/input.json"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    put(OWN, CONTROL)
    put("policy/custom/lib/limit/limit.rego", LIMIT)
    put("policy/custom/test/own/own_test.rego", TESTS)
    put(SCENARIO, json.dumps(SIZE))
    return tmp_path


def put(place: str, text: str) -> None:
    path = Path(place)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def gate(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        run(["policy", *arguments])
    shown = capsys.readouterr()
    return int(ended.value.code or 0), shown.out, shown.err


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judges in this process: as fast as it gets, and seen by coverage."""

    class Pool:
        def __init__(self, **_: object) -> None:
            pass

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        map = staticmethod(map)

        def shutdown(self, **_: object) -> None:
            pass

    monkeypatch.setattr(policy_mutate, "ProcessPoolExecutor", Pool)


def survivors(out: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(out)["survivors"]
    return found


@pytest.mark.usefixtures("here")
def test_says_what_no_test_notices(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = gate(capsys, "mutate", "--jobs", "1")
    assert (code, err) == (13, "")
    assert f"{OWN}:24:31: no test notices > -> <" not in out
    assert "  - count(document.artifacts) > 0\n  + count(document.artifacts) >= 0\n" in out
    assert "  + true\n" in out
    assert "write a test where the two sides are equal" in out
    assert "mutants: " in out.splitlines()[-1]


@pytest.mark.usefixtures("here", "in_process")
def test_accepts_what_is_accepted_with_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = gate(capsys, "mutate", "--format", "json")
    found = survivors(out)
    assert code == 13
    entries = [{"file": item["file"], "mutant": item["mutant"], "reason": "No matter."} for item in found]
    put("policy/equivalent_mutants.json", json.dumps(entries))
    code, out, _ = gate(capsys, "mutate", "policy")
    assert (code, f"{len(found)} accepted, 0 survive" in out) == (0, True)
    put("more.json", json.dumps([*entries, {"file": OWN, "mutant": "none", "reason": "Gone."}]))
    code, out, _ = gate(capsys, "mutate", "--accepted", "more.json", "--control", "custom.test.own")
    assert (code, "no such survivor: none" in out, "1 accepted without need" in out) == (13, True, True)


@pytest.mark.usefixtures("here", "in_process")
def test_an_accepted_file_has_a_form(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("{", "{}", '[{"file": "a", "mutant": "b", "reason": " "}]', "[1]"):
        put("policy/equivalent_mutants.json", text)
        code, _, err = gate(capsys, "mutate")
        assert (code, "policy/equivalent_mutants.json" in err) == (2, True)


@pytest.mark.usefixtures("here", "in_process")
def test_without_tests_nothing_is_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert gate(capsys, "mutate", "--control", "custom.test.own_")[0] == 2
    put("policy/custom/lib/alone/alone.rego", "package custom.lib.alone\n\np := 1\n")
    code, _, err = gate(capsys, "mutate")
    assert (code, "no test concerns policy/custom/lib/alone/alone.rego" in err) == (2, True)
    put("policy/custom/test/own/own_test.rego", TESTS.replace("test_", "case_"))
    code, _, err = gate(capsys, "mutate")
    assert (code, "there are no tests" in err) == (2, True)


@pytest.mark.usefixtures("here", "in_process")
def test_tests_that_fail_unchanged_are_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    put("policy/custom/test/own/own_test.rego", f"{TESTS}\ntest_wrong if false\n")
    code, _, err = gate(capsys, "mutate")
    assert (code, "own_test.test_wrong fails before anything is changed" in err) == (2, True)


@pytest.mark.usefixtures("here", "in_process")
def test_a_test_that_takes_too_long_has_noticed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    value = CompiledRules.value

    def slow(self: CompiledRules, rule: str, *arguments: bytes, time_limit_s: float) -> str | None:
        found = value(self, rule, *arguments, time_limit_s=time_limit_s)
        if found != "true" and rule.endswith("test_passes"):
            raise PolicyTimeout("too slow")
        return found

    monkeypatch.setattr(CompiledRules, "value", slow)
    _, out, _ = gate(capsys, "mutate")
    assert "of the killed ran out of time" in out


@pytest.mark.usefixtures("here", "in_process")
def test_a_change_that_makes_a_builtin_fail_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    put("policy/custom/lib/limit/limit.rego", LIMIT.replace("size <= 3", 'size <= to_number("3")'))
    _, out, _ = gate(capsys, "mutate", "--format", "json")
    assert not any('"3" -> ""' in item["mutant"] for item in survivors(out))


@pytest.mark.usefixtures("here")
def test_a_process_that_ends_too_early_is_an_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> object:
        raise BrokenProcessPool

    monkeypatch.setattr(ProcessPoolExecutor, "map", broken)
    code, _, err = gate(capsys, "mutate")
    assert (code, "ended too early" in err) == (4, True)


@pytest.mark.usefixtures("here", "in_process")
def test_progress_is_for_who_watches(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert " mutants" in gate(capsys, "mutate")[2]


def test_the_engine_is_quiet_only_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.fstat(2)
    monkeypatch.setattr(policy_mutate, "judge", lambda _work: (os.fstat(2),))
    (within,) = judge_quietly(None)  # type: ignore[arg-type]
    assert os.fstat(2).st_ino == before.st_ino
    assert within.st_rdev == Path(os.devnull).stat().st_rdev  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("true", True), ("false", False), (None, False), ("1", False), ("{}", False), ('{"a": true, "b": false}', False)],
)
def test_a_test_passes_when_it_is_true(value: str | None, *, expected: bool) -> None:
    assert passes(value) is expected


@pytest.mark.usefixtures("here")
def test_sweeps_passing_scenarios(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = gate(capsys, "sweep")
    assert code == 13
    assert "custom.test.own still passes: change/size: replaced by null" in out
    assert f"  status in {OWN}:" in out
    assert "scans" not in out
    findings = json.loads(gate(capsys, "sweep", "--input", SCENARIO, "--format", "json")[1])["findings"]
    entries = [{"path": item["path"], "changes": ["any"], "reason": "No matter here."} for item in findings]
    put("policy/custom/test/own/sweep.json", json.dumps(entries))
    code, out, _ = gate(capsys, "sweep", "--control", "custom.test.own")
    assert (code, "changes of 1 input: 0 unnoticed" in out) == (0, True)
    put("all.json", json.dumps({"controls": {"custom.test.own": {"may_stay": entries}}}))
    assert gate(capsys, "sweep", "--allow", "all.json")[0] == 0
    listed = {"does_not_read": ["g"], "may_stay": entries}
    group = {"paths": ["scans", "context"], "reason": "It is about changes."}
    put("all.json", json.dumps({"groups": {"g": group}, "controls": {"custom.test.own": listed}}))
    gate(capsys, "sweep", "--allow", "all.json")
    more = [*entries, {"path": "change/x", "changes": ["zero"], "reason": "Nothing."}]
    put("policy/custom/test/own/sweep.json", json.dumps(more))
    code, out, _ = gate(capsys, "sweep", "--format", "json")
    assert (code, json.loads(out)["needless"][0]["path"]) == (13, "change/x")
    code, out, _ = gate(capsys, "sweep")
    assert (code, "nothing needs the exception for change/x" in out) == (13, True)


@pytest.mark.usefixtures("here")
def test_no_passing_input_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    put(SCENARIO, json.dumps({**SIZE, "change": {"size": 4}}))
    code, _, err = gate(capsys, "sweep")
    assert (code, "no input passes custom.test.own" in err) == (2, True)
    Path(SCENARIO).unlink()
    Path(SCENARIO).parent.rmdir()
    Path(SCENARIO).parent.parent.rmdir()
    assert gate(capsys, "sweep")[0] == 2
    assert gate(capsys, "sweep", "--control", "custom.test.other")[0] == 2


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("text", ["[", "[]"])
def test_an_input_is_an_object(capsys: pytest.CaptureFixture[str], text: str) -> None:
    put("input.json", text)
    assert gate(capsys, "sweep", "--input", "input.json")[0] == 2


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"whenever_read": {}}',
        '{"groups": {"g": {"reason": "because"}}}',
        '{"groups": {"g": {"reason": "because", "paths": [1]}}}',
        '{"whenever_read": [{"path": "a", "changes": ["none"], "reason": "because"}]}',
        '{"whenever_read": [{"path": "a", "changes": ["null"], "reason": ""}]}',
        '{"controls": {"custom.test.own": {"does_not_read": ["g"]}}}',
    ],
)
def test_an_allow_list_has_a_form(capsys: pytest.CaptureFixture[str], text: str) -> None:
    put("allow.json", text)
    code, _, err = gate(capsys, "sweep", "--allow", "allow.json")
    assert (code, "allow.json" in err) == (2, True)


@pytest.mark.usefixtures("here")
def test_a_control_that_fails_on_an_input_does_not_pass(capsys: pytest.CaptureFixture[str]) -> None:
    put(OWN, CONTROL.replace("limit.is_small(input.change.size)", "to_number(input.change.text) == 3"))
    put(SCENARIO, json.dumps({**SIZE, "change": {"text": "3"}}))
    code, out, _ = gate(capsys, "sweep")
    assert (code, "0 unnoticed" in out) == (0, True)
    put(SCENARIO, json.dumps({**SIZE, "change": {"text": "three"}}))
    assert gate(capsys, "sweep")[0] == 2
