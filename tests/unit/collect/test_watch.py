"""Whether something changed below a root, as far as a look can tell."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gate.collect.watch import changed, look
from tests.acceptance.world import Repository


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/one").write_text("1")
    (tmp_path / "two").write_text("2")
    return tmp_path


def test_two_looks_at_the_same_are_equal(root: Path) -> None:
    assert look(root, None) == look(root, None)
    assert changed(look(root, None), look(root, None)) == ()


def test_every_kind_of_change_is_named(root: Path) -> None:
    before = look(root, None)
    (root / "a/one").write_text("1 more")
    (root / "two").unlink()
    (root / "three").write_text("3")
    assert changed(before, look(root, None)) == ("a/one", "three", "two")


def test_the_same_size_and_time_with_another_content_is_a_change(root: Path) -> None:
    before, status = look(root, None), (root / "two").stat()
    (root / "two").write_text("3")
    os.utime(root / "two", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert changed(before, look(root, None)) == ("two",)


def test_links_are_seen_and_not_followed(root: Path) -> None:
    (root / "loop").symlink_to(root)
    before = look(root, None)
    assert set(before.files) == {"a/one", "loop", "two"}
    (root / "loop").unlink()
    (root / "loop").symlink_to("two")
    assert changed(before, look(root, None)) == ("loop",)


def test_what_cannot_be_looked_at_is_a_text_and_no_error(tmp_path: Path) -> None:
    gone = look(tmp_path / "absent", None)
    assert gone.files == {}
    assert "cannot be opened" in gone.commits


def test_commits_count_and_the_rest_of_gits_folder_does_not(tmp_path: Path) -> None:
    repository = Repository.create(tmp_path / "repository")
    repository.write("a", b"1")
    repository.commit()
    before = look(repository.root, "main")
    repository.write(".git/description", b"other")
    assert changed(before, look(repository.root, "main")) == ()
    repository.commit("again")
    after = look(repository.root, "main")
    assert changed(before, after) == ("what git has committed",)
    assert look(repository.root, None).commits != after.commits
    assert "is not in this repository" in look(repository.root, "absent").commits
