"""`gate keygen` and `gate attest create`: new keys, and from files to statements."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate.app.produce import (
    BUNDLE_SUFFIX,
    EVIDENCE_FOLDER,
    LIMITS,
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
    path_below,
    real_path,
    root_of,
    sign_payload,
    target,
    with_key,
)
from gate.attest.files import read_file, replace_file
from gate.attest.keygen import generate_key
from gate.attest.signers import Passphrase
from gate.attest.statement import Draft, Named, build_statement, named_files, payload_digest
from gate.errors import AttestError
from gate.model.digest import Digest, sha256_digest
from gate.model.path import path_text

STATEMENT_FOLDER: Final = Path(".gate", "statements")


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """The statement to make. `created_s` and `fallback_s` are as in `Draft`."""

    place: Place
    claim: str
    predicate: Path
    subjects: Sequence[Path]
    predicate_type: str | None = None
    depends_on: Sequence[Path] = ()
    key: str | None = None
    out: Path | None = None
    created_s: int | None = None
    fallback_s: int | None = None


@dataclass(frozen=True, slots=True)
class KeygenRequest:
    """The key pair to make; `kind` is one of `gate.attest.keygen.KEY_TYPES`."""

    place: Place
    kind: str
    private: Path
    public: Path
    passphrase: str | None = None


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A new key pair. `trusted_path` is the public key's path below the root, `None` when it lies elsewhere."""

    private: Path
    public: Path
    algorithm: str
    spki: Digest
    encrypted: bool
    trusted_path: str | None


def keygen(request: KeygenRequest) -> KeyPair:
    """Makes a key pair; raises `AttestError`."""
    root, start = root_of(request.place), request.place.start
    private, public = start / request.private, start / request.public
    signer = generate_key(request.kind, private, public, request.passphrase)
    below = path_below(real_path(public), root)
    return KeyPair(private, public, signer.algorithm, signer.spki, bool(request.passphrase), below)


def create(request: CreateRequest, passphrase: Passphrase, progress: Progress = nullcontext) -> Made:
    """Makes a statement, and signs it when there is a key; raises `AttestError` or `EvidenceError`."""
    place = request.place
    root = root_of(place)
    paths = [real_path(place.start / path) for path in request.subjects]
    name = f"{flat_name(paths[0], root)}{f'+{len(paths) - 1}' if paths[1:] else ''}.{request.claim}"
    folder, suffix = (EVIDENCE_FOLDER, BUNDLE_SUFFIX) if request.key is not None else (STATEMENT_FOLDER, ".json")
    out = target(place, request.out, root / folder, name + suffix)
    replaced = check_target(out, paths, bundled_payload if request.key is not None else _as_it_is)
    predicate = read_file(place.start / request.predicate, LIMITS.evidence_bytes)
    dependencies = tuple(payload_digest(read_file(place.start / path, MAX_STATEMENT)) for path in request.depends_on)
    signer = None if request.key is None else open_key(place.start, request.key, paths, passphrase)
    named: list[Named] = []
    size = 0
    for given, path in zip(request.subjects, paths, strict=True):
        with progress(f"hashing {given}"):
            found, total = _subjects(root, path, str(given))
        named += found
        size += total
    payload = build_statement(
        Draft(
            claim=request.claim,
            predicate=predicate,
            subjects=tuple(named),
            predicate_type=request.predicate_type,
            dependencies=dependencies,
            created_s=request.created_s,
            fallback_s=request.fallback_s,
        )
    )
    subject = ", ".join(str(path) for path in request.subjects)
    made = Made(request.claim, subject, len(set(named)), size, sha256_digest(payload), out, replaced)
    data = payload if signer is None else sign_payload(payload, signer)
    replace_file(out, data)
    return made if signer is None else with_key(made, signer, data)


def _subjects(root: Path, path: Path, given: str) -> tuple[list[Named], int]:
    """The files of a subject, named as `gate check` names them: relative to the root."""
    relative = path_below(path, root)
    if relative is None:
        raise AttestError(
            f"--subject {given} does not lie below {root}", hint="name what lies below it, or give --root"
        )
    is_folder = names_folder(path, Path(given))
    artifact = collect_files(root, relative, given)
    prefix = f"{relative}/" if is_folder else relative.removesuffix(path_text(os.fsencode(path.name)))
    return named_files(given, artifact.files, prefix), artifact.bytes


def _as_it_is(data: bytes) -> bytes:
    return data
