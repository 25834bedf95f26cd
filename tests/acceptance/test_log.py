"""`gate log`, and `gate check` with a record, as people use them: SECURITY 36."""

from __future__ import annotations

import json
import random
import re
import signal
import sqlite3
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from gate import api
from gate.formats import schema
from gate.record.chain import next_record
from gate.record.sqlite import open_sqlite
from gate.report.log import record_json, records_text
from tests.acceptance.world import ENVIRONMENT, NOW, Done, Repository, World, command, inside
from tests.support.pages import HOW_TO, run_page
from tests.support.records import Postgres, entry, filled
from tools.scenario_draft import config

PAGE = (HOW_TO / "decision-log.md").read_text("utf-8")
LOG = ".gate/record/decisions.db"
SIMPLE = f"record: {{sqlite: {LOG}}}\n"


def keygen(place: Path) -> bytes:
    private, public = place / "log.key", place / "log.pub"
    made = inside("keygen", "--type", "ed25519", "--no-passphrase", "--private", str(private), "--public", str(public))
    assert made.code == 0, made.text
    return public.read_bytes()


def recorded_world(root: Path, section: str, **files: bytes) -> World:
    base = {name.replace("__", "/").replace("_DOT_", "."): data for name, data in files.items()}
    return World.make(root, config(more=section), base=base)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world with a log and checkpoints, as on the page."""
    public = keygen(tmp_path)
    section = re.findall(r"```yaml\n(record:.*?)```", PAGE, re.DOTALL)[0]
    found = recorded_world(tmp_path / "world", section, keys__log_DOT_pub=public)
    (tmp_path / "log.key").rename(found.root / "log.key")
    return found


def log(world: Repository, *arguments: str) -> Done:
    done = inside("log", *arguments, "--root", str(world.root))
    assert done.code in {0, 2, 3, 5, 14}, done.text
    return done


def rows(world: Repository, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log(world, "query", "--format", "json", *arguments).out.splitlines()]


def test_the_page_works_as_written(world: World, tmp_path: Path) -> None:
    shown = run_page("decision-log.md", world.root, tmp_path / "bin")
    for word in ("ALLOW  summarizer", "intact.", "proved    it is record 1 of acme.example/gate", "2 records below 2"):
        assert word in shown
    assert (world.root / "checkpoint").read_text().startswith("acme.example/gate\n2\n")


def test_s36_every_decision_is_recorded_before_it_is_given(world: World) -> None:
    given = [world.judge().decision, world.judge("--dry-run").decision]
    (world.root / ".gate/attestations/provenance.dsse.json").unlink()
    refused = world.judge()
    assert refused.code == 10
    given.append(refused.decision)
    found = rows(world)
    assert [row["id"] for row in found] == [decision["id"] for decision in reversed(given)]
    assert [row["summary"]["dry_run"] for row in found] == [False, True, False]
    for decision in given:
        shown = log(world, "show", decision["id"], "--format", "json")
        assert json.loads(shown.out) == decision
    assert abs(found[0]["at_s"] - time.time()) < 600
    assert rows(world, "--verdict", "deny", "--control", "build.provenance")[0]["id"] == given[2]["id"]
    lines = log(world, "query", "--limit", "1").out.splitlines()
    assert "DENY   summarizer  build.provenance" in lines[0]
    assert lines[1] == "and older ones: --limit 2 shows more"
    assert log(world, "query", "--artifact", "other").out == "no decision fits\n"
    assert log(world, "verify").out.splitlines()[-1] == "intact.   exit 0"


def test_the_log_does_not_make_the_work_tree_dirty(tmp_path: Path) -> None:
    gates = "  - {id: G001, trigger_paths: ['**'], required_attestations: [prompt]}\n"
    found = World.make(tmp_path / "world", config(gates=gates, more=SIMPLE))
    first, second = (found.judge().decision for _ in range(2))
    assert (first | {"id": ""}) == (second | {"id": ""})
    assert second["subject"]["change"]["dirty"] is False


def test_s36_the_python_interface_records_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world.root)
    decision = api.check(base="main", now=1_795_176_000)
    assert [row["id"] for row in rows(world)] == [decision.id]


def test_s36_without_a_record_there_is_no_answer(world: World) -> None:
    output = world.root / "decision.json"
    output.write_text("stale")
    (world.root / LOG).parent.mkdir(parents=True)
    (world.root / LOG).write_text("no database, but long enough to be none" * 100)
    done = world.judge("--output", str(output))
    assert (done.code, done.out) == (5, "")
    assert "decisions.db: the decision log cannot be opened: file is not a database" in done.err
    assert output.read_text() == ""


def test_s36_where_a_due_checkpoint_cannot_be_signed_there_is_no_answer(world: World) -> None:
    assert world.judge().code == 0
    (world.root / "log.key").unlink()
    done = world.judge()
    assert (done.code, done.out) == (5, "")
    assert len(rows(world)) == 2, "the decision is recorded all the same"


def test_s36_nobody_is_asked_for_a_passphrase(world: World) -> None:
    path = world.root / "log.key"
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    path.write_bytes(locked)
    assert world.judge().code == 0
    done = world.judge()
    assert done.code == 5
    assert "nobody can be asked while a decision is recorded" in done.err


def test_s36_a_log_that_came_with_the_change_is_not_used(world: World, tmp_path: Path) -> None:
    """Its records would be signed as ours, and it may lie anywhere."""
    forged = filled(tmp_path / "forged.db", 3)
    forged.close()
    world.write(LOG, (tmp_path / "forged.db").read_bytes())
    world.git("add", "-f", LOG)
    done = world.judge()
    assert done.code == 5
    assert "is tracked by git" in done.err
    world.git("rm", "-q", "-f", LOG)
    (world.root / ".gate/record").symlink_to(tmp_path)
    done = world.judge()
    assert done.code == 5
    assert "record is a link" in done.err


def test_s36_killed_at_any_instant_what_was_answered_is_recorded(world: World) -> None:
    chance = random.Random(1)
    arguments = command("check", "--base", "main", "--format", "json", "--now", NOW)
    answered = []
    for _ in range(8):
        running = subprocess.Popen(
            arguments, cwd=world.root, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0.05, 1.0))
        running.send_signal(signal.SIGKILL)
        out, _ = running.communicate(timeout=60)
        answered += re.findall(rb'"id": "([0-9A-Z]{26})"', out)
    if (world.root / LOG).exists():
        assert {text.decode() for text in answered} <= {row["id"] for row in rows(world, "--limit", "100")}
        assert log(world, "verify").code == 0
    assert world.judge().code == 0


def test_s36_a_changed_log_is_told(world: World) -> None:
    for _ in range(3):
        world.judge()
    db = sqlite3.connect(world.root / LOG)
    (sql,) = db.execute("select sql from sqlite_master where name = 'record_fixed'").fetchone()
    db.execute("drop trigger record_fixed")
    db.execute("update record set at_s = 1 where seq = 1")
    db.execute(sql)
    db.commit()
    db.close()
    done = log(world, "verify")
    assert done.code == 14
    assert "WRONG     record.changed: record 1: it is not what was hashed when it was appended" in done.out
    assert done.out.endswith("2 findings: the log is not what was recorded.   exit 14\n")
    value = json.loads(log(world, "verify", "--format", "json").out)
    assert schema.problem("log-verification.json", value) is None
    assert (value["exit_code"], len(value["findings"])) == (14, 2)
    pruned = log(world, "prune", "--before", NOW)
    assert pruned.code == 5
    assert "is not pruned: record.changed" in pruned.err


def test_s36_a_deleted_record_is_told(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    filled(path, 3).close()
    db = sqlite3.connect(path)
    (sql,) = db.execute("select sql from sqlite_master where name = 'record_kept'").fetchone()
    db.execute("drop trigger record_kept")
    db.execute("delete from record where seq = 1")
    db.execute(sql)
    db.commit()
    db.close()
    done = inside("log", "verify", "--sqlite", str(path))
    assert done.code == 14
    assert "WRONG     record.missing: record 1: it is gone" in done.out
    assert "\nroot " not in done.out


def test_proofs(world: World, tmp_path: Path) -> None:
    (identity,) = [world.judge().decision["id"] for _ in range(1)]
    none_yet = log(world, "show", identity, "--proof")
    assert none_yet.code == 3
    assert "no checkpoint was made since record 0" in none_yet.err
    assert log(world, "checkpoint").out.startswith("acme.example/gate\n1\n")
    proof = tmp_path / "proof"
    proof.write_text(log(world, "show", identity, "--proof").out)
    good = log(world, "verify", "--proof", str(proof))
    assert good.code == 0
    assert "by a checkpoint of 1 records, signed by a known key" in good.out
    elsewhere = inside("log", "verify", "--proof", str(proof), "--root", str(tmp_path))
    assert "whose signature was not checked: give its --key" in elsewhere.out
    text = proof.read_text()
    proof.write_text(text.replace("index 0", "index 1"))
    wrong = log(world, "verify", "--proof", str(proof))
    assert (wrong.code, wrong.out) == (
        14,
        "WRONG     the proof does not lead from the record to the root of the checkpoint\n",
    )
    other = tmp_path / "other"
    other.mkdir()
    keygen(other)
    proof.write_text(text)
    refused = inside("log", "verify", "--proof", str(proof), "--root", str(tmp_path), "--key", str(other / "log.pub"))
    assert refused.code == 14
    proof.write_text("nothing")
    assert "is no proof of inclusion" in log(world, "verify", "--proof", str(proof)).err
    proof.write_bytes(b"\xff")
    assert "is not UTF-8" in log(world, "verify", "--proof", str(proof)).err


def test_consumers_and_pruning(world: World, tmp_path: Path) -> None:
    world.judge()
    assert "nobody has acknowledged an export" in log(world, "prune", "--before", "2030-01-01T00:00:00Z").err
    assert "has 1 records, and not 2" in log(world, "export", "--consumer", "a", "--acknowledge", "2").err
    assert "is not a name" in log(world, "export", "--consumer", "a b").err
    for wrong in (["--acknowledge", "1"], ["--consumer", "a", "--acknowledge", "1", "--limit", "1"]):
        assert "--acknowledge goes with --consumer alone" in log(world, "export", *wrong).err
    assert "leave out --from" in log(world, "export", "--consumer", "a", "--from", "1").err
    assert log(world, "export", "--consumer", "a", "--acknowledge", "1").out == "a has the first 1 records\n"
    assert log(world, "export", "--consumer", "a").out == ""
    done = log(world, "prune", "--before", "2030-01-01T00:00:00Z")
    assert done.out == "nothing up to a checkpoint is old enough and acknowledged as a whole; 1 records stay\n"
    assert len(log(world, "export", "--from", "0", "--limit", "1").out.splitlines()) == 1
    world.judge()
    lines = tmp_path / "lines"
    lines.write_text(log(world, "export").out)
    assert log(world, "verify", "--file", str(lines)).out.splitlines()[1:3] == [
        "records   2, 2 contents",
        "proved    the first 2 records, by 1 signed checkpoint of acme.example/gate",
    ]
    alone = inside("log", "verify", "--file", str(lines), "--root", str(tmp_path))
    assert "unchecked the signatures of checkpoints, for lack of a public key" in alone.out
    assert "proved    the first 2 records, by 1 checkpoint of" in alone.out
    log(world, "export", "--consumer", "a", "--acknowledge", "2")
    early = log(world, "prune", "--before", "2020-01-01T00:00:00Z")
    assert early.out == "nothing up to a checkpoint is old enough and acknowledged as a whole; 2 records stay\n"
    assert log(world, "prune", "--before", "2030-01-01T00:00:00Z").out == "2 records below 2 were removed; 0 stay\n"
    assert "records   0, behind 2 that were pruned, 0 contents" in log(world, "verify").out


def test_which_log_is_meant(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "bare"
    folder.mkdir()
    (folder / "gate.yaml").write_bytes(config())
    assert "has no section `record`" in inside("log", "query", "--root", str(folder)).err
    (folder / "gate.yaml").write_bytes(b"record: {sqlite: 1}\n")
    assert inside("log", "query", "--root", str(folder)).code == 2
    (folder / "gate.yaml").unlink()
    assert "there is no gate.yaml" in inside("log", "query", "--root", str(folder)).err
    assert "there is no decision log" in log(world, "query").err
    other = tmp_path / "other.db"
    made = filled(other, 2)
    made.close()
    assert len(inside("log", "query", "--sqlite", str(other), "--root", str(folder)).out.splitlines()) == 2
    own = ["--sqlite", str(other), "--root", str(folder)]
    assert "gate.yaml has no record.checkpoint" in inside("log", "checkpoint", *own).err
    key = ["--key", str(world.root / "log.key"), "--origin", "b.example"]
    target = tmp_path / "checkpoint"
    assert inside("log", "checkpoint", *key, *own, "--output", str(target)).code == 0
    assert target.read_text().startswith("b.example\n2\n")
    verified = inside("log", "verify", *own, "--key", str(world.root / "keys/log.pub"))
    assert "by 1 signed checkpoint of b.example" in verified.out
    assert "record    1," in inside("log", "show", "latest", *own).out
    assert "holds no decision 01K" in inside("log", "show", "01K", *own).err
    assert "cannot be read" in inside("log", "verify", "--file", str(tmp_path / "none"), *own).err
    empty = tmp_path / "empty.db"
    open_sqlite(empty, create=True).close()
    nothing = inside("log", "checkpoint", *key, "--sqlite", str(empty), "--root", str(folder))
    assert "nothing was recorded yet" in nothing.err
    assert "holds no decision latest" in inside("log", "show", "latest", "--sqlite", str(empty)).err


def test_keys_that_cannot_sign_checkpoints(world: World, tmp_path: Path) -> None:
    made = inside(
        "keygen", "--type", "p384", "--no-passphrase", "--private", str(tmp_path / "a.key"),
        "--public", str(tmp_path / "a.pub"),
    )  # fmt: skip
    assert made.code == 0
    world.judge()
    done = log(world, "checkpoint", "--key", str(tmp_path / "a.key"))
    assert done.code == 2
    assert "checkpoints cannot be signed with ecdsa-p384-sha384" in done.err
    assert log(world, "verify", "--key", str(tmp_path / "a.pub")).code == 2


def test_the_private_key_proves_where_no_public_one_is_named(world: World, tmp_path: Path) -> None:
    section = f"record: {{sqlite: {LOG}, checkpoint: {{key: log.key, origin: a.example, every: 1}}}}\n"
    other = recorded_world(tmp_path / "other", section)
    (other.root / "log.key").write_bytes((world.root / "log.key").read_bytes())
    (other.root / "log.key").chmod(0o600)
    assert other.judge().code == 0
    assert "by 1 signed checkpoint of a.example" in log(other, "verify").out
    (other.root / "log.key").unlink()
    assert "for lack of a public key" in log(other, "verify").out
    assert "proved with the private key alone" in inside("doctor", "--root", str(other.root)).out


def test_doctor_and_reports(world: World, tmp_path: Path) -> None:
    world.judge()
    decision = world.judge().decision
    assert "decisions.db: 2 records" in inside("doctor", "--root", str(world.root)).out
    (world.root / "keys/log.pub").write_text("none")
    assert "keys/log.pub is not a public key in PEM" in inside("doctor", "--root", str(world.root)).out
    shown = world.run("report", decision["id"][:20], "--format", "json")
    assert json.loads(shown.out) == decision
    key = (world.root / "log.key").read_bytes()
    other = ed25519.Ed25519PrivateKey.generate().public_key()
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (world.root / "keys/log.pub").write_bytes(other.public_bytes(*form))
    found = inside("doctor", "--root", str(world.root))
    assert "record.checkpoint.public_keys does not hold that of record.checkpoint.key" in found.out
    (world.root / "log.key").unlink()
    assert "log.key" in inside("doctor", "--root", str(world.root)).out
    (world.root / "log.key").write_bytes(key)
    plain = recorded_world(tmp_path / "plain", SIMPLE)
    assert "the decision log has no checkpoints" in inside("doctor", "--root", str(plain.root)).out
    assert plain.judge().code == 0
    assert "decisions.db: 1 records" in inside("doctor", "--root", str(plain.root)).out


def test_a_record_that_is_no_decision_is_said_to_be_none(tmp_path: Path) -> None:
    made = filled(tmp_path / "log.db", 1)
    made.append([entry(1, context={"environment": "x", "target": "y", "more": 1}, coverage=[])], 2000)
    made.close()
    done = inside("log", "show", "01J8ZQ00000000000000000001", "--sqlite", str(tmp_path / "log.db"))
    assert done.code == 3
    assert "record 1 is no decision" in done.err


def test_a_summary_that_cannot_be_read_is_shown_as_nothing() -> None:
    record = next_record(entry(0), 0, entry(0).policy.digest, 1)
    broken = replace(record, summary="[")
    assert record_json(broken)["summary"] == {}
    assert "NONE" in records_text([broken], more=False)
    many = replace(record, summary='{"controls": {"a": 1, "b": 1, "c": 1, "d": 1}, "dry_run": true, "verdict": "deny"}')
    assert "DENY  (dry run)    a, b, c and 1 more" in records_text([many], more=False)


def test_s36_the_schema_for_postgres_is_printed_and_works(world: World) -> None:
    assert inside("log", "schema").out.startswith("-- The decision log of the gate.")
    with Postgres.running() as server:
        server.database("log")
        dsn = world.root.parent / "dsn"
        dsn.write_text(server.dsn("writer", "log"))
        dsn.chmod(0o600)
        other = recorded_world(world.root.parent / "pg", f"record: {{postgres: {{dsn_file: {dsn}}}}}\n")
        decision = other.judge().decision
        assert [row["id"] for row in rows(other)] == [decision["id"]]
        assert log(other, "verify").code == 0
        server.stop()
        done = other.judge()
        assert (done.code, done.out) == (5, "")
        assert "postgres of dsn: the decision could not be recorded" in done.err
