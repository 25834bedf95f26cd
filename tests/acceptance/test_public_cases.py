"""Public bundles beside the file that they are about, from `gate verify`: each gets the verdict of its collection."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.world import inside

VECTORS: Final = Path(__file__).parents[1] / "vectors/sigstore"
TABLE: Final[dict[str, dict[str, str]]] = json.loads((VECTORS / "table.json").read_bytes())
WARNING: Final = "DO NOT MODIFY ME!\n"
FILE: Final = (
    f'{WARNING}\nthis is "a.txt", a sample input for sigstore-conformance\'s test suite.\n\n{WARNING}'.encode()
)
SETTINGS: Final = """\
version: 1
target: deployment
artifacts:
  a: {{kind: package, path: a.txt}}
evidence:
  - directory: evidence
trust:
  signers:
    release: {{{signer}, claims: [artifact.signature, build.provenance, 'https://example.com/test']}}
  sigstore: {{trusted_root: root.json, sha256: {digest}}}
"""
CODES: Final = {
    "a-txt": 0,
    "rekor2-happy-path": 0,
    "rekor2-dsse-happy-path": 0,
    "managed-key-and-trusted-root": 0,
    "trust-root-tsa-validity-end-inclusive": 0,
    "sct-duplicate-intermediate-name-rekor2": 0,
    "rekor2-multiple-timestamps-one-outside-cert-validity": 11,
    "rekor2-timestamp-wrong-tsa-validity-borrow": 11,
    "rekor2-dsse-mismatch-envelope": 11,
    "rekor2-dsse-mismatch-sig": 11,
    "dsse-statement-missing-type": 14,
    "dsse-statement-unknown-type": 14,
    "trust-root-tlog-missing-validity-start": 2,
}


@pytest.mark.parametrize("case", CODES)
def test_s08_a_public_case_gets_its_verdict(tmp_path: Path, case: str) -> None:
    name = f"conformance-{case}"
    row = TABLE[name]
    root = (VECTORS / f"roots/{row['root']}.json").read_bytes()
    signer = "key: key.pub"
    if "key" in row:
        (tmp_path / "key.pub").write_bytes((VECTORS / f"keys/{row['key']}.pem").read_bytes())
    else:
        signer = f"identity: {{issuer: '{row['issuer']}', subject: '{row['subject']}'}}"
    (tmp_path / "evidence").mkdir()
    (tmp_path / "a.txt").write_bytes(FILE)
    (tmp_path / "root.json").write_bytes(root)
    bundle = (VECTORS / f"bundles/{row.get('bundle', name)}.json").read_bytes()
    (tmp_path / "evidence/a.txt.sigstore.json").write_bytes(bundle)
    text = SETTINGS.format(signer=signer, digest=hashlib.sha256(root).hexdigest())
    (tmp_path / "gate.yaml").write_text(text, "utf-8")
    done = inside("verify", "--root", str(tmp_path), "--now", "2026-11-20T12:00:00Z", "--format", "json")
    assert done.code == CODES[case], done.text
    if done.code == 0:
        assert [item["artifacts"] for item in json.loads(done.out)["items"]] == [["a"]]
