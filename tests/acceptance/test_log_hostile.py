"""SECURITY 36: a log that comes with what is judged, and keys and checkpoints that are forged, in real runs."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.acceptance.test_log import LOG, SIMPLE, keygen, log, recorded_world
from tests.acceptance.world import World, inside
from tests.support.records import filled
from tools.scenario_draft import config


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
def test_s36_what_lies_beside_the_log_comes_not_with_the_change(tmp_path: Path, suffix: str) -> None:
    """SQLite takes the pages in it for those of the log."""
    world = World.make(tmp_path / "world", config(more=SIMPLE))
    assert world.judge().code == 0
    world.write(f"{LOG}{suffix}", b"x" * 100)
    world.git("add", "-f", f"{LOG}{suffix}")
    done = world.judge()
    assert (done.code, done.out) == (5, "")
    assert f"{LOG}{suffix} is tracked by git" in done.err
    world.git("rm", "-q", "-f", f"{LOG}{suffix}")
    (world.root / f"{LOG}{suffix}").symlink_to(tmp_path / "victim")
    done = world.judge()
    assert (done.code, done.out) == (5, "")
    assert f"decisions.db{suffix} is a link" in done.err


def test_s36_no_log_comes_in_a_submodule(tmp_path: Path) -> None:
    world = World.make(tmp_path / "world", config(more=SIMPLE))
    module = world.root / ".gate/record"
    filled(tmp_path / "forged.db", 2).close()
    module.mkdir(parents=True)
    shutil.copy(tmp_path / "forged.db", module / "decisions.db")
    world.git("-C", str(module), "init", "-q")
    world.git("-C", str(module), "add", "-A")
    world.git("-C", str(module), "commit", "-q", "-m", "a log")
    world.git("add", "-f", ".gate/record")
    done = world.judge()
    assert (done.code, done.out) == (5, "")
    assert ".gate/record is tracked by git" in done.err


def test_s36_an_absolute_path_into_the_work_tree_is_looked_at_too(tmp_path: Path) -> None:
    root = tmp_path / "world"
    world = World.make(root, config(more=f"record: {{sqlite: {root / LOG}}}\n"))
    filled(tmp_path / "forged.db", 2).close()
    world.write(LOG, (tmp_path / "forged.db").read_bytes())
    world.git("add", "-f", LOG)
    done = world.judge()
    assert (done.code, done.out) == (5, "")
    assert "is tracked by git" in done.err


def test_s36_a_forged_checkpoint_is_compared_with_the_key_that_is_given(tmp_path: Path) -> None:
    """Also where its line is written so that no name can be read in it."""
    public = keygen(tmp_path)
    (tmp_path / "own.pub").write_bytes(public)
    made = filled(tmp_path / "log.db", 2)
    made.close()
    arguments = ["--sqlite", str(tmp_path / "log.db"), "--root", str(tmp_path)]
    assert (
        inside("log", "checkpoint", "--key", str(tmp_path / "log.key"), "--origin", "a.example", *arguments).code == 0
    )
    other = tmp_path / "other"
    other.mkdir()
    keygen(other)
    lines = tmp_path / "lines"
    text = inside("log", "export", *arguments).out
    lines.write_text(text.replace('"checkpoint"', '"\\u0063heckpoint"'))
    verify = ["log", "verify", "--file", str(lines), "--root", str(tmp_path), "--key"]
    done = inside(*verify, str(other / "log.pub"))
    assert (done.code, "none of the known keys signed it" in done.out) == (14, True)
    lines.write_text("".join(json.dumps(json.loads(line)) + "\n" for line in text.splitlines()))
    assert inside(*verify, str(tmp_path / "own.pub")).code == 0
    # And nothing is removed on the word of a checkpoint that nobody we know signed.
    assert inside("log", "export", "--consumer", "a", "--acknowledge", "2", *arguments).code == 0
    pruned = inside("log", "prune", "--before", "2030-01-01T00:00:00Z", *arguments)
    assert pruned.code == 5
    assert "no public key proves its checkpoints" in pruned.err
    assert (
        inside("log", "prune", "--before", "2030-01-01T00:00:00Z", "--key", str(tmp_path / "own.pub"), *arguments).code
        == 0
    )


def test_s36_a_key_that_came_with_the_change_signs_nothing(tmp_path: Path) -> None:
    public = keygen(tmp_path)
    section = (
        f"record: {{sqlite: {LOG}, checkpoint: {{key: log.key, origin: a.example, every: 1, public_keys: [k.pub]}}}}\n"
    )
    world = recorded_world(tmp_path / "world", section, k_DOT_pub=public)
    other = tmp_path / "other"
    other.mkdir()
    keygen(other)
    shutil.copy(other / "log.key", world.root / "log.key")
    (world.root / "log.key").chmod(0o600)
    done = world.judge()
    assert (done.code, done.out) == (5, "")
    assert "the key that signs is none of those" in done.err
    shutil.copy(tmp_path / "log.key", world.root / "log.key")
    assert world.judge().code == 0
    assert re.search(r"by 1 signed checkpoint of a\.example", log(world, "verify").out)
