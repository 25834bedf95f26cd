"""Times whole commands and functions: medians, never single shots."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GATE = str(Path(sys.executable).parent / "gate")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. `ratio` is to `beside`, measured in the same run; `target` is what is wanted."""

    what: str
    value: str
    beside: str = ""
    ratio: str = ""
    target: str = ""
    command: str = ""


def median_ms(work: Callable[[], object], runs: int = 11) -> float:
    """The median time of a function in milliseconds, after one run that is not counted."""
    work()
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1e3)
    return statistics.median(times)


def run(command: Sequence[str], cwd: Path, expect: int | None = 0) -> Callable[[], object]:
    """A function that runs a command and insists on its exit code."""
    env: Mapping[str, str] = {"PATH": os.environ["PATH"], "HOME": str(cwd), "LC_ALL": "C.UTF-8"}

    def work() -> object:
        done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, check=False)
        if expect is not None and done.returncode != expect:
            raise SystemExit(
                f"{' '.join(command)}: exit {done.returncode}\n{done.stdout.decode()}{done.stderr.decode()}"
            )
        return done

    return work


def peak_mib(command: Sequence[str], cwd: Path) -> float:
    """The largest resident size of a command in MiB."""
    run(command, cwd, expect=None)()
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def milliseconds(value: float) -> str:
    """For the table."""
    return f"{value:.0f} ms" if value >= 20 else f"{value:.2f} ms"


def table(figures: Sequence[Figure]) -> str:
    """A Markdown table."""
    lines = ["| what | median | beside it, same run | ratio | target |", "|---|---:|---|---:|---|"]
    lines += [f"| {f.what} | {f.value} | {f.beside} | {f.ratio} | {f.target} |" for f in figures]
    return "\n".join(lines)
