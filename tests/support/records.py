"""Decision logs for tests: entries, keys that sign checkpoints, and a PostgreSQL of one's own."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gate.formats.canonical_json import Canonical, dumps
from gate.model.digest import sha256_digest
from gate.model.record import Entry, PolicyFiles
from gate.record.chain import entry_of, policy_of
from gate.record.checkpoint import NoteSigner, note_key
from gate.record.sqlite import SqliteLog, open_sqlite
from gate.record.tables import POSTGRES
from gate.report.json import decision_json
from tests.support.decisions import refusal

ORIGIN = "acme.example/gate"
FILES = {"gate/main/main.rego": b"package gate.main\n", "gate/profiles/p/data.json": b"{}"}


def policy(files: dict[str, bytes] | None = None) -> PolicyFiles:
    found = FILES if files is None else files
    manifest = dumps({path: sha256_digest(data) for path, data in found.items()})
    return policy_of(sha256_digest(manifest), found)


@functools.cache
def _decision() -> str:
    return json.dumps(decision_json(refusal()))


def identity(number: int) -> str:
    return f"01J8ZQ{number:020}"


def entry(number: int, size: int = 10, **changes: Any) -> Entry:
    """A decision of its own with an input document of its own."""
    document = dumps({"number": number, "fill": "x" * size})
    used = changes.pop("policy", policy())
    decision: dict[str, Any] = json.loads(_decision()) | {"id": identity(number)} | changes
    decision["digests"] |= {"input": sha256_digest(document), "policy": used.digest}
    return entry_of(Canonical(decision, dumps(decision)), document, used)


def filled(path: Path, count: int, *, at_s: int = 1000) -> SqliteLog:
    """A log with so many records, recorded a second apart."""
    log = open_sqlite(path, create=True)
    for number in range(count):
        log.append([entry(number)], at_s + number)
    return log


def signer(word: int = 1, *, name: str = ORIGIN, curve: bool = False) -> NoteSigner:
    """A key that signs checkpoints: the same for the same word."""
    if curve:
        key = ec.derive_private_key(word, ec.SECP256R1())
        pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return NoteSigner(note_key(name, pem, "a key"), lambda data: key.sign(data, ec.ECDSA(SHA256())))
    own = ed25519.Ed25519PrivateKey.from_private_bytes(bytes([word]) * 32)
    pem = own.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return NoteSigner(note_key(name, pem, "a key"), own.sign)


# -- PostgreSQL --------------------------------------------------------------------------------------------------------


class Postgres:
    """A server of its own on a free port, run by a user that is not root."""

    def __init__(self) -> None:
        binaries = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/local/bin")]
        self._bin = next((folder for folder in binaries if (folder / "initdb").exists()), Path("/usr/bin"))
        self.home = Path(tempfile.mkdtemp(prefix="gate-pg-"))
        self.home.chmod(0o755)
        self._prefix: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(self.home, "nobody")
            self._prefix = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        initdb = ["initdb", "-D", "data", "-U", "owner", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"]
        self._run(*initdb)

    def _run(self, program: str, *arguments: str) -> None:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LC_ALL": "C"}
        command = [*self._prefix, str(self._bin / program), *arguments]
        done = subprocess.run(
            command, cwd=self.home, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()

    def start(self) -> None:
        options = (
            f"-c listen_addresses=127.0.0.1 -p {self.port} -k {self.home} -c fsync=off -c full_page_writes=off"
            " -c max_connections=20 -c shared_buffers=16MB"
        )
        # The server must not keep the pipes of a test open.
        self._run("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", "data", "-m", "immediate", "stop")

    def dsn(self, user: str = "owner", database: str = "postgres") -> str:
        return f"host=127.0.0.1 port={self.port} user={user} dbname={database} sslmode=disable"

    def database(self, name: str) -> None:
        """A database with the tables, and a login for each role."""
        import psycopg

        with psycopg.connect(self.dsn(), autocommit=True) as db:
            db.execute(f"create database {name}".encode())
            roles = db.execute("select count(*) from pg_roles where rolname like 'gate_%'").fetchone()
        script = POSTGRES
        if roles is not None and roles[0]:  # roles belong to the whole server
            script = "\n".join(line for line in POSTGRES.splitlines() if not line.startswith("create role"))
        with psycopg.connect(self.dsn(database=name), autocommit=True) as db:
            db.execute(script.encode())
            if roles is None or not roles[0]:
                for user in ("writer", "reader", "keeper"):
                    db.execute(f"create role {user} login in role gate_{user}".encode())

    @classmethod
    @contextlib.contextmanager
    def running(cls) -> Iterator[Postgres]:
        server = cls()
        try:
            server.start()
            try:
                yield server
            finally:
                with contextlib.suppress(AssertionError):
                    server.stop()
        finally:
            shutil.rmtree(server.home)
