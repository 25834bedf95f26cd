"""A webhook that is asked to end with fifty requests in flight, one that is killed again and again, and its workers."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import threading
import time
from pathlib import Path

from tests.faults.load import RATE, Load, Oracle
from tests.faults.proxy import Proxy, late
from tests.faults.site import Told, configured, folder, fronted, subjects, under_load
from tests.support.certificates import Authority, Pair
from tests.support.registries import Registry
from tests.support.webhook import wait_for
from tests.support.webhook_site import Site

IN_FLIGHT = 50
ISOLATED = 10
"""A process for each evaluation costs a tenth of a second: so many a second are enough for two processors."""
KILLS = int(os.environ.get("FAULTS_KILLS") or 20)


def test_it_ends_with_fifty_in_flight(
    registry: Registry, tmp_path: Path, authority: Authority, pair: Pair, told: Told
) -> None:
    """The registry answers late, so that they are in flight; all are answered, and none is let in unrecorded."""
    with Proxy(registry.port) as proxy:
        site = Site(folder(tmp_path / "site"), fronted(registry, f"127.0.0.1:{proxy.port}"))
        configured(site)
        asked = subjects(site, "ends")
        with site.serve(pair) as process:
            process.started()
            with Load(process.port, authority, site, asked, 10) as load:
                load.warm()
            calm = len(load.asked)
            time.sleep(1.1)
            proxy.does(late(0.1))
            barrier = threading.Barrier(IN_FLIGHT + 1)

            def ask(number: int) -> None:
                client = load.client()
                client.connection.connect()
                barrier.wait()
                load.ask(asked[number % len(asked)])

            threads = [threading.Thread(target=ask, args=(number,)) for number in range(IN_FLIGHT)]
            for thread in threads:
                thread.start()
            barrier.wait()
            time.sleep(0.2)
            signalled = time.monotonic()
            process.signal(signal.SIGTERM)
            code = process.ended()
            took = time.monotonic() - signalled
            for thread in threads:
                thread.join()
            load.close()
            (stopping,) = process.log("stopping")
            assert (code, [line["refused"] for line in process.log("stopped")]) == (0, [0])
        found = Oracle(site, load.asked)
        figures = found.figures()
    assert len(load.asked) - calm == IN_FLIGHT
    in_flight = [one for one in load.asked[calm:] if one.ended > signalled]
    told({"in_flight": stopping["in_flight"], "answered_after": len(in_flight), "took_s": round(took, 2), **figures})
    assert stopping["in_flight"] > IN_FLIGHT / 3


def test_it_is_killed(registry: Registry, tmp_path: Path, authority: Authority, pair: Pair, told: Told) -> None:
    """As often as FAULTS_KILLS says. Each time it begins again by itself, and goes on with the same log."""
    site = Site(folder(tmp_path / "site"), registry)
    configured(site)
    asked = subjects(site, "killed")
    chance = random.Random(9)
    all_asked, starts = [], []
    for _ in range(KILLS):
        with site.serve(pair) as process:
            began = time.monotonic()
            process.started()
            starts.append(time.monotonic() - began)
            with Load(process.port, authority, site, asked, max(RATE, 30)) as load:
                wait_for(lambda: any(one.allowed for one in load.asked))
                load.wait(chance.uniform(0.0, 0.7))
                process.signal(signal.SIGKILL)
                process.ended()
            all_asked += load.asked
    figures = Oracle(site, all_asked, answers=False).figures()
    unanswered = sum(one.response is None for one in all_asked)
    told({"kills": KILLS, "unanswered": unanswered, "start_s": round(max(starts), 1), **figures})


def test_its_workers_are_killed(
    registry: Registry, tmp_path: Path, authority: Authority, pair: Pair, told: Told
) -> None:
    """The engine has processes of its own here. They are killed and stopped under load."""
    site = Site(folder(tmp_path / "site"), registry)
    configured(site)
    document = json.loads((site.root / "gate.yaml").read_text())
    site.write("gate.yaml", document | {"engine": {"isolation": "process", "timeout_s": 2}})
    killed = 0
    with under_load(site, authority, pair, subjects(site, "workers"), rate=min(RATE, ISOLATED)) as run:
        with run.fault("killed", {"policy"}) as window:
            end = time.monotonic() + 3
            while time.monotonic() < end:
                killed += told_to(run.process.process.pid, signal.SIGKILL)
                run.load.wait(0.3)
            window.more["workers"] = killed
        with run.fault("stopped", {"policy"}) as window:
            window.more["workers"] = told_to(run.process.process.pid, signal.SIGSTOP)
            run.load.wait(3)
    assert killed > 0
    told(run.figures())


def told_to(process: int, number: signal.Signals) -> int:
    """Signals the processes that a process has started; how many there were."""
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True, check=False)
    count = 0
    for word in done.stdout.split():
        with contextlib.suppress(ProcessLookupError):  # it ended meanwhile, as they do
            os.kill(int(word), number)
            count += 1
    return count
