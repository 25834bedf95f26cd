"""A folder of 5 GiB takes less than 300 MiB of memory, all processes together, also inside `gate check`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.world import ENVIRONMENT, command
from tests.support.large_models import GIB, gguf_file, safetensors, torch_zip
from tests.support.memory import watch

MIB = 1 << 20
CONFIG = "version: 1\ntarget: deployment\nartifacts:\n  model: {kind: weights, path: model}\n"


@pytest.mark.parametrize("arguments", [("scan", "model"), ("check", "--now", "2026-11-20T12:00:00Z")])
def test_five_gibibytes(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "gate.yaml").write_text(CONFIG)
    folder = tmp_path / "model"
    folder.mkdir()
    safetensors(folder / "a.safetensors", 2 * GIB)
    gguf_file(folder / "b.gguf", 2 * GIB)
    torch_zip(folder / "c.pt", GIB)
    words = ",".join(f'"token {number}"' for number in range(500_000))
    (folder / "vocabulary.json").write_text(f"[{words}]")
    done = watch(command(*arguments), tmp_path, ENVIRONMENT)
    assert (done.code, done.err) == (0 if arguments[0] == "scan" else 10, ""), done.out
    assert done.peak_bytes < 300 * MIB, f"{done.peak_bytes / MIB:.0f} MiB"
