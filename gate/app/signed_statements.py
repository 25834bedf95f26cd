"""The statements in the signed bundles of a root: what a new statement can build on besides those not signed yet.

Nothing is verified here. A statement names what it builds on by digest, and verification refuses it unless that is
verified itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from gate.app.produce import EVIDENCE_FOLDER, LIMITS, MAX_STATEMENT
from gate.app.workspace import WorkTree
from gate.attest.statement import check_statement, payload_of
from gate.collect.directory import read_evidence
from gate.config.settings import DEFAULT_PATH, load_evidence_directories
from gate.errors import AttestError
from gate.model.digest import Digest, sha256_digest

_LIMITS: Final = replace(LIMITS, evidence_bytes=MAX_STATEMENT)


def evidence_folders(root: Path) -> tuple[str, ...]:
    """The folders of evidence of `gate.yaml`, or the one that `gate sign` writes into; raises `ConfigError`."""
    return load_evidence_directories(DEFAULT_PATH, WorkTree(root)) or (EVIDENCE_FOLDER.as_posix(),)


def signed_statements(root: Path) -> Mapping[str, Mapping[Digest, str]]:
    """Where a bundle lies, by claim and payload digest; what is no bundle of a statement is passed over.

    Bundles are found where verification finds them. Raises `EvidenceError` for a folder that cannot be read.
    """
    found: dict[str, dict[Digest, str]] = {}
    for folder in evidence_folders(root):
        for item in read_evidence(root, folder, _LIMITS)[0]:
            try:
                payload = payload_of(item.data)
                claim = check_statement(payload).claim
            except AttestError:
                continue
            found.setdefault(claim, {}).setdefault(sha256_digest(payload), item.origin)
    return found
