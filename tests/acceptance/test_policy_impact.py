"""`gate policy impact`: past decisions under another policy; and the page about it, run as it stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gate.formats import schema
from tests.acceptance.test_replay import OWN, OWN_REGO, RECORD, TEAM
from tests.acceptance.world import NOW, WEIGHTS, Done, World, inside
from tests.support.pages import run_page
from tools.scenario_draft import config

REFUSES = OWN_REGO.replace(
    b"violations := set()",
    b'violations := {v | input.artifacts; v := {"code": "custom.team.named.bad", "message": "no", "artifact": null,'
    b' "file": null, "evidence": []}}',
).replace(b'"pass" if', b'"fail" if')
PROFILE = "policy/gate/profiles/team/data.json"


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A repository with an own control and a log that holds an approval and a refusal."""
    text = config(profile="team", more=f"policy: {{directories: [policy/]}}\n{RECORD}")
    world = World.make(tmp_path / "world", text, base=TEAM)
    monkeypatch.chdir(world.root)
    good = (world.root / WEIGHTS).read_bytes()
    assert inside("check", "--base", "main", "--now", NOW).code == 0
    world.write(WEIGHTS, b"\x00" * 64)
    assert inside("check", "--base", "main", "--now", NOW).code == 12
    world.write(WEIGHTS, good)
    return world


def impact(*arguments: str) -> Done:
    return inside("policy", "impact", "--base", "main", "--now", NOW, *arguments)


def value(*arguments: str) -> Any:
    done = impact(*arguments, "--format", "json")
    assert done.code == 0, done.text
    found = json.loads(done.out)
    assert schema.problem("impact.json", found) is None
    return found


def verdicts(found: Any) -> dict[tuple[str, str], int]:
    return {(item["old"], item["new"]): item["cases"] for item in found["verdicts"]}


@pytest.mark.usefixtures("team")
def test_the_same_policy_turns_nothing() -> None:
    found = value()
    assert verdicts(found) == {("allow", "allow"): 1, ("deny", "deny"): 1}
    assert (found["old"]["policy"], found["controls"]) == (found["new"]["policy"], {})
    assert impact().out.splitlines()[-1] == "No verdict of 2 past cases turns."


def test_a_control_that_refuses_now_turns_what_was_allowed(team: World) -> None:
    team.write(OWN, REFUSES)
    found = value()
    assert verdicts(found) == {("allow", "deny"): 1, ("deny", "deny"): 1}
    assert found["controls"] == {"custom.team.named": {"refuses_now": 2, "refuses_no_more": 0, "otherwise": 0}}
    assert [case["recorded"] for case in found["cases"]] == ["deny", "allow"], "the newest first"
    assert found["new"]["source"] == "worktree"


def test_other_words_for_a_refusal_turn_nothing(team: World) -> None:
    team.on_main({OWN: REFUSES})
    team.write(OWN, REFUSES.replace(b'"no"', b'"still not"'))
    found = value()
    assert verdicts(found) == {("deny", "deny"): 2}
    assert found["controls"] == {}
    assert found["decided_otherwise"] == 1


def test_a_profile_that_asks_for_less_is_seen_too(team: World) -> None:
    team.write(PROFILE, TEAM[PROFILE].replace(b'"enforce"', b'"off"'))
    found = value()
    assert found["controls"] == {"custom.team.named": {"refuses_now": 0, "refuses_no_more": 0, "otherwise": 2}}
    assert verdicts(found) == {("allow", "allow"): 1, ("deny", "deny"): 1}


def test_parameters_of_gate_yaml_count(team: World) -> None:
    """A day is the most that a signature may be old; when it was made, nobody but itself says."""
    text = (team.root / "gate.yaml").read_bytes()
    team.write("gate.yaml", text + b"parameters: {evidence.fresh: {artifact.signature: 1d}}\n")
    found = value()
    assert verdicts(found)["allow", "deny"] == 1
    assert found["controls"]["evidence.fresh"]["refuses_now"] == 1


def test_the_log_is_asked_for_some_of_its_decisions(team: World) -> None:
    assert value("--last", "1")["total"] == 1
    assert value("--since", "2020-01-01T00:00:00Z")["total"] == 2
    done = impact("--since", "2100-01-01T00:00:00Z")
    assert done.code == 3
    assert "there is no past decision" in done.err
    assert value("--sqlite", str(team.root / ".gate/log.db"))["total"] == 2


def test_a_policy_that_does_not_load_is_an_error_or_no_decision(team: World) -> None:
    team.write(OWN, OWN_REGO + b"\nnonsense {\n")
    found = value()
    assert verdicts(found) == {("allow", "error"): 1, ("deny", "error"): 1}
    assert "the policy does not load" in found["cases"][0]["new"]["problem"]


def test_a_base_that_is_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, team: World) -> None:
    assert inside("policy", "impact", "--base", "absent", "--now", NOW).code == 3
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "gate.yaml").write_bytes((team.root / "gate.yaml").read_bytes())
    monkeypatch.chdir(plain)
    done = impact()
    assert done.code == 2
    assert "needs a git repository" in done.err


@pytest.mark.usefixtures("team")
def test_documents_and_cases_in_a_folder_are_judged_and_the_rest_is_named() -> None:
    Path("cases").mkdir()
    assert inside("check", "--base", "main", "--now", NOW, "--output", "cases/decision.json").code == 0
    assert inside("replay", "cases/decision.json", "--export", "cases/case.json", "--now", NOW).code == 0
    Path("cases/input.json").write_text(inside("input", "--base", "main", "--now", NOW).out)
    Path("cases/other.json").write_text("{}")
    Path("cases/broken.json").write_text("{")
    found = value("cases")
    assert {case["place"]: case["recorded"] for case in found["cases"]} == {
        "cases/case.json": "allow",
        "cases/input.json": None,
    }
    assert set(found["unread"]) == {"cases/broken.json", "cases/decision.json", "cases/other.json"}
    assert "without its input document" in found["unread"]["cases/decision.json"]


@pytest.mark.usefixtures("team")
def test_files_and_the_log_are_not_mixed() -> None:
    done = impact(".gate", "--last", "1")
    assert done.code == 2
    assert "files are named here" in done.err


def test_a_record_that_was_changed_is_not_judged(team: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from gate.errors import EvidenceError

    def changed(*_: object) -> None:
        raise EvidenceError("record 0: its decision was changed")

    monkeypatch.setattr("gate.app.policy_impact.recorded", changed)
    found = value()
    assert (found["total"], len(found["unread"])) == (0, 2)
    assert team.root.exists()


@pytest.mark.parametrize(("form", "start"), [("text", "old  "), ("markdown", "## "), ("csv", "case,"), ("json", "{")])
def test_every_form_can_go_to_a_file(team: World, form: str, start: str) -> None:
    done = impact("--format", form, "--output", "impact")
    assert done.out == "No verdict of 2 past cases turns.\n"
    assert (team.root / "impact").read_text().startswith(start)
    assert impact("--format", form).out.startswith(start)


@pytest.mark.no_cover
def test_the_page_works_as_written(team: World, tmp_path: Path) -> None:
    shown = run_page("policy-impact.md", team.root, tmp_path / "programs")
    assert "No verdict of 2 past cases turns." in shown
    # Beside the repository: a file that the watching writes below the root would be a change, again and again.
    watched = (team.root.parent / "watch.log").read_text()
    assert "nothing is recorded" in watched
    assert "changed: " not in watched
