"""SECURITY 36: nothing that was promised is lost, and nothing is promised that is not recorded, whatever fails."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.errors import ConfigError, EvidenceError, GateError, RecordError
from gate.record import sqlite as sqlite_module
from gate.record.checkpoint import make_checkpoint
from gate.record.interface import find_decision
from gate.record.postgres import PostgresLog, open_postgres
from gate.record.sqlite import open_sqlite
from gate.record.tables import SQLITE
from gate.record.verify import verify_log
from tests.support.records import Postgres, entry, filled, identity, signer

CHECKOUT = Path(__file__).parents[3]
KILLS = 200
REST = "document, policy, prev, summary, hash from record"


def ids(path: Path) -> set[str]:
    log = open_sqlite(path)
    try:
        assert verify_log(log, [signer().key]).findings == ()
        return {record.id for record in log.records()}
    finally:
        log.close()


def test_s36_nothing_promised_is_lost_when_writers_are_killed_200_times(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.log_killed", str(path), str(KILLS), "1"],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    promised = done.stdout.decode().split()
    assert len(promised) > KILLS // 10, "children live long enough to answer"
    assert set(promised) <= ids(path)
    log = open_sqlite(path, create=True)
    log.append([entry(9_999_999)], 2000)
    log.close()


def test_s36_many_processes_write_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    script = (
        "import sys; from pathlib import Path; from gate.record.sqlite import open_sqlite\n"
        "from tests.support.records import entry\n"
        "log = open_sqlite(Path(sys.argv[1]), create=True)\n"
        "for number in range(20): log.append([entry(int(sys.argv[2]) * 100 + number)], 1000)\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", script, str(path), str(number)], cwd=CHECKOUT, stderr=subprocess.PIPE)
        for number in range(4)
    ]
    for process in running:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err.decode()
    assert ids(path) == {identity(writer * 100 + number) for writer in range(4) for number in range(20)}


def test_s36_threads_write_one_chain_beside_a_reader(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    filled(path, 1).close()
    problems: list[Exception] = []

    def write(writer: int) -> None:
        try:
            log = open_sqlite(path, create=True)
            for number in range(10):
                log.append([entry(writer * 100 + number)], 1000)
            log.close()
        except GateError as error:
            problems.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        ids(path)
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(ids(path)) == 41


def test_s36_a_full_disk_is_an_error_and_loses_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk: a write fails in the middle."""
    script = (
        "import resource, signal, sys\n"
        "from pathlib import Path; from gate.errors import RecordError; from gate.record.sqlite import open_sqlite\n"
        "from tests.support.records import entry, identity\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))\n"
        "log = open_sqlite(Path(sys.argv[1]), create=True)\n"
        "number = 0\n"
        "try:\n"
        "    while True:\n"
        "        log.append([entry(number, 50_000)], 1000)\n"
        "        print(identity(number), flush=True)\n"
        "        number += 1\n"
        "except RecordError as error:\n"
        "    print(error, error.hint, file=sys.stderr)\n"
        "    sys.exit(error.exit_code)\n"
    )
    path = tmp_path / "log.db"
    command = [sys.executable, "-c", script, str(path)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, timeout=120, check=False)
    assert done.returncode == 5, done.stderr.decode()
    assert b"could not be recorded" in done.stderr
    promised = done.stdout.decode().split()
    assert 3 < len(promised) < 100
    assert ids(path) == set(promised)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system")
