"""`docs/tutorial.md` works as written, from an empty folder: every block, in its order, in one shell."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.world import ENVIRONMENT, GIT
from tests.support.registries import Registry

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tutorial.md"
BLOCK = re.compile(r"```(sh|text)(?: exit=(\d+))?\n(.*?)```", re.DOTALL)
SERVE = "docker-registry serve ../registry.yml > ../registry.log 2>&1 &\n"


@pytest.mark.no_cover
def test_the_page_works_as_written(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "gate").write_text(f'#!/bin/sh\nexec {sys.executable} -P -m gate "$@"\n')
    (programs / "gate").chmod(0o755)
    environment = {**GIT, **ENVIRONMENT, "PATH": f"{programs}:{ENVIRONMENT['PATH']}", "HOME": str(tmp_path)}
    codes, shown = [], ""
    # The page's registry listens on a port of its own choice, and would outlive the page.
    with Registry(tmp_path, "debian") as registry:
        place = tmp_path
        for kind, code, text in BLOCK.findall(PAGE.read_text()):
            if kind == "text":
                for line in text.splitlines():
                    assert line in shown, (line, shown)
                continue
            block = text.replace("127.0.0.1:5000", registry.host).replace(SERVE, "")
            done = subprocess.run(
                ["bash", "-e", "-c", block], cwd=place, env=environment, capture_output=True, text=True, check=False
            )
            shown = done.stdout + done.stderr
            assert done.returncode == int(code or 0), (block, shown)
            codes.append(done.returncode)
            place = tmp_path / "bookshop"
    assert [code for code in codes if code] == [10, 12, 13, 12]
    assert SERVE in PAGE.read_text()
