"""One sync for many writers; and large logs, which several processes look at."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from gate.errors import ClockError, EvidenceError, GateError, RecordError
from gate.model.record import Entry, Record
from gate.record import contents, worker
from gate.record import group as group_module
from gate.record import sqlite as sqlite_module
from gate.record.contents import Contents, looked_at
from gate.record.group import GroupCommit
from gate.record.sqlite import SqliteLog, open_sqlite
from gate.record.verify import verify_log
from tests.support.records import entry, filled, identity, policy
from tests.unit.record.test_tampering import forced


class Counting:
    """A log that says how much was appended at a time, and waits until all writers stand in the queue."""

    def __init__(self, log: SqliteLog, ready: threading.Event) -> None:
        self.log, self.ready, self.batches, self.is_entered = log, ready, list[int](), False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.log, name)

    def append(self, entries: Sequence[Entry], at_s: int) -> tuple[Record, ...]:
        self.is_entered = True
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


def held(logs: Logs, group: GroupCommit) -> None:
    """Waits until the log is at work on all that there is."""
    while not any(log.is_entered for log in logs.opened) or group._queue:
        time.sleep(0.001)


def started(
    group: GroupCommit, write: Callable[[int], object], numbers: Iterable[int], logs: Logs
) -> list[threading.Thread]:
    """Threads that write: the first is at it, and all others wait."""
    threads = [threading.Thread(target=write, args=(number,)) for number in numbers]
    threads[0].start()
    held(logs, group)
    for thread in threads[1:]:
        thread.start()
    while len(group._queue) < len(threads) - 1:
        time.sleep(0.001)
    return threads


def written(group: GroupCommit, numbers: Iterable[int], logs: Logs) -> dict[int, Record | GateError]:
    """What became of some entries: the first is alone, and the others come together."""
    got: dict[int, Record | GateError] = {}

    def write(number: int) -> None:
        try:
            got[number] = group.append(entry(number), 1000)
        except GateError as error:
            got[number] = error

    threads = started(group, write, numbers, logs)
    logs.ready.set()
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
    got = written(group, range(20), logs)
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
    got = written(groups(logs), (5, 77, 6, 7), logs)
    assert [number for number, result in got.items() if isinstance(result, RecordError)] == [77]
    assert set(recorded(tmp_path / "log.db")) == {identity(number) for number in (0, 77, 5, 6, 7)}


def test_s36_a_log_that_fails_otherwise_gives_nobody_an_answer(
    tmp_path: Path, groups: Callable[..., GroupCommit], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = Logs(tmp_path / "log.db", threading.Event())
    group = groups(logs)
    with monkeypatch.context() as patched:
        patched.setattr(SqliteLog, "append", lambda *_: 1 / 0)
        got = written(group, range(3), logs)
    assert [type(result) for result in got.values()] == [RecordError] * 3
    assert {str(result) for result in got.values()} == {"the log failed: ZeroDivisionError"}
    assert group.append(entry(9), 1000).seq == 0
    assert len(logs.opened) == 3


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Fault(SqliteLog):
    """Fails as it is told to: before something is committed, or when nobody knows whether it was."""

    before: ClassVar[list[Exception]] = []
    after: ClassVar[list[Exception]] = []
    probes: ClassVar[list[Exception]] = []

    def append(self, entries: Sequence[Entry], at_s: int) -> tuple[Record, ...]:
        if self.before:
            raise self.before.pop(0)
        records = super().append(entries, at_s)
        if self.after:
            raise self.after.pop(0)
        return records

    def probe(self) -> None:
        if self.probes:
            raise self.probes.pop(0)
        super().probe()


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> type[Fault]:
    monkeypatch.setattr(sqlite_module, "SqliteLog", Fault)
    for name in ("before", "after", "probes"):
        monkeypatch.setattr(Fault, name, [])
    return Fault


def lost() -> RecordError:
    return RecordError("the connection was lost", hint="wait")


def test_s36_what_was_recorded_before_the_answer_was_lost_is_found_and_not_appended_again(
    tmp_path: Path, groups: Callable[..., GroupCommit], faults: type[Fault]
) -> None:
    logs = Logs(tmp_path / "log.db", threading.Event())
    group = groups(logs)
    faults.after.append(lost())
    got = written(group, range(8), logs)
    assert all(isinstance(result, Record) for result in got.values())
    assert sorted(recorded(tmp_path / "log.db")) == [identity(number) for number in range(8)]
    assert (group.counts()["errors"], len(logs.opened)) == (1, 2)


def test_s36_what_was_not_recorded_is_appended_once_more(
    tmp_path: Path, groups: Callable[..., GroupCommit], faults: type[Fault]
) -> None:
    group = groups(Logs(tmp_path / "log.db"))
    faults.before.append(lost())
    assert group.append(entry(0), 1000).seq == 0
    assert recorded(tmp_path / "log.db") == [identity(0)]


def test_s36_an_outcome_that_stays_unknown_is_an_error(
    tmp_path: Path, groups: Callable[..., GroupCommit], faults: type[Fault]
) -> None:
    group = groups(Logs(tmp_path / "log.db"))
    faults.before.append(lost())
    faults.after.append(lost())
    with pytest.raises(RecordError, match="the connection was lost"):
        group.append(entry(0), 1000)
    assert group.append(entry(1), 1000).seq == 1
    assert recorded(tmp_path / "log.db") == [identity(0), identity(1)], "it is there, once"


def test_s36_an_id_that_another_decision_has_is_not_taken_for_its_own(
    tmp_path: Path, groups: Callable[..., GroupCommit]
) -> None:
    group = groups(Logs(tmp_path / "log.db"))
    group.append(entry(0), 1000)
    with pytest.raises(RecordError, match="could not be recorded"):
        group.append(entry(5, id=identity(0)), 1000)
    with pytest.raises(RecordError, match="could not be recorded"):
        group.append(entry(0, size=11), 1000)
    assert recorded(tmp_path / "log.db") == [identity(0)]


def test_s36_a_log_that_does_not_work_refuses_at_once_and_is_tried_again(
    tmp_path: Path, groups: Callable[..., GroupCommit], faults: type[Fault], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_module, "RETRY_S", 0.05)
    logs = Logs(tmp_path / "log.db", threading.Event())
    group = groups(logs)
    faults.before += [lost(), lost()]
    faults.probes += [lost()] * 4
    got = written(group, range(5), logs)
    assert {str(result) for result in got.values()} == {"the connection was lost"}
    assert len({id(result) for result in got.values()}) == 5, "each has an error of its own"
    said: object = None
    while not group.is_proved(60):
        try:
            group.check()
        except RecordError as error:
            said = (str(error), error.hint)
        time.sleep(0.01)
    assert said == ("the connection was lost", "wait")
    assert group.append(entry(9), 1000).seq == 0


def test_s36_a_log_that_cannot_be_opened_is_opened_by_the_next_decision(
    tmp_path: Path, groups: Callable[..., GroupCommit]
) -> None:
    clock = Clock()
    logs = Logs(tmp_path / "log.db")
    logs.fails += [lost(), lost()]
    group = groups(logs, clock=clock)
    for later_s, left in ((0.0, 1), (0.5, 1), (1.1, 0)):
        clock.now += later_s
        with pytest.raises(RecordError, match="the connection was lost"):
            group.append(entry(0), 1000)
        assert len(logs.fails) == left, "for a while the error is told again"
    clock.now += 1.1
    assert group.append(entry(0), 1000).seq == 0


def test_s36_who_waits_too_long_is_refused_and_not_recorded_later(
    tmp_path: Path, groups: Callable[..., GroupCommit]
) -> None:
    logs = Logs(tmp_path / "log.db", threading.Event())
    group = groups(logs)
    problems: list[GateError] = []

    def hurry(number: int) -> None:
        try:
            group.append(entry(number), 1000, time.monotonic() + 0.1)
        except RecordError as error:
            problems.append(error)

    first = threading.Thread(target=hurry, args=(0,))
    first.start()
    held(logs, group)
    hurry(1)
    first.join()
    logs.ready.set()
    assert [str(problem) for problem in problems] == [
        "the decision could not be recorded in time; it may still be",
        "the log had no time for the decision, which was not recorded",
    ]
    group.append(entry(2), 1000)
    assert recorded(tmp_path / "log.db") == [identity(0), identity(2)]
    with pytest.raises(RecordError, match="had no time"):
        group.append(entry(3), 1000, time.monotonic() - 1)


def test_s36_what_is_late_after_an_error_is_not_recorded(
    tmp_path: Path, groups: Callable[..., GroupCommit], faults: type[Fault]
) -> None:
    clock = Clock()
    group = groups(Logs(tmp_path / "log.db"), clock=clock)
    group.append(entry(0), 1000)

    class Before(list[Exception]):
        def pop(self, *_: Any) -> Exception:
            clock.now += 50
            self.clear()
            return lost()

    faults.before = Before([lost()])
    with pytest.raises(RecordError, match="had no time"):
        group.append(entry(1), 1000, clock.now + 10)
    assert recorded(tmp_path / "log.db") == [identity(0)]


def test_s36_a_log_that_is_stuck_refuses_at_once_and_is_broken_off(
    tmp_path: Path, groups: Callable[..., GroupCommit], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    logs = Logs(tmp_path / "log.db", threading.Event())
    group = groups(logs, clock=clock)
    broken_off: list[bool] = []
    monkeypatch.setattr(SqliteLog, "interrupt", lambda _: broken_off.append(True))
    first = threading.Thread(target=group.append, args=(entry(0), 1000))
    first.start()
    held(logs, group)
    clock.now += 4
    with pytest.raises(RecordError, match="had no time"):
        group.append(entry(1), 1000, clock.now)
    clock.now += 2
    with pytest.raises(RecordError, match="has not answered for 6 seconds"):
        group.append(entry(2), 1000)
    assert broken_off == []
    clock.now += 10
    with pytest.raises(RecordError, match="has not answered for 16 seconds"):
        group.check()
    assert broken_off == [True]
    logs.ready.set()
    first.join()
    assert group.append(entry(3), 1000).seq == 1


def test_s36_so_many_decisions_may_wait(
    tmp_path: Path, groups: Callable[..., GroupCommit], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_module, "_WAITING", 2)
    logs = Logs(tmp_path / "log.db", threading.Event())
    group = groups(logs)
    threads = started(group, lambda number: group.append(entry(number), 1000), range(3), logs)
    with pytest.raises(RecordError, match="2 decisions wait"):
        group.append(entry(4), 1000)
    logs.ready.set()
    for thread in threads:
        thread.join()


def test_s36_a_decision_from_before_the_last_record_is_refused(
    tmp_path: Path, groups: Callable[..., GroupCommit]
) -> None:
    filled(tmp_path / "log.db", 1, at_s=5000).close()
    group = groups(Logs(tmp_path / "log.db"))
    with pytest.raises(ClockError, match="it is 1970-01-01T01:22:19Z here, and the last decision was recorded at"):
        group.append(entry(1), 4939)
    assert group.last_s == 5000
    assert group.append(entry(2), 4940).seq == 1
    group.probe(time.monotonic() + 10)


def test_s36_a_probe_goes_through_the_thread(
    tmp_path: Path, groups: Callable[..., GroupCommit], faults: type[Fault]
) -> None:
    group = groups(Logs(tmp_path / "log.db"))
    faults.probes += [lost(), lost()]
    with pytest.raises(RecordError, match="the connection was lost"):
        group.probe(time.monotonic() + 10)
    time.sleep(0)
    assert not group.is_proved(60)


def test_s36_a_probe_that_fails_once_is_tried_on_a_fresh_connection(
    tmp_path: Path, groups: Callable[..., GroupCommit], faults: type[Fault]
) -> None:
    group = groups(Logs(tmp_path / "log.db"))
    faults.probes.append(lost())
    group.probe(time.monotonic() + 10)
    assert group.is_proved(60)


def test_s36_a_log_that_lost_what_was_recorded_is_not_gone_on_with(
    tmp_path: Path, groups: Callable[..., GroupCommit], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_module, "RETRY_S", 0.02)
    path = tmp_path / "log.db"
    group = groups(Logs(path))
    for number in range(3):
        group.append(entry(number), 1000)
    (tmp_path / "older.db").write_bytes(b"")
    filled(tmp_path / "other.db", 2).close()
    for suffix in ("-wal", "-shm"):
        path.with_name(f"log.db{suffix}").unlink()
    (tmp_path / "other.db").rename(path)
    with pytest.raises(RecordError, match=r"moved or removed|it has 2 records, and record 2 is not among them"):
        group.append(entry(3), 1000)
    time.sleep(0.1)
    with pytest.raises(RecordError, match="it has 2 records, and record 2 is not among them") as caught:
        group.append(entry(4), 1000)
    assert "restore what was recorded" in caught.value.hint
    assert recorded(path) == [identity(0), identity(1)]


def test_s36_closing_waits_for_what_was_taken_and_takes_no_more(tmp_path: Path) -> None:
    logs = Logs(tmp_path / "log.db", threading.Event())
    group = GroupCommit(logs)
    threads = started(group, lambda number: group.append(entry(number), 1000), range(5), logs)
    assert not group.close(0.05)
    with pytest.raises(RecordError, match="the log is closed"):
        group.append(entry(9), 1000)
    logs.ready.set()
    assert group.close(10)
    for thread in threads:
        thread.join()
    assert len(recorded(tmp_path / "log.db")) == 5
    assert GroupCommit(logs).close(1)


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
