"""`python -m tests.fuzz`: every target for some minutes, and what came of it. `make fuzz` is the way to it."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.fuzz.files import load
from tests.fuzz.registry import TARGETS
from tests.fuzz.target import run

_GRACE_S: Final = 150
"""Seconds after its time in which a process may still be busy with one input."""
_GUIDED_SHARE: Final = 0.4
"""The part of a target's time in which coverage guides it, where atheris is installed."""


@dataclass(slots=True)
class _Outcome:
    """What came of one target."""

    name: str
    executions: int = 0
    seconds: float = 0.0
    failures: dict[str, str] = field(default_factory=dict)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _fuzz(name: str, folder: Path, seconds: int, seed: int) -> _Outcome:
    outcome, started = _Outcome(name), time.monotonic()
    guided = int(seconds * _GUIDED_SHARE) if importlib.util.find_spec("atheris") else 0
    _work(outcome, folder, seconds - guided, ["--seed", str(seed)])
    if guided:
        _work(outcome, folder, guided, ["--guided"])
    outcome.seconds = time.monotonic() - started
    state = f"{len(outcome.failures)} FAILURES" if outcome.failures else "nothing found"
    _say(f"{name}: {outcome.executions} inputs in {outcome.seconds:.0f} s, {state}")
    return outcome


def _work(outcome: _Outcome, folder: Path, seconds: int, options: list[str]) -> None:
    """One process; one that does not come to its end fails with the input that it had at hand."""
    command = [sys.executable, "-m", "tests.fuzz.worker", outcome.name, str(folder), str(seconds), *options]
    log = folder / f"{outcome.name}.log"
    before = outcome.executions
    with log.open("ab") as errors, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as process:
        timer = threading.Timer(seconds + _GRACE_S, process.kill)
        timer.start()
        assert process.stdout is not None
        for line in process.stdout:
            with contextlib.suppress(ValueError):
                news = json.loads(line)
                outcome.executions = before + news["executions"]
                if "problem" in news:
                    outcome.failures[news["file"]] = news["problem"]
                    _say(f"{outcome.name}: {news['problem']}\n  {news['file']}")
        timer.cancel()
    if process.returncode:
        current = folder / outcome.name / "current"
        outcome.failures[str(current)] = f"the process ended with {process.returncode}; see {log}"


def _repeat(path: Path) -> int:
    """Tries one file again; 1 if it still fails."""
    name, sample = load(path)
    try:
        run(TARGETS[name], sample)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        _say(f"{name}: {type(error).__name__}: {error}")
        return 1
    _say(f"{name}: no failure")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="for each target")
    parser.add_argument("--only", default="", help="targets, by the beginnings of their names, with commas between")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="targets at a time")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the same one makes the same inputs")
    parser.add_argument("--folder", type=Path, default=Path(".fuzz"), help="for logs and inputs that fail")
    parser.add_argument("--repeat", type=Path, help="try the input in this file, and nothing else")
    options = parser.parse_args()
    if options.repeat:
        return _repeat(options.repeat)
    starts = tuple(word for word in options.only.split(",") if word)
    names = [name for name in TARGETS if not starts or name.startswith(starts)]
    if not names:
        parser.error(f"no target begins with {options.only}; there are {', '.join(TARGETS)}")
    options.folder.mkdir(parents=True, exist_ok=True)
    _say(f"{len(names)} targets, {options.seconds} s each, {options.jobs} at a time, seed {options.seed}")
    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(lambda name: _fuzz(name, options.folder, options.seconds, options.seed), names))
    _say(f"\n{'target':<24}{'inputs':>10}{'seconds':>9}{'failures':>10}")
    for outcome in outcomes:
        _say(f"{outcome.name:<24}{outcome.executions:>10}{outcome.seconds:>9.0f}{len(outcome.failures):>10}")
        for file, problem in outcome.failures.items():
            _say(f"    {problem}\n    repeat: python -m tests.fuzz --repeat {file}")
    return 1 if any(outcome.failures for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
