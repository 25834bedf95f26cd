"""Globals that gate.yaml allows in pickles: named in the document, and never those that a change brings itself."""

from __future__ import annotations

import json
from pathlib import Path

from tests.acceptance.world import World
from tests.support.torch_files import Call, Named, dumped
from tools.scenario_draft import MODEL, config

NET = f"{MODEL}/net.pkl"
LISTED = b"\ninspection:\n  allow_globals: [acme.models.Net]\n"


def net(module: str = "acme.models", name: str = "Net") -> bytes:
    return dumped(Call(Named(module, name), (), {"a": 1}, new=True), 4)


def test_an_allowed_global_passes_and_is_named(tmp_path: Path) -> None:
    world = World.make(tmp_path / "w", config() + LISTED, change={NET: net()})
    done = world.judge()
    assert done.code == 0, done.text
    document = json.loads(world.run("input", "--base", "main").out)
    findings = [(item["rule"], item["severity"], item["message"]) for item in document["findings"].values()]
    assert findings == [("pickle.allowed", "none", "names acme.models.Net, which the configuration allows")]


def test_s31_a_change_does_not_allow_itself(tmp_path: Path) -> None:
    world = World.make(tmp_path / "w", change={NET: net(), "gate.yaml": config() + LISTED})
    assert "load.safe_format" in world.judge().failing


def test_what_is_not_listed_is_refused_by_name(tmp_path: Path) -> None:
    world = World.make(tmp_path / "w", config() + LISTED, change={NET: net("acme.models", "Other")})
    done = world.judge()
    assert "load.safe_format" in done.failing
    assert "acme.models.Other" in world.run("input", "--base", "main").out


def test_s31_what_runs_code_cannot_be_listed(tmp_path: Path) -> None:
    text = config() + LISTED.replace(b"acme.models.Net", b"os.system")
    done = World.make(tmp_path / "w", text, change={NET: net("os", "system")}).judge()
    assert done.code == 2
    assert "standard library" in done.text
