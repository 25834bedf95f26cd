"""Inputs as files: a line of JSON that says what the input is, then its bytes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final

from tests.fuzz.target import Sample

FOUND: Final = Path(__file__).resolve().parent / "found"
"""Inputs that once broke a promise, below the names of their targets; each is tried again by every run of the tests."""


def save(folder: Path, target: str, sample: Sample, problem: str = "") -> Path:
    """Writes an input, under a name made of its bytes; returns the path."""
    path = folder / target / f"{hashlib.sha256(sample.data).hexdigest()[:12]}.sample"
    path.parent.mkdir(parents=True, exist_ok=True)
    head = {"name": sample.name, "dangerous": sample.dangerous, "least": sample.least, "problem": problem[:500]}
    path.write_bytes(json.dumps(head).encode() + b"\n" + sample.data)
    return path


def load(path: Path) -> tuple[str, Sample]:
    """The target and the input of a file; the folder is named like the target."""
    head, _, data = path.read_bytes().partition(b"\n")
    facts = json.loads(head)
    return path.parent.name, Sample(facts["name"], data, facts["dangerous"], facts["least"])
