"""`gate sign`: from files and statements to signed bundles, one or many at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate.app.model import WHOLE_FILES, Hashing, make_manifest
from gate.app.produce import (
    BUNDLE_SUFFIX,
    EVIDENCE_FOLDER,
    MAX_STATEMENT,
    AnySigner,
    Made,
    Place,
    Progress,
    SignedBy,
    advice,
    bundled_payload,
    check_target,
    flat_name,
    is_of_another,
    is_same,
    names_folder,
    open_key,
    party_digest,
    path_below,
    real_path,
    root_of,
    sign_payload,
    signed_by,
    target,
    with_key,
    with_notes,
)
from gate.attest.files import read_prefix, replace_file, replace_files
from gate.attest.signers import Passphrase
from gate.attest.statement import check_statement, is_statement
from gate.collect.git import Repository, find_root
from gate.errors import AttestError
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.digest import hex_of, sha256_digest
from gate.model.path import fold

_BLOCK: Final = 100


@dataclass(frozen=True, slots=True)
class SignRequest:
    """What to sign: a folder, a file or a statement; `key` is a path or URI.

    `out` is a file to write, for statements signed by `sign_statements` the folder to write into. `hashing` is for
    models. Statements that git tracks are signed only where `tracked` says so: whoever proposes a change could have
    brought them, and a job that signs a folder would put its key to their words.
    """

    place: Place
    path: Path
    key: str
    out: Path | None = None
    hashing: Hashing = WHOLE_FILES
    tracked: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """Statements that were signed together. `claims` says how many of each; `replaced` of the bundles were there."""

    subject: str
    claims: Mapping[str, int]
    replaced: int
    folder: Path
    signed_by: SignedBy
    advice: str | None


@dataclass(frozen=True, slots=True)
class _Checked:
    """A statement that may be signed as it is, and where its bundle goes. `is_there` says that one lies there."""

    path: Path
    payload: bytes
    claim: str
    out: Path
    is_there: bool


def names_statements(request: SignRequest) -> bool:
    """Whether the path is a folder of statements and nothing else; raises `AttestError` when it is a mixture.

    A statement among other files may be meant to be signed, or to be part of a model: nobody can tell.
    """
    path = request.place.start / request.path
    if not path.is_dir():
        return False
    try:
        entries = sorted(path.iterdir())
    except OSError as error:
        raise AttestError(f"cannot read {request.path}: {error.strerror}") from None
    statements = [entry for entry in entries if _may_be_statement(entry)]
    others = len(entries) - len(statements)
    if statements and others:
        raise AttestError(
            f"{request.path} holds {len(statements)} in-toto statements, such as {statements[0].name}, among {others}"
            " other files and folders",
            hint=f"gate sign --in {request.path} for the statements alone; move them elsewhere to sign the rest",
        )
    return bool(statements)


def sign_statements(request: SignRequest, passphrase: Passphrase, progress: Progress = nullcontext) -> Batch:
    """Signs the statements of a folder, or of one file, with one key; raises `AttestError`.

    All of them are checked before the key is opened, and all are signed and verified before the first is written: a
    single bad one, or a key that fails on the way, leaves everything as it was.
    """
    place = request.place
    folder = root_of(place) / EVIDENCE_FOLDER if request.out is None else place.start / request.out
    paths = _statement_files(place.start / request.path, request.path, folder)
    _refuse_tracked(request, paths)
    with progress(f"checking {len(paths)} statements"):
        checked = _checked(paths, folder)
    signer = open_key(place.start, request.key, [], passphrase)
    bundles: dict[Path, bytes] = {}
    replaced = 0
    for first in range(0, len(checked), _BLOCK):
        block = checked[first : first + _BLOCK]
        with progress(f"signing statements {first + 1} to {first + len(block)} of {len(checked)}"):
            for item in block:
                out, is_there = item.out, item.is_there
                bundle = sign_payload(item.payload, signer)
                if is_there:
                    out, is_there = _own_place(out, item.path, bundle, signer)
                if out in bundles:
                    raise AttestError(f"{out.name} would be written for two statements", hint="rename one of them")
                bundles[out] = bundle
                replaced += is_there
    with progress(f"writing {len(bundles)} bundles"):
        replace_files(bundles)
    return Batch(
        str(request.path),
        Counter(item.claim for item in checked),
        replaced,
        folder,
        signed_by(signer, next(iter(bundles.values()))),
        advice(signer, max(map(len, bundles.values()))),
    )


def sign(request: SignRequest, passphrase: Passphrase, progress: Progress = nullcontext) -> Made:
    """Signs a model folder, a file or a statement; raises `AttestError`, or `EvidenceError` for unreadable files."""
    root, path = root_of(request.place), real_path(request.place.start / request.path)
    is_folder = names_folder(path, request.path)
    data = b"" if is_folder else read_prefix(path, MAX_STATEMENT + 1)
    if is_statement(data, MAX_STATEMENT):
        if request.hashing != WHOLE_FILES:
            raise AttestError(f"{request.path} is a statement: nothing is hashed", hint="--shards is for models")
        return _sign_statement(request, root, path, data, passphrase)
    out = target(request.place, request.out, root / EVIDENCE_FOLDER, f"{flat_name(path, root)}{BUNDLE_SUFFIX}")
    replaced = check_target(out, [path], bundled_payload)
    signer = open_key(request.place.start, request.key, [path], passphrase)
    made = make_manifest(path, request.path, request.hashing.at(request.place.start), progress, is_folder=is_folder)
    bundle = sign_payload(made.payload, signer)
    replace_file(out, bundle)
    signed = Made("artifact.signature", str(request.path), made.files, made.size, made.digest, out, replaced)
    return with_notes(with_key(signed, signer, bundle), made.note)


def _sign_statement(request: SignRequest, root: Path, path: Path, payload: bytes, passphrase: Passphrase) -> Made:
    _refuse_tracked(request, [path])
    statement = check_statement(payload)
    out = target(
        request.place, request.out, root / EVIDENCE_FOLDER, f"{path.name.removesuffix('.json')}{BUNDLE_SUFFIX}"
    )
    replaced = check_target(out, [path], bundled_payload)
    signer = open_key(request.place.start, request.key, [], passphrase)
    bundle = sign_payload(payload, signer)
    if request.out is None and replaced:
        out, replaced = _own_place(out, path, bundle, signer)
    replace_file(out, bundle)
    count = len(statement.resources)
    made = Made(statement.claim, str(request.path), count, 0, sha256_digest(payload), out, replaced)
    return with_key(made, signer, bundle)


def _own_place(out: Path, path: Path, bundle: bytes, signer: AnySigner) -> tuple[Path, bool]:
    """Where a bundle goes that would replace one, and whether it does: another party's signature is not replaced."""
    if not is_of_another(out, bundle, signer):
        return out, True
    party = hex_of(party_digest(signer, bundle))[:12]
    own = out.with_name(f"{out.name.removesuffix(BUNDLE_SUFFIX)}.{party}{BUNDLE_SUFFIX}")
    return own, check_target(own, [path], bundled_payload)


