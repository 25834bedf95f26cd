"""The shell blocks of a page of the documentation, run as written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.acceptance.world import ENVIRONMENT

HOW_TO = Path(__file__).resolve().parents[2] / "docs/how-to"


def run_page(name: str, folder: Path, programs: Path) -> str:
    """Runs all blocks in a folder, with `gate` among the programs of another; what they printed."""
    blocks = re.findall(r"```sh\n(.*?)```", (HOW_TO / name).read_text(), re.DOTALL)
    assert blocks
    program = programs / "gate"
    programs.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m gate "$@"\n')
    program.chmod(0o755)
    environment = {**ENVIRONMENT, "PATH": f"{programs}:{ENVIRONMENT['PATH']}"}
    shown = ""
    for block in blocks:
        done = subprocess.run(["sh", "-e", "-c", block], cwd=folder, env=environment, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        shown += done.stdout.decode()
    return shown
