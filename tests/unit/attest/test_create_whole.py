"""Files for their owner alone: whole or not at all, and never over another."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from gate.attest.files import create_whole
from gate.errors import AttestError


def test_a_file_is_there_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    create_whole(tmp_path / "below" / "x", b"secret")
    assert (tmp_path / "below" / "x").read_bytes() == b"secret"
    assert (tmp_path / "below" / "x").stat().st_mode & 0o777 == 0o600


def test_what_lies_there_stays(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("x", "link"):
        with pytest.raises(AttestError, match="exists already and is not overwritten"):
            create_whole(tmp_path / name, b"secret")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "x"]
    assert (tmp_path / "x").read_bytes() == b"mine"


def test_nothing_is_left_where_it_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AttestError, match=r"cannot write .*: File name too long"):
        create_whole(tmp_path / ("x" * 300), b"secret")

    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "mkstemp", full)
    with pytest.raises(AttestError, match=r"cannot write .*: No space left on device"):
        create_whole(tmp_path / "x", b"secret")
    assert list(tmp_path.iterdir()) == []
