"""Registries that are gone, slow, cut off, lying or without a name, while a webhook is asked.

Lists of what is attached are used for a second, so that the registry is asked all the time. Refusals that fit: the
registry did not answer, or what it answered was not believed.
"""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Callable
from pathlib import Path

from tests.faults.proxy import Answer, Behaviour, Proxy, cut, hole, late, lies, reset, through, trickle
from tests.faults.shim import NO_NAME, TRY_AGAIN, Shim
from tests.faults.site import Fronted, Told, configured, folder, fronted, subjects, under_load
from tests.support.certificates import Authority, Pair
from tests.support.registries import Registry
from tests.support.webhook_site import Site

FAULT_S = 2.8
LIE_S = 1.8
CHANCE = random.Random(9)
UNREACHED = frozenset({"registry", "evidence"})


class Fallen(Fronted):
    """Debian's registry, which keeps what it has on disk: it is killed, and started again."""

    def start_again(self) -> None:
        self._process = self._start()
        assert self._wait()


def test_the_registry_is_killed_and_comes_back(tmp_path: Path, authority: Authority, pair: Pair, told: Told) -> None:
    with Fallen(folder(tmp_path / "stored"), "debian") as registry:
        site = Site(folder(tmp_path / "site"), registry)
        configured(site)
        with under_load(site, authority, pair, subjects(site, "killed")) as run, run.fault("killed", UNREACHED):
            registry.close()
            run.load.wait(FAULT_S)
            registry.start_again()
        figures = run.figures()
    assert figures["faults"]["killed"]["registry"] > 0
    told(figures)


def test_what_was_seen_last_stands_for_a_registry_that_is_killed(
    tmp_path: Path, authority: Authority, pair: Pair, told: Told
) -> None:
    """With `outage: last-seen` what is good stays in, and what is bad stays out."""
    with Fallen(folder(tmp_path / "stored"), "debian") as registry:
        site = Site(folder(tmp_path / "site"), registry)
        configured(site, outage="last-seen", last_seen="10m")
        with under_load(site, authority, pair, subjects(site, "seen")) as run:
            run.load.wait(2)
            with run.fault("killed", UNREACHED):
                registry.close()
                run.load.wait(FAULT_S)
                registry.start_again()
        figures = run.figures()
    assert not figures["faults"]["killed"].get("registry")
    told(figures)


BREAKS: dict[str, Behaviour] = {
    "reset": reset,
    "hole": hole,
    "late by 1 s": late(1.0),
    "trickle": trickle,
    "cut": cut,
}


def test_the_registry_breaks_in_other_ways(
    registry: Registry, tmp_path: Path, authority: Authority, pair: Pair, told: Told
) -> None:
    with Proxy(registry.port) as proxy:
        site = Site(folder(tmp_path / "site"), fronted(registry, f"127.0.0.1:{proxy.port}"))
        configured(site)
        with under_load(site, authority, pair, subjects(site, "breaks")) as run:
            for name, behaviour in BREAKS.items():
                before = proxy.requests
                with run.fault(name, UNREACHED):
                    proxy.does(behaviour)
                    # Longer than a list that was looked up just before is used, and than anybody waits.
                    run.load.wait(FAULT_S + 2)
                    proxy.does(through)
                assert proxy.requests > before
        figures = run.figures()
    assert [name for name in BREAKS if not figures["faults"][name].get("registry")] in ([], ["late by 1 s"])
    told(figures)


# --- lies -------------------------------------------------------------------------------------------------------------


def nothing(answer: Answer) -> Answer:
    """Nothing is attached to anything."""
    if "/referrers/" not in answer.path:
        return answer
    document = json.loads(answer.body) | {"manifests": []}
    return dataclasses.replace(answer, status=200, body=json.dumps(document).encode())


def unknown(answer: Answer) -> Answer:
    """There is no such thing."""
    return dataclasses.replace(answer, status=404, body=b'{"errors":[{"code":"NAME_UNKNOWN"}]}')


def failed(answer: Answer) -> Answer:
    return dataclasses.replace(answer, status=500, body=b"")


def forbidden(answer: Answer) -> Answer:
    return dataclasses.replace(answer, status=403, body=b"{}")


def other_bytes(answer: Answer) -> Answer:
    """A byte is another in whatever is sent, some other byte each time."""
    data = bytearray(answer.body)
    if data:
        data[CHANCE.randrange(len(data))] ^= 1
    return dataclasses.replace(answer, body=bytes(data))


def not_json(answer: Answer) -> Answer:
    return dataclasses.replace(answer, status=200, body=b"<html>all is well</html>")


def empty(answer: Answer) -> Answer:
    return dataclasses.replace(answer, status=200, body=b"")


class Another:
    """What is attached to one image is told of every image."""

    def __init__(self) -> None:
        self._good: bytes | None = None

    def __call__(self, answer: Answer) -> Answer:
        if "/referrers/" not in answer.path or answer.status != 200:
            return answer
        if self._good is None and len(json.loads(answer.body)["manifests"]) == 2:
            self._good = answer.body
        return answer if self._good is None else dataclasses.replace(answer, body=self._good)


LIES: dict[str, Callable[[Answer], Answer]] = {
    "nothing attached": nothing,
    "unknown": unknown,
    "failed": failed,
    "forbidden": forbidden,
    "other bytes": other_bytes,
    "not JSON": not_json,
    "empty": empty,
    "of another image": Another(),
}


def test_the_registry_lies(registry: Registry, tmp_path: Path, authority: Authority, pair: Pair, told: Told) -> None:
    """A refusal may also say that the evidence is missing, for that is what the registry says."""
    with Proxy(registry.port) as proxy:
        site = Site(folder(tmp_path / "site"), fronted(registry, f"127.0.0.1:{proxy.port}"))
        configured(site)
        with under_load(site, authority, pair, subjects(site, "lies")) as run:
            for name, lie in LIES.items():
                with run.fault(name, UNREACHED | {"refused"}):
                    proxy.does(lies(lie))
                    run.load.wait(LIE_S)
                    proxy.does(through)
        figures = run.figures()
    for name, causes in figures["faults"].items():
        # What is kept by digest is not asked for again: a byte that nothing rests on may be another.
        assert name == "other bytes" or causes.keys() & {*UNREACHED, "refused"}, name
    told(figures)


# --- names ------------------------------------------------------------------------------------------------------------

NAMES = {
    "unknown": {"names": NO_NAME},
    "try again": {"names": TRY_AGAIN},
    "no answer for 8 s": {"names": TRY_AGAIN, "names_ms": 8000},
}


def test_names_are_not_found(registry: Registry, tmp_path: Path, authority: Authority, pair: Pair, told: Told) -> None:
    """No name is found, or whoever is asked for names does not answer."""
    with Proxy(registry.port) as proxy, Shim(tmp_path) as shim:
        site = Site(folder(tmp_path / "site"), fronted(registry, f"localhost:{proxy.port}"))
        configured(site)
        with under_load(site, authority, pair, subjects(site, "names"), environment=shim.environment) as run:
            for name, values in NAMES.items():
                before = shim.hits
                with run.fault(name, UNREACHED) as window:
                    shim.set(**values)
                    # Connections that are kept need no name.
                    proxy.does(reset)
                    run.load.wait(0.5)
                    proxy.does(through)
                    run.load.wait(FAULT_S - 0.5)
                    shim.clear()
                    window.more["names_asked"] = shim.hits - before
                assert shim.hits > before
        figures = run.figures()
    told(figures)
