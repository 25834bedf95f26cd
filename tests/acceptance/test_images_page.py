"""`docs/how-to/judge-images.md` works as written, with an image in a layout."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.test_attachments import about, write_gate
from tests.acceptance.world import ENVIRONMENT
from tests.support.layouts import ENVELOPE, LayoutFolder
from tools.scenario_evidence import envelope, key, provenance

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/judge-images.md"


@pytest.mark.no_cover
def test_the_page_works_as_written(tmp_path: Path) -> None:
    text = PAGE.read_text()
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 2
    (image,) = re.findall(r'"(oci-layout:[^"]*)sha256:\.\.\."', text)
    assert image == "oci-layout:images/server@"
    program = tmp_path / "bin" / "gate"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m gate "$@"\n')
    program.chmod(0o755)
    (tmp_path / "images").mkdir()
    layout = LayoutFolder(tmp_path / "images" / "server")
    layout.name(layout.attached(layout.signature(key("release"))), ".sig")
    attestation = envelope(provenance(about(layout.digest)), key("builder"))
    layout.name(layout.attached(layout.put(attestation, ENVELOPE)), ".att")
    write_gate(tmp_path, f"{image}{layout.digest}", "container.signed", "container.provenance")
    environment = {**ENVIRONMENT, "PATH": f"{program.parent}:{ENVIRONMENT['PATH']}"}
    for block in blocks:
        done = subprocess.run(
            ["sh", "-e", "-c", block], cwd=tmp_path, env=environment, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr + done.stdout
