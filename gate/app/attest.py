"""`gate keygen`, `gate sign` and `gate attest create`: from files to statements and signed bundles.

Whatever is signed is verified again, from the finished bytes and with the verifier's own code, before it is written.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gate.attest.envelope import signed_bundle
from gate.attest.files import read_file, read_prefix, replace_file
from gate.attest.keygen import generate_key
from gate.attest.model_signature import model_statement
from gate.attest.signer import Signer, key_file, open_signer
from gate.attest.signers import Passphrase
from gate.attest.statement import (
    Draft,
    Named,
    build_statement,
    check_statement,
    is_statement,
    named_files,
    payload_digest,
)
from gate.collect.directory import collect_artifact
from gate.collect.git import find_root
from gate.errors import AttestError
from gate.formats.bundle import BundleError, parse_container
from gate.formats.intoto import StatementError, parse_statement
from gate.model.artifact import Artifact, ArtifactKind
from gate.model.digest import Digest, sha256_digest
from gate.model.path import is_plain_relative, path_text
from gate.model.settings import ArtifactSettings, Limits
from gate.verify.keys import KeyFormatError, load_key

EVIDENCE_FOLDER: Final = Path(".gate", "attestations")
STATEMENT_FOLDER: Final = Path(".gate", "statements")
BUNDLE_SUFFIX: Final = ".sigstore.json"
_LIMITS: Final = Limits()
# Evidence may be allowed to be larger in gate.yaml; beyond this nobody reads it.
_MAX_STATEMENT: Final = 16 << 20
Progress = Callable[[str], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person stands. Paths are relative to `start`; names are relative to `root`, else to the repository."""

    start: Path
    root: Path | None = None


@dataclass(frozen=True, slots=True)
class SignRequest:
    """What to sign: a folder, a file or a statement; `key` is a path or URI, `out` a file to write."""

    place: Place
    path: Path
    key: str
    out: Path | None = None


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
class Made:
    """What was made. `digest` is the model's root digest, or that of the statement.

    `algorithm` and `spki` are those of the key, `None` for an unsigned statement. `size` is that of the signed
    files in bytes.
    """

    claim: str
    subject: str
    files: int
    size: int
    digest: Digest
    path: Path
    replaced: bool
    algorithm: str | None = None
    spki: Digest | None = None
    advice: str | None = None


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
    root, start = _root(request.place), request.place.start
    private, public = start / request.private, start / request.public
    signer = generate_key(request.kind, private, public, request.passphrase)
    below = _below(_real(public), root)
    return KeyPair(private, public, signer.algorithm, signer.spki, bool(request.passphrase), below)


def sign(request: SignRequest, passphrase: Passphrase, progress: Progress = nullcontext) -> Made:
    """Signs a model folder, a file or a statement; raises `AttestError`, or `EvidenceError` for unreadable files."""
    root, path = _root(request.place), _real(request.place.start / request.path)
    is_folder = _is_folder(path, request.path)
    data = b"" if is_folder else read_prefix(path, _MAX_STATEMENT + 1)
    if is_statement(data, _MAX_STATEMENT):
        return _sign_statement(request, root, path, data, passphrase)
    out = _out(request.place, request.out, root / EVIDENCE_FOLDER, f"{_flat(path, root)}{BUNDLE_SUFFIX}")
    replaced = _check_target(out, [path], _bundled_payload)
    signer = _open_signer(request.place.start, request.key, [path], passphrase)
    with progress(f"hashing {request.path}"):
        artifact = _collect(path.parent, path_text(os.fsencode(path.name)), str(request.path))
    payload, digest = model_statement(path_text(os.fsencode(path.name)), artifact.files, is_folder=is_folder)
    bundle = _sign(payload, signer)
    replace_file(out, bundle)
    count, size = len(artifact.files), artifact.bytes
    made = Made("artifact.signature", str(request.path), count, size, digest, out, replaced)
    return _signed(made, signer, bundle)


def create(request: CreateRequest, passphrase: Passphrase, progress: Progress = nullcontext) -> Made:
    """Makes a statement, and signs it when there is a key; raises `AttestError` or `EvidenceError`."""
    place = request.place
    root = _root(place)
    paths = [_real(place.start / path) for path in request.subjects]
    name = f"{_flat(paths[0], root)}{f'+{len(paths) - 1}' if paths[1:] else ''}.{request.claim}"
    folder, suffix = (EVIDENCE_FOLDER, BUNDLE_SUFFIX) if request.key is not None else (STATEMENT_FOLDER, ".json")
    out = _out(place, request.out, root / folder, name + suffix)
    replaced = _check_target(out, paths, _bundled_payload if request.key is not None else _as_it_is)
    predicate = read_file(place.start / request.predicate, _LIMITS.evidence_bytes)
    dependencies = tuple(payload_digest(read_file(place.start / path, _MAX_STATEMENT)) for path in request.depends_on)
    signer = None if request.key is None else _open_signer(place.start, request.key, paths, passphrase)
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
    data = payload if signer is None else _sign(payload, signer)
    replace_file(out, data)
    return made if signer is None else _signed(made, signer, data)


def _sign_statement(request: SignRequest, root: Path, path: Path, payload: bytes, passphrase: Passphrase) -> Made:
    statement = check_statement(payload)
    out = _out(request.place, request.out, root / EVIDENCE_FOLDER, f"{path.name.removesuffix('.json')}{BUNDLE_SUFFIX}")
    replaced = _check_target(out, [path], _bundled_payload)
    signer = _open_signer(request.place.start, request.key, [], passphrase)
    bundle = _sign(payload, signer)
    replace_file(out, bundle)
    count = len(statement.resources)
    made = Made(statement.claim, str(request.path), count, 0, sha256_digest(payload), out, replaced)
    return _signed(made, signer, bundle)


