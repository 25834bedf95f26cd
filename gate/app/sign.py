"""`gate sign`: from files and statements to signed bundles."""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from gate.app.produce import (
    BUNDLE_SUFFIX,
    EVIDENCE_FOLDER,
    MAX_STATEMENT,
    Made,
    Place,
    Progress,
    bundled_payload,
    check_target,
    collect_files,
    flat_name,
    names_folder,
    open_key,
    real_path,
    root_of,
    sign_payload,
    target,
    with_key,
)
from gate.attest.files import read_prefix, replace_file
from gate.attest.model_signature import model_statement
from gate.attest.signers import Passphrase
from gate.attest.statement import check_statement, is_statement
from gate.model.digest import sha256_digest
from gate.model.path import path_text


@dataclass(frozen=True, slots=True)
class SignRequest:
    """What to sign: a folder, a file or a statement; `key` is a path or URI, `out` a file to write."""

    place: Place
    path: Path
    key: str
    out: Path | None = None


def sign(request: SignRequest, passphrase: Passphrase, progress: Progress = nullcontext) -> Made:
    """Signs a model folder, a file or a statement; raises `AttestError`, or `EvidenceError` for unreadable files."""
    root, path = root_of(request.place), real_path(request.place.start / request.path)
    is_folder = names_folder(path, request.path)
    data = b"" if is_folder else read_prefix(path, MAX_STATEMENT + 1)
    if is_statement(data, MAX_STATEMENT):
        return _sign_statement(request, root, path, data, passphrase)
    out = target(request.place, request.out, root / EVIDENCE_FOLDER, f"{flat_name(path, root)}{BUNDLE_SUFFIX}")
    replaced = check_target(out, [path], bundled_payload)
    signer = open_key(request.place.start, request.key, [path], passphrase)
    with progress(f"hashing {request.path}"):
        artifact = collect_files(path.parent, path_text(os.fsencode(path.name)), str(request.path))
    payload, digest = model_statement(path_text(os.fsencode(path.name)), artifact.files, is_folder=is_folder)
    bundle = sign_payload(payload, signer)
    replace_file(out, bundle)
    count, size = len(artifact.files), artifact.bytes
    made = Made("artifact.signature", str(request.path), count, size, digest, out, replaced)
    return with_key(made, signer, bundle)


def _sign_statement(request: SignRequest, root: Path, path: Path, payload: bytes, passphrase: Passphrase) -> Made:
    statement = check_statement(payload)
    out = target(
        request.place, request.out, root / EVIDENCE_FOLDER, f"{path.name.removesuffix('.json')}{BUNDLE_SUFFIX}"
    )
    replaced = check_target(out, [path], bundled_payload)
    signer = open_key(request.place.start, request.key, [], passphrase)
    bundle = sign_payload(payload, signer)
    replace_file(out, bundle)
    count = len(statement.resources)
    made = Made(statement.claim, str(request.path), count, 0, sha256_digest(payload), out, replaced)
    return with_key(made, signer, bundle)
