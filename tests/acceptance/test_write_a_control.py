"""`docs/how-to/write-a-control.md` is true: its commands and edits, in their order, in an empty folder."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.world import ENVIRONMENT, GIT
from tests.support.opa_server import START_S, healthy, opa_program

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "write-a-control.md"
BLOCK = re.compile(r"```(console|diff|json) ?(\S*)\n(.*?)```", re.DOTALL)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def commands(block: str) -> Iterator[tuple[str, int, list[str]]]:
    """Each command with its exit code and the lines that it shows."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        line, *shown = part.splitlines()
        command, _, code = line.partition("  # exit code ")
        yield command, int(code or 0), shown


def edit(path: Path, change: str) -> None:
    """Applies a change: what it takes away has to be there once; one that only adds adds at the end."""
    lines = change.splitlines()
    old = "".join(f"{line[1:]}\n" for line in lines if line[0] in " -")
    new = "".join(f"{line[1:]}\n" for line in lines if line[0] in " +")
    text = path.read_text()
    assert not old or text.count(old) == 1, (path, old)
    path.write_text(text.replace(old, new) if old else text + new)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "gate").write_text(f'#!/bin/sh\nexec {sys.executable} -P -m gate "$@"\n')
    (folder / "gate").chmod(0o755)
    (folder / "opa").symlink_to(opa_program())
    return folder


@pytest.mark.no_cover
def test_the_page_works_as_written(tmp_path: Path, programs: Path) -> None:
    port = free_port()
    text = PAGE.read_text().replace("8181", str(port))
    place = tmp_path / "work"
    place.mkdir()
    environment = {**GIT, **ENVIRONMENT, "PATH": f"{programs}:{ENVIRONMENT['PATH']}", "HOME": str(tmp_path)}
    ran: list[str] = []
    server: subprocess.Popen[bytes] | None = None
    try:
        for kind, name, block in BLOCK.findall(text):
            if kind == "json":
                (place / name).write_text(block)
            elif kind == "diff":
                edit(place / name, block)
            else:
                for command, code, shown in commands(block):
                    ran.append(command)
                    if command.startswith("opa run"):
                        words = [str(programs / "opa"), *command.split()[1:]]
                        server = subprocess.Popen(
                            words, cwd=place, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                        )
                        wait_for(port)
                        continue
                    done = subprocess.run(
                        ["bash", "-c", command], cwd=place, env=environment, capture_output=True, text=True, check=False
                    )
                    output = done.stdout + done.stderr
                    assert done.returncode == code, (command, output)
                    for line in shown:
                        assert line in output, (command, line, output)
    finally:
        if server is not None:
            server.kill()
            server.wait()
    verbs = [" ".join(command.split()[1:3]) for command in ran if command.startswith("gate policy")]
    wanted = ("new", "test", "eval", "lint", "mutate", "sweep", "fmt", "check", "bundle", "verify")
    assert set(verbs) == {f"policy {verb}" for verb in wanted}
    assert ran[-1].startswith("gate check --engine opa")


def wait_for(port: int) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if healthy(port):
            return
        time.sleep(0.05)
    raise AssertionError("the server did not start")
