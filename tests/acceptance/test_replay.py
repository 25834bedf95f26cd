"""`gate replay`: a decision made again from its record, byte for byte; and every way in which a record can be wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gate.app import replay as app
from gate.app.engines import open_engine
from gate.app.replay_source import exported
from gate.errors import EvidenceError
from gate.evaluate.bundle import PolicyBundle, make_bundle, packaged_bundle
from gate.evaluate.interface import Engine
from gate.formats import schema
from gate.formats.case_file import make_case
from gate.model.settings import EngineSettings
from gate.report.json import decision_json
from tests.acceptance.world import NOW, WEIGHTS, Done, World, inside
from tests.support.cases import document_of, good_model
from tests.support.decisions import refusal
from tests.support.pages import run_page
from tests.support.secrets import SECRETS
from tools.scenario_draft import config

RECORD = "record: {sqlite: .gate/log.db}\n"
OWN = "policy/custom/team/named/named.rego"
OWN_REGO = b"""# METADATA
# title: Named
# description: Every artifact has a name.
# custom:
#   severity: low
#   claims: []
#   artifacts: [weights]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Name it.
#   frameworks: {}
package custom.team.named

import future.keywords.not

default status := "error"

status := "pass" if count(input.artifacts) > 0

violations := set()

reason := "artifacts have names"
"""
PROFILE = b'{"name": "team", "extends": "baseline", "controls": {"custom.team.named": {"mode": "enforce"}}}'
TEAM = {OWN: OWN_REGO, "policy/gate/profiles/team/data.json": PROFILE}


@pytest.fixture
def saved(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The good world, with its decision and its input document in files, without a log."""
    monkeypatch.chdir(world.root)
    assert inside("check", "--base", "main", "--now", NOW, "--output", "decision.json").code == 0
    Path("input.json").write_text(inside("input", "--base", "main", "--now", NOW).out)
    return world


@pytest.fixture
def logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with a log, in which a changed model was refused by the library and an own control."""
    more = f"policy: {{directories: [policy/]}}\n{RECORD}"
    world = World.make(tmp_path / "world", config(profile="team", more=more), base=TEAM)
    world.write(WEIGHTS, b"\x00" * 64)
    monkeypatch.chdir(world.root)
    done = inside("check", "--base", "main", "--now", NOW, "--format", "json", "--output", "decision.json")
    assert done.code == 12
    return world


def replay(*arguments: str) -> Done:
    return inside("replay", *arguments, "--now", NOW)


def change(path: str, edit: Callable[[Any], None]) -> None:
    value = json.loads(Path(path).read_text())
    edit(value)
    Path(path).write_text(json.dumps(value))


def identity(path: str = "decision.json") -> str:
    found = json.loads(Path(path).read_text())["id"]
    assert isinstance(found, str)
    return found


# -- the same ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("saved")
def test_a_saved_decision_and_its_input_give_the_same_bytes() -> None:
    done = replay("decision.json", "--input", "input.json")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"SAME  decision {identity()} (ALLOW): its record gives it again, byte for byte\n"


@pytest.mark.usefixtures("logged")
def test_a_recorded_decision_is_found_by_id_and_by_its_beginning() -> None:
    for word in (identity(), identity()[:20], "latest", "decision.json"):
        done = replay(word)
        assert done.code == 0, done.text
        assert done.out.startswith("SAME  decision")
        assert "(DENY)" in done.out


@pytest.mark.usefixtures("logged")
def test_the_log_holds_the_policy_whatever_became_of_the_one_in_the_work_tree() -> None:
    Path(OWN).unlink()
    assert replay(identity()).code == 0


@pytest.mark.usefixtures("logged")
def test_an_exported_case_is_replayed_where_nothing_else_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert replay(identity(), "--export", str(tmp_path / "case.json")).code == 0
    value = json.loads((tmp_path / "case.json").read_text())
    assert schema.problem("case.json", value) is None
    assert value["policy"][OWN.removeprefix("policy/")] == OWN_REGO.decode()
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    done = replay("../case.json", "--export", "again.json")
    assert done.code == 0, done.text
    assert Path("again.json").read_bytes() == (tmp_path / "case.json").read_bytes()


@pytest.mark.usefixtures("saved")
def test_a_decision_that_an_older_gate_told_less_of_is_the_same() -> None:
    def without(value: Any) -> None:
        for control in value["controls"].values():
            del control["judges"]

    assert replay("decision.json", "--input", "input.json").code == 0
    change("decision.json", without)
    done = replay("decision.json", "--input", "input.json")
    assert done.code == 0, done.text
    change("decision.json", lambda value: value["controls"]["artifact.pinned"].update(judges=["prompt"]))
    assert replay("decision.json", "--input", "input.json").code != 0


@pytest.mark.usefixtures("logged")
def test_a_policy_that_is_not_installed_is_evaluated_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wrote the record wrote the policy, and chose what it says of itself."""
    opened: list[bool | None] = []

    def look(settings: EngineSettings, bundle: PolicyBundle) -> Engine:
        opened.append(settings.isolated)
        return open_engine(settings, bundle)

    monkeypatch.setattr(app, "open_engine", look)
    assert replay(identity(), "--export", "case.json").code == 0
    installed = packaged_bundle().files
    change("case.json", lambda value: value.update(policy={path: data.decode() for path, data in installed.items()}))
    change("case.json", lambda value: value["decision"]["digests"].update(policy=packaged_bundle().digest))
    assert replay("case.json").code == 4, "the installed policy does not know the own control"
    assert opened == [True, False]


