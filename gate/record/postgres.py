"""The decision log in PostgreSQL (extra `postgres`).

The tables and roles are those of `gate log schema`; nothing is created here. Who records may insert and select, so that
neither it nor who stole its password can take a record back. Appending takes a lock, so that there is one chain.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gate.errors import ConfigError, EvidenceError, GateError, RecordError
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.digest import Digest
from gate.model.record import Checkpoint, Entry, Floor, Record
from gate.record.chain import next_record, record_hash, record_of, split_peaks
from gate.record.tables import NAMED

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow

_COLUMNS: Final = "seq, id, at_s, decision, document, policy, prev, summary, hash"
_LOCK: Final = 0x67617465
_WAIT_S: Final = 10
_BLOCK: Final = 500
_TIMEOUT: Final = "set local lock_timeout = '10s'"
_HINT: Final = "without a record there is no answer: bring the database back, then check again"


class PostgresLog:
    """A log in a database. A lost connection is opened again for the next use."""

    def __init__(self, name: str, conninfo: str) -> None:
        self._name = name
        self._conninfo = conninfo
        self._open: psycopg.Connection | None = None

    @property
    def name(self) -> str:
        """What the configuration calls it, which holds no password."""
        return self._name

    def append(self, entries: Sequence[Entry], at_s: int) -> tuple[Record, ...]:
        """Appends in one transaction, which the server has written to disk when this returns."""
        records = []
        with self._transaction(RecordError, "the decision could not be recorded") as db:
            db.execute("set local synchronous_commit = on")
            db.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
            size, prev = _head(db, self._name)
            for entry in entries:
                record = next_record(entry, size, prev, at_s)
                _insert(db, entry, record)
                size, prev = size + 1, record.hash
                records.append(record)
        return tuple(records)

    def size(self) -> int:
        """How many records were ever appended."""
        with self._reading() as db:
            row = db.execute("select max(seq) from gate.record").fetchone()
            return _floor(db).size if row is None or row[0] is None else int(row[0]) + 1

    def last(self) -> Record | None:
        """The record that was appended last."""
        return self._one("order by seq desc limit 1")

    def get(self, identity: str) -> Record | None:
        """The record with an id."""
        return self._one("where id = %s", identity)

    def probe(self) -> None:
        """Inserts what appending would, as far as to the end of the transaction, which is taken back."""
        import psycopg

        with self._transaction(RecordError, "nothing could be recorded") as db:
            db.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
            db.execute("insert into gate.blob values ('probe', '')")
            raise psycopg.Rollback

    def interrupt(self) -> None:
        """Shuts the connection down, which ends whoever waits for an answer."""
        import psycopg

        db = self._open
        with contextlib.suppress(psycopg.Error, OSError):  # closed meanwhile
            if db is not None:
                with socket.socket(fileno=os.dup(db.fileno())) as connection:
                    connection.shutdown(socket.SHUT_RDWR)

    def floor(self) -> Floor:
        """Where the log begins."""
        with self._reading() as db:
            return _floor(db)

    def records(self, start: int = 0, *, newest_first: bool = False) -> Iterator[Record]:
        """The records of one moment."""
        order = "desc" if newest_first else "asc"
        query = f"select {_COLUMNS} from gate.record where seq >= %s order by seq {order}"  # noqa: S608 - of constants
        yield from (record_of(row) for row in self._stream(query, (start,)))

    def find(self, identity: str) -> tuple[Record, ...]:
        """The records whose id begins so, two at most; the one that has it is the first."""
        query = f"select {_COLUMNS} from gate.record where starts_with(id, %s) order by id limit 2"  # noqa: S608
        with self._reading() as db:
            return tuple(record_of(row) for row in db.execute(query.encode(), (identity,)).fetchall())

    def blob(self, digest: Digest) -> bytes | None:
        """The bytes stored under a digest."""
        with self._reading() as db:
            row = db.execute("select data from gate.blob where digest = %s", (digest,)).fetchone()
        return None if row is None else bytes(row[0])

    def blobs(self, part: int = 0, parts: int = 1) -> Iterator[tuple[Digest, bytes]]:
        """All of them, or one of so many equal parts."""
        query = "select digest, data from gate.blob where abs(hashtext(digest)::bigint) %% %s = %s"
        yield from ((Digest(digest), bytes(data)) for digest, data in self._stream(query, (parts, part)))

    def helper(self, part: int, parts: int) -> None:  # noqa: ARG002 - the server has the work
        """There is none."""
        return

    def policies(self) -> Iterator[tuple[int, Digest]]:
        """The policies that judged."""
        query = "select min(seq), policy from gate.record group by policy order by 1"
        yield from ((seq, Digest(digest)) for seq, digest in self._stream(query, ()))

    def named(self) -> Iterator[tuple[int, Digest]]:
        """What the records name."""
        yield from ((seq, Digest(digest)) for seq, digest in self._stream(NAMED.format(table="gate.record"), ()))

    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """The checkpoints by size."""
        with self._reading() as db:
            rows = db.execute("select size, note, peaks from gate.checkpoint order by size").fetchall()
        return tuple(Checkpoint(size, note, split_peaks(bytes(peaks))) for size, note, peaks in rows)

    def last_checkpoint(self) -> Checkpoint | None:
        """The checkpoint of most records."""
        with self._reading() as db:
            row = db.execute("select size, note, peaks from gate.checkpoint order by size desc limit 1").fetchone()
        return None if row is None else Checkpoint(row[0], row[1], split_peaks(bytes(row[2])))

    def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Stores one, unless there is one of its size."""
        values = (checkpoint.size, checkpoint.note, b"".join(checkpoint.peaks))
        with self._transaction(RecordError, "the checkpoint could not be stored") as db:
            db.execute("insert into gate.checkpoint values (%s, %s, %s) on conflict do nothing", values)

    def consumers(self) -> Mapping[str, int]:
        """How many records each consumer has acknowledged."""
        with self._reading() as db:
            return dict(db.execute("select name, size from gate.consumer order by name").fetchall())

    def acknowledge(self, consumer: str, size: int) -> None:
        """A consumer has the first `size` records."""
        query = (
            "insert into gate.consumer values (%s, %s)"
            " on conflict (name) do update set size = greatest(gate.consumer.size, excluded.size)"
        )
        with self._transaction(RecordError, "the acknowledgement could not be stored") as db:
            db.execute(query, (consumer, size))

    def prune(self, floor: Floor) -> int:
        """Removes the records below a floor, and the blobs that no other refers to."""
        with self._transaction(RecordError, "the log could not be pruned") as db:
            db.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
            values = (floor.size, floor.prev, b"".join(floor.peaks))
            db.execute("insert into gate.pruned values (%s, %s, %s)", values)
            removed = db.execute("delete from gate.record where seq < %s", (floor.size,)).rowcount
            kept = _files_in_use(db)
            db.execute(
                "delete from gate.blob where not digest = any(%s) and not exists"
                " (select 1 from gate.record r where gate.blob.digest in (r.decision, r.document, r.policy))",
                (kept,),
            )
        return removed

    def close(self) -> None:
        """Closes the connection."""
        if self._open is not None:
            self._open.close()
            self._open = None

    @contextlib.contextmanager
    def _reading(self) -> Iterator[psycopg.Connection]:
        with self._transaction(EvidenceError, "cannot be read") as db:
            yield db

    def _one(self, which: str, *values: str) -> Record | None:
        with self._reading() as db:
            row = db.execute(f"select {_COLUMNS} from gate.record {which}".encode(), values).fetchone()  # noqa: S608
        return None if row is None else record_of(row)

    def _stream(self, query: str, values: tuple[int, ...]) -> Iterator[TupleRow]:
        with self._reading() as db, db.cursor("gate") as cursor:
            cursor.itersize = _BLOCK
            cursor.execute(query.encode(), values)
            yield from cursor

    @contextlib.contextmanager
    def _transaction(self, failed: type[GateError], what: str) -> Iterator[psycopg.Connection]:
        """A transaction on the connection; any error of the database closes that, and is told without its details."""
        import psycopg

        try:
            db = self._connection()
            with db.transaction():
                db.execute(_TIMEOUT)
                yield db
        except psycopg.Error as error:
            self.close()
            reason = str(error).strip().split("\n", 1)[0] or type(error).__name__
            hint = _HINT if failed is RecordError else "gate log schema, for the tables and roles"
            raise failed(f"{self._name}: {what}: {reason}", hint=hint) from None

    def _connection(self) -> psycopg.Connection:
        import psycopg

        if self._open is None or self._open.closed:
            self._open = psycopg.connect(self._conninfo, connect_timeout=_WAIT_S, autocommit=True)
        return self._open


