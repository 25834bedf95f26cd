"""Puts what `make demo` really prints into README.md; `--check` only compares.

What differs from run to run (ids, digests, commits, times) is replaced by values that do not. A block whose name ends
in "in short" or "in part" shows the beginning, the last line and nothing between.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_BLOCK = re.compile(r"(<!-- demo: (?P<name>[a-z ]+) -->\n```console\n)(?P<text>.*?)(```\n)", re.DOTALL)
_CUTS = {" in short": 6, " in part": 43}
_STABLE = (
    (re.compile(r"\b[0-9A-HJKMNP-TV-Z]{26}\b"), "01KAF3T9Q4V7XW2M5N8R6P1ZCD"),
    (re.compile(r"sha256:[0-9a-f]{64}"), "sha256:" + "9f2c" * 16),
    (re.compile(r"sha256:[0-9a-f]{6,40}\b"), lambda match: ("sha256:" + "9f2c" * 16)[: len(match[0])]),
    (re.compile(r"\b[0-9a-f]{40}\b"), "41d0" * 10),
    (re.compile(r"\b[0-9a-f]{12}\b"), "41d041d041d0"),
    (re.compile(r"\b20[0-9]{2}-[0-9]{2}-[0-9]{2}"), "2026-11-20"),
    (re.compile(r"T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"), "T11:00:00Z"),
)


def stable(text: str) -> str:
    """The text without what differs from run to run."""
    for pattern, value in _STABLE:
        text = pattern.sub(value, text)
    return text


def demo_output() -> Mapping[str, str]:
    """What the demonstration's attempts print, by name."""
    spec = importlib.util.spec_from_file_location("demo", ROOT / "examples" / "model-release" / "demo.py")
    if spec is None or spec.loader is None:
        raise SystemExit("examples/model-release/demo.py is not there")
    demo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(demo)
    with tempfile.TemporaryDirectory(prefix="gate-readme-") as folder:
        release = demo.Release(Path(folder).resolve(), quiet=True)
        demo.prepare(release)
        attempts = {
            "first attempt": demo.first_attempt,
            "second attempt": demo.second_attempt,
            "third attempt": demo.third_attempt,
        }
        shown = {name: "$ gate check --base main\n" + stable(attempt(release)) for name, attempt in attempts.items()}
    return shown | {name + cut: shortened(text, lines) for name, text in shown.items() for cut, lines in _CUTS.items()}


def shortened(text: str, count: int) -> str:
    """The first lines and the last one."""
    lines = text.rstrip().splitlines()
    return "\n".join([*lines[:count], "  ...", "", lines[-1]])


def filled(text: str, output: Mapping[str, str]) -> str:
    """The README with its console blocks filled."""
    return _BLOCK.sub(lambda match: f"{match[1]}{output[match['name']].rstrip()}\n{match[4]}", text)


def main() -> int:
    parser = argparse.ArgumentParser(description="Puts what the demonstration prints into README.md.")
    parser.add_argument("--check", action="store_true", help="only say whether it is up to date")
    options = parser.parse_args()
    path = ROOT / "README.md"
    text = path.read_text()
    new = filled(text, demo_output())
    if new == text:
        return 0
    if options.check:
        print("README.md: its console blocks are not what `make demo` prints; run `make docs`")
        return 1
    path.write_text(new)
    print("written: README.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