@pytest.mark.usefixtures("saved")
def test_another_gate_and_engine_are_told_and_make_no_other_decision() -> None:
    def older(value: Any) -> None:
        value["gate_version"], value["engine"] = "0.0.9", {"name": "opa", "version": "1.0.0"}

    change("decision.json", older)
    done = replay("decision.json", "--input", "input.json")
    assert done.code == 0
    assert "~ gate: 0.0.9 -> " in done.out
    assert "~ engine: opa 1.0.0 -> regorus " in done.out
    value = json.loads(replay("decision.json", "--input", "input.json", "--format", "json").out)
    assert schema.problem("replay.json", value) is None
    assert {item["path"][0] for item in value["makers"]} == {"gate", "engine"}


@pytest.mark.usefixtures("logged")
def test_s36_a_file_that_is_named_like_an_id_is_not_taken_for_a_record() -> None:
    """Whoever proposes a change could lay a case that fits together there, and an auditor would see SAME."""
    decision = identity()
    for name in (decision, decision[:10], "latest"):
        Path(name).write_text("{}")
        assert replay(name).out.startswith(f"SAME  decision {decision} (DENY)")
    assert replay("./latest").code == 3


# -- not the same ------------------------------------------------------------------------------------------------------


def allow(value: Any) -> None:
    value["verdict"], value["exit_code"], value["causes"] = "allow", 0, []
    for control in value["controls"].values():
        if control["mode"] == "enforce" and control["status"] in {"fail", "error"}:
            control["status"], control["violations"] = "pass", []
    value["evidence"]["rejected"] = []


def test_s36_a_refusal_that_was_made_an_approval_is_found(logged: World) -> None:
    decision = identity()
    change("decision.json", allow)
    done = replay("decision.json")
    assert done.code == 12
    assert done.out.startswith(f"DIFFERENT  decision {decision} (ALLOW): its record does not give it\n")
    assert "ALLOW -> DENY: " in done.out
    assert "artifact.integrity: pass -> fail, REFUSES NOW" in done.out
    assert logged.root.exists()


EDITS: dict[str, Callable[[Any], None]] = {
    "who signed": lambda value: value["evidence"]["verified"][0]["signers"][0].update(name="somebody"),
    "the time": lambda value: value.update(decided_at="2026-11-19T12:00:00Z"),
    "a title": lambda value: value["controls"]["artifact.signed"].update(title="Other"),
    "the environment": lambda value: value["context"].update(environment="other"),
    "what was skipped": lambda value: value["skipped"].pop("signals"),
    "an order": lambda value: value["evidence"]["verified"].reverse(),
}


