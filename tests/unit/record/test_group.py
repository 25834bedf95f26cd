"""One sync for many writers; and large logs, which several processes look at."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from gate.errors import EvidenceError, RecordError
from gate.model.record import Entry, Record
from gate.record import contents, worker
from gate.record.contents import Contents, looked_at
from gate.record.group import GroupCommit
from gate.record.sqlite import SqliteLog, open_sqlite
from gate.record.verify import verify_log
from tests.support.records import entry, filled, identity, policy
from tests.unit.record.test_tampering import forced


class Counting:
    """A log that says how often it was synced, and waits until all writers stand in the queue."""

    def __init__(self, log: SqliteLog, ready: threading.Event) -> None:
        self.log, self.ready, self.batches = log, ready, list[int]()

    def append(self, entries: Sequence[Entry], at_s: int) -> tuple[Record, ...]:
        self.ready.wait(30)
        self.batches.append(len(entries))
        return self.log.append(entries, at_s)


def test_s36_writers_that_wait_share_a_sync(tmp_path: Path) -> None:
    ready = threading.Event()
    counting = Counting(open_sqlite(tmp_path / "log.db", create=True, any_thread=True), ready)
    group = GroupCommit(counting)  # type: ignore[arg-type]
    got: dict[int, Record] = {}

    def write(number: int) -> None:
        got[number] = group.append(entry(number), 1000 + number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    while len(group._queue) < 19:
        pass
    ready.set()
    for thread in threads:
        thread.join()
    assert sorted(counting.batches) == [1, 19]
    assert {number: record.id for number, record in got.items()} == {n: identity(n) for n in range(20)}
    assert sorted(record.seq for record in got.values()) == list(range(20))
    assert verify_log(counting.log, ()).findings == ()
    counting.log.close()


def test_s36_an_entry_that_cannot_be_recorded_stops_nobody_else(tmp_path: Path) -> None:
    ready = threading.Event()
    log = filled(tmp_path / "log.db", 1)
    log.close()
    counting = Counting(open_sqlite(tmp_path / "log.db", create=True, any_thread=True), ready)
    group = GroupCommit(counting)  # type: ignore[arg-type]
    problems: list[RecordError] = []

    def write(number: int) -> None:
        try:
            group.append(entry(number), 1000)
        except RecordError as error:
            problems.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in (5, 0, 6, 7)]
    for thread in threads:
        thread.start()
    while len(group._queue) < 3:
        pass
    ready.set()
    for thread in threads:
        thread.join()
    assert len(problems) == 1
    assert {record.id for record in counting.log.records()} == {identity(number) for number in (0, 5, 6, 7)}
    counting.log.close()


def test_s36_a_log_that_fails_otherwise_gives_nobody_an_answer() -> None:
    class Broken:
        ready = threading.Event()

        def append(self, _entries: Sequence[Entry], _at_s: int) -> tuple[Record, ...]:
            self.ready.wait(30)
            raise MemoryError

    log = Broken()
    group = GroupCommit(log)  # type: ignore[arg-type]
    problems: list[type[BaseException]] = []

    def write(number: int) -> None:
        try:
            group.append(entry(number), 1000)
        except (MemoryError, RuntimeError) as error:
            problems.append(type(error))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    while len(group._queue) < 2:
        pass
    log.ready.set()
    for thread in threads:
        thread.join()
    assert len(problems) == 3
    assert set(problems) == {MemoryError, RuntimeError}


def test_s36_many_records_are_looked_at_by_several_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "MANY", 10)
    path = tmp_path / "log.db"
    filled(path, 12).close()
    log = open_sqlite(path)
    assert verify_log(log, ()).contents == 12 * 2 + 3
    with forced(path) as db:
        db.execute("update blob set data = cast(data || ' ' as blob) where digest in (select decision from record)")
    found = verify_log(log, ()).findings
    assert [(item.code, item.seq) for item in found] == [("content.changed", seq) for seq in range(12)]
    monkeypatch.setattr(SqliteLog, "helper", lambda *_: (sys.executable, "-c", "raise SystemExit(1)"))
    (finding,) = verify_log(log, ()).findings
    assert (finding.code, "a part of it cannot be read" in finding.detail) == ("log.unreadable", True)
    monkeypatch.setattr(SqliteLog, "helper", lambda *_: None)
    assert verify_log(log, ()).contents == 12 * 2 + 3
    log.close()


def test_what_is_recorded_while_the_log_is_verified_is_not_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = filled(tmp_path / "log.db", 3)
    seen = looked_at(log)
    with Contents(log) as checker:
        other = policy({"gate/main/main.rego": b"package gate.main\n# other\n"})
        log.append([entry(3, policy=other)], 2000)
        monkeypatch.setattr(contents, "looked_at", lambda *_: seen)
        assert (checker.run(), checker.findings) == (3 * 2 + 3, [])
    with Contents(log) as checker:
        checker.run()
    assert {finding.seq for finding in checker.findings} == {3}
    log.close()


def test_the_process_that_looks_at_a_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "log.db"
    filled(path, 3).close()
    monkeypatch.setattr(sys, "argv", ["worker", str(path), "0", "1"])
    assert worker.main() == 0
    stored, changed = json.loads(capsys.readouterr().out)
    assert (len(stored), changed) == (9, [])
    monkeypatch.setattr(sys, "argv", ["worker", str(tmp_path / "none"), "0", "1"])
    assert worker.main() == 1
    with pytest.raises(EvidenceError):
        looked_at(open_sqlite(tmp_path / "none"))
