"""A policy judges only when it can say yes and no."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gate.app.self_test import self_test
from gate.app.workspace import Request, Workspace, open_workspace
from gate.errors import PolicyError
from gate.evaluate.bundle import make_bundle
from gate.evaluate.regorus import RegorusEngine
from gate.model.control import Mode, Profile
from gate.model.document import InputDocument

CONFIGURATION = "version: 1\ntarget: deployment\nadmission: {registries: {registry.example: {}}}\nprofile: "
NOTHING: dict[str, object] = {"artifact": None, "file": None, "evidence": []}
PROFILES = sorted(path.name for path in (Path(__file__).parents[3] / "rego/gate/profiles").iterdir())


def opened(root: Path, profile: str = "baseline") -> Workspace:
    (root / "gate.yaml").write_text(f"{CONFIGURATION}{profile}\n")
    return open_workspace(Request(root, root, "gate.yaml", None, config_from_worktree=True, now_s=1_800_000_000))


class Answering:
    """An engine that says the same of all controls that it is asked about."""

    name, version = "an engine", "1"

    def __init__(self, status: str, *, only: str | None = None) -> None:
        self.status, self.only, self.asked = status, only, list[set[str]]()

    def report(self, document: InputDocument) -> bytes:
        value: Any = document.value
        asked = set(value["profile"]["controls"])
        self.asked.append(asked)
        failing = self.status == "fail"
        controls = {
            control: {
                "status": self.status,
                "violations": [{"code": f"{control}.x", "message": "no", **NOTHING}] if failing else [],
                "evidence": [],
                "reason": "it is so",
            }
            for control in asked
        }
        return json.dumps({"schema": "urn:gate:report:v1", "controls": controls}).encode()


@pytest.mark.parametrize("profile", PROFILES)
def test_every_packaged_profile_passes(tmp_path: Path, profile: str) -> None:
    workspace = opened(tmp_path, profile)
    self_test(workspace, RegorusEngine(workspace.bundle))


def test_an_engine_that_always_says_yes_does_not_judge(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="self-test: profile baseline lets in an image of which nothing is known"):
        self_test(opened(tmp_path), Answering("pass"))


@pytest.mark.parametrize("status", ["fail", "error", "not_applicable"])
def test_an_engine_that_always_says_no_does_not_judge(tmp_path: Path, status: str) -> None:
    engine = Answering(status)
    with pytest.raises(PolicyError, match="self-test: an image that is pinned and signed is refused: "):
        self_test(opened(tmp_path), engine)
    assert [len(asked) for asked in engine.asked][1:] == [3]


def test_a_policy_without_rules_does_not_judge(tmp_path: Path) -> None:
    workspace = opened(tmp_path)
    main = "gate/main/main.rego"
    files = {
        **workspace.bundle.files,
        main: b'package gate.main\n\nreport := {"schema": "urn:gate:report:v1", "controls": {}}\n',
    }
    with pytest.raises(PolicyError, match="no status for"):
        self_test(workspace, RegorusEngine(make_bundle(files)))


def test_controls_in_the_place_of_the_library_s_are_not_asked_for_a_yes(tmp_path: Path) -> None:
    workspace = opened(tmp_path)
    own = make_bundle(workspace.bundle.files, ["artifact.pinned", "artifact.signed", "container.signed"])
    engine = Answering("fail")
    self_test(replace(workspace, bundle=own), engine)
    assert len(engine.asked) == 1


def test_a_profile_that_enforces_nothing_lets_nothing_in(tmp_path: Path) -> None:
    workspace = opened(tmp_path)
    warned = Profile("warned", dict.fromkeys(workspace.profile.controls, Mode.WARN), workspace.profile.parameters)
    self_test(replace(workspace, profile=warned), RegorusEngine(workspace.bundle))
