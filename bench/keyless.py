"""Keyless verification: a bundle in a process of its own, a bundle among many, by one process and by two."""

from __future__ import annotations

import hashlib
import json
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.measure import GATE, Figure, median_ms, milliseconds, run
from gate.app.workspace import Request, open_workspace
from gate.model.evidence import Evidence
from gate.verify.pipeline import admit_evidence
from gate.verify.trust import TrustStore
from tests.support.keyless import AT
from tests.support.virtual_bundles import FILE, bundle
from tests.support.virtual_sigstore import ISSUER, WORKFLOW, VirtualSigstore

NOW = "2026-11-20T12:00:00Z"
NOW_S = 1795176000
COUNT = 500
KINDS = {
    "by the sigstore library (dsse/0.0.1)": "dsse/0.0.1",
    "by our own verifier (intoto/0.0.2)": "intoto/0.0.2",
    "with a timestamp (hashedrekord/0.0.2)": "hashedrekord/0.0.2",
}
CONFIG = """\
version: 1
target: deployment
artifacts:
  a: {{kind: package, path: a.txt}}
evidence:
  - directory: evidence
trust:
  signers:
    b: {{identity: {{issuer: {issuer}, subject: '{subject}'}}, claims: [build.provenance, artifact.signature]}}
  sigstore: {{trusted_root: root.json, sha256: {digest}}}
"""


def keyless(folder: Path) -> Iterator[Figure]:
    """Bundles of a virtual Sigstore; the cold one beside Python importing what it needs."""
    instance = VirtualSigstore(now=lambda: AT)
    root = json.dumps(instance.trusted_root()).encode()
    (folder / "evidence").mkdir()
    (folder / "a.txt").write_bytes(FILE)
    (folder / "root.json").write_bytes(root)
    digest = hashlib.sha256(root).hexdigest()
    (folder / "gate.yaml").write_text(CONFIG.format(issuer=ISSUER, subject=WORKFLOW, digest=digest))
    command = [GATE, "verify", "--now", NOW]
    bare = median_ms(run(command, folder, expect=10), 9)
    library = median_ms(run([sys.executable, "-c", "import sigstore.verify"], folder), 9)
    signed = bundle("hashedrekord/0.0.1", content=FILE, message=True, at=AT, instance=instance)
    (folder / "evidence/a.txt.sigstore.json").write_text(json.dumps(signed))
    cold = median_ms(run(command, folder), 9)
    yield Figure("gate verify without evidence", milliseconds(bare))
    beside = f"python importing sigstore.verify {milliseconds(library)}"
    yield Figure("gate verify, one keyless bundle, cold", milliseconds(cold), beside, f"{cold / library:.2f}x")
    trust = open_workspace(Request(folder, folder, "gate.yaml", None, config_from_worktree=True, now_s=NOW_S)).trust
    for what, kind in KINDS.items():
        data = [json.dumps(bundle(kind, at=AT, instance=instance)).encode() for _ in range(COUNT)]
        items = [Evidence(str(number), one) for number, one in enumerate(data)]
        one, two = (_median(items, trust, jobs) / COUNT for jobs in (1, 2))
        yield Figure(f"one of {COUNT} bundles, warm, {what}", f"{one:.2f} ms")
        yield Figure(
            f"the same, two processes, {what}", f"{two:.2f} ms", f"one process {one:.2f} ms", f"{one / two:.2f}x"
        )


def _median(items: list[Evidence], trust: TrustStore, jobs: int) -> float:
    times = []
    for _ in range(4):
        began = time.perf_counter()
        statements = admit_evidence(items, trust, limit=1 << 20, jobs=jobs).statements()
        times.append((time.perf_counter() - began) * 1e3)
        if not list(statements):
            raise SystemExit("nothing was verified")
    return statistics.median(times[1:])
