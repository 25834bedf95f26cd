"""A clock that jumps by a year, or all the time, and one that was wrong from the beginning.

A webhook whose clock is not to be believed lets nothing in. Where nothing tells that it is wrong, nothing bad is let
in.
"""

from __future__ import annotations

import datetime as dt
import random
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from tests.faults.load import Load, verdicts
from tests.faults.shim import Shim
from tests.faults.site import Told, configured, folder, subjects, under_load
from tests.support.certificates import Authority, Pair
from tests.support.registries import Registry
from tests.support.webhook_site import Site

YEAR_S = 365 * 86400
FAULT_S = 2.0


class Lasting(Authority):
    """Its certificates are valid for years around now, so that they are not what a wrong clock refuses."""

    def _builder(self, subject: x509.Name, public: ec.EllipticCurvePublicKey, hours: float) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=800))
            .not_valid_after(now + dt.timedelta(days=800, hours=hours))
        )


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Lasting(tmp_path_factory.mktemp("lasting"))


def test_the_clock_jumps(registry: Registry, tmp_path: Path, authority: Authority, pair: Pair, told: Told) -> None:
    jumps = {"a year ahead": YEAR_S, "a year back": -YEAR_S, "ten minutes back": -600}
    with Shim(tmp_path) as shim:
        site = Site(folder(tmp_path / "site"), registry)
        configured(site)
        with under_load(site, authority, pair, subjects(site, "jumps"), environment=shim.environment) as run:
            for name, seconds in jumps.items():
                with run.fault(name, {"clock"}) as window:
                    shim.set(clock_s=seconds)
                    run.load.wait(FAULT_S)
                    window.more["ready"] = run.is_ready()
                    shim.clear()
                assert window.more["ready"] is False
            with run.fault("all the time", {"clock"}):
                chance = random.Random(9)
                for _ in range(25):
                    shim.set(clock_s=chance.choice([0, 1, 30, -30, 59, 61, -61, 3600, -3600, YEAR_S, -YEAR_S]))
                    run.load.wait(0.1)
                shim.clear()
        figures = run.figures()
    for name in jumps:
        assert figures["faults"][name]["clock"] > 0
    told(figures)


def test_the_clock_is_a_year_behind_the_log_from_the_beginning(
    registry: Registry, tmp_path: Path, lasting: Authority, told: Told
) -> None:
    pair = lasting.server("behind")
    with Shim(tmp_path) as shim:
        site = Site(folder(tmp_path / "site"), registry)
        configured(site)
        asked = subjects(site, "behind")
        with under_load(site, lasting, pair, asked):
            """Something is recorded now."""
        before = len(verdicts(site))
        shim.set(clock_s=-YEAR_S)
        with site.serve(pair, **shim.environment) as process:
            process.started()
            with Load(process.port, lasting, site, asked, 20) as load:
                load.wait(FAULT_S)
            ready = process.get("/readyz")
        good = [one for one in load.asked if one.subject.is_good]
        assert good
        assert {one.cause for one in good} == {"clock"}, {one.cause for one in good}
        assert not any(one.allowed for one in load.asked)
        assert len(verdicts(site)) == before
        told({"asked": len(load.asked), "refused_for_the_clock": len(good), "readyz": ready[0]})


def test_the_clock_is_a_year_ahead_from_the_beginning(
    registry: Registry, tmp_path: Path, lasting: Authority, told: Told
) -> None:
    """Nothing tells that it is: what is good may be let in or be too old. With the right time nothing is, since the log
    is ahead of it."""
    pair = lasting.server("ahead")
    with Shim(tmp_path) as shim:
        site = Site(folder(tmp_path / "site"), registry)
        configured(site)
        asked = subjects(site, "ahead")
        shim.set(clock_s=YEAR_S)
        with site.serve(pair, **shim.environment) as process:
            process.started()
            with Load(process.port, lasting, site, asked, 20) as load:
                load.wait(FAULT_S)
        assert not any(one.allowed for one in load.asked if not one.subject.is_good)
        ahead = sum(one.allowed for one in load.asked)
        recorded = verdicts(site)
        shim.clear()
        with site.serve(pair, **shim.environment) as process:
            process.started()
            with Load(process.port, lasting, site, asked, 20) as later:
                time.sleep(FAULT_S)
        assert not any(one.allowed for one in later.asked)
        assert {one.cause for one in later.asked if one.subject.is_good} <= {"clock"}
        assert verdicts(site) == recorded
        told({"asked_ahead": len(load.asked), "good_let_in_ahead": ahead, "asked_later": len(later.asked)})
