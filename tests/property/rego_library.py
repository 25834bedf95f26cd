"""What the property tests of the Rego library share: its files, its inputs, and ways to damage an input."""

from __future__ import annotations

import json
from pathlib import Path

from gate._native import PolicySet

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
TIME_LIMIT_S = 60.0
"""For one test on a busy machine: those of main evaluate everything below data.gate.controls, other tests included."""


def modules(*folders: str) -> dict[str, str]:
    """The Rego files below some folders of the project, by path."""
    found = (path for folder in folders for path in sorted((ROOT / folder).rglob("*.rego")))
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in found}


def controls() -> list[str]:
    """The ids of all controls, sorted."""
    folder = ROOT / "rego/gate/controls"
    return sorted(".".join(path.relative_to(folder).parts[:2]) for path in folder.glob("*/*/*.rego"))


def inputs() -> dict[str, dict[str, object]]:
    """The passing input documents, by name."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((HERE / "inputs").glob("*.json"))}


def compiled(entrypoint: str) -> PolicySet:
    """The library, ready to be asked for one rule."""
    return PolicySet.compile(modules("rego"), "{}", [entrypoint])
