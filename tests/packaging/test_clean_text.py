"""Tracked text says nothing about the machine it was written on and promises nothing it cannot keep."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
THIS_FILE = Path(__file__).resolve().relative_to(CHECKOUT)
# The public registry in cargo's own lines and the licence text of others stay as they are.
EXEMPT = {
    "native/Cargo.lock": {"registry host"},
    "LICENSE": {"promise"},
    "schemas/vendor/bom-1.6.schema.json": {"promise"},
    "schemas/vendor/bom-1.7.schema.json": {"promise"},
}
FORBIDDEN = {
    "registry host": r"(?i)\b(?:files\.python"
    r"hosted|pypi|index\.crates|static\.crates|crates|proxy\.go"
    r"lang)\.(?:org|io)"
    r"\b|--(?:extra-)?index-url\b|--find-links\b(?=[ =]/)",
    "home path": r"(?<![\w.~-])/(?:root|home/\w+|Users/\w+|work)/",
    "promise": r"(?i)\bcomplies with\b|\bcertified\b",
}


def tracked() -> list[str]:
    listing = subprocess.check_output(["git", "ls-files", "-z"], cwd=CHECKOUT).decode()
    return [name for name in listing.split("\0") if name and Path(name) != THIS_FILE]


def text_of(name: str) -> str | None:
    """`None` for what is not text, a link, or removed and not yet committed."""
    path = CHECKOUT / name
    if path.is_symlink() or not path.is_file():
        return None
    data = path.read_bytes()
    if b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


@pytest.mark.parametrize("rule", FORBIDDEN)
def test_tracked_text_has_no(rule: str) -> None:
    pattern = re.compile(FORBIDDEN[rule])
    found = [
        f"{name}:{number}: {line.strip()[:120]}"
        for name in tracked()
        if rule not in EXEMPT.get(name, ())
        for number, line in enumerate((text_of(name) or "").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("registry host", "https://files.python" + "hosted.org/packages/x.whl"),
        ("registry host", "--index-url https://mirror.example/simple"),
        ("registry host", "--find-links /opt/wheels"),
        ("home path", "see /home/somebody/project"),
        ("home path", "(/root/.cargo)"),
        ("promise", "This complies with everything."),
        ("promise", "Certified."),
    ],
)
def test_the_rules_find_what_they_look_for(rule: str, text: str) -> None:
    assert re.search(FORBIDDEN[rule], text)
