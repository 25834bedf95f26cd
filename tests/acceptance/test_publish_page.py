"""`docs/how-to/publish.md` works as written, against a registry on this machine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.world import ENVIRONMENT
from tests.support.registries import Registry
from tools.scenario_evidence import bundle, key, provenance

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/publish.md"


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", ["debian", "cue"])
def test_the_page_works_as_written(kind: str, tmp_path: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 3
    program = tmp_path / "bin" / "gate"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m gate "$@"\n')
    program.chmod(0o755)
    evidence = tmp_path / ".gate/attestations/server.sigstore.json"
    evidence.parent.mkdir(parents=True)
    with Registry(tmp_path, kind) as registry:
        image = registry.put_image("1.4")
        about = [{"name": "server", "digest": {"sha256": image.removeprefix("sha256:")}}]
        evidence.write_bytes(bundle(provenance(about), key("builder")))
        environment = {
            **ENVIRONMENT,
            "PATH": f"{program.parent}:{ENVIRONMENT['PATH']}",
            "IMAGE": f"{registry.repository}:1.4",
        }
        for block in blocks:
            done = subprocess.run(
                ["sh", "-e", "-c", block], cwd=tmp_path, env=environment, capture_output=True, check=False
            )
            assert done.returncode == 0, done.stderr
    (pulled,) = (tmp_path / "pulled").iterdir()
    assert pulled.read_bytes() == evidence.read_bytes()