def _root(place: Place) -> Path:
    start = place.start.resolve()
    if place.root is not None:
        return (place.start / place.root).resolve()
    return find_root(start) or start


def _real(path: Path) -> Path:
    """The path with its folders resolved and its last name as it is: a link is to be seen, not followed."""
    return path.resolve() if path.name in {"", "..", "."} else path.parent.resolve() / path.name


def _below(path: Path, root: Path) -> str | None:
    return path_text(os.fsencode(path.relative_to(root).as_posix())) if root in path.parents else None


def _flat(path: Path, root: Path) -> str:
    """A file name for a path: its place below the root, so that two models of one name do not share a signature."""
    found = path.relative_to(root).parts if root in path.parents else (path.name,)
    return os.fsencode("-".join(part.lstrip(".") for part in found)).decode("utf-8", "replace") or "root"


def _is_folder(path: Path, given: Path) -> bool:
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        raise AttestError(f"cannot read {given}: {error.strerror}") from None
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise AttestError(f"{given} is a link, device, socket or pipe; only files and folders can be signed")
    return stat.S_ISDIR(mode)


def _collect(base: Path, relative: str, given: str) -> Artifact:
    if not is_plain_relative(relative):
        raise AttestError(f"{given}: the name {relative!r} is not plain UTF-8", hint="rename it")
    settings = ArtifactSettings(name=relative, kind=ArtifactKind.WEIGHTS, path=relative, image=None, base=None)
    return collect_artifact(base, settings, _LIMITS, visit=None)


def _subjects(root: Path, path: Path, given: str) -> tuple[list[Named], int]:
    """The files of a subject, named as `gate check` names them: relative to the root."""
    relative = _below(path, root)
    if relative is None:
        raise AttestError(
            f"--subject {given} does not lie below {root}", hint="name what lies below it, or give --root"
        )
    is_folder = _is_folder(path, Path(given))
    artifact = _collect(root, relative, given)
    prefix = f"{relative}/" if is_folder else relative.removesuffix(path_text(os.fsencode(path.name)))
    return named_files(given, artifact.files, prefix), artifact.bytes


def _out(place: Place, given: Path | None, folder: Path, name: str) -> Path:
    return folder / name if given is None else place.start / given


def _as_it_is(data: bytes) -> bytes:
    return data


def _bundled_payload(data: bytes) -> bytes:
    found = parse_container(data, limit=len(data))
    if not found.is_bundle:
        raise AttestError("an envelope that something else made")
    return found.envelope.payload


def _check_target(out: Path, signed: Sequence[Path], payload_of: Callable[[bytes], bytes]) -> bool:
    """Whether a statement is replaced; raises `AttestError` for a place that must not be written.

    What lies there is replaced only when it is of the same kind as what is written: signing again is daily work,
    overwriting something else is an accident. Nothing is written into what is signed: that would change it.
    """
    for path in signed:
        if any(_is_same(folder, path) for folder in (out, *_real(out).parents)):
            raise AttestError(
                f"{out} lies inside what it is about, and writing it would change that",
                hint="--out with a file outside it, such as .gate/attestations/NAME.sigstore.json",
            )
    if not out.is_symlink() and not out.exists():
        return False
    if out.is_symlink() or not _holds_statement(out, payload_of):
        raise AttestError(f"{out} exists and is not overwritten", hint="only a file of the same kind is; see --out")
    return True


def _holds_statement(path: Path, payload_of: Callable[[bytes], bytes]) -> bool:
    try:
        parse_statement(payload_of(read_file(path, 2 * _MAX_STATEMENT)), limit=_MAX_STATEMENT)
    except (AttestError, BundleError, StatementError):
        return False
    return True


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _open_signer(start: Path, key: str, signed: Sequence[Path], passphrase: Passphrase) -> Signer:
    location = start / key_file(key)
    for path in signed:
        if any(_is_same(folder, path) for folder in (location, *location.resolve().parents)):
            raise AttestError(
                f"the private key {location} lies inside what is signed, and would be published with it",
                hint="keep keys outside",
            )
    return open_signer(key, start, passphrase)


def _sign(payload: bytes, signer: Signer) -> bytes:
    """The signed bundle, verified from its finished bytes; raises `AttestError` if it does not verify."""
    bundle = signed_bundle(payload, signer)
    try:
        envelope = parse_container(bundle, limit=len(bundle)).envelope
        key = load_key(signer.public_key_pem)
    except (BundleError, KeyFormatError) as error:
        raise AttestError(f"the own signature cannot be verified: {error}") from None
    verified = any(key.verifies(signature, envelope.signed_bytes) for signature in envelope.signatures)
    if envelope.payload != payload or key.spki != signer.spki or not verified:
        raise AttestError("the own signature does not verify; nothing was written")
    return bundle


def _signed(made: Made, signer: Signer, bundle: bytes) -> Made:
    advice = None
    if len(bundle) > _LIMITS.evidence_bytes:
        needed = -(-len(bundle) // (1 << 20))
        advice = f"this bundle needs limits: {{evidence_bytes: {needed}MiB}} in gate.yaml"
    return replace(made, algorithm=signer.algorithm, spki=signer.spki, advice=advice)
