"""SECURITY 36: whatever is done to a log of which somebody kept a checkpoint, `gate log verify` finds it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gate.errors import EvidenceError, GateError, RecordError
from gate.formats.merkle import root_of
from gate.model.digest import sha256_digest
from gate.model.record import LogVerification
from gate.record.chain import next_record, record_hash, record_of
from gate.record.checkpoint import inclusion, make_checkpoint
from gate.record.contents import MAX_FINDINGS
from gate.record.export import export_lines, exported_notes, verify_lines
from gate.record.interface import find_decision, input_document, policy_files, recorded, summary_of
from gate.record.sqlite import open_sqlite
from gate.record.verify import verify_log
from tests.support.records import entry, filled, identity, policy, signer

COUNT = 8
COLUMNS = ("seq", "id", "at_s", "decision", "document", "policy", "prev", "summary", "hash")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A log with a checkpoint in the middle and one at its end, which was kept."""
    path = tmp_path_factory.mktemp("log") / "log.db"
    log = filled(path, COUNT // 2)
    make_checkpoint(log, signer(), ())
    log.append([entry(number) for number in range(COUNT // 2, COUNT)], 5000)
    kept = make_checkpoint(log, signer(), ())
    log.close()
    assert kept is not None
    return path, kept.note


@pytest.fixture
def path(made: tuple[Path, str], tmp_path: Path) -> Path:
    return Path(shutil.copy(made[0], tmp_path / "log.db"))


@pytest.fixture
def kept(made: tuple[Path, str]) -> str:
    return made[1]


@contextlib.contextmanager
def forced(path: Path) -> Iterator[sqlite3.Connection]:
    """The file in the hands of somebody who may write it: the triggers go, and come back as they were."""
    db = sqlite3.connect(path, isolation_level=None)
    triggers = db.execute("select name, sql from sqlite_master where type = 'trigger'").fetchall()
    for name, _ in triggers:
        db.execute(f"drop trigger {name}")
    yield db
    for _, sql in triggers:
        db.execute(sql)
    db.close()


def verified(path: Path, *witnesses: str) -> LogVerification:
    log = open_sqlite(path)
    try:
        return verify_log(log, [signer().key], witnesses)
    finally:
        log.close()


def codes(path: Path, *witnesses: str) -> list[tuple[str, int | None]]:
    return [(item.code, item.seq) for item in verified(path, *witnesses).findings]


def rewrite(db: sqlite3.Connection, start: int, change: Callable[[int], dict[str, Any]]) -> None:
    """Edits records and hashes all of them again, so that the chain holds."""
    rows = db.execute(f"select {', '.join(COLUMNS)} from record where seq >= ? order by seq", (start,)).fetchall()
    prev = rows[0][6]
    db.execute("delete from record where seq >= ?", (start,))
    for row in rows:
        record = dataclasses.replace(record_of(row), prev=prev, **change(row[0]))
        record = dataclasses.replace(record, hash=record_hash(record))
        prev = record.hash
        values = [getattr(record, name) for name in COLUMNS]
        db.execute(f"insert into record values ({', '.join('?' * len(COLUMNS))})", values)


def test_s36_an_untouched_log_verifies(path: Path, kept: str) -> None:
    found = verified(path, kept)
    assert (found.records, found.findings, found.unchecked, found.proved) == (COUNT, (), (), COUNT)
    assert [item.size for item in found.checkpoints] == [COUNT // 2, COUNT, COUNT]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("id", identity(77)),
        ("at_s", 1),
        ("summary", '{"verdict":"allow"}'),
        ("document", sha256_digest(b"x")),
        ("policy", sha256_digest(b"x")),
    ],
)
@pytest.mark.parametrize("seq", [0, 3, COUNT - 1])
def test_s36_an_edited_record_is_found(path: Path, column: str, value: object, seq: int) -> None:
    with forced(path) as db:
        db.execute(f"update record set {column} = ? where seq = ?", (value, seq))
    assert ("record.changed", seq) in codes(path)


def test_s36_an_edited_decision_is_found(path: Path) -> None:
    with forced(path) as db:
        digest, data = db.execute(
            "select digest, data from blob join record on digest = decision where seq = 2"
        ).fetchone()
        db.execute("update blob set data = ? where digest = ?", (data.replace(b'"deny"', b'"alow"'), digest))
    assert codes(path) == [("content.changed", 2)]
    log = open_sqlite(path)
    record = list(log.records())[2]
    with pytest.raises(EvidenceError, match="record 2: its decision was changed"):
        recorded(log, record)
    with pytest.raises(EvidenceError, match="its decision was changed"):
        list(export_lines(log, 0))
    log.close()


def test_s36_an_edit_with_new_hashes_from_there_on_breaks_the_chain_or_the_root(path: Path, kept: str) -> None:
    with forced(path) as db:
        rewrite(db, 2, lambda seq: {"summary": '{"verdict":"allow"}'} if seq == 2 else {})
    found = verified(path)
    assert {item.code for item in found.findings} == {"checkpoint.refused"}
    assert "the first 4 records are not those that it signs" in found.findings[0].detail
    # Also where the checkpoints were thrown away.
    with forced(path) as db:
        db.execute("delete from checkpoint")
    assert codes(path) == []
    assert codes(path, kept) == [("checkpoint.refused", None)]


@pytest.mark.parametrize("seq", [0, 3, COUNT - 2])
def test_s36_a_deleted_record_is_found(path: Path, seq: int) -> None:
    with forced(path) as db:
        db.execute("delete from record where seq = ?", (seq,))
    found = verified(path)
    assert ("record.missing", seq) in [(item.code, item.seq) for item in found.findings]
    assert found.root is None
    assert "it is gone" in [item.detail for item in found.findings]
    assert found.records == COUNT - 1


def test_s36_several_deleted_records_are_found(path: Path) -> None:
    with forced(path) as db:
        db.execute("delete from record where seq between 2 and 4")
    details = [(item.seq, item.detail) for item in verified(path).findings]
    assert (2, "it is gone, and so is all up to 4") in details


def test_s36_a_deleted_record_is_found_where_the_others_close_up(path: Path) -> None:
    with forced(path) as db:
        db.execute("delete from record where seq = 3")
        for seq in range(4, COUNT):
            db.execute("update record set seq = ? where seq = ?", (seq - 1, seq))
    found = verified(path)
    assert ("record.moved", 3, "it was record 4 when it was appended") in [
        (item.code, item.seq, item.detail) for item in found.findings
    ]
    assert ("chain.broken", 3) in [(item.code, item.seq) for item in found.findings]


def test_s36_reordered_records_are_found(path: Path) -> None:
    with forced(path) as db:
        for old, new in ((1, 99), (5, 1), (99, 5)):
            db.execute("update record set seq = ? where seq = ?", (new, old))
    found = [(item.code, item.seq, item.detail) for item in verified(path).findings]
    assert ("record.moved", 1, "it was record 5 when it was appended") in found
    assert ("record.moved", 5, "it was record 1 when it was appended") in found


def test_s36_a_truncated_log_is_found_by_its_checkpoint(path: Path) -> None:
    with forced(path) as db:
        db.execute("delete from record where seq >= 6")
    found = verified(path)
    assert [item.code for item in found.findings] == ["log.truncated"]
    assert "the log has only 6 of the 8 records that it signs" in found.findings[0].detail


def test_s36_a_log_cut_off_with_its_checkpoints_is_found_by_one_that_was_kept(path: Path, kept: str) -> None:
    with forced(path) as db:
        db.execute("delete from record where seq >= 4")
        db.execute("delete from checkpoint where size > 4")
    assert codes(path) == []
    assert codes(path, kept) == [("log.truncated", None)]


@pytest.mark.parametrize("what", ["decision", "document", "policy"])
def test_s36_contents_that_are_gone_are_found(path: Path, what: str) -> None:
    with forced(path) as db:
        db.execute(f"delete from blob where digest in (select {what} from record where seq = 1)")
    assert ("content.missing", 1) in codes(path) or what == "policy"
    assert ("content.missing", 0) in codes(path) or what != "policy"
    log = open_sqlite(path)
    found = list(log.records())[1]
    with pytest.raises(EvidenceError, match="not in the log"):  # noqa: PT012 - whichever reads it
        item = recorded(log, found)
        input_document(log, item)
        policy_files(log, item)
    log.close()


def test_s36_a_policy_file_that_is_gone_is_found(path: Path) -> None:
    digest = sha256_digest(b"package gate.main\n")
    with forced(path) as db:
        db.execute("delete from blob where digest = ?", (digest,))
    found = verified(path).findings
    assert [(item.code, item.seq, item.detail) for item in found] == [
        ("content.missing", 0, "the policy file gate/main/main.rego is gone")
    ]


def test_s36_contents_that_nothing_names_are_looked_at_too(path: Path) -> None:
    with forced(path) as db:
        db.execute("insert into blob values (?, ?)", (sha256_digest(b"a"), b"b"))
    (found,) = verified(path).findings
    assert (found.code, found.seq) == ("content.changed", None)


def test_s36_a_policy_that_is_no_list_of_files_is_not_read(path: Path) -> None:
    with forced(path) as db:
        db.execute("update blob set data = ? where digest = ?", (b"[]", policy().digest))
    assert ("content.changed", 0) in codes(path)
    with forced(path) as db:
        db.execute("update blob set data = ? where digest = ?", (b'{"a": 1}', policy().digest))
    assert ("content.missing", 0) in codes(path)


@pytest.mark.parametrize(
    ("note", "problem"),
    [
        ("nothing", "not a signed note"),
        ("acme.example/gate\n4\nAAAA\n\n\u2014 a AAAAAAAA\n", "the root is no SHA-256"),
    ],
)
def test_s36_a_checkpoint_that_cannot_be_read_is_found(path: Path, note: str, problem: str) -> None:
    with forced(path) as db:
        db.execute("update checkpoint set note = ? where size = 4", (note,))
    (found,) = verified(path).findings
    assert found.code == "checkpoint.refused"
    assert problem in found.detail
    (found,) = verified(path, note).findings[1:]
    assert problem in found.detail


def test_s36_a_checkpoint_of_nobody_we_know_proves_nothing(path: Path) -> None:
    log = open_sqlite(path)
    found = verify_log(log, [signer(2).key])
    assert [item.problem for item in found.checkpoints] == ["none of the known keys signed it"] * 2
    assert found.proved == 0
    unproved = verify_log(log, ())
    assert unproved.findings == ()
    assert unproved.unchecked == ("the signatures of checkpoints, for lack of a public key",)
    log.close()


def test_s36_a_checkpoint_under_another_size_is_found(path: Path) -> None:
    with forced(path) as db:
        db.execute("update checkpoint set size = 5 where size = 4")
    (found,) = verified(path).findings
    assert "it is stored as one of 5 records" in found.detail


def test_s36_a_signature_by_a_key_of_ours_that_is_wrong_refuses(path: Path) -> None:
    with forced(path) as db:
        (note,) = db.execute("select note from checkpoint where size = 4").fetchone()
        db.execute("update checkpoint set note = ? where size = 4", (note.replace("\n4\n", "\n3\n"),))
    assert "its signature is wrong" in verified(path).findings[0].detail


def test_s36_a_pruned_log_without_a_checkpoint_there_is_found(path: Path) -> None:
    with forced(path) as db:
        (prev,) = db.execute("select hash from record where seq = 1").fetchone()
        db.execute("delete from record where seq < 2")
        db.execute("insert into pruned values (2, ?, ?)", (prev, bytes(32)))
    found = [(item.code, item.seq) for item in verified(path).findings]
    assert ("floor.unproved", None) in found
    assert ("checkpoint.refused", None) in found


def test_s36_nothing_is_signed_or_appended_behind_a_changed_record(path: Path) -> None:
    with forced(path) as db:
        db.execute("update record set at_s = 1 where seq = ?", (COUNT - 1,))
    log = open_sqlite(path, create=True)
    with pytest.raises(RecordError, match="record 7, the last one, was changed"):
        log.append([entry(COUNT)], 9000)
    assert log.size() == COUNT
    log.close()


def grown(path: Path) -> None:
    log = open_sqlite(path, create=True)
    log.append([entry(COUNT), entry(COUNT + 1)], 9000)
    log.close()


def test_s36_a_checkpoint_is_not_made_over_a_log_that_was_changed(path: Path) -> None:
    grown(path)
    with forced(path) as db:
        db.execute("update record set at_s = 1 where seq = ?", (COUNT,))
    log = open_sqlite(path, create=True)
    with pytest.raises(RecordError, match="record 8 is gone or was changed"):
        make_checkpoint(log, signer(), ())
    log.close()


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("update checkpoint set note = 'x' where size = 8", "cannot be read"),
        ("update checkpoint set peaks = zeroblob(32) where size = 8", "not over the tree that is stored with it"),
        ("update checkpoint set size = 9 where size = 8", "not over the tree that is stored with it"),
        ("delete from record where seq >= 6", "the log has 6 records, and 8 were signed"),
    ],
)
def test_s36_no_two_checkpoints_disagree(path: Path, statement: str, problem: str) -> None:
    if "delete" not in statement:
        grown(path)
    with forced(path) as db:
        db.execute(statement)
    log = open_sqlite(path, create=True)
    with pytest.raises(RecordError, match=problem):
        make_checkpoint(log, signer(), ())
    log.close()


def test_s36_a_tree_of_another_size_is_not_gone_on_from(tmp_path: Path) -> None:
    log = filled(tmp_path / "log.db", 3)
    made = make_checkpoint(log, signer(), ())
    log.append([entry(3)], 2000)
    log.close()
    assert made is not None
    with forced(tmp_path / "log.db") as db:
        db.execute("update checkpoint set peaks = ?", (root_of(made.peaks),))
    log = open_sqlite(tmp_path / "log.db", create=True)
    with pytest.raises(RecordError, match="the tree that is stored with it has another size"):
        make_checkpoint(log, signer(), ())
    log.close()


def test_s36_a_checkpoint_of_another_log_is_none_of_this_one(path: Path) -> None:
    log = open_sqlite(path, create=True)
    with pytest.raises(RecordError, match=r"it is of the log acme\.example/gate, and this one is other"):
        make_checkpoint(log, signer(name="other"), [signer().key])
    log.close()


def test_s36_a_signer_that_signs_wrongly_is_noticed(path: Path) -> None:
    grown(path)
    log = open_sqlite(path, create=True)
    wrong = dataclasses.replace(signer(), sign=lambda _: bytes(64))
    with pytest.raises(RecordError, match="the new checkpoint is not valid: its signature is wrong"):
        make_checkpoint(log, wrong, ())
    log.close()


def test_s36_no_proof_is_made_from_a_log_that_was_changed(path: Path) -> None:
    log = open_sqlite(path)
    records = list(log.records())
    assert inclusion(log, records[3]).index == 3
    log.close()
    with forced(path) as db:
        db.execute("update record set at_s = 1 where seq = 2")
    log = open_sqlite(path)
    with pytest.raises(EvidenceError, match="no proof can be made"):
        inclusion(log, records[3])
    log.close()


def test_s36_a_proof_ends_at_the_last_checkpoint(path: Path) -> None:
    grown(path)
    log = open_sqlite(path)
    records = list(log.records())
    assert inclusion(log, records[3]).note == log.checkpoints()[-1].note
    with pytest.raises(EvidenceError, match="no checkpoint was made since record 9"):
        inclusion(log, records[9])
    log.close()


def test_s36_contents_are_what_they_have_to_be_or_are_not_used(path: Path) -> None:
    log = open_sqlite(path)
    first = next(log.records())
    item = recorded(log, first)
    wrong = dataclasses.replace(item, record=dataclasses.replace(first, policy=first.document))
    with pytest.raises(EvidenceError, match="its policy is no list of files"):
        policy_files(log, wrong)
    module = sha256_digest(b"package gate.main\n")
    with pytest.raises(EvidenceError, match="its input document cannot be read"):
        input_document(log, dataclasses.replace(item, record=dataclasses.replace(first, document=module)))
    log.close()


def test_s36_a_decision_of_another_record_is_not_taken(path: Path) -> None:
    log = open_sqlite(path)
    first, second, *_ = log.records()
    with pytest.raises(EvidenceError, match="record 0: its decision is not the one that it names"):
        recorded(log, dataclasses.replace(first, decision=second.decision))
    found = find_decision(log, identity(0))
    assert found is not None
    broken = dataclasses.replace(found.record, summary="[")
    with pytest.raises(EvidenceError, match="record 0"):
        summary_of(broken)
    log.close()


def test_s36_many_findings_are_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    log = open_sqlite(path, create=True)
    log.append([entry(number) for number in range(MAX_FINDINGS + 50)], 1000)
    log.close()
    with forced(path) as db:
        db.execute("update record set at_s = at_s + 1, prev = hash")
    assert len(verified(path).findings) == MAX_FINDINGS


# -- exported lines ----------------------------------------------------------------------------------------------------


@pytest.fixture
def lines(path: Path) -> list[bytes]:
    log = open_sqlite(path)
    found = list(export_lines(log, 0))
    log.close()
    return found


def of_lines(lines: list[bytes], *witnesses: str) -> list[tuple[str, int | None]]:
    assert all(item.endswith("\n") for item in exported_notes(lines))
    return [(item.code, item.seq) for item in verify_lines("lines", lines, [signer().key], witnesses).findings]


def test_s36_exported_lines_prove_themselves(lines: list[bytes], kept: str) -> None:
    found = verify_lines("lines", lines, [signer().key], [kept])
    assert (found.records, found.findings, found.proved) == (COUNT, (), COUNT)
    assert len(found.checkpoints) == 3
    # At least once: what came twice is the same.
    assert of_lines([*lines, *lines]) == []
    assert of_lines(lines[:2]) == []


def test_s36_a_torn_tail_is_said_to_be_one(lines: list[bytes]) -> None:
    assert of_lines([*lines[:-2], lines[-2][:-40]]) == [("tail.torn", None)]
    assert of_lines([*lines, lines[0].rstrip()]) == [("tail.torn", None)]


def test_s36_changed_lines_are_found(lines: list[bytes], kept: str) -> None:
    assert of_lines(lines[:-2], kept) == [("log.truncated", None)]
    assert ("record.missing", 2) in of_lines([*lines[:2], *lines[3:]])
    value = json.loads(lines[2])
    value["decision"]["verdict"] = "allow"
    assert of_lines([*lines[:2], json.dumps(value).encode() + b"\n", *lines[3:]]) == [("content.changed", 2)]
    value = json.loads(lines[2])
    value["record"]["at_s"] = 1
    assert ("record.changed", 2) in of_lines([*lines[:2], json.dumps(value).encode() + b"\n", *lines[3:]])


@pytest.mark.parametrize(
    "line",
    [
        b"{\n",
        b'{"checkpoint":\n',
        b"[]\n",
        b'{"record": 1, "decision": {}}\n',
        b'{"record": {"schema": "urn:gate:record:v2"}, "decision": {}}\n',
        b'{"record": {"schema": "urn:gate:record:v1", "seq": true}, "decision": {}}\n',
    ],
)
def test_s36_what_is_no_record_is_found(lines: list[bytes], line: bytes) -> None:
    found = verify_lines("lines", [line, *lines], [signer().key], ())
    assert [item.code for item in found.findings] == ["log.unreadable"]
    assert list(exported_notes([line])) == []


def test_an_entry_is_of_a_decision() -> None:
    with pytest.raises(ValueError, match="the digest of a policy is that of the list of its files"):
        policy_of_other()


def policy_of_other() -> None:
    from gate.record.chain import policy_of

    policy_of(sha256_digest(b""), {"a": b""})


def test_a_decision_of_another_shape_is_a_bug() -> None:
    with pytest.raises(TypeError):
        entry(0, context=[])
    with pytest.raises(TypeError):
        entry(0, evidence={"verified": [{"signers": 1}]})
    made = next_record(entry(0), 0, sha256_digest(b""), 1)
    assert made.hash == record_hash(made)
    assert issubclass(RecordError, GateError)


def test_s36_an_index_that_lies_hides_no_missing_content(tmp_path: Path) -> None:
    """The index still has the decision that is there, and the record names another one."""
    path = tmp_path / "log.db"
    filled(path, 3).close()
    other = f"sha256:{'0' * 64}"
    schema = "update sqlite_master set sql = ? where name = 'record'"
    entries = "from sqlite_master where name like 'sqlite_autoindex_record%'"
    with forced(path) as db:
        (sql,) = db.execute("select sql from sqlite_master where name = 'record'").fetchone()
        kept = db.execute(f"select * {entries}").fetchall()
        db.execute("pragma writable_schema = on")
        db.execute(f"delete {entries}")
        db.execute(schema, (sql.replace(" unique", ""),))
    with forced(path) as db:
        db.execute("update record set decision = ? where seq = 1", (other,))
        db.execute("pragma writable_schema = on")
        db.execute(schema, (sql,))
        db.executemany("insert into sqlite_master values (?, ?, ?, ?, ?)", kept)
    log = open_sqlite(path)
    found = {(item.code, item.seq) for item in verify_log(log, ()).findings}
    log.close()
    assert {("record.changed", 1), ("content.missing", 1)} <= found
