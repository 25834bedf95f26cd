"""Signed statements to build on."""

from __future__ import annotations

from pathlib import Path

from gate.app.signed_statements import signed_statements
from gate.model.digest import sha256_digest
from tests.support.evidence import bundle, digest_of, statement

FOLDER = ".gate/attestations"


def test_what_is_no_bundle_of_a_statement_is_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    said = statement("prompt", {"app/system.txt": digest_of("x")})
    (folder / "prompt.json").write_bytes(bundle(said))
    (folder / "junk.json").write_bytes(b"{}")
    (folder / "other.json").write_bytes(bundle(b"no statement"))
    assert signed_statements(tmp_path) == {"prompt": {sha256_digest(said): f"{FOLDER}/prompt.json"}}
