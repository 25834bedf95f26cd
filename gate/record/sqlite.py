"""The decision log in one SQLite file.

A write-ahead log with `synchronous = FULL`: a commit returns when the record is on disk, a crash loses what was not
committed and nothing else, and readers wait for nobody. Triggers refuse every statement that is not an append; that
stops mistakes. Whoever may write the file can do away with them, and is found by the hashes (`gate.record.verify`).

A file that is no log of the gate, or has any other table, view or trigger, is not opened: SQL in it would be run.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from gate.errors import EvidenceError, GateError, RecordError
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.digest import Digest
from gate.model.record import Checkpoint, Entry, Floor, Record
from gate.record.chain import next_record, record_hash, record_of, split_peaks
from gate.record.tables import NAMED, SQLITE

_APPLICATION: Final = 0x67617465  # "gate"
_VERSION: Final = 1
_WAIT_S: Final = 10.0
_CORRUPT: Final = 11
_FULL: Final = 13
_PAGE_BYTES: Final = 16 << 10  # decisions are larger than pages usually are
_COLUMNS: Final = "seq, id, at_s, decision, document, policy, prev, summary, hash"


class SqliteLog:
    """A log in a file. One object belongs to one thread at a time."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._db = connection
        self._places = {path: _place(path)}

    @property
    def name(self) -> str:
        """The path."""
        return str(self._path)

    def append(self, entries: Sequence[Entry], at_s: int) -> tuple[Record, ...]:
        """Appends in one transaction, which is synced to disk when this returns."""
        try:
            with self._writing():
                size, prev = self._head()
                records = []
                for entry in entries:
                    record = next_record(entry, size, prev, at_s)
                    self._insert(entry, record)
                    size, prev = size + 1, record.hash
                    records.append(record)
        except sqlite3.Error as error:
            raise RecordError(f"{self._path}: the decision could not be recorded: {error}", hint=_hint(error)) from None
        return tuple(records)

    def size(self) -> int:
        """How many records were ever appended."""
        with self._reading():
            last = self._db.execute("select max(seq) from record").fetchone()[0]
            return self.floor().size if last is None else int(last) + 1

    def last(self) -> Record | None:
        """The record that was appended last."""
        return self._one("order by seq desc limit 1")

    def get(self, identity: str) -> Record | None:
        """The record with an id."""
        return self._one("where id = ?", identity)

    def probe(self) -> None:
        """Writes the version that is there already, and syncs that."""
        self._change(f"pragma user_version = {_VERSION}", ())

    def interrupt(self) -> None:
        """Ends a statement of another thread."""
        with contextlib.suppress(sqlite3.ProgrammingError):  # closed meanwhile
            self._db.interrupt()

    def floor(self) -> Floor:
        """Where the log begins."""
        with self._reading():
            row = self._db.execute("select size, prev, peaks from pruned order by size desc limit 1").fetchone()
        return Floor() if row is None else Floor(row[0], Digest(row[1]), split_peaks(row[2]))

    def records(self, start: int = 0, *, newest_first: bool = False) -> Iterator[Record]:
        """The records of one moment."""
        order = "desc" if newest_first else "asc"
        query = f"select {_COLUMNS} from record where seq >= ? order by seq {order}"  # noqa: S608 - of constants
        with self._reading():
            for row in self._db.execute(query, (start,)):
                yield record_of(row)

    def find(self, identity: str) -> tuple[Record, ...]:
        """The records whose id begins so, two at most; the one that has it is the first."""
        query = f"select {_COLUMNS} from record where substr(id, 1, ?) = ? order by id limit 2"  # noqa: S608
        with self._reading():
            return tuple(record_of(row) for row in self._db.execute(query, (len(identity), identity)))

    def blob(self, digest: Digest) -> bytes | None:
        """The bytes stored under a digest."""
        with self._reading():
            row = self._db.execute("select data from blob where digest = ?", (digest,)).fetchone()
        return None if row is None else bytes(row[0])

    def blobs(self, part: int = 0, parts: int = 1) -> Iterator[tuple[Digest, bytes]]:
        """All of them, or one of so many equal parts."""
        with self._reading():
            for digest, data in self._db.execute("select digest, data from blob where rowid % ? = ?", (parts, part)):
                yield Digest(digest), data

    def helper(self, part: int, parts: int) -> Sequence[str]:
        """The worker: several processes read one file."""
        return (sys.executable, "-P", "-m", "gate.record.worker", str(self._path.absolute()), str(part), str(parts))

    def policies(self) -> Iterator[tuple[int, Digest]]:
        """The policies that judged."""
        with self._reading():
            for seq, digest in self._db.execute("select min(seq), policy from record group by policy order by 1"):
                yield seq, Digest(digest)

    def named(self) -> Iterator[tuple[int, Digest]]:
        """What the records name, whatever an index says."""
        with self._reading():
            for seq, digest in self._db.execute(NAMED.format(table="record not indexed")):
                yield seq, Digest(digest)

    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """The checkpoints by size."""
        with self._reading():
            rows = self._db.execute("select size, note, peaks from checkpoint order by size").fetchall()
        return tuple(Checkpoint(size, note, split_peaks(peaks)) for size, note, peaks in rows)

    def last_checkpoint(self) -> Checkpoint | None:
        """The checkpoint of most records."""
        with self._reading():
            row = self._db.execute("select size, note, peaks from checkpoint order by size desc limit 1").fetchone()
        return None if row is None else Checkpoint(row[0], row[1], split_peaks(row[2]))

    def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Stores one, unless there is one of its size."""
        values = (checkpoint.size, checkpoint.note, b"".join(checkpoint.peaks))
        self._change("insert into checkpoint values (?, ?, ?) on conflict do nothing", values)

    def consumers(self) -> Mapping[str, int]:
        """How many records each consumer has acknowledged."""
        with self._reading():
            return dict(self._db.execute("select name, size from consumer order by name").fetchall())

    def acknowledge(self, consumer: str, size: int) -> None:
        """A consumer has the first `size` records."""
        query = "insert into consumer values (?, ?) on conflict do update set size = max(size, excluded.size)"
        self._change(query, (consumer, size))

    def prune(self, floor: Floor) -> int:
        """Removes the records below a floor, and the blobs that no other refers to; gives the space back."""
        try:
            with self._writing():
                values = (floor.size, floor.prev, b"".join(floor.peaks))
                self._db.execute("insert into pruned values (?, ?, ?)", values)
                removed = self._db.execute("delete from record where seq < ?", (floor.size,)).rowcount
                self._db.execute("create temporary table kept(digest text primary key) strict")
                self._keep()
                self._db.execute("delete from blob where not exists (select 1 from kept where digest = blob.digest)")
                self._db.execute("drop table kept")
            self._db.execute("vacuum")
        except (sqlite3.Error, StrictJsonError) as error:
            hint = _hint(error) if isinstance(error, sqlite3.OperationalError) else "gate log verify"
            raise RecordError(f"{self._path}: cannot be pruned: {error}", hint=hint) from None
        return removed

    def map_file(self) -> None:
        """Reads through mapped memory, which is faster. A file that is cut off meanwhile then ends the process."""
        self._db.execute(f"pragma mmap_size = {1 << 40}")

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def _one(self, which: str, *values: str) -> Record | None:
        with self._reading():
            row = self._db.execute(f"select {_COLUMNS} from record {which}", values).fetchone()  # noqa: S608 - of constants
        return None if row is None else record_of(row)

    def _keep(self) -> None:
        keep = "insert into kept values (?) on conflict do nothing"
        for column in ("decision", "document", "policy"):
            self._db.execute(f"insert into kept select {column} from record where true on conflict do nothing")  # noqa: S608
        policies = "select data from blob where digest in (select distinct policy from record)"
        for (manifest,) in self._db.execute(policies).fetchall():
            self._db.executemany(keep, [(digest,) for digest in loads_object(manifest).values()])

    def _head(self) -> tuple[int, Digest]:
        """How long the log is, and the hash of its last record, which has to be that of what is there."""
        row = self._db.execute(f"select {_COLUMNS} from record order by seq desc limit 1").fetchone()  # noqa: S608
        if row is None:
            floor = self.floor()
            return floor.size, floor.prev
        last = record_of(row)
        if record_hash(last) != last.hash:
            raise RecordError(f"{self._path}: record {last.seq}, the last one, was changed", hint="gate log verify")
        return last.seq + 1, last.hash

    def _insert(self, entry: Entry, record: Record) -> None:
        add = "insert into blob values (?, ?) on conflict do nothing"
        self._db.execute(add, (record.decision, entry.decision))
        self._db.execute(add, (record.document, entry.document))
        if self._db.execute(add, (record.policy, entry.policy.manifest)).rowcount:
            manifest = loads_object(entry.policy.manifest)
            self._db.executemany(add, [(manifest[path], data) for path, data in entry.policy.files.items()])
        values = (record.seq, record.id, record.at_s, record.decision, record.document, record.policy, record.prev)
        self._db.execute(
            f"insert into record({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - of constants
            (*values, record.summary, record.hash),
        )

    def _change(self, statement: str, values: tuple[int | str | bytes, ...]) -> None:
        try:
            with self._writing():
                self._db.execute(statement, values)
        except sqlite3.Error as error:
            raise RecordError(f"{self._path}: cannot be written: {error}", hint=_hint(error)) from None

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        self._db.execute("begin immediate")
        try:
            yield
            self._db.execute("commit")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("rollback")
            raise
        self._check_kept()

    def _check_kept(self) -> None:
        """What was written lies where the log is named: nobody finds it in a file that was moved or removed."""
        self._places.setdefault(self._journal, _place(self._journal))
        for path, place in self._places.items():
            if place is not None and _place(path) != place:
                raise RecordError(f"{path} was moved or removed while it was written", hint="put the log back")

    @property
    def _journal(self) -> Path:
        return self._path.with_name(f"{self._path.name}-wal")

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise EvidenceError(f"{self._path}: cannot be read: {error}", hint=_torn(self._path)) from None


def open_sqlite(path: Path, *, create: bool = False) -> SqliteLog:
    """Opens the log for reading, or for appending where `create` is said: then it is made if it is not there.

    Raises `EvidenceError` when there is none or it cannot be read, `RecordError` when it cannot be appended to.
    """
    failed: type[GateError] = RecordError if create else EvidenceError
    if not create and not path.exists():
        raise EvidenceError(
            f"there is no decision log {path}", hint="gate check makes it, where gate.yaml has `record`"
        )
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise failed(f"{path} is a link, or no regular file", hint="name the file itself under record.sqlite")
    try:
        connection = _connect(path, create)
        try:
            _prepare(connection, path, create)
        except BaseException:
            connection.close()
            raise
    except (sqlite3.Error, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        hint = _torn(path) if getattr(error, "sqlite_errorcode", 0) & 0xFF == _CORRUPT or not create else _hint(error)
        raise failed(f"{path}: the decision log cannot be opened: {reason}", hint=hint) from None
    return SqliteLog(path, connection)


def _place(path: Path) -> tuple[int, int] | None:
    """Which file lies at a path; `None` for none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _connect(path: Path, create: bool) -> sqlite3.Connection:
    mode = "rw"
    if not create:
        mode = "ro"
        # A log in a place where nothing can be written, without changes on the way, is read as it lies there.
        if not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists():
            mode = "ro&immutable=1"
    elif not path.exists():
        changed = [path.parent, *(folder.parent for folder in path.parents if not folder.exists())]
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        for folder in changed:
            _sync(folder)
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=_WAIT_S, isolation_level=None)


