"""One cold evaluation in a process of its own: `python -m bench.evaluate_cold BUNDLE_DIR DOCUMENT`."""

from __future__ import annotations

import sys
from pathlib import Path

from gate.evaluate.accept import evaluate
from gate.evaluate.bundle import make_bundle
from gate.evaluate.catalogue import load_profile
from gate.evaluate.regorus import RegorusEngine
from gate.formats import canonical_json
from gate.formats.strict_json import loads_object
from gate.model.digest import sha256_digest
from gate.model.document import InputDocument

folder, document_path = Path(sys.argv[1]), Path(sys.argv[2])
bundle = make_bundle(
    {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
)
data = document_path.read_bytes()
value = loads_object(data, limit=len(data))
canonical = canonical_json.dumps(value)
profile = load_profile("bench", bundle.profiles["bench"], bundle.catalogue, {})
evaluation = evaluate(RegorusEngine(bundle), bundle, profile, InputDocument(value, canonical, sha256_digest(canonical)))
failing = [name for name, result in evaluation.results.items() if result.status.value not in {"pass", "not_applicable"}]
if failing or len(evaluation.results) < 100:
    raise SystemExit(f"{len(evaluation.results)} controls, failing: {failing[:5]}")
