"""A team's own controls beside the library: they judge, they cannot be slipped in, and nothing hides among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gate.app.doctor import _judging
from gate.app.policy_new import NewControl, control_files
from gate.evaluate.bundle import packaged_bundle
from tests.acceptance.world import World, gate, inside
from tools.scenario_draft import config

CONTROL = "policy/gate/controls/team/evaluated/evaluated.rego"
MODES = b'{"name": "team", "extends": "baseline", "controls": {"team.evaluated": {"mode": "enforce"}}}'
PROFILE = "policy/gate/profiles/team/data.json"
OWN = {f"policy/{path}": data for path, data in control_files(NewControl("team.evaluated")).items()}
WITH_OWN = config(profile="team", more="policy: {directories: [policy/]}\n")
Act = Callable[[World], None]


def team(place: Path, text: bytes = WITH_OWN, **files: bytes) -> World:
    """The good world, in a repository with an own control that asks for what is not there."""
    return World.make(place / "world", text, base={**OWN, PROFILE: MODES, **files})


@pytest.fixture
def own(tmp_path: Path) -> World:
    return team(tmp_path)


def test_an_own_control_refuses_what_the_baseline_allows(own: World) -> None:
    done = own.judge()
    assert done.code == 10
    assert done.failing == {"team.evaluated"}
    assert done.decision["controls"]["team.evaluated"]["violations"][0]["code"] == "team.evaluated.missing"


def test_an_own_control_that_only_warns_leaves_the_decision(own: World) -> None:
    own.on_main({PROFILE: MODES.replace(b"enforce", b"warn")})
    assert own.judge().code == 0


def test_the_decision_says_which_policy_judged(own: World, tmp_path: Path) -> None:
    packaged = World.make(tmp_path / "packaged")
    decisions = [world.judge().decision for world in (own, packaged)]
    assert decisions[0]["policy"]["own"] == ["team.evaluated"]
    assert decisions[1]["policy"]["own"] == []
    first, second = (decision["digests"]["policy"] for decision in decisions)
    assert first != second


CHANGES: dict[str, Act] = {
    "adds a control": lambda world: world.write("policy/gate/controls/team/other/other.rego", b"package x\n"),
    "adds a module somewhere": lambda world: world.write("policy/x.rego", b"package x\n"),
    "adds what is no Rego": lambda world: world.write("policy/notes.txt", b"x\n"),
    "changes a control": lambda world: world.write(CONTROL, OWN[CONTROL] + b"\n"),
    "changes the profile": lambda world: world.write(PROFILE, MODES.replace(b"enforce", b"off")),
    "changes a test": lambda world: world.write(CONTROL.replace(".rego", "_test.rego"), b"package x\n"),
    "deletes a control": lambda world: (world.root / CONTROL).unlink(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_to_the_policy_is_refused_without_approval(tmp_path: Path, change: Act) -> None:
    """It is judged by the policy of the merge base, which the change cannot reach."""
    world = team(tmp_path)
    world.on_main({PROFILE: MODES.replace(b"enforce", b"warn")})
    change(world)
    world.commit("the policy")
    done = world.judge()
    assert done.code != 0
    assert "change.policy_unchanged" in done.failing
    document = inside("input", "--base", "main", "--root", str(world.root))
    assert '"role": "policy"' in document.out


def replace_by_link(world: World) -> None:
    (world.root / "policy").rename(world.root / "elsewhere")
    (world.root / "policy").symlink_to("elsewhere")


def replace_by_file(world: World) -> None:
    (world.root / "policy").rename(world.root / "elsewhere")
    (world.root / "policy").write_bytes(b"x\n")


@pytest.mark.parametrize("change", [replace_by_link, replace_by_file])
def test_a_change_that_puts_something_in_the_folders_place_is_refused(tmp_path: Path, change: Act) -> None:
    world = team(tmp_path)
    world.on_main({PROFILE: MODES.replace(b"enforce", b"warn")})
    change(world)
    world.commit("the folder")
    done = world.judge()
    assert done.code != 0
    assert "change.policy_unchanged" in done.failing


def test_a_branch_that_left_before_the_policy_changed_is_out_of_date(own: World) -> None:
    own.git("checkout", "-q", "main")
    own.write("policy/gate/controls/team/evaluated/evaluated.rego", OWN[CONTROL] + b"\n")
    own.commit("stricter")
    own.git("checkout", "-q", "change")
    done = own.judge()
    assert done.code == 3
    assert "policy changed on the base" in done.err
    assert "out of date" in done.err


def test_a_branch_that_left_before_a_module_was_added_is_out_of_date(own: World) -> None:
    own.git("checkout", "-q", "main")
    own.write("policy/custom/lib/words/words.rego", b"package custom.lib.words\n")
    own.commit("more")
    own.git("checkout", "-q", "change")
    assert own.judge().code == 3


@pytest.mark.parametrize("place", ["policy/gate/controls/team/linked", "policy/linked.rego", "policy/notes"])
def test_a_link_in_a_policy_directory_is_refused(tmp_path: Path, place: str) -> None:
    """Behind a link to a folder a control would be missing without a word."""
    world = World.make(tmp_path / "world", config())
    world.git("checkout", "-q", "main")
    world.write_all({**OWN, PROFILE: MODES, "gate.yaml": WITH_OWN})
    (world.root / place).symlink_to(world.root / "models")
    world.commit("policy")
    world.git("checkout", "-q", "change")
    world.git("merge", "-q", "-m", "merge", "main")
    at_base, on_disk = world.judge(), inside("check", "--root", str(world.root))
    assert (at_base.code, on_disk.code) == (2, 3)
    assert "is not a regular file" in at_base.err
    assert "is a link" in on_disk.err


def test_a_policy_directory_that_is_a_link_is_refused(tmp_path: Path) -> None:
    world = World.make(tmp_path / "world", config())
    world.git("checkout", "-q", "main")
    world.write_all({"gate.yaml": WITH_OWN, **{f"else/{path}": data for path, data in OWN.items()}})
    (world.root / "policy").symlink_to("else/policy")
    world.commit("policy")
    world.git("checkout", "-q", "change")
    world.git("merge", "-q", "-m", "merge", "main")
    at_base, on_disk = world.judge(), inside("check", "--root", str(world.root))
    assert (at_base.code, on_disk.code) == (2, 3)
    assert "link" in at_base.err
    assert "link" in on_disk.err


def test_a_policy_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    world = World.make(tmp_path / "world", WITH_OWN)
    for done in (world.judge(), inside("check", "--root", str(world.root))):
        assert done.code == 2
        assert "there is no directory 'policy' in " in done.err
        assert not done.out


def test_a_configuration_that_is_too_large_is_refused_with_its_name(tmp_path: Path) -> None:
    world = World.make(tmp_path / "world", config() + b"#" * (8 << 20))
    done = world.judge()
    assert done.code == 3
    assert "gate.yaml: " in done.err
    assert f"more than the {8 << 20} that are read" in done.err
    assert not done.out


def test_what_is_no_own_control_is_exit_4(tmp_path: Path) -> None:
    world = team(tmp_path, **{"policy/gate/main/main.rego": b"package gate.main\n"})
    done = world.judge()
    assert done.code == 4
    assert "no part of a policy" in done.err
    assert not done.out


REPLACING = config(more="policy: {directories: [policy], replaces: [artifact.pinned]}\n")
PINNED = "policy/gate/controls/artifact/pinned/pinned.rego"


def test_a_replaced_control_judges_in_the_library_s_place_and_the_decision_says_so(tmp_path: Path) -> None:
    files = control_files(NewControl("artifact.stand_in"))
    rules = files["gate/controls/artifact/stand_in/stand_in.rego"].replace(b"stand_in", b"pinned")
    world = World.make(tmp_path / "world", REPLACING, base={PINNED: rules})
    done = world.judge()
    assert done.failing == {"artifact.pinned"}
    assert done.decision["policy"]["replaced"] == ["artifact.pinned"]


@pytest.mark.parametrize("replaced", ["artifact.pinned", "scan.malwre", "team.evaluated"])
def test_replaces_of_nothing_is_refused(tmp_path: Path, replaced: str) -> None:
    text = WITH_OWN.replace(b"[policy/]}", f"[policy], replaces: [{replaced}]}}".encode())
    done = team(tmp_path, text).judge()
    assert done.code == 4
    assert f"{replaced} replaces nothing" in done.err


def test_one_replacement_is_not_replaced_by_another_directory(tmp_path: Path) -> None:
    rules = (Path(__file__).parents[2] / "rego/gate/controls/artifact/pinned/pinned.rego").read_bytes()
    text = REPLACING.replace(b"[policy]", b"[policy, more]")
    world = World.make(tmp_path / "world", text, base={PINNED: rules, PINNED.replace("policy", "more"): rules})
    done = world.judge()
    assert done.code == 4
    assert "is there already" in done.err


PROFILES: dict[str, tuple[bytes, int, str]] = {
    "extends itself": (b'{"extends": "team", "controls": {}}', 2, "which extends it"),
    "extends nothing known": (b'{"extends": "baselin", "controls": {}}', 2, "did you mean 'baseline'?"),
    "names an unknown control": (b'{"extends": "baseline", "controls": {"team.x": {"mode": "enforce"}}}', 2, "team.x"),
    "enforces nothing": (b'{"controls": {"team.evaluated": {"mode": "warn"}}}', 2, "enforces no control"),
    "is no mapping": (b"[]", 2, "expected a mapping"),
}


@pytest.mark.parametrize(("text", "code", "words"), PROFILES.values(), ids=PROFILES)
def test_a_wrong_profile_is_exit_2(tmp_path: Path, text: bytes, code: int, words: str) -> None:
    done = World.make(tmp_path / "world", WITH_OWN, base={**OWN, PROFILE: text}).judge()
    assert done.code == code
    assert words in done.err


def test_what_the_engine_says_of_a_line_is_shown_as_lines(tmp_path: Path) -> None:
    folder = tmp_path / "policy/custom/lib/x"
    folder.mkdir(parents=True)
    (folder / "x.rego").write_text("package custom.lib.x\n\np := no.such.thing\n")
    done = gate("policy", "eval", "1", cwd=tmp_path)
    assert done.code == 4
    assert "\\x0a" not in done.err
    assert all(line.startswith(("gate: ", "      ")) for line in done.err.splitlines())
    assert "custom/lib/x/x.rego:3:6" in done.err


def test_doctor_names_the_policy_that_judges(own: World, tmp_path: Path) -> None:
    said = own.run("doctor", "--base", "main").out
    policy = own.judge().decision["digests"]["policy"]
    total = len(packaged_bundle().catalogue) + 1
    assert f"judged by policy {policy[:19]}..., {total} controls: 1 own, 0 of them in the library's place\n" in said
    assert "judged by" not in World.make(tmp_path / "packaged").run("doctor", "--base", "main").out


def test_doctor_names_the_serial_of_a_bundle() -> None:
    (note,) = _judging(replace(packaged_bundle(), own=("scan.malware",), replaced=("scan.malware",), serial=7))
    assert note.text.endswith("1 own, 1 of them in the library's place, serial 7")


def test_a_control_of_the_custom_namespace_refuses_as_any_other(tmp_path: Path) -> None:
    files = {f"policy/{path}": data for path, data in control_files(NewControl("custom.team.evaluated")).items()}
    modes = MODES.replace(b"team.evaluated", b"custom.team.evaluated")
    done = World.make(tmp_path / "world", WITH_OWN, base={**files, PROFILE: modes}).judge()
    assert (done.code, done.failing) == (10, {"custom.team.evaluated"})
