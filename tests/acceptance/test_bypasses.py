"""Every way in which pickles were hidden from scanners is refused: by a finding, or as not inspected."""

from __future__ import annotations

import collections
from pathlib import Path

import pytest

from tests.support.bypasses import cases
from tests.support.looking import is_clean, look

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "pickles.md"
CASES = cases()
CLASSES = collections.Counter(kind for kind, _, _, _ in CASES)


@pytest.mark.parametrize("kind", CLASSES)
def test_s31_no_bypass_passes(kind: str) -> None:
    passed = [
        name
        for found, name, path, data in CASES
        if found == kind and is_clean(look(path, data, pickle_operations=300_000))
    ]
    assert passed == []


def test_there_are_many_of_them() -> None:
    assert len(CASES) >= 600
    assert len(CLASSES) >= 70
    assert len({(kind, name) for kind, name, _, _ in CASES}) == len(CASES)


def test_none_of_them_breaks_the_reader() -> None:
    """A refusal because the gate itself failed would be luck."""
    failed = [
        (kind, name)
        for kind, name, path, data in CASES
        if "inspection failed" in (look(path, data, pickle_operations=300_000).reason or "")
    ]
    assert failed == []


def test_the_page_lists_the_classes() -> None:
    lines = ["| class | files |", "|---|---:|"]
    lines += [f"| {kind} | {count} |" for kind, count in CLASSES.items() if not kind.startswith("wrapped: ")]
    wrapped = sorted(kind.removeprefix("wrapped: ") for kind in CLASSES if kind.startswith("wrapped: "))
    files = sum(count for kind, count in CLASSES.items() if kind.startswith("wrapped: "))
    lines.append(f"| {len(wrapped)} wrappings: {'; '.join(wrapped)} | {files} |")
    lines.append(f"| all | {len(CASES)} |")
    wanted = "\n".join(lines)
    assert wanted in PAGE.read_text(), f"put this table into {PAGE.name}:\n{wanted}"
