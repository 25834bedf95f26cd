"""Fuzzes one target in a process of its own, for some seconds; `python -m tests.fuzz` starts it.

Standard output gets lines of JSON: how many inputs were tried, and each failure with the file that repeats it. The
input at hand lies in the file `current`, so that one which ends the process, or never ends, is known too.
"""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import sys
import time
import traceback
from pathlib import Path
from typing import Any, Final

_MEMORY_BYTES: Final = 6 << 30
_FAILURES: Final = 20
_ROUND: Final = 300
_NEWS_S: Final = 1.0


class _Progress:
    """Counts inputs, keeps failures apart by where they happen, and tells of both."""

    def __init__(self, name: str, folder: Path) -> None:
        from tests.fuzz.registry import TARGETS

        self.target = TARGETS[name]
        self.folder = folder
        self.executions = 0
        self.failed: set[str] = set()
        self._told = 0.0
        self._current = folder / name / "current"
        self._current.parent.mkdir(parents=True, exist_ok=True)

    def run(self, sample: Any) -> BaseException | None:
        """Tries one input; returns what it failed with."""
        from tests.fuzz.files import save
        from tests.fuzz.target import run

        self.executions += 1
        self._current.write_bytes(sample.name.encode("utf-8", "replace") + b"\n" + sample.data)
        if time.monotonic() - self._told > _NEWS_S:
            self.tell()
        try:
            run(self.target, sample)
        except Exception as error:  # noqa: BLE001 - each is a failure of the target
            frame = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}"
            if where not in self.failed:
                self.failed.add(where)
                text = f"{where}: {str(error)[:300]}"
                self.tell(problem=text, file=str(save(self.folder, self.target.name, sample, text)))
            return error
        return None

    def tell(self, **more: str) -> None:
        self._told = time.monotonic()
        sys.stdout.write(json.dumps({"executions": self.executions, **more}) + "\n")
        sys.stdout.flush()


def _generated(progress: _Progress, deadline: float, seed: int) -> None:
    """Inputs as the strategies of the target make them, round after round."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded

    for sample in progress.target.seeds:
        progress.run(sample)

    def one(sample: Any) -> None:
        if time.monotonic() < deadline:
            progress.run(sample)

    while time.monotonic() < deadline and len(progress.failed) < _FAILURES:
        relaxed = settings(
            max_examples=_ROUND,
            deadline=None,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        seeded(seed)(relaxed(given(progress.target.built)(one)))()
        seed += 1


def _guided(name: str, folder: Path, seconds: int) -> None:
    """Bytes that libFuzzer grows from the samples, towards code that none has reached yet. Never returns."""
    atheris = importlib.import_module("atheris")

    atheris.instrument_imports(include=["gate"]).__enter__()
    progress = _Progress(name, folder)
    from tests.fuzz.target import Sample

    names = sorted({sample.name for sample in progress.target.seeds})
    corpus = folder / name / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, sample in enumerate(progress.target.seeds):
        (corpus / f"seed{number}").write_bytes(bytes((names.index(sample.name),)) + sample.data)

    def one(data: bytes) -> None:
        if data:
            progress.run(Sample(names[data[0] % len(names)], data[1:]))

    options = ("-rss_limit_mb=6000", "-timeout=120", "-max_len=65536", "-verbosity=0", "-print_final_stats=0")
    atheris.Setup(
        [sys.argv[0], f"-max_total_time={seconds}", f"-artifact_prefix={corpus.parent}/", *options, str(corpus)], one
    )
    atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.worker")
    parser.add_argument("target")
    parser.add_argument("folder", type=Path)
    parser.add_argument("seconds", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--guided", action="store_true")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if options.guided:
        _guided(options.target, options.folder, options.seconds)
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    progress = _Progress(options.target, options.folder)
    _generated(progress, time.monotonic() + options.seconds, options.seed)
    progress.tell()


if __name__ == "__main__":
    main()
