"""Everything at a path is listed: what is not read with the reason, and nothing behind a link."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gate.collect import survey as module
from gate.collect.survey import survey
from gate.errors import EvidenceError, LimitError
from gate.model.scanned import State
from tests.unit.collect.test_directory import make


def nothing(_: str) -> bool:
    return False


def only(*names: str) -> Callable[[str], bool]:
    return lambda path: path in names


def states(path: Path, is_excluded: Callable[[str], bool] = nothing) -> dict[str, str]:
    found = survey(path, is_excluded)
    listed = {entry.path.decode(): "file" for entry in found.files}
    return listed | {name: state.value for name, (state, _) in found.others.items()}


def test_every_entry_of_a_folder_is_listed(tmp_path: Path) -> None:
    make(tmp_path, {"m/a": b"1", "m/.hidden": b"2", "m/s/b": b"3"})
    (tmp_path / "m/link").symlink_to("a")
    (tmp_path / "m/out").symlink_to(tmp_path)
    (tmp_path / "m/dangling").symlink_to("nothing")
    os.mkfifo(tmp_path / "m/fifo")
    with tempfile.TemporaryDirectory(prefix="s", dir="/tmp") as folder:
        with socket.socket(socket.AF_UNIX) as channel:
            channel.bind(f"{folder}/socket")
        os.link(f"{folder}/socket", tmp_path / "m/socket")
    assert states(tmp_path / "m") == {
        ".hidden": "file", "a": "file", "s/b": "file",
        "link": "link", "out": "link", "dangling": "link", "fifo": "special", "socket": "special",
    }  # fmt: skip


def test_folders_that_have_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, {"m/n/a": b"1"})
    monkeypatch.chdir(tmp_path / "m")
    assert states(Path()) == states(Path("n/..")) == {"n/a": "file"}
    assert states(Path("..")) == {"m/n/a": "file"}


def test_a_single_file(tmp_path: Path) -> None:
    make(tmp_path, {"a": b"1"})
    (tmp_path / "link").symlink_to("a")
    os.mkfifo(tmp_path / "fifo")
    found = survey(tmp_path / "a", nothing)
    assert (found.folder, found.is_folder, [entry.path for entry in found.files]) == (tmp_path, False, [b"a"])
    assert states(tmp_path / "link") == {"link": "link"}
    assert states(tmp_path / "fifo") == {"fifo": "special"}
    assert states(tmp_path / "a", only("a")) == {"a": "excluded"}


def test_a_link_to_a_folder_is_not_entered(tmp_path: Path) -> None:
    make(tmp_path, {"m/a": b"1"})
    (tmp_path / "link").symlink_to("m")
    assert states(tmp_path / "link") == {"link": "link"}


def test_what_is_excluded_is_listed(tmp_path: Path) -> None:
    make(tmp_path, {"a": b"1", "s/b": b"2", "t/c": b"3"})
    assert states(tmp_path, only("s", "t/c")) == {"a": "file", "s": "excluded", "t/c": "excluded"}
    assert states(tmp_path, only("")) == {"a": "file", "s/b": "file", "t/c": "file"}


def test_folders_that_cannot_be_read_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, {"a": b"1", "closed/b": b"2"})
    plain = os.scandir

    def scandir(folder: int) -> object:
        if Path(f"/proc/self/fd/{folder}").readlink().name == "closed":
            raise PermissionError(13, "Permission denied")
        return plain(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    assert survey(tmp_path, nothing).others == {"closed": (State.UNREAD, "it cannot be read: Permission denied")}


def test_folders_that_are_too_deep_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_DEPTH", 2)
    make(tmp_path, {"1/2/3/4": b"1", "1/2/b": b"2"})
    assert states(tmp_path) == {"1/2/3": "unread", "1/2/b": "file"}


def test_a_path_where_nothing_is(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", tmp_path / "a\0b"):
        with pytest.raises(EvidenceError, match="cannot be read"):
            survey(path, nothing)


def test_too_many_files(tmp_path: Path) -> None:
    make(tmp_path, {str(number): b"" for number in range(5)})
    assert len(survey(tmp_path, nothing, limit=5).files) == 5
    with pytest.raises(LimitError, match="more than 4 files"):
        survey(tmp_path, nothing, limit=4)


def test_names_that_are_not_text(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"a\xff")).write_bytes(b"1")
    (tmp_path / os.fsdecode(b"b\xff")).symlink_to("x")
    found = survey(tmp_path, only("b\\xff"))
    assert [entry.path for entry in found.files] == [b"a\xff"]
    assert found.others["b\\xff"][0] is State.EXCLUDED
