"""One replica of the webhook under load: `python -m bench.webhook --seconds 600 --rate 100`.

A registry that answers 20 ms late, images with five signed bundles each, `gate webhook serve` with TLS and its decision
log, and clients in a process of their own that check every answer: what is good is let in, what is not is refused for
what is wrong with it, and each answer is that to its request. Everything shares the cores that the machine has.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.judgement import documents_of
from bench.judging import BUNDLES, image, lay_settings, settings_in
from bench.measure import ROOT, Figure, table
from bench.webhook_registry import LateRegistry
from tests.support.admission import body, container, pod
from tests.support.certificates import Authority, Pair
from tests.support.opa_server import OpaServer
from tests.support.webhook import Process, wait_for

IMAGES: Final = 20
CONNECTIONS: Final = 100
ONE: Final = 500
_REFUSED_BY: Final = {"stranger": "evidence.accepted", "provenance": "container.provenance"}
"""What is wrong with each bad image, and a control that refuses it."""
_UID: Final = "uid-of-the-request"
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass
class Watched:
    """Memory of a process while something runs, in MiB, and what processor it used."""

    pid: int
    pss: list[float] = field(default_factory=list)

    def cpu_s(self) -> float:
        """Seconds of processor so far, of all threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def look(self) -> None:
        """Adds how much memory is its own or its share of what is shared."""
        text = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        kib = next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
        self.pss.append(kib / 1024)

    @contextmanager
    def watching(self, every_s: float = 2.0) -> Iterator[None]:
        """Looks again and again meanwhile."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(every_s):
                self.look()

        thread = threading.Thread(target=watch, daemon=True)
        self.look()
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self.look()


@dataclass(frozen=True)
class Server:
    """A webhook that runs, and who vouches for it."""

    process: Process
    authority: Authority

    @property
    def pid(self) -> int:
        return self.process.process.pid


@contextmanager
def serving(folder: Path, registry: LateRegistry, policy: str, limits: Mapping[str, Any]) -> Iterator[Server]:
    """`gate webhook serve` with a configuration of its own."""
    root = folder / "site"
    access = {registry.host: {"insecure": True, "private": True}}
    admission = {"registries": access, **({"limits": dict(limits)} if limits else {})}
    more = f"admission: {json.dumps(admission)}\nrecord: {{sqlite: .gate/record/decisions.db}}\n"
    lay_settings(root, policy, more)
    authority = Authority(folder / "tls")
    pair: Pair = authority.server("webhook")
    command = [sys.executable, "-m", "gate", "webhook", "serve", "--host", "127.0.0.1", "--port", "0"]
    command += ["--health-port", "0", "--tls-cert", str(pair.certificate), "--tls-key", str(pair.key)]
    with Process([*command, "--root", str(root), "--linger-s", "0"], root) as process:
        process.started()
        wait_for(lambda: process.get("/readyz")[0] == 200, 60)
        yield Server(process, authority)


def asking(reference: str, refused_by: str | None = None, **changes: Any) -> dict[str, Any]:
    """A request for a pod of an image, and what has to be said to it."""
    told = pod(reference)
    told["spec"]["containers"] = [{**container(reference), "command": ["vllm", "serve", "/models"], **changes}]
    told["spec"]["containers"][0]["args"] = ["--load-format", "safetensors"]
    return {"body": body(told, _UID).decode(), "refused_by": refused_by}


def load(port: int, ca: Path | None, items: Sequence[Mapping[str, Any]], **plan: Any) -> dict[str, Any]:
    """What the clients found."""
    whole = {"path": "/validate?timeout=10s", "connections": CONNECTIONS, **plan}
    whole |= {"port": port, "ca": None if ca is None else str(ca), "items": list(items)}
    command = [sys.executable, "-m", "bench.webhook_load"]
    done = subprocess.run(command, cwd=ROOT, input=json.dumps(whole).encode(), capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.decode())
    found: dict[str, Any] = json.loads(done.stdout)
    if found["wrong_count"]:
        print(f"WRONG ANSWERS: {found['wrong_count']}: {found['wrong'][:5]}", file=sys.stderr)
    return found


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def spread(values: Sequence[float]) -> str:
    """Median, p99 and the longest, in milliseconds."""
    half, most, last = percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1.0)
    return f"p50 {half:.0f} ms, p99 {most:.0f} ms, longest {last:.0f} ms"


def wrong(found: Mapping[str, Any]) -> str:
    """Answers that were not the right ones, and those that were none: refused since there was no room or time."""
    refused = len(found["refused_ms"])
    return f"{found['wrong_count']} wrong of {sum(found['causes'].values())}, {refused} refused for load"


# -- what is measured --------------------------------------------------------------------------------------------------


def warm(server: Server, items: Sequence[Mapping[str, Any]], options: Plan) -> Iterator[Figure]:
    """A steady rate for images that are known."""
    ca = server.authority.path
    load(server.process.port, ca, items, rate=20, count=2 * len(items))
    watched = Watched(server.pid)
    count, cpu_s = options.rate * options.seconds, watched.cpu_s()
    with watched.watching():
        found = load(server.process.port, ca, items, rate=options.rate, count=count)
    cpu_ms = (watched.cpu_s() - cpu_s) / count * 1e3
    beside = f"{wrong(found)}; {cpu_ms:.1f} ms of processor each"
    what = f"warm, {options.rate}/s for {options.seconds} s, {BUNDLES} bundles an image"
    yield Figure(what, spread(found["due_ms"]), beside, "", "p99 150 ms, none wrong")
    size = max(1, len(watched.pss) // 6)
    sixths = [statistics.median(watched.pss[begin : begin + size]) for begin in range(0, size * 6, size)]
    value = (
        ", ".join(f"{mib:.0f}" for mib in sixths) + f" MiB in each sixth of the time, {max(watched.pss):.0f} at most"
    )
    yield Figure("its memory meanwhile", value, "", "", "350 MiB, flat")


def cold(server: Server, references: Sequence[str]) -> Iterator[Figure]:
    """Each request for an image that nobody asked for before."""
    items = [asking(reference) for reference in references]
    found = load(server.process.port, server.authority.path, items, rate=20, count=len(items))
    yield Figure(f"cold, 20/s, {len(items)} images", spread(found["due_ms"]), wrong(found), "", "p99 2 s")


def overload(server: Server, items: Sequence[Mapping[str, Any]], rate: int, seconds: int) -> Iterator[Figure]:
    """Ten times as much as is expected, then what was expected."""
    ca, port = server.authority.path, server.process.port
    found = load(port, ca, items, rate=10 * rate, count=10 * rate * seconds)
    refused = found["refused_ms"]
    what = f"overload, {10 * rate}/s for {seconds} s on {CONNECTIONS} connections: refused for it"
    yield Figure(what, spread(refused), wrong(found), "", "200 ms")
    after = load(port, ca, items, rate=rate, count=rate * 20)
    late = after["due_ms"][-10 * rate :]
    yield Figure("10 s later, the rate as expected", spread(late), wrong(after), "", "recovered")


def one_image(folder: Path, registry: LateRegistry, policy: str, reference: str) -> Iterator[Figure]:
    """Many at once for one image that nobody asked for before."""
    limits = {"queue": 1000, "deadline": "9s", "connections": 1024}
    with serving(folder, registry, policy, limits) as server:
        before = registry.listings(reference)
        plan = {"rate": 0, "count": ONE, "connections": ONE}
        found = load(server.process.port, server.authority.path, [asking(reference)], **plan)
        listed = registry.listings(reference) - before
    what = f"{ONE} at once for one image: lists of what is attached that were fetched"
    yield Figure(what, str(listed), f"{wrong(found)}; {spread(found['due_ms'])}", "", "1")


def beside_opa(folder: Path, policy: str, options: Plan) -> Iterator[Figure]:
    """An OPA server that answers the same policy for documents that are made already: no evidence, TLS or log."""
    documents = documents_of(settings_in(folder / "opa", policy), [image(number) for number in range(IMAGES)])
    items = [{"body": f'{{"input":{text.decode()}}}', "refused_by": None} for text in documents]
    with OpaServer(str(ROOT / "rego")) as opa:
        path = "/v1/data/gate/main/report?strict-builtin-errors=true"
        load(opa.port, None, items, path=path, rate=20, count=len(items))
        watched = Watched(opa.process.pid)
        count, cpu_s = options.rate * options.opa_seconds, watched.cpu_s()
        found = load(opa.port, None, items, path=path, rate=options.rate, count=count)
        watched.look()
        cpu_ms = (watched.cpu_s() - cpu_s) / count * 1e3
    what = f"an OPA server, {options.rate}/s for {options.opa_seconds} s: the policy alone"
    beside = f"{wrong(found)}; {cpu_ms:.1f} ms of processor each, {watched.pss[-1]:.0f} MiB"
    yield Figure(what, spread(found["due_ms"]), beside)


def requests(registry: LateRegistry) -> list[dict[str, Any]]:
    """Pods of images: nine of ten are good."""
    good = [asking(reference) for reference in registry.put_many(0, IMAGES)]
    bad = [asking(registry.put(100 + n, leaving_out=what), _REFUSED_BY[what]) for n, what in enumerate(_REFUSED_BY)]
    mixed = [*good[:9], bad[0], *good[9:18], bad[1], *good[18:]]
    privileged = {"securityContext": {"privileged": True}}
    good_image = json.loads(good[0]["body"])["request"]["object"]["spec"]["containers"][0]["image"]
    return [*mixed, asking(good_image, "deploy.restricted", **privileged)]


@dataclass(frozen=True)
class Plan:
    """What is measured: seconds of each part, requests a second of the warm one, images of the cold one."""

    seconds: int = 60
    opa_seconds: int = 30
    rate: int = 100
    cold: int = 400
    overload: int = 15
    policy: str = "baseline"


def webhook(folder: Path, plan: Plan | None = None) -> Iterator[Figure]:
    """All parts, one after the other."""
    options = plan or Plan()
    with LateRegistry(folder) as registry:
        items = requests(registry)
        unseen = registry.put_many(1000, options.cold + 1)
        with serving(folder / "one", registry, options.policy, {}) as server:
            yield from warm(server, items, options)
            yield from cold(server, unseen[1:])
            yield from overload(server, items, options.rate, options.overload)
        yield from one_image(folder / "two", registry, options.policy, unseen[0])
        yield from beside_opa(folder, options.policy, options)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=Plan.seconds, help="of the warm part")
    parser.add_argument("--opa-seconds", type=int, default=Plan.opa_seconds)
    parser.add_argument("--rate", type=int, default=Plan.rate, help="requests a second of the warm part")
    parser.add_argument("--cold", type=int, default=Plan.cold, help="images of the cold part")
    parser.add_argument("--overload", type=int, default=Plan.overload, help="seconds of the overload")
    parser.add_argument("--policy", default=Plan.policy, help="a packaged profile, or profile.yaml for that of here")
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="gate-bench-") as name:
        for figure in webhook(Path(name), Plan(**vars(parser.parse_args()))):
            figures.append(figure)
            print(f"{figure.what}: {figure.value} ({figure.beside})", file=sys.stderr)
    print(
        f"python -m bench.webhook {' '.join(sys.argv[1:])}".rstrip() + f", load {os.getloadavg()[0]:.1f} at the end\n"
    )
    print(table(figures))


if __name__ == "__main__":
    main()
