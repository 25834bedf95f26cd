"""One judgement of a webhook, stage by stage, in one process and without a network: `python -m bench.judgement`.

Processor time of the whole process, and of the thread that asks: what that thread does itself holds Python's lock, but
for what cryptography and the engine do. With `--profile` the functions that take longest are listed.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench.judging import BUNDLES, NOW_S, PACKAGES, Image, asking_for, image, settings_in
from bench.measure import Figure, table
from gate import __version__
from gate.app.case import Circumstances, case_of
from gate.app.check import new_id
from gate.app.engines import open_engine
from gate.app.policy import judging_policy, rules_digest
from gate.app.workspace import Workspace
from gate.decide import decide
from gate.evaluate.accept import accept_report
from gate.evaluate.interface import Engine
from gate.evaluate.loaded import asking
from gate.evaluate.regorus import ENGINE_VERSION
from gate.model.change import ChangeSet, ChangeSource
from gate.model.control import Evaluation
from gate.model.decision import Decision, Verdict
from gate.model.document import InputDocument
from gate.model.record import PolicyFiles
from gate.normalize.document import Facts, build_document
from gate.record.chain import entry_of, policy_of
from gate.report.json import recorded_json
from gate.verify.pipeline import admit_evidence

_NO_CHANGE = ChangeSet(ChangeSource.EVERYTHING, None, None, None, None, False, {}, {})


class Watch:
    """Processor time by stage, in milliseconds: of the process, and of this thread."""

    def __init__(self) -> None:
        self.process: dict[str, list[float]] = defaultdict(list)
        self.thread: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Adds what is done meanwhile."""
        process, thread = time.process_time_ns(), time.thread_time_ns()
        yield
        self.thread[name].append((time.thread_time_ns() - thread) / 1e6)
        self.process[name].append((time.process_time_ns() - process) / 1e6)


def judge(workspace: Workspace, engine: Engine, one: Image, now_s: int, files: PolicyFiles, watch: Watch) -> Decision:
    """What `gate.app.check.judge` does, with evidence that is at hand, up to what is recorded."""
    with watch.stage("verify"):
        workspace, artifacts = asking_for(replace(workspace, now_s=now_s, trust=workspace.trust.at(now_s)), [one])
        settings, bundle, profile = workspace.settings, workspace.bundle, workspace.profile
        admission = admit_evidence(one.items, workspace.trust, limit=settings.limits.evidence_bytes)
        evidence = admission.settle(artifacts, {}, lambda *_: None)
    with watch.stage("document"):
        workloads = {"pod": one.workload}
        facts = Facts(settings, profile, artifacts, _NO_CHANGE, evidence, (), {}, now_s, workloads=workloads)
        document = build_document(facts)
    with watch.stage("engine"):
        report = engine.report(document)
    with watch.stage("accept and decide"):
        results = accept_report(report, profile, document)
        evaluation = Evaluation(results, engine.name, engine.version, bundle.digest, document.digest)
        how = Circumstances(
            identity=new_id(now_s),
            configuration=settings.digest,
            configuration_source=settings.source,
            trust=settings.trust.digest,
            rules=rules_digest(bundle, profile, settings),
            policy=judging_policy(settings.policy, bundle),
            gate_version=__version__,
            dry_run=False,
        )
        decision = decide(case_of(document, bundle.catalogue, evaluation, how))
    with watch.stage("what is recorded"):
        entry = entry_of(recorded_json(decision), document.canonical, files)
    assert entry.decision
    return decision


def documents_of(workspace: Workspace, images: Sequence[Image]) -> list[bytes]:
    """The canonical input documents of some images."""
    found: list[bytes] = []

    class Noting:
        """An engine that keeps what it is asked."""

        name, version = "regorus", ENGINE_VERSION

        def report(self, document: InputDocument) -> bytes:
            found.append(document.canonical)
            return engine.report(document)

    engine = open_engine(workspace.settings.engine, asking(workspace.bundle, workspace.profile.asked))
    files = policy_of(workspace.bundle.digest, workspace.bundle.files)
    for one in images:
        judge(workspace, Noting(), one, NOW_S, files, Watch())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--packages", type=int, default=PACKAGES, help="in the bill of materials of an image")
    parser.add_argument("--policy", default="profile.yaml", help="or baseline, strict")
    parser.add_argument("--profile", action="store_true", help="list the functions that take longest")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gate-bench-") as folder:
        workspace = settings_in(Path(folder) / "w", options.policy)
        images = [image(number, options.packages) for number in range(options.images)]
        engine = open_engine(workspace.settings.engine, asking(workspace.bundle, workspace.profile.asked))
        files = policy_of(workspace.bundle.digest, workspace.bundle.files)
        first = judge(workspace, engine, images[0], NOW_S, files, Watch())
        if options.policy == "profile.yaml" and first.verdict is not Verdict.ALLOW:
            wrong = {name: one.violations for name, one in first.controls.items() if one.violations}
            raise SystemExit(f"{first.verdict}: {wrong}, {first.rejected}")
        for one in images:
            judge(workspace, engine, one, NOW_S, files, Watch())
        watch, profiler = Watch(), cProfile.Profile()
        if options.profile:
            profiler.enable()
        began = time.perf_counter()
        for number in range(options.count):
            one = images[number % len(images)]
            judge(workspace, engine, one, NOW_S + number, files, watch)
        elapsed = time.perf_counter() - began
        profiler.disable()
    size = sum(len(item.data) for item in images[0].items)
    print(f"python -m bench.judgement: {options.policy}, {BUNDLES} bundles of {size} bytes, {elapsed:.1f} s\n")
    print(table(list(_figures(watch))))
    if options.profile:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(45)


def _figures(watch: Watch) -> Iterator[Figure]:
    for name, times in watch.process.items():
        yield _figure(name, times, watch.thread[name])
    whole = [sum(row) for row in zip(*watch.process.values(), strict=True)]
    own_sums = [sum(row) for row in zip(*watch.thread.values(), strict=True)]
    yield _figure("a judgement", whole, own_sums)


def _figure(name: str, process: Sequence[float], thread: Sequence[float]) -> Figure:
    """The least too: on a machine that others use, it is nearest to what it takes alone."""
    own = f"this thread {statistics.median(thread):.2f} ms, at least {min(thread):.2f}"
    return Figure(name, f"{statistics.median(process):.2f} ms, at least {min(process):.2f}", own)


if __name__ == "__main__":
    main()