def test_s36_a_full_file_system_is_an_error_and_loses_nothing(tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        log = open_sqlite(place / "log.db", create=True)
        promised = []
        with pytest.raises(RecordError, match="could not be recorded") as caught:  # noqa: PT012 - until it is full
            for number in range(1000):
                log.append([entry(number, 50_000)], 1000)
                promised.append(identity(number))
        assert "make room on the disk" in caught.value.hint
        assert promised
        log.close()
        assert ids(place / "log.db") == set(promised)
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_s36_every_place_where_the_log_may_be_torn_off_leaves_what_came_before(tmp_path: Path) -> None:
    """A crash leaves the write-ahead log cut anywhere: what was committed before the cut is there, and nothing else."""
    path = tmp_path / "log.db"
    log = filled(path, 1)
    log.append([entry(1)], 2000)
    log.append([entry(2)], 3000)
    kept = make_checkpoint(log, signer(), ())
    assert kept is not None
    ahead = tmp_path / "log.db-wal"
    data, size = ahead.read_bytes(), ahead.stat().st_size
    sizes = set()
    for number, cut in enumerate(range(0, size, size // 40)):
        torn = tmp_path / f"torn{number}"
        torn.mkdir()
        shutil.copy(path, torn / "log.db")
        (torn / "log.db-wal").write_bytes(data[:cut])
        other = open_sqlite(torn / "log.db", create=True)
        found = verify_log(other, [signer().key])
        assert found.findings == ()
        sizes.add(found.records)
        if found.records < 3:
            assert [item.code for item in verify_log(other, [signer().key], [kept.note]).findings] == ["log.truncated"]
        other.append([entry(100 + number)], 4000)
        other.close()
    assert sizes >= {1, 2}
    log.close()


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_s36_a_file_that_was_torn_off_is_said_to_be(tmp_path: Path, share: float) -> None:
    path = tmp_path / "log.db"
    filled(path, 30).close()
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    for create, failed in ((True, RecordError), (False, EvidenceError)):
        with pytest.raises(failed, match="cannot be opened: database disk image is malformed") as caught:
            open_sqlite(path, create=create)
        assert caught.value.hint.startswith("its end is torn off: restore it")


def test_s36_a_last_page_that_was_torn_off_is_found(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    filled(path, 30).close()
    path.write_bytes(path.read_bytes()[:-1000])
    log = open_sqlite(path)
    found = verify_log(log, [signer().key])
    log.close()
    assert [item.code for item in found.findings] == ["content.changed"]


def test_s36_a_log_that_is_torn_off_while_it_is_read_is_found(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    filled(path, 200).close()
    log = open_sqlite(path)
    path.write_bytes(path.read_bytes()[: 20 * 16384])
    found = verify_log(log, [signer().key])
    log.close()
    assert found.findings[0].code == "log.unreadable"
    assert "its end is torn off" in found.findings[0].detail
    assert found.root is None


@pytest.mark.parametrize("place", [0, 20, 2000, 20_000, 100_000, 200_000])
def test_s36_damaged_pages_are_found_or_harmless(tmp_path: Path, place: int) -> None:
    path = tmp_path / "log.db"
    log = filled(path, 20)
    kept = make_checkpoint(log, signer(), ())
    log.close()
    assert kept is not None
    data = bytearray(path.read_bytes())
    data[place : place + 64] = bytes(byte ^ 0x55 for byte in data[place : place + 64])
    path.write_bytes(data)
    try:
        other = open_sqlite(path)
    except EvidenceError:
        return
    found = verify_log(other, [signer().key], [kept.note])
    assert found.findings or found.records == 20
    other.close()


def test_a_log_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="there is no decision log"):
        open_sqlite(tmp_path / "none.db")
    (tmp_path / "other").write_bytes(b"no database" * 100)
    (tmp_path / "link.db").symlink_to("other")
    for create, failed in ((True, RecordError), (False, EvidenceError)):
        with pytest.raises(failed, match="is a link"):
            open_sqlite(tmp_path / "link.db", create=create)
        with pytest.raises(failed, match="cannot be opened: file is not a database"):
            open_sqlite(tmp_path / "other", create=create)
    with pytest.raises(RecordError, match="cannot be opened: File exists"):
        open_sqlite(tmp_path / "other" / "log.db", create=True)


def test_s36_a_file_with_sql_of_others_in_it_is_not_opened(tmp_path: Path) -> None:
    """A log that somebody prepared: a trigger would take every record away again."""
    path = tmp_path / "log.db"
    filled(path, 1).close()
    db = sqlite3.connect(path)
    db.execute("drop trigger record_kept")
    db.execute("create trigger record_kept after insert on record begin delete from record; end")
    db.commit()
    db.close()
    for create, failed in ((True, RecordError), (False, EvidenceError)):
        with pytest.raises(failed, match="is no decision log of the gate"):
            open_sqlite(path, create=create)


def test_a_log_of_a_later_version_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    filled(path, 1).close()
    db = sqlite3.connect(path)
    db.execute("pragma user_version = 2")
    db.close()
    with pytest.raises(EvidenceError, match="of a later version"):
        open_sqlite(path)


def test_a_log_that_is_gone_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    filled(path, 1).close()
    log = open_sqlite(path)
    path.unlink()
    log.close()
    with pytest.raises(EvidenceError, match="cannot be read") as caught:
        log.size()
    assert caught.value.hint == "restore it from a copy, then gate log verify"


def test_s36_a_log_on_a_medium_that_cannot_be_written_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.db"
    filled(path, 3).close()
    monkeypatch.setattr("os.access", lambda *_: False)
    assert len(ids(path)) == 3
    assert sorted(item.name for item in tmp_path.iterdir()) == ["log.db"]


@pytest.mark.parametrize(
    "statement",
    [
        "update record set summary = '{}'",
        "delete from record where seq = 1",
        f"insert into record select seq + 7, id || 'x', at_s, decision || 'x', {REST} where seq = 1",
        "insert or replace into record select * from record where seq = 1",
        f"insert or replace into record select 3, id, at_s, decision, {REST} where seq = 1",
        "update blob set data = x'00'",
        "delete from blob where digest in (select decision from record)",
        "update checkpoint set note = 'x'",
        "insert into pruned values (1, '', x''); update pruned set size = 9",
        "insert into pruned values (1, '', x''); delete from pruned",
    ],
)
def test_s36_a_mistake_cannot_change_the_log(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "log.db"
    log = filled(path, 3)
    make_checkpoint(log, signer(), ())
    log.close()
    db = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="the log is append-only"):
        db.executescript(statement)
    db.close()
    assert len(SQLITE) == 13


def test_s36_when_the_commit_fails_nothing_is_promised(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    log = filled(path, 1)
    held = sqlite3.connect(path, isolation_level=None)
    held.execute("begin immediate")
    log._db.execute("pragma busy_timeout = 10")
    for failing in (
        lambda: log.append([entry(1)], 2000),
        lambda: log.acknowledge("a", 1),
        lambda: log.prune(log.floor()),
    ):
        with pytest.raises(RecordError, match="database is locked") as refused:
            failing()
        assert "who holds the log open" in str(refused.value.hint)
    held.execute("rollback")
    held.close()
    log.append([entry(1)], 2000)
    log.close()
    assert len(ids(path)) == 2
    with pytest.raises(EvidenceError, match="cannot be read: Cannot operate on a closed database"):
        log.size()


def test_a_journal_that_cannot_be_switched_over_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.db"
    held = sqlite3.connect(path, isolation_level=None)
    held.execute("begin exclusive")
    db = sqlite3.connect(path, timeout=0, isolation_level=None)
    monkeypatch.setattr(sqlite_module, "_WAIT_S", 0.05)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        sqlite_module._write_ahead(db)
    held.execute("rollback")
    sqlite_module._write_ahead(db)
    db.close()
    held.close()


def test_s36_tables_are_made_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.db"
    monkeypatch.setattr(sqlite_module, "SQLITE", (*SQLITE[:3], "create nonsense"))
    with pytest.raises(RecordError, match="cannot be opened"):
        open_sqlite(path, create=True)
    monkeypatch.undo()
    log = open_sqlite(path, create=True)
    log.append([entry(0)], 1000)
    log.close()


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_s36_what_is_written_where_nobody_finds_it_is_not_recorded(tmp_path: Path, suffix: str) -> None:
    """A file that is removed while it is open takes what is written, and nothing of it is left afterwards."""
    path = tmp_path / "log.db"
    log = open_sqlite(path, create=True)
    log.append([entry(0)], 1000)
    place = path.with_name(f"log.db{suffix}")
    place.rename(tmp_path / "moved")
    for write in (lambda: log.append([entry(1)], 1000), log.probe):
        with pytest.raises(RecordError, match=f"log.db{suffix} was moved or removed while it was written"):
            write()
    place.write_bytes(b"another")
    with pytest.raises(RecordError, match="was moved or removed"):
        log.probe()
    (tmp_path / "moved").rename(place)
    log.probe()
    log.close()


def test_s36_a_probe_syncs_what_it_writes(tmp_path: Path) -> None:
    log = open_sqlite(tmp_path / "log.db", create=True)
    log.append([entry(0)], 1000)
    before = (tmp_path / "log.db-wal").stat().st_size
    log.probe()
    assert (tmp_path / "log.db-wal").stat().st_size > before
    log.close()


def test_s36_what_a_journal_shows_is_synced_before_anything_rests_on_it(tmp_path: Path) -> None:
    """After a sync that failed the system shows what is not on disk, and the next sync says nothing of it: who
    opens the log writes it once more, to the file itself.
    """
    writer = filled(tmp_path / "log.db", 3)
    (tmp_path / "left").mkdir()
    for name in ("log.db", "log.db-wal"):
        shutil.copy(tmp_path / name, tmp_path / "left")
    writer.close()
    again = open_sqlite(tmp_path / "left" / "log.db", create=True)
    assert (tmp_path / "left" / "log.db-wal").stat().st_size == 0
    shutil.copy(tmp_path / "left" / "log.db", tmp_path / "alone.db")
    again.append([entry(3)], 1003)
    again.close()
    assert ids(tmp_path / "alone.db") == {identity(number) for number in range(3)}
    assert ids(tmp_path / "left" / "log.db") == {identity(number) for number in range(4)}


def test_a_log_that_is_read_meanwhile_is_opened_at_once(tmp_path: Path) -> None:
    writer = filled(tmp_path / "log.db", 3)
    reader = open_sqlite(tmp_path / "log.db")
    records = reader.records()
    next(records)
    began = time.monotonic()
    another = open_sqlite(tmp_path / "log.db", create=True)
    assert time.monotonic() - began < sqlite_module._WAIT_S / 2
    another.append([entry(3)], 1003)
    assert len(list(records)) == 2
    for log in (another, reader, writer):
        log.close()


def test_a_statement_of_another_thread_is_ended(tmp_path: Path) -> None:
    log = open_sqlite(tmp_path / "log.db", create=True)
    timer = threading.Timer(0.2, log.interrupt)
    timer.start()
    endless = "with recursive n(x) as (select 1 union all select x + 1 from n) select max(x) from n"
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        log._db.execute(endless).fetchone()
    timer.join()
    log.append([entry(0)], 1000)
    log.close()
    log.interrupt()


# -- PostgreSQL --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with Postgres.running() as running:
        running.database("log")
        yield running


@pytest.mark.xdist_group("postgres")
class TestPostgres:
    def test_s36_who_records_can_take_nothing_back(self, server: Postgres) -> None:
        import psycopg

        server.database("fixed")
        log = PostgresLog("a database", server.dsn("writer", "fixed"))
        log.append([entry(0), entry(1)], 1000)
        make_checkpoint(log, signer(), ())
        log.close()
        changes = [
            "update gate.record set summary = '{}'",
            "delete from gate.record",
            "truncate gate.record",
            "update gate.blob set data = ''",
            "delete from gate.blob",
            "truncate gate.blob",
            "update gate.checkpoint set note = ''",
            "delete from gate.checkpoint",
            "delete from gate.pruned",
        ]
        for user, error in (("writer", psycopg.errors.InsufficientPrivilege), ("owner", psycopg.errors.RaiseException)):
            with psycopg.connect(server.dsn(user, "fixed"), autocommit=True) as db:
                for statement in changes:
                    with pytest.raises(error):
                        db.execute(statement.encode())
        gap = "insert into gate.record select 7, 'x', 1, 'x', 'x', 'x', 'x', '{}', 'x'"
        refused = pytest.raises(psycopg.errors.RaiseException, match="the log is append-only")
        with psycopg.connect(server.dsn("writer", "fixed"), autocommit=True) as db, refused:
            db.execute(gap.encode())
        with psycopg.connect(server.dsn("keeper", "fixed"), autocommit=True) as db:
            for statement in changes[1], "insert into gate.consumer values ('a', 2); update gate.consumer set size = 1":
                with pytest.raises(psycopg.errors.RaiseException):
                    db.execute(statement.encode())

    def test_s36_a_changed_row_is_found(self, server: Postgres) -> None:
        import psycopg

        server.database("changed")
        log = PostgresLog("a database", server.dsn("writer", "changed"))
        log.append([entry(0), entry(1)], 1000)
        with psycopg.connect(server.dsn("owner", "changed"), autocommit=True) as db:
            db.execute("alter table gate.record disable trigger all")
            db.execute("update gate.record set at_s = 1 where seq = 1")
        assert [(item.code, item.seq) for item in verify_log(log, ()).findings] == [("record.changed", 1)]
        with pytest.raises(RecordError, match="record 1, the last one, was changed"):
            log.append([entry(2)], 1000)
        log.close()

    def test_s36_without_its_tables_the_log_is_an_error(self, server: Postgres) -> None:
        log = PostgresLog("a database", server.dsn("owner", "postgres"))
        with pytest.raises(RecordError, match="a database: the decision could not be recorded: relation"):
            log.append([entry(0)], 1000)
        with pytest.raises(EvidenceError, match="cannot be read") as caught:
            log.size()
        assert "gate log schema" in caught.value.hint
        log.close()
        log.close()

    def test_s36_one_chain_from_many_threads(self, server: Postgres) -> None:
        server.database("many")

        def write(writer: int) -> None:
            log = PostgresLog("a database", server.dsn("writer", "many"))
            for number in range(10):
                log.append([entry(writer * 100 + number)], 1000)
            log.close()

        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        log = PostgresLog("a database", server.dsn("reader", "many"))
        found = verify_log(log, ())
        assert (found.records, found.findings) == (40, ())
        log.close()

    def test_s36_a_policy_that_cannot_be_read_is_not_pruned_around(self, server: Postgres) -> None:
        import psycopg

        server.database("pruned")
        log = PostgresLog("a database", server.dsn("writer", "pruned"))
        log.append([entry(0)], 1000)
        log.close()
        with psycopg.connect(server.dsn("owner", "pruned"), autocommit=True) as db:
            db.execute("alter table gate.blob disable trigger all")
            db.execute("update gate.blob set data = 'x' where digest in (select policy from gate.record)")
        keeper = PostgresLog("a database", server.dsn("keeper", "pruned"))
        with pytest.raises(RecordError, match="a policy cannot be read"):
            keeper.prune(keeper.floor())
        keeper.close()

    def test_s36_a_probe_finds_what_appending_would(self, server: Postgres) -> None:
        import psycopg

        server.database("probed")
        log = PostgresLog("a database", server.dsn("writer", "probed"))
        log.append([entry(0)], 1000)
        with psycopg.connect(server.dsn("owner", "probed"), autocommit=True) as db:
            db.execute("revoke insert on gate.blob from gate_writer")
            with pytest.raises(RecordError, match="nothing could be recorded: permission denied"):
                log.probe()
            db.execute("grant insert on gate.blob to gate_writer")
            log.probe()
        reader = PostgresLog("a database", server.dsn("reader", "probed"))
        with pytest.raises(RecordError, match="nothing could be recorded"):
            reader.probe()
        reader.close()
        log.close()

    def test_s36_a_database_that_does_not_answer_is_given_up(self, server: Postgres) -> None:
        import psycopg

        server.database("silent")
        log = PostgresLog("a database", server.dsn("writer", "silent"))
        log.append([entry(0)], 1000)
        with psycopg.connect(server.dsn("owner", "silent")) as db:
            db.execute("lock table gate.record in access exclusive mode")
            timer = threading.Timer(0.3, log.interrupt)
            timer.start()
            with pytest.raises(RecordError, match="could not be recorded"):
                log.append([entry(1)], 1000)
            timer.join()
        log.append([entry(1)], 1000)
        log.close()

    def test_s36_the_database_goes_away_and_comes_back(self) -> None:
        with Postgres.running() as server:
            server.database("log")
            log = PostgresLog("a database", server.dsn("writer", "log"))
            log.append([entry(0)], 1000)
            server.stop()
            for _ in range(2):
                with pytest.raises(RecordError, match="could not be recorded") as caught:
                    log.append([entry(1)], 1001)
                assert "bring the database back" in caught.value.hint
            server.start()
            log.append([entry(2)], 1002)
            found = verify_log(log, ())
            assert (found.records, found.findings) == (2, ())
            assert find_decision(log, identity(1)) is None
            log.close()


def test_a_connection_string_is_a_secret(tmp_path: Path) -> None:
    path = tmp_path / "dsn"
    with pytest.raises(ConfigError, match="No such file"):
        open_postgres(None, path)
    path.write_text("host=127.0.0.1 port=1 password=hunter2")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="can be read by others"):
        open_postgres(None, path)
    path.chmod(0o600)
    log = open_postgres(None, path)
    assert log.name == "postgres of dsn"
    with pytest.raises(RecordError) as caught:
        log.append([entry(0)], 1000)
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"
    path.write_text("nonsense = = x")
    with pytest.raises(ConfigError, match="holds no connection string"):
        open_postgres(None, path)
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        open_postgres(None, path)
    assert open_postgres("gate", None).name == "postgres service gate"


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigError, match="needs the extra postgres") as caught:
        open_postgres("gate", None)
    assert caught.value.hint == "pip install 'gate[postgres]'"


def test_s36_every_folder_that_is_made_for_a_log_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []

    def sync(folder: Path) -> None:
        synced.append(folder)

    monkeypatch.setattr(sqlite_module, "_sync", sync)
    open_sqlite(tmp_path / "a/b/log.db", create=True).close()
    open_sqlite(tmp_path / "a/b/other.db", create=True).close()
    both = tmp_path / "a/b"
    assert synced == [both, tmp_path / "a", tmp_path, both]


READ_ONLY = """
import sys
from pathlib import Path
from gate.errors import RecordError
from gate.record.sqlite import open_sqlite
from gate.record.verify import verify_log
path = Path(sys.argv[1])
for place in (path, path.with_name("new.db")):
    try:
        open_sqlite(place, create=True)
    except RecordError as error:
        print(error, error.exit_code)
found = verify_log(open_sqlite(path), ())
print(found.records, found.findings)
"""


def test_s36_on_a_read_only_file_system_nothing_is_promised_and_all_can_be_read(tmp_path: Path) -> None:
    """A mount in a namespace of its own, which ends with the process."""
    filled(tmp_path / "log.db", 3).close()
    place = tmp_path / "mounted"
    place.mkdir()
    steps = 'mount -t tmpfs none "$1" && cp "$2" "$1" && mount -o remount,ro "$1" && exec "$3" -c "$4" "$1/log.db"'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", steps, "sh", place, tmp_path / "log.db", sys.executable, READ_ONLY],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    if b"unshare" in done.stderr:
        pytest.skip(f"no mount of one's own: {done.stderr.decode()}")
    first, second, read = done.stdout.decode().splitlines()
    assert "unable to open database file" in first
    assert "Read-only file system" in second
    assert (first[-2:], second[-2:], read) == (" 5", " 5", "3 ()")