def _may_be_statement(path: Path) -> bool:
    """Whether it is a statement, or claims to be one and is broken; what cannot be read is something else."""
    if path.suffix != ".json" or path.is_symlink() or not path.is_file():
        return False
    try:
        data = read_prefix(path, MAX_STATEMENT + 1)
    except AttestError:
        return False
    try:
        return is_statement(data, MAX_STATEMENT)
    except AttestError:
        return not _is_object(data)


def _is_object(data: bytes) -> bool:
    """What is JSON and is refused as a statement is signed already."""
    try:
        loads_object(data)
    except StrictJsonError:
        return False
    return True


def _statement_files(path: Path, given: Path, out: Path) -> list[Path]:
    """The files to sign; raises `AttestError` when there are none, or when bundles would be written among them."""
    if not names_folder(path, given):
        return [path]
    if is_same(path, out):
        raise AttestError(f"--out {out} is the folder that is signed", hint="--out with another folder")
    found = sorted(path.glob("*.json"))
    if not found:
        raise AttestError(f"{given}: there are no statements (*.json)", hint="gate attest create")
    return found


def _refuse_tracked(request: SignRequest, paths: Sequence[Path]) -> None:
    """Raises `AttestError` for statements, all of one folder, that the repository around them tracks."""
    real = [real_path(path) for path in paths]
    top = find_root(real[0].parent)
    if request.tracked or top is None:
        return
    tracked = {fold(path) for path in Repository(top).tracked()}
    found = [path.name for path in real if fold(path_below(path, top) or "") in tracked]
    if found:
        raise AttestError(
            f"git tracks {len(found)} of {len(paths)} statements: a change could have brought them; nothing was signed",
            hint="create statements in a folder that git ignores, and sign that; --tracked signs what was committed",
            details=found,
        )


def _checked(paths: Sequence[Path], folder: Path) -> list[_Checked]:
    """All the statements; raises one `AttestError` that names each one that is refused."""
    found, problems = [], []
    for path in paths:
        try:
            found.append(_check(path, folder / f"{path.name.removesuffix('.json')}{BUNDLE_SUFFIX}"))
        except AttestError as error:
            problems.append(f"{path.name}: {error}")
    if problems:
        raise AttestError(
            f"{len(problems)} of {len(paths)} statements cannot be signed, and nothing was written",
            hint="correct them, or move them elsewhere",
            details=problems,
        )
    return found


def _check(path: Path, out: Path) -> _Checked:
    if names_folder(path, path):
        raise AttestError("it is a folder")
    payload = read_prefix(path, MAX_STATEMENT + 1)
    if not is_statement(payload, MAX_STATEMENT):
        raise AttestError("it is no in-toto statement")
    claim = check_statement(payload).claim
    return _Checked(path, payload, claim, out, check_target(out, [path], bundled_payload))
