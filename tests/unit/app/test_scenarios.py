"""Scenarios are played as `gate check` judges: a wrong answer is called by its name, and so is a right one."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, Self

import pytest

from gate.app import scenarios as app
from gate.app.scenarios import Work, judge_scenario, load_set, play, run_scenarios, under_profile
from gate.errors import ConfigError, PolicyError
from gate.model.scenario import Result
from tests.support.scenario_sets import REAL, merged, real_set, set_files

SIGNED, UNSIGNED = "allow/artifact-signed", "deny/artifact-signed-nothing"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return real_set(tmp_path_factory.mktemp("set") / "scenarios", SIGNED, UNSIGNED)


def work_of(name: str, **changes: Any) -> Work:
    """A real scenario that expects something else."""
    work = next(one for one in load_set(REAL, [name])[1] if one.scenario.name == name)
    own = dataclasses.replace(work.scenario.own, **changes)
    return dataclasses.replace(work, scenario=dataclasses.replace(work.scenario, own=own))


def test_a_set_is_played_in_this_process_and_in_others_alike(folder: Path) -> None:
    found, works = load_set(folder)
    told: list[int] = []
    alone = run_scenarios(found, works, jobs=1, ended=told.append)
    assert told == [1, 1]
    assert alone.is_right
    assert [one.result for one in alone.ended] == [Result.TRUE_ALLOW, Result.TRUE_REFUSAL]
    assert alone.ended[0].verified == ("artifact.signature", "build.provenance")
    assert alone.ended[1].why
    assert alone.by.name == "gate"
    assert run_scenarios(found, works, jobs=2) == alone


@pytest.mark.parametrize(
    ("name", "changes", "differences"),
    [
        (SIGNED, {"exit_code": 13}, ("exit code 0, not 13",)),
        (SIGNED, {"failing": ("scan.malware",)}, ("refused by nothing, not scan.malware",)),
        (SIGNED, {"waived": ("scan.malware",)}, ("waived nothing, not scan.malware",)),
        (SIGNED, {"passing": ("eval.passed", "artifact.signed")}, ("not passed: eval.passed",)),
        (SIGNED, {"words": ("ALLOW", "something else")}, ("not said: something else",)),
        ("error/unknown-base", {"words": ("no-such-branch",)}, ()),
        ("error/unknown-base", {"exit_code": 2, "words": ("another",)}, ("exit code 3, not 2", "not said: another")),
        ("error/expectation-without-refs", {"failing": ("artifact.signed",)}, ()),
    ],
)
def test_what_the_gate_says_otherwise_is_told(name: str, changes: dict[str, Any], differences: tuple[str, ...]) -> None:
    assert play(work_of(name, **changes)).differences == differences


def test_scenarios_with_own_controls_are_judged_by_them(folder: Path) -> None:
    """The packaged policy is compiled once; another one is not mistaken for it."""
    work = load_set(folder, [UNSIGNED])[1][0]
    place = "base/policy/gate/controls/own/never/never.rego"
    rule = (
        "# METADATA\n# title: Never\n# description: It never passes.\n# custom:\n#   severity: high\n#   claims: []\n"
        "#   artifacts: [weights]\n#   targets: [deployment]\n#   waivable: false\n#   fix: Nothing helps.\n"
        "package gate.controls.own.never\n\nimport data.gate.lib.result\nimport future.keywords.not\n\n"
        'default status := "error"\n\nstatus := "fail"\n\n'
        'violations contains result.violation("own.never.ever", "it never passes", {})\n\n'
        "evidence := set()\n\ndefault reason := null\n"
    )
    profile = (
        b"name: own\ndescription: Own.\ncontrols: {own.never: {mode: enforce}, artifact.pinned: {mode: enforce}}\n"
    )
    text = work.files["base/gate.yaml"].replace(
        b"profile: baseline", b"profile: p.yaml\npolicy: {directories: [policy]}"
    )
    files = {**work.files, place: rule.encode(), "base/p.yaml": profile, "base/gate.yaml": text}
    ended = play(dataclasses.replace(work, files=files))
    assert ended.refusing == ("own.never",), ended
    assert ended.why == "it never passes"


@pytest.mark.parametrize(
    ("said", "meant", "difference"),
    [
        (b"profile: baseline", b"profile: ladder-1-hashes", "judged by profile ladder-1-hashes, not baseline"),
        (b"target: deployment", b"target: training", "judged for training, not deployment"),
    ],
)
def test_what_a_scenario_counts_as_is_what_it_is(folder: Path, said: bytes, meant: bytes, difference: str) -> None:
    work = load_set(folder, [SIGNED])[1][0]
    text = work.files["base/gate.yaml"].replace(said, meant)
    assert text != work.files["base/gate.yaml"]
    assert difference in play(dataclasses.replace(work, files={**work.files, "base/gate.yaml": text})).differences


def test_a_profile_that_was_not_exchanged_is_told(folder: Path) -> None:
    """The table would count what another profile let through as what this one did."""
    work = load_set(folder, [UNSIGNED])[1][0]
    text = work.files["base/gate.yaml"].replace(b"profile: baseline", b'"profile": ladder-1-hashes')
    ended = play(under_profile(dataclasses.replace(work, files={**work.files, "base/gate.yaml": text}), "strict"))
    assert ended.differences == ("judged by profile ladder-1-hashes, not strict",)


def test_a_hostile_scenario_writes_nothing_outside(folder: Path, tmp_path: Path) -> None:
    work = load_set(folder, [SIGNED])[1][0]
    log = tmp_path / "log.db"
    text = work.files["base/gate.yaml"] + f"\nrecord: {{sqlite: {log}}}\n".encode()
    ended = play(dataclasses.replace(work, files={**work.files, "base/gate.yaml": text}))
    assert (ended.exit_code, log.exists()) == (0, False)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (b"", b"\nengine: {name: opa, url: http://127.0.0.1:9, token_file: /etc/passwd}\n"),
        (
            b"  - directory: .gate/attestations",
            b"  - directory: .gate/attestations\n  - oci: {artifact: i}",
        ),
    ],
)
def test_a_hostile_scenario_asks_no_network(folder: Path, said: bytes, meant: bytes) -> None:
    work = load_set(folder, [SIGNED])[1][0]
    text = work.files["base/gate.yaml"]
    text = text.replace(said, meant) if said else text + meant
    image = b"artifacts:\n  i: {kind: container, image: 127.0.0.1:9/a@sha256:" + b"0" * 64 + b"}\n"
    text = text.replace(b"artifacts:\n", image)
    ended = play(dataclasses.replace(work, files={**work.files, "base/gate.yaml": text}))
    assert (ended.exit_code, ended.why) == (
        2,
        "a scenario is judged without network, and its gate.yaml names an OPA server or a registry",
    )


def test_one_profile_for_all_takes_the_place_of_their_own(folder: Path) -> None:
    found, works = load_set(folder)
    ended = run_scenarios(found, [under_profile(work, "ladder-1-hashes") for work in works]).ended
    assert [one.result for one in ended] == [Result.TRUE_ALLOW, Result.FALSE_ALLOW]
    assert {one.scenario.profile for one in ended} == {"ladder-1-hashes"}
    assert [one.differences for one in ended] == [(), ()]


def test_under_one_profile_a_missing_decision_is_told(folder: Path) -> None:
    """It blocks, so it is no hole, and nobody takes it for a refusal of the attack."""
    work = load_set(folder, [UNSIGNED])[1][0]
    without = dataclasses.replace(work, files={"base/README.md": b"no configuration\n"})
    ended = play(under_profile(without, "baseline"))
    assert (ended.exit_code, ended.differences) == (2, ("no decision was made",))
    assert play(under_profile(work_of("error/no-configuration"), "baseline")).differences == ()


def test_only_packaged_profiles_take_the_place_of_others(folder: Path) -> None:
    with pytest.raises(ConfigError, match="there is no packaged profile 'basline'") as caught:
        under_profile(load_set(folder)[1][0], "basline")
    assert "ladder-1-hashes" in caught.value.hint


def test_what_is_kept_can_be_judged_again(tmp_path: Path, folder: Path) -> None:
    work = dataclasses.replace(load_set(folder, [SIGNED])[1][0], keep=tmp_path / "kept")
    first = play(work)
    assert judge_scenario(work.scenario, tmp_path / "kept" / SIGNED) == first
    assert (tmp_path / "kept" / SIGNED / ".gate/attestations").is_dir()


def test_a_set_that_is_none_is_refused(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ConfigError, match="no folder") as caught:
        load_set(tmp_path / "nowhere")
    assert "fixtures/scenarios" in caught.value.hint
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"there is no scenarios\.json"):
        load_set(tmp_path / "empty")
    with pytest.raises(ConfigError, match=r"no scenario of .* has 'x9' or 'y9' in its name"):
        load_set(folder, ["x9", "y9"])
    (tmp_path / "none").mkdir()
    files = {"scenarios.json": set_files()["scenarios.json"]}
    (tmp_path / "none" / "scenarios.json").write_bytes(files["scenarios.json"])
    with pytest.raises(ConfigError, match="has a name in its name"):
        load_set(tmp_path / "none")


def test_a_process_that_ends_too_early_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Pool:
        def __init__(self, **_: object) -> None: ...

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...

        def map(self, *_: object, **__: object) -> Any:
            raise BrokenProcessPool

        def shutdown(self, **_: object) -> None: ...

    monkeypatch.setattr(app, "ProcessPoolExecutor", Pool)
    with pytest.raises(PolicyError, match="ended too early"):
        run_scenarios(*load_set(folder), jobs=2)


# -- other gates -------------------------------------------------------------------------------------------------------


def other(folder: Path, program: str, *names: str) -> Any:
    found, works = load_set(folder, names)
    command = (sys.executable, "-c", program)
    return run_scenarios(found, [dataclasses.replace(work, command=command) for work in works])


def test_another_gate_sees_the_repository_and_what_is_asked(folder: Path) -> None:
    program = (
        "import json, os, pathlib, sys\n"
        "names = sorted(n for n in os.environ if n.startswith('SCENARIO'))\n"
        "print([os.environ[n] for n in names], pathlib.Path('gate.yaml').exists(), file=sys.stderr)\n"
        "sys.exit(7)\n"
    )
    ended = other(folder, program, SIGNED).ended[0]
    assert ended.why == f"['{SIGNED}', 'main', '2026-11-20T12:00:00Z', 'deployment'] True"
    assert (ended.exit_code, ended.result, ended.differences) == (7, Result.FALSE_REFUSAL, ())


def test_nothing_of_the_callers_environment_reaches_another_gate(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATE_TEST_TOKEN", "hidden")
    assert other(folder, "import os, sys; sys.exit('GATE_TEST_TOKEN' in os.environ)", SIGNED).ended[0].is_allowed


def test_an_environment_without_programs_is_no_bug(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "defpath", os.environ["PATH"])
    monkeypatch.delenv("PATH")
    assert other(folder, "", SIGNED).ended[0].is_allowed


@pytest.mark.parametrize("program", ["", "import sys; print('x', file=sys.stderr)"])
def test_exit_code_0_is_a_yes_whatever_is_said(folder: Path, program: str) -> None:
    found = other(folder, program)
    assert [one.result for one in found.ended] == [Result.TRUE_ALLOW, Result.FALSE_ALLOW]
    assert [one.why for one in found.ended] == ["", ""]
    assert (found.by.version, found.by.policy) == (None, None)


def test_a_gate_that_is_killed_or_too_slow_says_no(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed = other(folder, "import os; os.kill(os.getpid(), 9)", SIGNED).ended[0]
    assert (killed.exit_code, killed.is_allowed) == (-9, False)
    monkeypatch.setattr(app, "OTHER_SECONDS", 0.2)
    slow = other(folder, "import time; time.sleep(60)", SIGNED).ended[0]
    assert (slow.exit_code, slow.why) == (124, "no answer within 0.2 seconds")


def test_a_command_that_is_not_there_is_an_error(folder: Path) -> None:
    found, works = load_set(folder, [SIGNED])
    with pytest.raises(ConfigError, match=r"--gate: /no/such/gate -x cannot be run: No such file"):
        run_scenarios(found, [dataclasses.replace(works[0], command=("/no/such/gate", "-x"))])


def test_nobody_plays_nothing() -> None:
    assert run_scenarios(load_set(REAL, [SIGNED])[0], []).ended == ()


def test_the_form_of_a_scenario_does_not_depend_on_the_order_of_its_members() -> None:
    told = json.loads((REAL / SIGNED / "scenario.json").read_text())
    assert merged(dict(reversed(told.items())), {}) == told
