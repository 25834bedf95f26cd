"""The log that a server holds open: durable before an answer, through outages, with checkpoints by the side."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gate.app.checkpoints import Checkpoints
from gate.app.recorder import Recorder
from gate.errors import ClockError, RecordError
from gate.evaluate.bundle import PolicyBundle, packaged_bundle
from gate.formats.canonical_json import dumps
from gate.model.decision import Decision
from gate.model.digest import sha256_digest
from gate.model.document import InputDocument
from gate.model.record import Record
from gate.model.settings import CheckpointSettings, RecordSettings
from gate.record.checkpoint import NoteKey, note_key
from gate.record.interface import DecisionLog, policy_files, recorded
from gate.record.postgres import PostgresLog
from gate.record.sqlite import open_sqlite
from gate.record.verify import verify_log
from tests.support.decisions import refusal
from tests.support.records import ORIGIN, Postgres, identity

ROOT = Path(__file__).parents[3]
KEY = ROOT / "fixtures/keys/release.key"
PUBLIC = (ROOT / "fixtures/keys/release.pub").read_bytes()
BUNDLE = packaged_bundle()
NOW_S = 1_800_000_000


def made(number: int, bundle: PolicyBundle = BUNDLE) -> tuple[PolicyBundle, Decision, InputDocument]:
    """A decision of its own, with what it was made from."""
    value = {"number": number}
    document = InputDocument(value, dumps(value), sha256_digest(dumps(value)))
    decision = refusal()
    digests = dataclasses.replace(decision.digests, input=document.digest, policy=bundle.digest)
    return bundle, dataclasses.replace(decision, id=identity(number), digests=digests), document


def checked(log: DecisionLog, keys: tuple[NoteKey, ...] = ()) -> list[Record]:
    found = verify_log(log, keys)
    assert found.findings == ()
    records = list(log.records())
    log.close()
    return records


@pytest.fixture
def recorders(tmp_path: Path) -> Iterator[Callable[..., Recorder]]:
    opened: list[Recorder] = []

    def make(settings: RecordSettings | None = None, **more: Any) -> Recorder:
        opened.append(Recorder(settings or RecordSettings(sqlite="log.db"), tmp_path, None, **more))
        return opened[-1]

    yield make
    for recorder in opened:
        assert recorder.close(10)


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not what():
        assert time.monotonic() < end
        time.sleep(0.01)


def longer(items: Sequence[object], than: int) -> bool:
    return len(items) > than


def signing(every: int) -> RecordSettings:
    return RecordSettings("log.db", checkpoint=CheckpointSettings("log.key", ORIGIN, every, {"release.pub": PUBLIC}))


def place_key(folder: Path) -> None:
    """The test key, as only its owner may read it."""
    (folder / "log.key").touch(0o600)
    (folder / "log.key").write_bytes(KEY.read_bytes())


def test_s36_decisions_of_many_threads_are_recorded_with_all_that_they_rest_on(
    tmp_path: Path, recorders: Callable[..., Recorder]
) -> None:
    recorder = recorders()
    assert not (tmp_path / "log.db").exists(), "nothing is opened yet"
    recorder.check()
    with ThreadPoolExecutor(8) as threads:
        records = list(threads.map(lambda n: recorder.record(*made(n), NOW_S, time.monotonic() + 30), range(40)))
    assert sorted(record.seq for record in records) == list(range(40))
    counts = recorder.counts()
    assert (counts["records"], counts["errors"], counts["openings"], counts["size"]) == (40, 0, 1, 40)
    assert recorder.last_s == NOW_S
    log = open_sqlite(tmp_path / "log.db")
    item = recorded(log, records[7])
    assert item.decision["id"] == identity(7)
    assert policy_files(log, item) == BUNDLE.files
    assert checked(log) == sorted(records, key=lambda record: record.seq)


def test_s36_a_probe_writes_unless_something_was_written_just_now(
    tmp_path: Path, recorders: Callable[..., Recorder]
) -> None:
    recorder = recorders()
    recorder.probe()
    before = (tmp_path / "log.db-wal").stat().st_size
    recorder.probe()
    assert (tmp_path / "log.db-wal").stat().st_size == before
    recorder.record(*made(0), NOW_S)
    assert (tmp_path / "log.db-wal").stat().st_size > before


def test_s36_a_log_that_is_gone_is_not_begun_anew(tmp_path: Path, recorders: Callable[..., Recorder]) -> None:
    recorder = recorders()
    recorder.record(*made(0), NOW_S)
    for path in tmp_path.glob("log.db*"):
        path.rename(tmp_path / f"kept-{path.name}")
    with pytest.raises(RecordError, match=r"moved or removed|log.db is gone"):
        recorder.record(*made(1), NOW_S)
    until(lambda: _problem(recorder) == "log.db is gone, and 1 decisions were recorded in it")
    assert not (tmp_path / "log.db").exists()
    for path in tmp_path.glob("kept-*"):
        path.rename(tmp_path / path.name.removeprefix("kept-"))
    until(lambda: _problem(recorder) is None)
    recorder.record(*made(2), NOW_S)
    assert recorder.counts()["errors"] > 0


def _problem(recorder: Recorder) -> str | None:
    try:
        recorder.check()
    except RecordError as error:
        return str(error)
    return None


def test_s36_a_log_behind_a_link_is_not_written(tmp_path: Path, recorders: Callable[..., Recorder]) -> None:
    (tmp_path / "log.db").symlink_to("elsewhere.db")
    with pytest.raises(RecordError, match=r"log\.db is a link"):
        recorders().record(*made(0), NOW_S)
    assert not (tmp_path / "elsewhere.db").exists()


def test_s36_a_decision_from_before_the_last_record_is_not_recorded(recorders: Callable[..., Recorder]) -> None:
    recorder = recorders()
    recorder.record(*made(0), NOW_S)
    with pytest.raises(ClockError, match="the last decision was recorded at"):
        recorder.record(*made(1), NOW_S - 61)
    recorder.record(*made(2), NOW_S - 60)


def test_a_log_is_kept_where_the_configuration_still_means_it(tmp_path: Path) -> None:
    absolute = RecordSettings(str(tmp_path / "log.db"))
    relative = RecordSettings("log.db")
    other = tmp_path / "other"
    assert Recorder(absolute, tmp_path, None).is_of(absolute, other)
    assert Recorder(relative, tmp_path, None).is_of(relative, tmp_path)
    assert not Recorder(relative, tmp_path, None).is_of(relative, other)
    assert not Recorder(relative, tmp_path, None).is_of(absolute, tmp_path)
    for key, kept in (("keys/log.key", False), ("/keys/log.key", True), ("env:KEY", True)):
        settings = dataclasses.replace(absolute, checkpoint=CheckpointSettings(key, ORIGIN))
        assert Recorder(settings, tmp_path, None).is_of(settings, other) is kept
    assert not Recorder(RecordSettings(dsn_file="dsn"), tmp_path, None).is_of(RecordSettings(dsn_file="dsn"), other)


def test_s36_checkpoints_are_signed_by_the_side(tmp_path: Path, recorders: Callable[..., Recorder]) -> None:
    place_key(tmp_path)
    recorder = recorders(signing(3))
    for number in range(7):
        recorder.record(*made(number), NOW_S)
    until(lambda: recorder.counts()["checkpoints"] >= 1)
    assert recorder.notes() == ()
    recorder.close(10)
    log = open_sqlite(tmp_path / "log.db")
    notes = log.checkpoints()
    assert notes[-1].size >= 3
    checked(log, (note_key(ORIGIN, PUBLIC, "a key"),))


def test_s36_a_checkpoint_that_fails_keeps_no_answer_and_is_tried_again(
    tmp_path: Path, recorders: Callable[..., Recorder]
) -> None:
    recorder = recorders(signing(2))
    for number in range(4):
        recorder.record(*made(number), NOW_S)
    until(lambda: bool(recorder.notes()))
    assert recorder.notes()[0].startswith("no checkpoint could be made: ")
    recorder.probe()
    place_key(tmp_path)
    until(lambda: recorder.counts()["checkpoints"] == 1)
    until(lambda: recorder.notes() == ())


def test_s36_what_another_gate_signed_is_not_signed_again(tmp_path: Path) -> None:
    place_key(tmp_path)
    one, two = (Recorder(signing(3), tmp_path, None) for _ in range(2))
    for number in range(3):
        one.record(*made(number), NOW_S)
    until(lambda: one.counts()["checkpoints"] == 1)
    two.record(*made(3), NOW_S)
    assert (one.close(10), two.close(10)) == (True, True)
    assert two.counts()["checkpoints"] == 0
    log = open_sqlite(tmp_path / "log.db")
    assert [item.size for item in log.checkpoints()] == [3]
    log.close()


def test_a_bug_while_signing_is_told(tmp_path: Path) -> None:
    settings = CheckpointSettings("x", ORIGIN, 1)
    log = open_sqlite(tmp_path / "log.db", create=True)
    log.close()
    calls: list[int] = []

    def failing(_: DecisionLog) -> int:
        calls.append(1)
        raise KeyError

    found = Checkpoints(settings, lambda: open_sqlite(tmp_path / "log.db"), failing, pause_s=0.01)
    found.appended(1)
    until(lambda: len(calls) > 3)
    assert found.problem == "a bug: KeyError"
    found.close(10)
    assert not [thread for thread in threading.enumerate() if thread.name == "gate-checkpoint"]
    Checkpoints(settings, lambda: open_sqlite(tmp_path / "log.db"), failing).close(1)


@pytest.mark.xdist_group("postgres")
class TestPostgres:
    def test_s36_the_database_stops_and_starts_under_load(self, tmp_path: Path) -> None:
        """Appends refuse meanwhile, and go on without a restart; the chain holds what was promised, each once."""
        with Postgres.running() as server:
            server.database("log")
            dsn = tmp_path / "dsn"
            dsn.write_text(server.dsn("writer", "log"))
            dsn.chmod(0o600)
            recorder = Recorder(RecordSettings(dsn_file="dsn"), tmp_path, None)
            promised: list[str] = []
            refused: list[float] = []
            numbers = iter(range(1_000_000))
            stop = threading.Event()

            def load() -> None:
                while not stop.is_set():
                    number = next(numbers)
                    begun = time.monotonic()
                    try:
                        promised.append(recorder.record(*made(number), NOW_S, begun + 4).id)
                    except RecordError:
                        refused.append(time.monotonic() - begun)
                        time.sleep(0.01)

            threads = [threading.Thread(target=load) for _ in range(4)]
            for thread in threads:
                thread.start()
            for _ in range(2):
                until(partial(longer, promised, len(promised) + 20))
                server.stop()
                until(partial(longer, refused, len(refused) + 20))
                with pytest.raises(RecordError):
                    recorder.probe()
                server.start()
                until(partial(longer, promised, len(promised) + 20))
                recorder.probe()
            stop.set()
            for thread in threads:
                thread.join()
            assert recorder.close(10)
            assert max(refused) < 5
            ids = [record.id for record in checked(PostgresLog("a database", server.dsn("reader", "log")))]
            assert len(ids) == len(set(ids))
            assert set(promised) <= set(ids)
            assert len(promised) == len(set(promised))

    def test_s36_a_server_that_is_stopped_in_the_middle_refuses_in_time(self, tmp_path: Path) -> None:
        import psycopg

        with Postgres.running() as server:
            server.database("log")
            dsn = tmp_path / "dsn"
            dsn.write_text(server.dsn("writer", "log"))
            dsn.chmod(0o600)
            recorder = Recorder(RecordSettings(dsn_file="dsn"), tmp_path, None)
            recorder.record(*made(0), NOW_S)
            with psycopg.connect(server.dsn("owner", "log")) as db:
                db.execute("lock table gate.record in access exclusive mode")
                begun = time.monotonic()
                with pytest.raises(RecordError, match="could not be recorded in time; it may still be"):
                    recorder.record(*made(1), NOW_S, begun + 0.3)
                with pytest.raises(RecordError, match="had no time"):
                    recorder.record(*made(2), NOW_S, begun + 0.6)
                assert time.monotonic() - begun < 2
            recorder.record(*made(3), NOW_S, time.monotonic() + 20)
            assert recorder.close(10)
            ids = [record.id for record in checked(PostgresLog("a database", server.dsn("reader", "log")))]
            assert ids == [identity(number) for number in (0, 1, 3)]
