"""What becomes of a file that nobody read or looked at: it is never one that was judged."""

from __future__ import annotations

import os
from pathlib import Path

from gate.app.scan import _scanned
from gate.collect.hashing import Hashed, Unread
from gate.model.scanned import State
from tests.support.evidence import digest_of


def status(tmp_path: Path) -> os.stat_result:
    place = tmp_path / "file"
    place.write_bytes(b"abc")
    return place.stat()


def test_a_file_that_was_not_read_is_not_judged(tmp_path: Path) -> None:
    found = _scanned(Unread("it is gone"), status(tmp_path))
    assert (found.state, found.digest, found.bytes, found.reason) == (State.UNREAD, None, 3, "it is gone")


def test_a_file_that_nobody_looked_at_is_not_judged(tmp_path: Path) -> None:
    found = _scanned(Hashed(digest_of("abc"), 3, None), status(tmp_path))
    assert (found.state, found.digest, found.reason) == (State.UNINSPECTED, digest_of("abc"), "it was not looked at")
