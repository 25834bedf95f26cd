"""SECURITY 36: what somebody tries who may write the log, or edits what was exported from it, without the key."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gate.app.log import found_records
from gate.errors import EvidenceError, RecordError
from gate.model.record import Floor, Query
from gate.record.checkpoint import make_checkpoint
from gate.record.export import export_lines, exported_notes, verify_lines
from gate.record.interface import recorded
from gate.record.sqlite import open_sqlite
from gate.record.verify import verify_log
from tests.support.records import entry, filled, signer
from tests.unit.record.test_tampering import forced

COUNT = 6


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log of six records with a checkpoint after four and one at its end."""
    made = filled(tmp_path / "log.db", 4)
    make_checkpoint(made, signer(), ())
    made.append([entry(4), entry(5)], 5000)
    make_checkpoint(made, signer(), ())
    made.close()
    return tmp_path / "log.db"


@pytest.fixture
def lines(path: Path) -> list[bytes]:
    log = open_sqlite(path)
    found = list(export_lines(log, 0))
    log.close()
    return found


def of_lines(lines: list[bytes], *witnesses: str) -> list[tuple[str, int | None]]:
    return [(item.code, item.seq) for item in verify_lines("lines", lines, [signer().key], witnesses).findings]


def edited(line: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    value = json.loads(line)
    change(value)
    return json.dumps(value).encode() + b"\n"


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value["decision"].update(verdict="allow"),
        lambda value: value["record"]["summary"].update(verdict="allow"),
        lambda value: value["record"].update(at_s=1),
    ],
)
def test_s36_a_line_that_came_twice_is_the_same_both_times(lines: list[bytes], change: Any) -> None:
    assert of_lines([*lines, lines[2]]) == []
    assert of_lines([*lines, edited(lines[2], change)]) in ([("record.changed", 2)], [("content.changed", 2)])


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.update(id="01J8ZQ00000000000000000000"),
        lambda value: value.update(verdict="allow"),
        lambda value: value.update(checkpoint="none"),
        lambda value: value["record"].update(verdict="allow"),
    ],
)
def test_s36_a_line_holds_nothing_that_is_not_hashed(lines: list[bytes], change: Any) -> None:
    assert of_lines([*lines[:2], edited(lines[2], change), *lines[3:]]) != []


def test_s36_a_checkpoint_is_one_however_its_line_is_written(lines: list[bytes]) -> None:
    forged = edited(lines[4], lambda value: value)
    assert forged.startswith(b'{"checkpoint": ')
    assert list(exported_notes([forged])) == list(exported_notes([lines[4]]))


def test_s36_a_checkpoint_is_not_read_as_one_of_another_size(lines: list[bytes]) -> None:
    for size in (5, "4"):
        forged = edited(lines[4], functools.partial(dict.update, size=size))
        assert of_lines([*lines[:4], forged, *lines[5:]]) == [("checkpoint.refused", None)]


def test_later_lines_verify_behind_those_before_them(path: Path, lines: list[bytes]) -> None:
    log = open_sqlite(path)
    later = list(export_lines(log, 4))
    log.close()
    alone = verify_lines("lines", later, [signer().key], ())
    assert alone.findings
    assert "verify the lines behind those that were exported before" in alone.unchecked[-1]
    assert of_lines([*lines[:5], *later]) == []


def test_s36_the_tree_beside_a_checkpoint_is_the_one_that_was_signed(path: Path) -> None:
    with forced(path) as db:
        db.execute("update checkpoint set peaks = zeroblob(32) where size = 4")
    log = open_sqlite(path)
    found = verify_log(log, [signer().key])
    log.close()
    assert [item.code for item in found.findings] == ["checkpoint.refused"]


def test_s36_a_checkpoint_of_what_is_gone_proves_nothing(path: Path) -> None:
    log = open_sqlite(path, create=True)
    first, last = log.checkpoints()
    log.prune(Floor(6, next(log.records(newest_first=True)).hash, last.peaks))
    found = verify_log(log, [signer().key], [first.note, last.note])
    log.close()
    assert (found.findings, found.unchecked) == (
        (),
        ("the checkpoint of 4 records that was kept elsewhere: some that came after them were pruned",),
    )


def test_s36_contents_that_only_an_index_still_names_are_gone(path: Path) -> None:
    index = "name = 'sqlite_autoindex_blob_1'"
    with forced(path) as db:
        (digest,) = db.execute("select decision from record where seq = 1").fetchone()
        saved = db.execute(f"select * from sqlite_master where {index}").fetchone()
        (table,) = db.execute("select sql from sqlite_master where name = 'blob'").fetchone()
        db.execute("pragma writable_schema = on")
        db.execute(f"delete from sqlite_master where {index}")
        db.execute("update sqlite_master set sql = replace(sql, ' primary key', '') where name = 'blob'")
    with forced(path) as db:
        db.execute("delete from blob where digest = ?", (digest,))
        db.execute("pragma writable_schema = on")
        db.execute("update sqlite_master set sql = ? where name = 'blob'", (table,))
        db.execute("insert into sqlite_master values (?, ?, ?, ?, ?)", saved)
    log = open_sqlite(path)
    found = verify_log(log, [signer().key])
    log.close()
    assert [(item.code, item.seq) for item in found.findings] == [("content.missing", 1)]


def test_s36_no_record_is_shown_that_was_changed(path: Path) -> None:
    with forced(path) as db:
        db.execute('update record set summary = \'{"verdict":"allow"}\' where seq = 2')
    log = open_sqlite(path)
    with pytest.raises(EvidenceError, match="record 2 was changed"):
        found_records(log, Query(verdict="allow"), 9)
    with pytest.raises(EvidenceError, match="record 2 was changed"):
        recorded(log, list(log.records())[2])
    log.close()


def test_s36_a_key_that_is_not_among_those_that_prove_signs_nothing(path: Path) -> None:
    log = open_sqlite(path, create=True)
    log.append([entry(6)], 6000)
    with pytest.raises(RecordError, match="the key that signs is none of those"):
        make_checkpoint(log, signer(2), [signer(1).key])
    log.close()
