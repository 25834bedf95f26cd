"""One sync for many writers; and large logs, which several processes look at."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from gate.errors import EvidenceError, GateError, RecordError
from gate.model.record import Entry, Record
from gate.record import contents, worker
from gate.record.contents import Contents, looked_at
from gate.record.group import GroupCommit
from gate.record.sqlite import SqliteLog, open_sqlite
from gate.record.verify import verify_log
from tests.support.records import entry, filled, identity, policy
from tests.unit.record.test_tampering import forced


class Counting:
    """A log that says how much was appended at a time, and waits until all writers stand in the queue."""

    def __init__(self, log: SqliteLog, ready: threading.Event) -> None:
        self.log, self.ready, self.batches = log, ready, list[int]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.log, name)

    def append(self, entries: Sequence[Entry], at_s: int) -> tuple[Record, ...]:
        self.ready.wait(30)
        self.batches.append(len(entries))
        return self.log.append(entries, at_s)


class Logs:
    """Opens logs, and remembers them."""

    def __init__(self, path: Path, ready: threading.Event | None = None) -> None:
        self.path, self.ready, self.opened = path, ready or threading.Event(), list[Counting]()
        if ready is None:
            self.ready.set()
        self.fails: list[Exception] = []

    def __call__(self, _last: Record | None) -> Any:
        if self.fails:
            raise self.fails.pop(0)
        self.opened.append(Counting(open_sqlite(self.path, create=True), self.ready))
        return self.opened[-1]

    @property
    def batches(self) -> list[int]:
        return [size for log in self.opened for size in log.batches]


@pytest.fixture
def groups() -> Iterator[Callable[..., GroupCommit]]:
    made: list[GroupCommit] = []

    def make(*args: Any, **more: Any) -> GroupCommit:
        made.append(GroupCommit(*args, **more))
        return made[-1]

    yield make
    for group in made:
        assert group.close(10)


def written(
    group: GroupCommit, numbers: Iterable[int], *, waiting: int = 0, ready: threading.Event | None = None
) -> dict[int, Record | GateError]:
    """What became of some entries that came together."""
    got: dict[int, Record | GateError] = {}

    def write(number: int) -> None:
        try:
            got[number] = group.append(entry(number), 1000)
        except GateError as error:
            got[number] = error

    threads = [threading.Thread(target=write, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    while len(group._queue) < waiting:
        time.sleep(0.001)
    if ready is not None:
        ready.set()
    for thread in threads:
        thread.join()
    return got


def recorded(path: Path) -> list[str]:
    log = open_sqlite(path)
    try:
        assert verify_log(log, ()).findings == ()
        return [record.id for record in log.records()]
    finally:
        log.close()


def test_s36_writers_that_wait_share_a_sync(tmp_path: Path, groups: Callable[..., GroupCommit]) -> None:
    logs = Logs(tmp_path / "log.db", threading.Event())
    told: list[int] = []
    group = groups(logs, appended=lambda record: told.append(record.seq))
    got = written(group, range(20), waiting=19, ready=logs.ready)
    assert sorted(logs.batches) == [1, 19]
    assert {number: record.id for number, record in got.items() if isinstance(record, Record)} == {
        n: identity(n) for n in range(20)
    }
    assert len(recorded(tmp_path / "log.db")) == 20
    assert told == [0, 19]
    assert group.counts() == {"records": 20, "commits": 2, "errors": 0, "openings": 1}
    assert group.last_s == 1000


def test_s36_an_entry_that_cannot_be_recorded_stops_nobody_else(
    tmp_path: Path, groups: Callable[..., GroupCommit]
) -> None:
    log = filled(tmp_path / "log.db", 1)
    log.append([entry(0, 99, id=identity(77))], 1000)
    log.close()
    logs = Logs(tmp_path / "log.db", threading.Event())
    got = written(groups(logs), (5, 77, 6, 7), waiting=3, ready=logs.ready)
    assert [number for number, result in got.items() if isinstance(result, RecordError)] == [77]
    assert set(recorded(tmp_path / "log.db")) == {identity(number) for number in (0, 77, 5, 6, 7)}


def test_s36_a_log_that_fails_otherwise_gives_nobody_an_answer(
    tmp_path: Path, groups: Callable[..., GroupCommit], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = Logs(tmp_path / "log.db", threading.Event())
    group = groups(logs)
    with monkeypatch.context() as patched:
        patched.setattr(SqliteLog, "append", lambda *_: 1 / 0)
        got = written(group, range(3), waiting=2, ready=logs.ready)
    assert [type(result) for result in got.values()] == [RecordError] * 3
    assert {str(result) for result in got.values()} == {"the log failed: ZeroDivisionError"}
    assert group.append(entry(9), 1000).seq == 0
    assert len(logs.opened) == 3


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