def open_postgres(service: str | None, dsn_file: Path | None) -> PostgresLog:
    """The log that a service of libpq names, or a file that holds a connection string.

    The file may be read by its group, as Kubernetes mounts secrets for a user that is not root, and by nobody else.
    Raises `ConfigError`. Nothing is connected yet.
    """
    try:
        import psycopg
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"record.postgres needs the extra postgres ({error.name} is not installed)",
            hint="pip install 'gate[postgres]'",
        ) from None
    if dsn_file is None:
        return PostgresLog(f"postgres service {service}", f"service={service}")
    try:
        if dsn_file.stat().st_mode & (stat.S_IWGRP | stat.S_IRWXO):
            raise ConfigError(f"{dsn_file} can be read by others", hint=f"chmod 600 {dsn_file}")
        conninfo = dsn_file.read_text("utf-8").strip()
        psycopg.conninfo.conninfo_to_dict(conninfo)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(f"{dsn_file}: the connection string cannot be read: {reason}") from None
    except psycopg.Error:
        raise ConfigError(f"{dsn_file} holds no connection string", hint="postgresql://user@host/database") from None
    return PostgresLog(f"postgres of {dsn_file.name}", conninfo)


def _head(db: psycopg.Connection, name: str) -> tuple[int, Digest]:
    """How long the log is, and the hash of its last record, which has to be that of what is there."""
    query = f"select {_COLUMNS} from gate.record order by seq desc limit 1"  # noqa: S608 - of constants
    row = db.execute(query.encode()).fetchone()
    if row is None:
        floor = _floor(db)
        return floor.size, floor.prev
    last = record_of(row)
    if record_hash(last) != last.hash:
        raise RecordError(f"{name}: record {last.seq}, the last one, was changed", hint="gate log verify")
    return last.seq + 1, last.hash


