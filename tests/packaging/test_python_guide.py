"""docs/how-to/use-from-python.md works as written, and docs/explanation/adoption-ladder.md names what is enforced."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.app.ladder import LEVELS
from gate.evaluate.bundle import packaged_bundle
from gate.evaluate.catalogue import load_profile
from gate.model.control import Mode
from tests.acceptance.world import World, inside, safetensors

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs/how-to/use-from-python.md"
LADDER = ROOT / "docs/explanation/adoption-ladder.md"


class AutoModelForCausalLM:
    """In the place of the class of `transformers`, which tests do not install: it opens what it is given."""

    @staticmethod
    def from_pretrained(folder: str | Path, *, trust_remote_code: bool, local_files_only: bool) -> bytes:
        assert local_files_only
        assert not trust_remote_code
        return (Path(folder) / "model.safetensors").read_bytes()


def test_the_guide_works_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(tmp_path / "repository")
    world.root.mkdir()
    world.git("init", "-q", "-b", "main")
    weights = safetensors("guide")
    world.write_all(
        {
            ".gitignore": b"models/tuned/\n",
            "models/summarizer/model.safetensors": weights,
            "models/summarizer/config.json": b"{}\n",
            "data/tickets/rows.jsonl": b"{}\n",
        }
    )
    assert inside("init", "--level", "1", "--yes", "--root", str(world.root)).code == 0
    world.commit()
    transformers, tensors, torch = (types.ModuleType(name) for name in ("transformers", "safetensors", "torch"))
    transformers.__dict__["AutoModelForCausalLM"] = AutoModelForCausalLM
    torch.__dict__["load"] = bytes
    tensors.__dict__["torch"] = torch
    for name, module in {"transformers": transformers, "safetensors": tensors, "safetensors.torch": torch}.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.chdir(world.root)

    def train(folder: str) -> Iterator[float]:
        for loss in (0.5, 0.25):
            world.write(f"{folder}/model.safetensors", safetensors(str(loss)))
            yield loss

    names: dict[str, object] = {"train": train}
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert len(blocks) == 6
    for block in blocks:
        exec(compile(block, "use-from-python.md", "exec"), names)
    assert names["model"] == names["tensors"] == weights
    assert "summarizer 2" in capsys.readouterr().out
    assert inside("verify").code == 10  # stated, and not signed


def test_the_ladder_names_what_each_level_adds() -> None:
    row = next(line for line in LADDER.read_text().splitlines() if line.startswith("| enforced"))
    bundle = packaged_bundle()
    below: set[str] = set()
    for cell, level in zip(row.split("|")[2:5], LEVELS.values(), strict=True):
        found = load_profile(
            level.profile, bundle.profiles[level.profile], bundle.catalogue, {}, others=bundle.profiles
        )
        enforced = {name for name, mode in found.controls.items() if mode is Mode.ENFORCE}
        assert set(re.findall(r"`([a-z_.]+)`", cell)) == enforced - below
        below = enforced
