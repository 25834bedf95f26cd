"""Where `gate check` spends its time on the pull request of the benchmark: `python -m bench.breakdown`.

Imports are medians of `-X importtime` over several processes, which makes them about a fifth slower than they are;
the stages are medians of one process that has imported everything.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from bench.data import pull_request
from bench.measure import Figure, table
from gate.app.check import check
from gate.app.gather import gather
from gate.app.workspace import Request, Workspace, open_workspace
from gate.evaluate.bundle import packaged_bundle
from gate.evaluate.regorus import RegorusEngine
from gate.report.interface import render

RUNS = 9
_LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")


def imports(repository: Path) -> dict[str, float]:
    """Milliseconds of importing, by package; the gate's own modules under `gate`."""
    runs: dict[str, list[float]] = defaultdict(list)
    command = [
        sys.executable,
        "-X",
        "importtime",
        "-m",
        "gate",
        "check",
        "--base",
        "main",
        "--now",
        "2026-11-20T12:00:00Z",
    ]
    for _ in range(RUNS):
        done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True)
        total: dict[str, float] = defaultdict(float)
        for micros, name in _LINE.findall(done.stderr):
            top = name.partition(".")[0]
            known = top if top in {"gate", "click", "cryptography", "yaml", "jsonschema_rs"} else "standard library"
            total[known] += int(micros) / 1000
        for name, value in total.items():
            runs[name].append(value)
    return {name: statistics.median(values) for name, values in runs.items()}


def stages(repository: Path) -> dict[str, float]:
    """Milliseconds of the work itself, by stage."""
    request = Request(repository, None, "gate.yaml", "main", config_from_worktree=False, now_s=1795176000)
    workspace: Workspace = open_workspace(request)
    parts: dict[str, Callable[[], object]] = {
        "configuration, policy and profile; git for the merge base": lambda: open_workspace(request),
        "hashing, inspection, git diff, verification, report": lambda: gather(workspace),
        "compiling the policy": lambda: RegorusEngine(packaged_bundle()),
        "everything": lambda: render("text", check(request).decision),
    }
    found = {}
    for name, part in parts.items():
        times = []
        for _ in range(RUNS):
            began = time.perf_counter()
            part()
            times.append((time.perf_counter() - began) * 1000)
        found[name] = statistics.median(times)
    named = sum(value for name, value in found.items() if name != "everything")
    found["document, evaluation, decision, text"] = found.pop("everything") - named
    return found


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="gate-bench-") as folder:
        repository = pull_request(Path(folder))
        rows = {f"import {name}": value for name, value in imports(repository).items()} | stages(repository)
    total = sum(rows.values())
    ordered = sorted(rows.items(), key=lambda row: -row[1])
    print(table([Figure(name, f"{value:.1f} ms", "", f"{value / total:.0%} of the sum") for name, value in ordered]))


if __name__ == "__main__":
    main()