def _insert(db: psycopg.Connection, entry: Entry, record: Record) -> None:
    add = "insert into gate.blob values (%s, %s) on conflict do nothing"
    db.execute(add, (record.decision, entry.decision))
    db.execute(add, (record.document, entry.document))
    if db.execute(add, (record.policy, entry.policy.manifest)).rowcount:
        manifest = loads_object(entry.policy.manifest)
        with db.cursor() as cursor:
            cursor.executemany(add, [(manifest[path], data) for path, data in entry.policy.files.items()])
    values = (record.seq, record.id, record.at_s, record.decision, record.document, record.policy, record.prev)
    db.execute(
        f"insert into gate.record({_COLUMNS}) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)".encode(),  # noqa: S608
        (*values, record.summary, record.hash),
    )


def _floor(db: psycopg.Connection) -> Floor:
    row = db.execute("select size, prev, peaks from gate.pruned order by size desc limit 1").fetchone()
    return Floor() if row is None else Floor(row[0], Digest(row[1]), split_peaks(bytes(row[2])))


def _files_in_use(db: psycopg.Connection) -> list[str]:
    """The digests of the files of every policy that judged; raises `RecordError`."""
    query = "select data from gate.blob where digest in (select distinct policy from gate.record)"
    try:
        return [str(digest) for (data,) in db.execute(query) for digest in loads_object(bytes(data)).values()]
    except StrictJsonError as error:
        raise RecordError(f"the log could not be pruned: a policy cannot be read: {error}") from None
