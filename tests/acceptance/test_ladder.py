"""The adoption ladder: each level asks for what the one below it asks for and more, and none of them for nothing."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

import gate
from gate.app.ladder import BASELINE, LEVELS
from gate.evaluate.bundle import packaged_bundle
from gate.evaluate.catalogue import load_profile
from gate.model.control import Mode
from tests.acceptance.world import World, inside, safetensors
from tools.scenario_evidence import SOURCE, encode

WEIGHTS = "models/tiny/model.safetensors"
PREDICATE = {
    "buildDefinition": {"buildType": "https://t.example/1", "externalParameters": {}, "resolvedDependencies": [SOURCE]},
    "runDetails": {"builder": {"id": "https://b.example/1"}},
}
KEY = ".gate/keys/development.key"


def fresh(place: Path, level: str | None) -> World:
    world = World(place / "new")
    world.root.mkdir()
    world.git("init", "-q", "-b", "main")
    world.write_all({WEIGHTS: safetensors("x"), "models/tiny/config.json": b"{}\n"})
    done = at(world, "init", "--yes", *(["--level", level] if level else []))
    assert done == 0
    world.commit()
    return world


def at(world: World, *arguments: str) -> int:
    done = inside(*arguments, "--root", str(world.root))
    return done.code


def sign(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world.root)
    assert inside("sign", "models/tiny", "--key", KEY).code == 0


def build(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world.root)
    world.write(".gate/slsa.json", encode(PREDICATE))
    arguments = ["--claim", "build.provenance", "--predicate", ".gate/slsa.json", "--subject", "models/tiny"]
    assert inside("attest", "create", *arguments, "--key", KEY).code == 0


def enforced(profile: str) -> set[str]:
    bundle = packaged_bundle()
    found = load_profile(profile, bundle.profiles[profile], bundle.catalogue, {}, others=bundle.profiles)
    return {name for name, mode in found.controls.items() if mode is Mode.ENFORCE}


def test_each_level_enforces_what_the_one_below_enforces_and_more() -> None:
    first, second, third = (enforced(LEVELS[number].profile) for number in (1, 2, 3))
    assert first < second < third
    assert {"load.safe_format", "scan.coverage", "artifact.pinned"} <= first
    assert {"artifact.signed", "artifact.integrity"} <= second - first
    assert "build.provenance" in third - second


def test_level_1_needs_no_signature_and_refuses_what_is_not_safe_to_load(tmp_path: Path) -> None:
    world = fresh(tmp_path, "1")
    text = (world.root / "gate.yaml").read_text()
    assert "profile: ladder-1-hashes" in text
    for section in ("trust:", "gates:", "evidence:"):
        assert section not in text
    assert not (world.root / KEY).exists()
    assert not (world.root / "keys").exists()
    assert at(world, "check") == 0
    assert at(world, "check", "--base", "main") == 0
    world.write("models/tiny/extra.bin", pickle.dumps({"a": 1}) + b"trailing")
    assert at(world, "check") == 13
    (world.root / "models/tiny/extra.bin").unlink()
    (world.root / "models/tiny/link").symlink_to("config.json")
    assert at(world, "check") in {12, 13}


def test_level_1_judges_a_change_by_the_configuration_of_the_base(tmp_path: Path) -> None:
    world = fresh(tmp_path, "1")
    world.git("checkout", "-q", "-b", "change")
    world.write("gate.yaml", (world.root / "gate.yaml").read_bytes() + b"# changed\n")
    world.commit()
    assert at(world, "check", "--base", "main") == 13


def test_level_1_digests_what_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a signature: what is loaded is still exactly what was judged."""
    world = fresh(tmp_path, "1")
    monkeypatch.chdir(world.root)
    admission = gate.admit("models/tiny")
    world.write(WEIGHTS, safetensors("later"))
    with pytest.raises(gate.EvidenceError, match="changed since the decision"):
        gate.open_verified(WEIGHTS, admission=admission)


def test_level_2_asks_for_signatures_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = fresh(tmp_path, "2")
    text = (world.root / "gate.yaml").read_text()
    assert "profile: ladder-2-signatures" in text
    assert "claims: [artifact.signature]" in text
    assert "build.provenance" not in text
    assert at(world, "check") == 10
    sign(world, monkeypatch)
    assert at(world, "check") == 0
    world.write(WEIGHTS, safetensors("other"))
    assert at(world, "check") in {10, 12, 13}


def test_level_3_asks_for_provenance_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = fresh(tmp_path, "3")
    sign(world, monkeypatch)
    assert at(world, "check") == 10
    build(world, monkeypatch)
    assert at(world, "check") == 0


def test_level_3_takes_the_provenance_of_a_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = fresh(tmp_path, "3")
    monkeypatch.chdir(world.root)
    with gate.training_run(model="models/tiny", pipeline="train.py", key=KEY):
        world.write(WEIGHTS, safetensors("trained"))
    world.commit()
    sign(world, monkeypatch)
    assert at(world, "check") == 0
    world.write(WEIGHTS, safetensors("other"))
    assert at(world, "check") != 0


def test_moving_up_is_a_change_of_the_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = fresh(tmp_path, "2")
    sign(world, monkeypatch)
    assert at(world, "check") == 0
    text = (world.root / "gate.yaml").read_text()
    world.write("gate.yaml", text.replace(LEVELS[2].profile, LEVELS[3].profile).encode())
    world.commit()
    assert at(world, "check") == 10


def test_without_a_level_it_is_the_baseline(tmp_path: Path) -> None:
    world = fresh(tmp_path, None)
    assert f"profile: {BASELINE.profile}" in (world.root / "gate.yaml").read_text()


def test_a_level_and_a_conversion_are_two_ways(tmp_path: Path) -> None:
    done = inside("init", "--level", "1", "--from", "llmsa.yaml", "--root", str(tmp_path))
    assert done.code == 2
    assert "two ways" in done.err
    assert inside("init", "--level", "4", "--root", str(tmp_path)).code == 2
