"""The producing and the verifying side: attestations created, signed and verified, beside `openssl speed`."""

from __future__ import annotations

import json
import re
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from bench.data import TestKey, prompt
from bench.measure import GATE, ROOT, Figure, median_ms, milliseconds, run
from gate.app.workspace import Request, open_workspace
from gate.model.evidence import Evidence
from gate.verify.pipeline import admit_evidence
from gate.verify.trust import TrustStore

RUNS = 9
SIGNED = 1000
CLAIMS = ("prompt", "corpus", "eval", "route", "slo")
CONFIG = """\
version: 1
target: deployment
trust:
  signers:
    b: {key: b.pub, claims: [prompt]}
gates:
  - {id: G, trigger_paths: ["app/**"], required_attestations: [prompt]}
"""


def verification(folder: Path) -> Iterator[Figure]:
    """N distinct attestations of prompts with four files each, by one process and by two."""
    key = TestKey()
    (folder / "gate.yaml").write_text(CONFIG)
    (folder / "b.pub").write_bytes(key.pem)
    request = Request(folder, folder, "gate.yaml", None, config_from_worktree=True, now_s=1795176000)
    trust = open_workspace(request).trust
    limit = openssl_ms()[1]
    for count in (1, 100, 1000, 10000):
        items = [Evidence(str(number), key.envelope(prompt(number))) for number in range(count)]
        one, two = _medians(items, trust)
        beside = f"`openssl speed ed25519`, one verification {limit:.3f} ms"
        what = f"verify {count} distinct attestations, each"
        yield Figure(what, f"{one / count:.3f} ms", beside, f"{one / count / limit:.1f}x", "0.2 ms, 3x")
        if count >= 1000:
            beside = f"one process {one / count:.3f} ms"
            yield Figure(f"{what}, two processes", f"{two / count:.3f} ms", beside, f"{one / two:.2f}x faster", "1.8x")


def _medians(items: list[Evidence], trust: TrustStore) -> tuple[float, float]:
    """The median milliseconds of one process and of two, which take turns: a noisy moment is noisy for both."""
    times: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(RUNS + 1):
        for jobs, found in times.items():
            began = time.perf_counter()
            admission = admit_evidence(items, trust, limit=1 << 20, jobs=jobs)
            if len(admission.settle({}, {}, lambda _digest, _algorithm: None).verified) != len(items):
                raise SystemExit("not all verified")
            found.append((time.perf_counter() - began) * 1e3)
    one, two = (statistics.median(found[1:]) for found in times.values())
    return one, two


def signing(folder: Path) -> Iterator[Figure]:
    """A thousand statements, signed and verified by one process that has to start, too."""
    statements, out = folder / "statements", folder / "signed"
    statements.mkdir()
    for number in range(SIGNED):
        (statements / f"{number}.json").write_text(json.dumps(prompt(number)))
    run([GATE, "keygen", "--type", "ed25519", "--out", "k"], folder)()
    command = [GATE, "sign", "--in", "statements", "--key", "k.key", "--out", "signed"]
    signs = run(command, folder)

    def afresh() -> None:
        shutil.rmtree(out, ignore_errors=True)
        signs()

    value = median_ms(afresh, RUNS)
    if len(list(out.iterdir())) != SIGNED:
        raise SystemExit("not all signed")
    limit = SIGNED * sum(openssl_ms())
    beside = f"`openssl speed ed25519`, {SIGNED} signatures and verifications {milliseconds(limit)}"
    what = f"`gate {' '.join(command[1:])}`, {SIGNED} statements, whole process"
    yield Figure(what, milliseconds(value), beside, f"{value / limit:.1f}x")


def creation(folder: Path) -> Iterator[Figure]:
    """The five types for the application in examples/tiny-rag, each in a process of its own."""
    application = folder / "application"
    shutil.copytree(ROOT / "examples" / "tiny-rag", application, ignore=shutil.ignore_patterns(".gate", ".git"))
    start = median_ms(run([GATE, "--version"], folder), RUNS)
    for claim in CLAIMS:
        command = [GATE, "attest", "create", "--type", claim, "--config", f"attest/{claim}.yaml"]
        value = median_ms(run([*command, "--created-at", "2026-11-20T10:00:00Z"], application), RUNS)
        what = f"`gate {' '.join(command[1:])}`, whole process"
        yield Figure(what, milliseconds(value), f"`gate --version` {milliseconds(start)}", f"{value / start:.1f}x")


def openssl_ms() -> tuple[float, float]:
    """What one Ed25519 signature and one verification cost OpenSSL on one core, in milliseconds."""
    done = subprocess.run(["openssl", "speed", "-seconds", "2", "ed25519"], capture_output=True, text=True, check=True)
    rates = re.search(r"253 bits EdDSA \(Ed25519\).*?([0-9.]+)\s+([0-9.]+)\s*$", done.stdout, re.MULTILINE)
    if rates is None:
        raise SystemExit(f"openssl speed printed something else:\n{done.stdout}")
    return 1000 / float(rates[1]), 1000 / float(rates[2])
