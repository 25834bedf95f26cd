"""The statements in the signed bundles of a root: what a new statement can build on besides those not signed yet.

Nothing is verified here. A statement names what it builds on by digest, and verification refuses it unless that is
verified itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from gate.app.produce import EVIDENCE_FOLDER, MAX_STATEMENT
from gate.app.workspace import WorkTree
from gate.attest.files import read_file
from gate.attest.statement import check_statement, payload_of
from gate.config.settings import DEFAULT_PATH, load_evidence_directories
from gate.errors import AttestError
from gate.model.digest import Digest, sha256_digest


def evidence_folders(root: Path) -> tuple[str, ...]:
    """The folders of evidence of `gate.yaml`, or the one that `gate sign` writes into; raises `ConfigError`."""
    return load_evidence_directories(DEFAULT_PATH, WorkTree(root)) or (EVIDENCE_FOLDER.as_posix(),)


def signed_statements(root: Path) -> Mapping[str, Mapping[Digest, str]]:
    """The path of a bundle by claim and payload digest; what is no bundle of a statement is passed over."""
    found: dict[str, dict[Digest, str]] = {}
    for folder in evidence_folders(root):
        for name, claim, digest in _statements(root / folder):
            found.setdefault(claim, {}).setdefault(digest, f"{folder}/{name}")
    return found


def _statements(folder: Path) -> Iterator[tuple[str, str, Digest]]:
    for path in sorted(folder.glob("*")):
        try:
            payload = payload_of(read_file(path, MAX_STATEMENT))
            yield path.name, check_statement(payload).claim, sha256_digest(payload)
        except AttestError:
            continue
