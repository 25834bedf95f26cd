"""The decision log: durable appends beside syncs of the same disk, and verification beside hashing the same bytes.

    python -m bench.log [RECORDS]

Records hold a decision and an input document of a pull request, each with its own id, time and digests.
"""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from bench.measure import Figure, table
from gate.formats.canonical_json import Canonical, dumps
from gate.model.digest import sha256_digest
from gate.model.json import JsonObject
from gate.model.record import Entry
from gate.record.chain import entry_of
from gate.record.checkpoint import make_checkpoint
from gate.record.group import GroupCommit
from gate.record.sqlite import open_sqlite
from gate.record.verify import verify_log
from gate.report.json import decision_json
from tests.support.decisions import approval
from tests.support.records import policy, signer

WRITERS = 16
RUNS = 9


def entries(count: int) -> list[Entry]:
    """Decisions about a change with five statements."""
    used = policy()
    text = json.dumps(decision_json(approval()))
    statements: dict[str, JsonObject] = {
        sha256_digest(bytes([n])): {"claim": "eval", "predicate": {"n": n, "x": "y" * 600}} for n in range(5)
    }
    found = []
    for number in range(count):
        document = dumps({"context": {"now_s": number}, "attestations": dict(statements)})
        decision = json.loads(text) | {"id": f"01J8ZQ{number:020}"}
        decision["digests"] |= {"input": sha256_digest(document), "policy": used.digest}
        found.append(entry_of(Canonical(decision, dumps(decision)), document, used))
    return found


def log(folder: Path, count: int = 50_000) -> Iterator[Figure]:
    """Appends one by one and by many writers, and verification."""
    made = entries(count)
    size = len(made[0].decision) + len(made[0].document)
    sync = _per_s(200, partial(_syncs, folder / "sync", 200, size))
    alone = statistics.median(_per_s(300, partial(_alone, folder / f"one{n}.db", made[:300])) for n in range(RUNS))
    yield Figure(
        f"durable decisions, one writer, {size / 1e3:.0f} KB each",
        f"{alone:.0f}/s",
        f"write and fdatasync of {size / 1e3:.0f} KB {sync:.0f}/s",
        f"{alone / sync:.2f}x",
    )
    many = statistics.median(_per_s(4000, partial(_many, folder / f"m{n}.db", made[:4000])) for n in range(RUNS))
    what = f"the same, {WRITERS} writers that share a sync"
    yield Figure(what, f"{many:.0f}/s", f"one writer {alone:.0f}/s", f"{many / alone:.2f}x", ">= 1,000/s")
    path = folder / "log.db"
    whole = open_sqlite(path, create=True)
    for start in range(0, count, 500):
        whole.append(made[start : start + 500], 1000 + start)
        make_checkpoint(whole, signer(), ())
    verified = statistics.median(_per_s(count, partial(_verify, path)) for _ in range(RUNS))
    hashed = statistics.median(_per_s(count, partial(_hash, made)) for _ in range(RUNS))
    yield Figure(
        f"verify a log of {count} records, {path.stat().st_size / 1e6:.0f} MB, on {len(os.sched_getaffinity(0))} cores",
        f"{verified:.0f} records/s",
        f"SHA-256 of the same bytes in memory, one core {hashed:.0f}/s",
        f"{verified / hashed:.2f}x",
        ">= 50,000/s",
    )


def _per_s(count: int, work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return count / (time.perf_counter() - began)


def _syncs(path: Path, count: int, size: int) -> None:
    with path.open("wb", buffering=0) as file:
        for _ in range(count):
            file.write(bytes(size))
            os.fdatasync(file.fileno())


def _alone(path: Path, made: Sequence[Entry]) -> None:
    found = open_sqlite(path, create=True)
    for entry in made:
        found.append([entry], 1000)
    found.close()


def _many(path: Path, made: Sequence[Entry]) -> None:
    group = GroupCommit(lambda _: open_sqlite(path, create=True))

    def write(part: int) -> None:
        for entry in made[part::WRITERS]:
            group.append(entry, 1000)

    threads = [threading.Thread(target=write, args=(part,)) for part in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    group.close(10)


def _verify(path: Path) -> None:
    found = verify_log(open_sqlite(path), [signer().key])
    if found.findings:
        raise SystemExit(str(found.findings[0]))


def _hash(made: Sequence[Entry]) -> None:
    for entry in made:
        hashlib.sha256(entry.decision).digest()
        hashlib.sha256(entry.document).digest()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        print(table(list(log(Path(place), int(sys.argv[1]) if sys.argv[1:] else 50_000))))
