"""Both engines on one policy and the same documents: one evaluation, loading, two threads, a worker process.

Every evaluation gets a document of its own, so that nobody can answer from a cache, and what is compared is measured
in turns. `python -m bench engines`.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.measure import Figure, median_ms, milliseconds, run
from bench.policy import model_repository
from gate.evaluate.bundle import packaged_bundle
from gate.evaluate.interface import Engine
from gate.evaluate.isolated import IsolatedEngine
from gate.evaluate.regorus import RegorusEngine
from gate.formats import canonical_json
from gate.model.digest import sha256_digest
from gate.model.document import InputDocument
from tests.support.opa_server import OpaServer, opa_program

ROOT = Path(__file__).resolve().parent.parent
PATH = "/v1/data/gate/main/report?strict-builtin-errors=true"
# Files of the model, runs and the wanted ratio for documents of about 10 KB, 100 KB and 1 MB.
SIZES = ((12, 41, "faster"), (165, 21, "1.3x"), (1750, 11, "1.3x"))


def engines(folder: Path) -> Iterator[Figure]:
    """The figures that set the engines side by side."""
    bundle = packaged_bundle()
    engine = RegorusEngine(bundle)
    with OpaServer(str(ROOT / "rego")) as opa:
        for files, runs, target in SIZES:
            documents = distinct(folder, files, runs + 1)
            yield round_trip(engine, opa, documents, target)
    yield loading(folder)
    yield from threads(distinct(folder, 165, 40))
    yield isolation(engine, distinct(folder, 12, 12))


def distinct(folder: Path, files: int, count: int) -> list[InputDocument]:
    """Documents of one signed model each, which differ in every digest of a file and in the time."""
    repository = folder / f"model-{files}"
    if not repository.is_dir():
        model_repository(folder, files)
    command = [sys.executable, "-m", "gate", "input", "--now", "2026-11-20T12:00:00Z"]
    text = subprocess.run(command, cwd=repository, capture_output=True, check=True).stdout.decode()
    value: dict[str, Any] = json.loads(text)
    digests = sorted({entry["digest"] for entry in value["artifacts"]["summarizer"]["files"].values()})
    documents = []
    for number in range(count):
        changed = text
        if number:
            for digest in digests[:200]:
                changed = changed.replace(digest, sha256_digest(f"{number}{digest}".encode()))
        document = json.loads(changed)
        document["context"]["now_s"] += number
        canonical = canonical_json.dumps(document)
        documents.append(InputDocument(document, canonical, sha256_digest(canonical)))
    return documents


def in_turns(works: Sequence[Callable[[int], object]], runs: int) -> list[float]:
    """The median time of each function in milliseconds; each gets the number of the run, and run 0 is not counted."""
    times: list[list[float]] = [[] for _ in works]
    for number in range(runs + 1):
        for work, found in zip(works, times, strict=True):
            began = time.perf_counter()
            work(number)
            if number:
                found.append((time.perf_counter() - began) * 1e3)
    return [statistics.median(found) for found in times]


def round_trip(engine: Engine, opa: OpaServer, documents: Sequence[InputDocument], target: str) -> Figure:
    """One evaluation inside beside one round trip to a server over a connection that stays open."""
    bodies = {document.digest: b'{"input":' + document.canonical + b"}" for document in documents}

    def ask(document: InputDocument) -> bytes:
        status, content = opa.post(PATH, bodies[document.digest])
        if status != 200:
            raise SystemExit(f"OPA answers with {status}: {content[:300]!r}")
        return content

    for document in documents[:2]:
        report = json.loads(engine.report(document))
        if report != json.loads(ask(document))["result"] or not passes(report):
            raise SystemExit("the engines differ, or a control fails")
    works = [lambda number: engine.report(documents[number]), lambda number: ask(documents[number])]
    inside, server = in_turns(works, len(documents) - 1)
    size = statistics.median(len(document.canonical) for document in documents) / 1e3
    what = f"embedded evaluation, {size:.0f} KB"
    return Figure(what, milliseconds(inside), f"OPA server {milliseconds(server)}", f"{inside / server:.2f}x", target)


def passes(report: dict[str, Any]) -> bool:
    return bool(report["controls"]) and all(
        control["status"] in {"pass", "not_applicable"} for control in report["controls"].values()
    )


def loading(folder: Path) -> Figure:
    """Reading and compiling the library, beside a process of OPA that does it and checks it."""
    value = median_ms(lambda: RegorusEngine(packaged_bundle()), 21)
    beside = median_ms(run([opa_program(), "check", "--bundle", str(ROOT / "rego")], folder), 21)
    return Figure(
        "read and compile the library",
        milliseconds(value),
        f"opa check {milliseconds(beside)}",
        f"{value / beside:.2f}x",
    )


def threads(documents: Sequence[InputDocument]) -> Iterator[Figure]:
    """Two threads with an engine each, beside one: how much more gets done in the same time."""
    both = [RegorusEngine(packaged_bundle()) for _ in range(2)]
    halves = documents[::2], documents[1::2]

    def judge(engine: Engine, some: Sequence[InputDocument]) -> None:
        for document in some:
            engine.report(document)

    def two(engines: Sequence[Engine]) -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(judge, engines, halves))

    works = [lambda _: judge(both[0], documents), lambda _: two(both), lambda _: two([both[0], both[0]])]
    single, each, shared = in_turns(works, 9)
    for what, value in (("an engine each", each), ("sharing one", shared)):
        yield Figure(
            f"{len(documents)} evaluations of 100 KB on two threads, {what}",
            milliseconds(value),
            f"one thread {milliseconds(single)}",
            f"{single / value:.2f}x as many",
        )


def isolation(engine: Engine, documents: Sequence[InputDocument]) -> Figure:
    """A worker process, which loads the policy each time, beside an engine that does so inside."""
    bundle = packaged_bundle()
    isolated = IsolatedEngine(bundle)
    if isolated.report(documents[0]) != engine.report(documents[0]):
        raise SystemExit("the worker gives another report")
    works = [
        lambda number: isolated.report(documents[number]),
        lambda number: RegorusEngine(bundle).report(documents[number]),
    ]
    value, beside = in_turns(works, len(documents) - 1)
    return Figure(
        "evaluation of 10 KB in a worker process",
        milliseconds(value),
        f"embedded, compiled anew {milliseconds(beside)}",
        f"{value / beside:.1f}x",
    )
