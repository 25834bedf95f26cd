"""What lies at paths that signed statements name."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from gate.collect.named import read_named
from gate.errors import LimitError
from gate.model.digest import sha256_digest
from gate.model.settings import Limits

LIMITS = Limits()


def test_files_and_folders_are_read_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "a" / "deep").mkdir(parents=True)
    (tmp_path / "a" / "one").write_bytes(b"1")
    (tmp_path / "a" / "deep" / "two").write_bytes(b"2")
    (tmp_path / "b").write_bytes(b"3")
    found = read_named(tmp_path, ["b", "gone", "a", "a/gone/x"], ["a", "gone", "b"], LIMITS)
    one, two, three = (sha256_digest(data) for data in (b"1", b"2", b"3"))
    assert found == {"a": None, "a/deep/two": two, "a/one": one, "b": three}
    assert read_named(tmp_path, [], [], LIMITS) == {}


def test_s12_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "root" / "link").symlink_to("../secret")
    (tmp_path / "root" / "folder").symlink_to("..")
    assert read_named(tmp_path / "root", ["link", "folder/secret"], ["folder"], LIMITS) == {"link": None}


def test_more_files_than_the_limit_are_refused(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(LimitError, match="more than 2 files"):
        read_named(tmp_path, ["a", "b", "c"], [], dataclasses.replace(LIMITS, files=2))
