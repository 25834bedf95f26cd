"""The files that a configuration is read from are read once, and looked at again for changes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gate.app.snapshot import Snapshot, listing
from gate.errors import EvidenceError


def always(_: str) -> bool:
    return True


def test_each_file_is_read_once_and_compared(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    files = Snapshot(tmp_path)
    assert (files.name, files.root, files.read("a"), files.read("b")) == ("worktree", tmp_path, b"1", None)
    assert files.is_current()
    digest = files.digest
    (tmp_path / "a").write_bytes(b"2")
    assert (files.read("a"), files.is_current(), files.digest) == (b"1", False, digest)
    (tmp_path / "a").write_bytes(b"1")
    assert files.is_current()
    (tmp_path / "b").write_bytes(b"")
    assert not files.is_current(), "what was not there counts"


def test_folders_are_read_once_and_compared(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    (tmp_path / "f/a").write_bytes(b"1")
    files = Snapshot(tmp_path)
    assert (files.folder("f", always), files.folder("none", always)) == ({"a": b"1"}, None)
    one = files.digest
    (tmp_path / "f/b").write_bytes(b"2")
    assert files.folder("f", always) == {"a": b"1"}
    assert not files.is_current()
    other = Snapshot(tmp_path)
    other.folder("f", always)
    assert other.digest != one


def test_what_cannot_be_read_is_raised_each_time_and_counts(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"1")
    (tmp_path / "a").symlink_to("real")
    files = Snapshot(tmp_path)
    for _ in range(2):
        with pytest.raises(EvidenceError, match="cannot be"):
            files.read("a")
    assert files.is_current()
    assert files.digest
    (tmp_path / "a").unlink()
    assert not files.is_current()
    (tmp_path / "a").write_bytes(b"1")
    assert not files.is_current()


def test_other_looks_are_repeated(tmp_path: Path) -> None:
    files = Snapshot(tmp_path)
    seen = [1, 1, 2]
    assert files.look(lambda: seen.pop(0)) == 1
    assert (files.is_current(), files.is_current()) == (True, False)


def test_a_listing_tells_a_file_from_another_and_from_itself_after_a_change(tmp_path: Path) -> None:
    assert listing(tmp_path, "f", 10) is None
    (tmp_path / "f").mkdir()
    (tmp_path / "f/a").write_bytes(b"1")
    first = listing(tmp_path, "f", 10)
    assert first == listing(tmp_path, "f", 10)
    status = (tmp_path / "f/a").stat()
    (tmp_path / "f/b").write_bytes(b"2")
    os.utime(tmp_path / "f/b", ns=(status.st_atime_ns, status.st_mtime_ns))
    (tmp_path / "f/b").rename(tmp_path / "f/a")
    assert listing(tmp_path, "f", 10) != first
    (tmp_path / "link").symlink_to("f")
    with pytest.raises(EvidenceError, match="link"):
        listing(tmp_path, "link", 10)
