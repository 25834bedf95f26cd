"""What the digest of the rules holds."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from gate.app.policy import rules_digest
from gate.app.workspace import Request, open_workspace
from gate.errors import PolicyError
from tests.acceptance.world import World


def test_parameters_without_a_canonical_form_have_no_digest(tmp_path: Path) -> None:
    world = World.make(tmp_path / "world")
    request = Request(world.root, None, "gate.yaml", None, config_from_worktree=True, now_s=0, jobs=1)
    found = open_workspace(request)
    assert rules_digest(found.bundle, found.profile, found.settings).startswith("sha256:")
    profile = dataclasses.replace(found.profile, parameters={"a.b": {"n": 1 << 60}})
    with pytest.raises(PolicyError, match="no canonical form"):
        rules_digest(found.bundle, profile, found.settings)
