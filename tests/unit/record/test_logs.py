"""What every decision log does, in SQLite and in PostgreSQL alike."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.errors import EvidenceError, RecordError
from gate.model.digest import sha256_digest
from gate.model.record import NO_RECORD, Checkpoint, Floor, Query
from gate.record.chain import record_hash
from gate.record.checkpoint import make_checkpoint
from gate.record.export import export_lines, verify_lines
from gate.record.interface import DecisionLog, find_decision, input_document, policy_files, search
from gate.record.postgres import PostgresLog
from gate.record.sqlite import open_sqlite
from gate.record.verify import verify_log
from tests.support.records import FILES, Postgres, entry, identity, policy, signer

pytestmark = pytest.mark.xdist_group("postgres")
_NAMES = (f"log{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with Postgres.running() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgres"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DecisionLog]:
    if request.param == "sqlite":
        found: DecisionLog = open_sqlite(tmp_path / "log.db", create=True)
    else:
        running: Postgres = request.getfixturevalue("server")
        name = next(_NAMES)
        running.database(name)
        found = PostgresLog("a database", running.dsn("writer", name))
    yield found
    found.close()


@pytest.fixture
def keep(log: DecisionLog) -> Iterator[DecisionLog]:
    """The same log for whom may prune."""
    if isinstance(log, PostgresLog):
        found = PostgresLog("a database", log._conninfo.replace("user=writer", "user=keeper"))
        yield found
        found.close()
    else:
        yield log


def test_an_empty_log(log: DecisionLog) -> None:
    assert (log.size(), list(log.records()), log.checkpoints(), log.last_checkpoint()) == (0, [], (), None)
    assert (log.floor(), dict(log.consumers()), list(log.named())) == (Floor(), {}, [])
    assert find_decision(log, identity(0)) is None
    assert log.blob(sha256_digest(b"")) is None
    assert make_checkpoint(log, signer(), ()) is None
    found = verify_log(log, ())
    assert (found.records, found.findings, found.proved) == (0, (), 0)
    assert found.unchecked == ("whether the log was cut off or rewritten as a whole, for lack of a checkpoint",)


def test_what_is_appended_is_chained_and_comes_back(log: DecisionLog) -> None:
    first, second = log.append([entry(0), entry(1)], 1000)
    (third,) = log.append([entry(2)], 1001)
    assert [record.seq for record in log.records()] == [0, 1, 2]
    assert list(log.records(newest_first=True)) == [third, second, first]
    assert list(log.records(2)) == [third]
    assert [first.prev, second.prev, third.prev] == [NO_RECORD, first.hash, second.hash]
    assert all(record.hash == record_hash(record) for record in (first, second, third))
    assert log.size() == 3
    found = find_decision(log, identity(1))
    assert found is not None
    assert (found.seq, found.id, found.at_s, found.record) == (1, identity(1), 1000, second)
    assert found.decision["id"] == identity(1)
    assert input_document(log, found) == {"number": 1, "fill": "x" * 10}
    assert policy_files(log, found) == FILES
    assert (found.document, found.policy) == (second.document, policy().digest)


def test_a_record_is_found_by_its_place_or_its_whole_id(log: DecisionLog) -> None:
    assert (log.last(), log.get(identity(0))) == (None, None)
    first, second = log.append([entry(0), entry(1)], 1000)
    assert (log.last(), log.get(identity(0)), log.get(identity(1)), log.get("01J8")) == (second, first, second, None)
    log.close()
    log.interrupt()  # nothing is open


def test_s36_a_probe_writes_and_changes_nothing(log: DecisionLog) -> None:
    log.append([entry(0)], 1000)
    stored = dict(log.blobs())
    for _ in range(3):
        log.probe()
    assert (log.size(), dict(log.blobs())) == (1, stored)
    assert verify_log(log, ()).findings == ()
    log.append([entry(1)], 1000)


def test_an_id_may_be_shortened_until_it_is_another_s_too(log: DecisionLog) -> None:
    log.append([entry(number) for number in (1, 10, 11)], 1000)
    assert find_decision(log, identity(11)) is not None
    assert find_decision(log, "01K") is None
    with pytest.raises(EvidenceError, match="several decisions have an id that begins with 01J8"):
        find_decision(log, "01J8")


def test_a_decision_is_recorded_once(log: DecisionLog) -> None:
    log.append([entry(0)], 1000)
    with pytest.raises(RecordError, match="could not be recorded"):
        log.append([entry(1), entry(0)], 1001)
    assert log.size() == 1
    log.append([entry(1)], 1002)
    assert verify_log(log, ()).findings == ()


def test_equal_policies_are_stored_once(log: DecisionLog) -> None:
    other = policy({**FILES, "gate/main/main.rego": b"package gate.main\n# other\n"})
    log.append([entry(0), entry(1), entry(2, policy=other)], 1000)
    assert [seq for seq, _ in log.policies()] == [0, 2]
    stored = dict(log.blobs())
    assert len(stored) == 3 + 3 + 2 + 3
    assert all(sha256_digest(data) == digest for digest, data in stored.items())
    parts = [digest for part in range(3) for digest, _ in log.blobs(part, 3)]
    assert sorted(parts) == sorted(stored)
    assert (log.helper(0, 1) is None) == isinstance(log, PostgresLog)


def test_decisions_are_looked_up(log: DecisionLog) -> None:
    log.append([entry(0)], 1000)
    log.append([entry(1, verdict="allow", exit_code=0)], 2000)
    log.append([entry(2, subject={"artifacts": {'o"dd': {"digest": None}, "\u00e9": {"digest": "sha256:1"}}})], 3000)

    def found(**wanted: str | int) -> list[int]:
        return [record.seq for record in search(log, Query(**wanted))]  # type: ignore[arg-type]

    assert found() == [2, 1, 0]
    assert [record.seq for record in search(log, Query(), newest_first=False)] == [0, 1, 2]
    assert found(verdict="allow") == [1]
    assert found(artifact="summarizer") == [1, 0]
    assert found(artifact='o"dd') == found(artifact="\u00e9") == found(artifact="sha256:1") == [2]
    assert found(artifact="other") == found(signer="other") == found(control="deny") == []
    assert found(control="artifact.signed", verdict="deny") == [2, 0]
    assert found(control="load.safe_format") == []
    assert found(signer="builder") == [2, 1, 0]
    assert found(since_s=2000) == [2, 1]
    assert found(until_s=2000) == [0]
    assert found(since_s=1500, until_s=2500) == [1]


def test_checkpoints_go_on_from_one_another(log: DecisionLog) -> None:
    own, other = signer(), signer(2)
    log.append([entry(number) for number in range(3)], 1000)
    first = make_checkpoint(log, own, ())
    assert first is not None
    assert make_checkpoint(log, own, ()) == first == log.last_checkpoint()
    log.append([entry(3)], 1001)
    second = make_checkpoint(log, own, ())
    assert log.checkpoints() == (first, second)
    found = verify_log(log, [own.key])
    assert (found.findings, found.proved, found.unchecked) == ((), 4, ())
    # Another key goes on only where the one before it is known.
    with pytest.raises(RecordError, match="none of the known keys signed it"):
        make_checkpoint(log, other, ())
    log.append([entry(4)], 1002)
    with pytest.raises(RecordError, match="the key that signs is none of those"):
        make_checkpoint(log, other, [own.key])
    third = make_checkpoint(log, other, [own.key, other.key])
    assert third is not None
    assert verify_log(log, [own.key, other.key]).proved == 5
    refused = verify_log(log, [other.key])
    assert [item.code for item in refused.findings] == ["checkpoint.refused"] * 2
    log.add_checkpoint(Checkpoint(5, "another", ()))
    assert log.last_checkpoint() == third


def test_consumers_acknowledge_and_never_go_back(log: DecisionLog, keep: DecisionLog) -> None:
    keep.acknowledge("siem", 3)
    keep.acknowledge("siem", 2)
    keep.acknowledge("archive", 1)
    assert dict(log.consumers()) == {"archive": 1, "siem": 3}


def test_what_was_pruned_is_still_part_of_every_proof(log: DecisionLog, keep: DecisionLog) -> None:
    own = signer()
    other = policy({"gate/main/main.rego": b"package gate.main\n# other\n"})
    log.append([entry(0, policy=other), entry(1), entry(2)], 1000)
    checkpoint = make_checkpoint(log, own, ())
    assert checkpoint is not None
    last = next(log.records(newest_first=True))
    log.append([entry(3), entry(4)], 1001)
    assert keep.prune(Floor(3, last.hash, checkpoint.peaks)) == 3
    assert log.floor() == Floor(3, last.hash, checkpoint.peaks)
    assert (log.size(), [record.seq for record in log.records()]) == (5, [3, 4])
    assert log.blob(other.digest) is None
    assert log.blob(policy().digest) is not None
    found = verify_log(log, [own.key])
    assert (found.first, found.records, found.contents, found.findings) == (3, 2, 4 + 3, ())
    assert make_checkpoint(log, own, ()) is not None
    assert verify_log(log, [own.key]).proved == 5
    lines = list(export_lines(log, 0))
    exported = verify_lines("lines", lines, [own.key], ())
    assert (exported.first, exported.records) == (3, 2)
    assert exported.unchecked[0].startswith("the root, for lack of the 3 records before these: verify")
    # All of it.
    newest = next(log.records(newest_first=True))
    end = log.last_checkpoint()
    assert end is not None
    assert keep.prune(Floor(5, newest.hash, end.peaks)) == 2
    assert (log.size(), list(log.blobs())) == (5, [])
    (record,) = log.append([entry(5)], 1002)
    assert (record.seq, record.prev) == (5, newest.hash)
    assert verify_log(log, [own.key]).findings == ()
