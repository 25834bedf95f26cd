"""A scenario becomes a repository: the right files in the right commits, and nothing anywhere else."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from gate.app.scenario_lay import lay
from gate.errors import EvidenceError
from tests.support.scenario_sets import scenario


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True).stdout.strip()


def changed(**change: Any) -> Any:
    return scenario(base={"executable": ["run.sh"]}, change=change)


FILES = {
    "base/run.sh": b"#!/bin/sh\n",
    "base/old.txt": b"old\r\n",
    "base/tool": b"x",
    'base/café "quoted".txt': b"\x00\xff",
    "change/new/a.txt": b"new",
    "change/run.sh": b"#!/bin/sh\nexec true\n",
    "evidence/a/b.json": b"{}",
    "reports/r.json": b"[]",
    "scenario.json": b"{}",
}


def test_both_commits_and_the_evidence_are_as_told(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    lay(changed(deleted=["old.txt"], executable=["tool"], links={"link": "../away"}), FILES, root)
    assert git(root, "branch", "--show-current") == "change"
    assert git(root, "rev-parse", "change^") == git(root, "rev-parse", "main")
    listed = git(root, "ls-tree", "-r", "-z", "--name-only", "main").split("\0")
    assert sorted(filter(None, listed)) == ['café "quoted".txt', "old.txt", "run.sh", "tool"]
    assert git(root, "diff", "--name-status", "main", "change").split("\n") == [
        "A\tlink", "A\tnew/a.txt", "D\told.txt", "M\trun.sh", "M\ttool",
    ]  # fmt: skip
    assert git(root, "ls-tree", "main", "run.sh").startswith("100755")
    assert git(root, "ls-tree", "change", "run.sh").startswith("100644")
    assert git(root, "ls-tree", "change", "tool").startswith("100755")
    assert (root / "link").readlink() == Path("../away")
    assert (root / 'café "quoted".txt').read_bytes() == b"\x00\xff"
    assert git(root, "show", "main:old.txt") == "old"
    assert (root / ".gate/attestations/a/b.json").read_bytes() == b"{}"
    assert (root / ".gate/reports/r.json").read_bytes() == b"[]"
    assert git(root, "status", "--porcelain") == "?? .gate/"


def test_equal_scenarios_give_equal_commits(tmp_path: Path) -> None:
    heads = set()
    for name in ("one", "two"):
        lay(changed(), FILES, tmp_path / name)
        heads.add(git(tmp_path / name, "rev-parse", "HEAD"))
    assert len(heads) == 1


@pytest.mark.parametrize(
    ("files", "change"),
    [
        ({"base/../../x": b""}, {}),
        ({"base/.git/config": b""}, {}),
        ({"change/a/.GIT/hooks/x": b""}, {}),
        ({"base/.gate/attestations/x": b""}, {}),
        ({"change/.Gate": b""}, {}),
        ({}, {"links": {".gate": "/tmp"}}),
        ({}, {"links": {"/etc/x": "y"}}),
        ({}, {"deleted": ["../x"]}),
        ({"base/a\nb": b""}, {}),
    ],
)
def test_no_path_leads_out_of_the_repository_or_into_what_steers_git(
    tmp_path: Path, files: dict[str, bytes], change: dict[str, Any]
) -> None:
    with pytest.raises(EvidenceError, match="no path that a scenario may have"):
        lay(changed(**change), files, tmp_path / "repository")
    assert not (tmp_path / "repository").exists()


@pytest.mark.parametrize(
    ("script", "message"),
    [("#!/bin/sh\necho broken >&2\nexit 128\n", "git init: broken"), (None, "git cannot be run: No such file")],
)
def test_a_failure_of_git_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, message: str
) -> None:
    if script is not None:
        (tmp_path / "git").write_text(script)
        (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EvidenceError, match=message):
        lay(changed(), FILES, tmp_path / "repository")
