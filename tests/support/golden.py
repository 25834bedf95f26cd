"""Golden files: what a test makes is what is kept, until somebody says that it should change."""

from __future__ import annotations

import os
from pathlib import Path

SWITCH = "GATE_UPDATE_GOLDEN"
"""Set to 1, the tests write the files instead of comparing with them; the diff is then for a person to read."""


def assert_golden(path: Path, text: str) -> None:
    if os.environ.get(SWITCH) == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8"))
    assert path.read_bytes().decode("utf-8") == text, f"{path.name} differs; {SWITCH}=1 writes it again"
