"""A decision log on a disk that is full, read-only, slow or does not sync, and one in a database that is gone.

Without a record there is no answer that lets anything in: refusals say `record` meanwhile, and what was promised is in
the log afterwards.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.shim import ERRNOS, Shim, is_root
from tests.faults.site import Told, configured, folder, subjects, under_load
from tests.support.certificates import Authority, Pair
from tests.support.records import Postgres
from tests.support.registries import Registry
from tests.support.webhook_site import Site

FAULT_S = 2.0
DATABASE_S = 20.0
UNRECORDED = frozenset({"record"})
FAULTS = {
    "full": {"write_errno": ERRNOS["ENOSPC"]},
    "read-only": {"write_errno": ERRNOS["EROFS"]},
    "broken": {"write_errno": ERRNOS["EIO"]},
    "no sync": {"sync_errno": ERRNOS["EIO"], "sync_count": -1},
    "full at the sync": {"sync_errno": ERRNOS["ENOSPC"], "sync_count": -1},
}


def test_the_disk_fails(registry: Registry, tmp_path: Path, authority: Authority, pair: Pair, told: Told) -> None:
    with Shim(tmp_path) as shim:
        site = Site(folder(tmp_path / "site"), registry)
        configured(site)
        with under_load(site, authority, pair, subjects(site, "disk"), environment=shim.environment) as run:
            for name, values in FAULTS.items():
                before = shim.hits
                with run.fault(name, UNRECORDED) as window:
                    shim.set(**values)
                    run.load.wait(FAULT_S)
                    window.more["ready"] = run.is_ready()
                    shim.clear()
                window.more["failed_calls"] = shim.hits - before
                assert shim.hits > before
                assert window.more["ready"] is False
        figures = run.figures()
    assert all(causes.get("record") for causes in figures["faults"].values())
    told(figures)


def test_single_syncs_fail(registry: Registry, tmp_path: Path, authority: Authority, pair: Pair, told: Told) -> None:
    """One sync fails, or up to five in a row, again and again: whatever is let in is in the log."""
    with Shim(tmp_path) as shim:
        site = Site(folder(tmp_path / "site"), registry)
        configured(site)
        asked = subjects(site, "syncs")
        with (
            under_load(site, authority, pair, asked, environment=shim.environment) as run,
            run.fault("single syncs", UNRECORDED),
        ):
            for turn in range(20):
                shim.set(sync_errno=ERRNOS["EIO"], sync_count=1 + turn % 5)
                run.load.wait(0.15)
            shim.clear()
        figures = {"failed_syncs": shim.hits, **run.figures()}
    told(figures)


def test_the_disk_is_slow(registry: Registry, tmp_path: Path, authority: Authority, pair: Pair, told: Told) -> None:
    """A sync takes half a second, and then longer than an answer may."""
    with Shim(tmp_path) as shim:
        site = Site(folder(tmp_path / "site"), registry)
        configured(site)
        with under_load(site, authority, pair, subjects(site, "slow"), environment=shim.environment) as run:
            for milliseconds in (500, 5000):
                with run.fault(f"{milliseconds} ms", UNRECORDED):
                    shim.set(sync_ms=milliseconds)
                    run.load.wait(FAULT_S + 2.5)
                    shim.clear()
        figures = run.figures()
    assert figures["faults"]["500 ms"]["allowed"] > 0
    told(figures)


@contextmanager
def small_disk(where: Path) -> Iterator[Path]:
    folder(where)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(where)], check=True)
    try:
        yield where
    finally:
        subprocess.run(["umount", str(where)], check=True)


@pytest.mark.skipif(not is_root(), reason="mounts a small disk, which needs root; the others fail writes instead")
def test_a_small_disk_is_full(registry: Registry, tmp_path: Path, authority: Authority, pair: Pair, told: Told) -> None:
    """A real one: it is full, and has room again."""
    site = Site(folder(tmp_path / "site"), registry)
    configured(site)
    with small_disk(site.root / ".gate") as disk:
        with under_load(site, authority, pair, subjects(site, "small")) as run:
            filler = disk / "filler"
            with run.fault("full", UNRECORDED) as window:
                with filler.open("wb", buffering=0) as file:
                    try:
                        while file.write(bytes(4096)):
                            pass
                    except OSError:
                        pass
                run.load.wait(FAULT_S)
                window.more["ready"] = run.is_ready()
                filler.unlink()
        figures = run.figures()
    assert figures["faults"]["full"]["record"] > 0
    told(figures)


def test_the_database_is_gone(registry: Registry, tmp_path: Path, authority: Authority, pair: Pair, told: Told) -> None:
    """PostgreSQL is stopped for 20 seconds, which stand for 30 minutes: the log is tried again every second, so that
    what differs between the two is only how often it was tried. Afterwards nothing was started anew but the database.
    """
    with Postgres.running() as postgres:
        postgres.database("faults")
        site = Site(folder(tmp_path / "site"), registry)
        configured(site)
        (tmp_path / "dsn").write_text(postgres.dsn("writer", "faults"))
        (tmp_path / "dsn").chmod(0o600)
        document = json.loads((site.root / "gate.yaml").read_text())
        site.write("gate.yaml", document | {"record": {"postgres": {"dsn_file": str(tmp_path / "dsn")}}})
        asked = subjects(site, "database")
        with under_load(site, authority, pair, asked) as run, run.fault("gone", UNRECORDED) as window:
            postgres.stop()
            run.load.wait(DATABASE_S)
            window.more["ready"] = run.is_ready()
            postgres.start()
        assert window.more["ready"] is False
        figures = run.figures()
    assert figures["faults"]["gone"]["record"] > 0
    told(figures)
