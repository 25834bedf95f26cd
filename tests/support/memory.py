"""How much memory a program and all that it starts take together, sampled while it runs."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Watched:
    """How a program ended, and the most resident bytes that its processes had together at one time.

    Pages that several of them share are counted for each.
    """

    code: int
    out: str
    err: str
    peak_bytes: int
    seconds: float


def watch(command: Sequence[str], cwd: Path, environment: Mapping[str, str], every_s: float = 0.02) -> Watched:
    """Runs a program to its end."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        with subprocess.Popen(
            command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err
        ) as process:
            peak = 0
            while process.poll() is None:
                peak = max(peak, sum(resident(pid) for pid in family(process.pid)))
                time.sleep(every_s)
        seconds = time.monotonic() - began
        out.seek(0)
        err.seek(0)
        said = [file.read().decode(errors="replace") for file in (out, err)]
    return Watched(process.returncode, said[0], said[1], peak, seconds)


def family(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for one in found:
        try:
            for thread in Path(f"/proc/{one}/task").iterdir():
                found += [int(child) for child in (thread / "children").read_text().split()]
        except OSError:
            continue
    return found


def resident(pid: int) -> int:
    """The resident bytes of a process, 0 of one that is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0