@pytest.mark.usefixtures("saved")
@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_whatever_was_edited_in_a_decision_is_found(edit: Callable[[Any], None]) -> None:
    change("decision.json", edit)
    done = replay("decision.json", "--input", "input.json")
    assert done.code == 12
    assert done.out.startswith("DIFFERENT  ")


@pytest.mark.usefixtures("saved")
def test_another_order_alone_is_told_as_such() -> None:
    change("decision.json", EDITS["an order"])
    done = replay("decision.json", "--input", "input.json")
    assert done.out.splitlines()[-1] == "Both say the same; only the order in the document differs."


@pytest.mark.usefixtures("saved")
def test_another_input_is_not_evaluated() -> None:
    change("input.json", lambda value: value["context"].update(environment="other"))
    done = replay("decision.json", "--input", "input.json")
    assert done.code == 12
    assert "the input document is sha256:" in done.out
    assert "so nothing was evaluated" in done.out
    value = json.loads(replay("decision.json", "--input", "input.json", "--format", "json").out)
    assert schema.problem("replay.json", value) is None
    assert (value["same"], value["diff"], len(value["problems"])) == (False, None, 1)


@pytest.mark.usefixtures("saved")
def test_another_policy_is_not_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A case whose policy was exchanged for one that allows everything."""
    monkeypatch.setattr(app, "open_engine", lambda *_: pytest.fail("it was evaluated"))
    files = {path: data.decode() for path, data in packaged_bundle().files.items()}
    files["gate/controls/artifact/signed/signed.rego"] += "\n"
    documents = {name: json.loads(Path(f"{name}.json").read_text()) for name in ("decision", "input")}
    Path("case.json").write_text(json.dumps({"schema": "urn:gate:case:v1", **documents, "policy": files}))
    done = replay("case.json")
    assert done.code == 12
    assert "the policy is sha256:" in done.out


@pytest.mark.usefixtures("saved")
@pytest.mark.parametrize("policy", [{}, {"gate/controls/x.rego": "package x"}])
def test_files_that_are_no_policy_are_not_evaluated(policy: dict[str, str]) -> None:
    documents = {name: json.loads(Path(f"{name}.json").read_text()) for name in ("decision", "input")}
    Path("case.json").write_text(json.dumps({"schema": "urn:gate:case:v1", **documents, "policy": policy}))
    done = replay("case.json")
    assert done.code == 12
    assert "the files of the policy are no policy" in done.out


# -- no replay ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("saved")
def test_the_policy_has_to_be_the_one_that_judged() -> None:
    """Of a policy that is in neither place nobody knows what it said."""
    change("decision.json", lambda value: value["digests"].update(policy="sha256:" + "0" * 64))
    done = replay("decision.json", "--input", "input.json")
    assert done.code == 3
    assert "neither the installed one nor that of gate.yaml" in done.err
    change("decision.json", lambda value: value.update(digests=[]))
    assert replay("decision.json", "--input", "input.json").code == 3


def test_the_policy_of_gate_yaml_serves_while_it_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = config(profile="team", more="policy: {directories: [policy/]}\n")
    world = World.make(tmp_path / "world", text, base=TEAM)
    monkeypatch.chdir(world.root)
    assert inside("check", "--base", "main", "--now", NOW, "--output", "decision.json").code == 0
    Path("input.json").write_text(inside("input", "--base", "main", "--now", NOW).out)
    assert replay("decision.json", "--input", "input.json").code == 0
    Path(OWN).write_bytes(OWN_REGO + b"\n")
    assert replay("decision.json", "--input", "input.json").code == 3


@pytest.mark.usefixtures("saved")
@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["decision.json"], 2, "record"),
        (["01J8ZQ4T7M3N5P6R7S8T9V0W1X"], 2, "record"),
        (["01J8ZQ4T7M", "--input", "input.json"], 2, "--input belongs to a decision in a file"),
        (["absent.json", "--input", "input.json"], 3, "cannot read absent.json"),
        (["input.json"], 3, "neither a case nor a decision"),
        (["gate.yaml"], 3, "cannot be replayed: "),
        (["decision.json", "--input", "absent.json"], 3, "cannot read absent.json"),
        (["decision.json", "--input", "decision.json"], 3, "the input document: it does not fit its schema"),
    ],
)
def test_what_cannot_be_replayed_says_why(arguments: list[str], code: int, why: str) -> None:
    done = replay(*arguments)
    assert (done.code, done.out) == (code, "")
    assert why in done.err


def test_a_case_holds_its_input(logged: World) -> None:
    assert replay(identity(), "--export", "case.json").code == 0
    done = replay("case.json", "--input", "decision.json")
    assert done.code == 2
    assert "holds its input document" in done.err
    assert logged.root.exists()


@pytest.mark.usefixtures("logged")
def test_an_id_that_nobody_recorded_is_told() -> None:
    done = replay("01J8ZQ4T7M3N5P6R7S8T9V0W1X")
    assert done.code == 3
    assert "no recorded decision" in done.err or "holds no decision" in done.err


def test_a_policy_that_cannot_be_evaluated_is_no_replay(logged: World) -> None:
    """Exit 4, as everywhere: the record may be right and this engine unable."""
    assert replay(identity(), "--export", "case.json").code == 0
    broken = OWN_REGO.replace(b'"error"', b"input.nothing")

    def exchange(value: Any) -> None:
        value["policy"][OWN.removeprefix("policy/")] = broken.decode()
        bundle = make_bundle({path: text.encode() for path, text in value["policy"].items()})
        value["decision"]["digests"]["policy"] = bundle.digest

    change("case.json", exchange)
    assert replay("case.json").code == 4
    assert logged.root.exists()


def test_an_export_that_cannot_be_written_is_known_before_the_work(logged: World) -> None:
    done = replay(identity(), "--export", "absent/case.json")
    assert (done.code, done.out) == (5, "")
    assert logged.root.exists()


def test_what_cannot_be_written_as_it_is_is_not_exported() -> None:
    case = make_case(decision_json(refusal()), document_of(good_model()).canonical, {"a.rego": b"\xff"})
    with pytest.raises(EvidenceError, match="not UTF-8"):
        exported(case)
    secret = make_case({**decision_json(refusal()), "id": SECRETS["jwt"]}, document_of(good_model()).canonical, {})
    with pytest.raises(EvidenceError, match="the record holds what looks like a secret"):
        exported(secret)


def test_s35_a_case_with_what_looks_like_a_secret_is_not_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it the case would be another one, and replay would say that somebody edited it."""
    token = SECRETS["github token"]
    text = config(profile="team", more=f"policy: {{directories: [policy/]}}\n{RECORD}")
    world = World.make(tmp_path / "world", text, base={**TEAM, OWN: OWN_REGO + f"# {token}\n".encode()})
    monkeypatch.chdir(world.root)
    assert inside("check", "--base", "main", "--now", NOW).code == 0
    done = replay("latest", "--export", "case.json")
    assert (done.code, done.out, Path("case.json").read_bytes()) == (3, "", b"")
    assert f"the policy file {OWN.removeprefix('policy/')} holds what looks like a secret" in done.err
    assert token not in done.text
    assert replay("latest").code == 0


@pytest.mark.usefixtures("logged")
def test_a_record_that_cannot_be_read_names_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.app.replay_source.input_document", lambda *_: {"schema": "urn:gate:input:v0"})
    done = replay(identity())
    assert done.code == 3
    assert "record 0 cannot be replayed: the input document" in done.err


@pytest.mark.no_cover
def test_the_page_works_as_written(tmp_path: Path) -> None:
    world = World.make(tmp_path / "world", config(more=RECORD))
    shown = run_page("replay.md", world.root, tmp_path / "programs")
    assert shown.count("SAME  decision ") == 4
    assert "places differ." in shown