def _sync(folder: Path) -> None:
    """What was made in a folder stays there when the power goes."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _prepare(db: sqlite3.Connection, path: Path, create: bool) -> None:
    db.execute("pragma trusted_schema = off")
    db.execute("pragma cell_size_check = on")
    if create:
        db.execute(f"pragma page_size = {_PAGE_BYTES}")
        _write_ahead(db)
        db.execute("pragma synchronous = full")
        if not db.execute("pragma schema_version").fetchone()[0]:
            _make(db)
    application, version = (db.execute(f"pragma {name}").fetchone()[0] for name in ("application_id", "user_version"))
    found = {sql for (sql,) in db.execute("select sql from sqlite_master where sql is not null")}
    if application == _APPLICATION and version > _VERSION:
        raise EvidenceError(f"{path} is a decision log of a later version", hint="use a later gate")
    if (application, found) != (_APPLICATION, set(SQLITE)):
        failed = RecordError if create else EvidenceError
        raise failed(f"{path} is no decision log of the gate", hint="name another file under record.sqlite")
    if create:
        _take_over(db)


def _take_over(db: sqlite3.Connection) -> None:
    """Writes and syncs what the journal shows: after a sync that failed it is not on disk. Waits for nobody."""
    db.executescript("pragma busy_timeout = 0; pragma wal_checkpoint(truncate)")
    db.execute(f"pragma busy_timeout = {_WAIT_S * 1000:.0f}")


def _write_ahead(db: sqlite3.Connection) -> None:
    """Switches the journal over, which waits for nobody by itself."""
    end = time.monotonic() + _WAIT_S
    while True:
        try:
            db.execute("pragma journal_mode = wal")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


def _make(db: sqlite3.Connection) -> None:
    db.execute("begin immediate")
    try:
        if not db.execute("pragma schema_version").fetchone()[0]:
            for statement in SQLITE:
                db.execute(statement)
            db.execute(f"pragma application_id = {_APPLICATION}")
            db.execute(f"pragma user_version = {_VERSION}")
        db.execute("commit")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            db.execute("rollback")
        raise


def _hint(error: Exception) -> str:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF == _FULL or getattr(error, "errno", 0) == 28:
        return "make room on the disk, then check again: without a record there is no answer"
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return (
            "find out who holds the log open, a backup perhaps, then check again: without a record there is no answer"
        )
    return "make the log writable, then check again: without a record there is no answer"


def _torn(path: Path) -> str:
    """What may be wrong with a file that cannot be read, and what to do about it."""
    try:
        with path.open("rb") as file:
            header = file.read(100)
        page, pages = int.from_bytes(header[16:18], "big"), int.from_bytes(header[28:32], "big")
        torn = path.stat().st_size < (65536 if page == 1 else page) * pages
    except OSError:
        torn = False
    return f"{'its end is torn off: ' if torn else ''}restore it from a copy, then gate log verify"
