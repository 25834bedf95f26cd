"""A training job becomes a statement: what it starts from is digested before and after, what it made at the end.

Obligations, each of them an error when it is not met:
1. data and base lie outside the model, and are the same before and after;
2. the commit is the same before and after;
3. something was written where the model is to be;
4. the places for the statement can be written, and the key can be opened, before the training begins.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from gate.app.produce import (
    BUNDLE_SUFFIX,
    EVIDENCE_FOLDER,
    LIMITS,
    MAX_STATEMENT,
    Place,
    bundled_payload,
    check_target,
    collect_files,
    flat_name,
    is_same,
    names_folder,
    open_key,
    path_below,
    real_path,
    root_of,
    sign_payload,
)
from gate.attest.files import read_file, replace_file
from gate.attest.signer import key_file
from gate.attest.signers import Passphrase
from gate.attest.statement import check_statement, named_files, payload_of, statement_bytes
from gate.collect.code import CodeState, code_state
from gate.errors import AttestError, GateError
from gate.formats.canonical_json import CanonicalJsonError, dumps
from gate.formats.merkle import root as merkle_root
from gate.formats.predicates.generic import predicate_type
from gate.formats.predicates.training_provenance import CLAIM, FINE_TUNING, TRAINING
from gate.formats.rfc3339 import format_time
from gate.model.claim import EDGES
from gate.model.digest import Digest, hex_of, parse_digest, sha256_digest
from gate.model.json import JsonObject
from gate.model.path import path_text

_STATEMENTS: Final = Path(".gate", "statements")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a training job says of itself. `datasets` and `base` are paths, or digests `sha256:<hex>`, by name.

    `environment` is recorded as it is given. `out` is where the statement goes, with a `key` the signed bundle.
    `depends_on` and `evaluation` are statements or bundles.
    """

    place: Place
    model: Path
    pipeline: str
    environment: Mapping[str, str]
    datasets: Mapping[str, str | Path] = field(default_factory=dict)
    base: Mapping[str, str | Path] = field(default_factory=dict)
    seed: int | None = None
    signer: str | None = None
    depends_on: Sequence[Path] = ()
    evaluation: Sequence[Path] = ()
    out: Path | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """What was found before the training. `inputs` are what lies on disk, `seen` is what the model looked like."""

    plan: Plan
    root: Path
    model: Path
    statement: Path
    bundle: Path | None
    code: CodeState
    inputs: Mapping[Path, Digest]
    datasets: Mapping[str, Digest]
    base: Mapping[str, Digest]
    evaluation: Sequence[Digest]
    depends_on: Sequence[Digest]
    seen: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Stated:
    """What was written: the statement, its bundle if there is a key, and the records that `metrics_root` is made of."""

    statement: Path
    bundle: Path | None
    records: Path | None
    digest: Digest


def begin(plan: Plan, passphrase: Passphrase) -> Begun:
    """Looks at everything that must not change; raises a `GateError` before any time is spent on training."""
    root = root_of(plan.place)
    model = real_path(plan.place.start / plan.model)
    if path_below(model, root) is None:
        raise AttestError(f"the model {plan.model} does not lie below {root}", hint="or give root=")
    statement, bundle = _places(plan, root, model)
    if bundle is not None and plan.key is not None and key_file(plan.key) is not None:
        open_key(plan.place.start, plan.key, [model], passphrase)
    inputs: dict[Path, Digest] = {}
    datasets = {name: _input(plan, name, value, model, inputs) for name, value in plan.datasets.items()}
    base = {name: _input(plan, name, value, model, inputs) for name, value in plan.base.items()}
    evaluation = {_predecessor(plan.place.start / path, only="eval") for path in plan.evaluation}
    others = {_predecessor(plan.place.start / path) for path in plan.depends_on}
    begun = Begun(
        plan=plan,
        root=root,
        model=model,
        statement=statement,
        bundle=bundle,
        code=code_state(root, [model, *inputs]),
        inputs=inputs,
        datasets=datasets,
        base=base,
        evaluation=sorted(evaluation),
        depends_on=sorted(evaluation | others),
        seen=_look(model),
    )
    # What the statement's schema would refuse is said now, and not after days of training.
    _payload(begun, {_model(begun): sha256_digest(b"")}, begun.code.dirty, None, (0, 0))
    return begun


def finish(begun: Begun, records: Sequence[JsonObject], times: tuple[int, int], passphrase: Passphrase) -> Stated:
    """Writes the statement, and the signed bundle if there is a key; raises a `GateError` and attests nothing.

    `times` are start and end in seconds since 1970. When only signing fails, the statement is there and can be signed.
    """
    dirty = _still_the_same(begun)
    model = _model(begun)
    is_folder = names_folder(begun.model, begun.plan.model)
    artifact = collect_files(begun.root, model, str(begun.plan.model))
    prefix = f"{model}/" if is_folder else model.removesuffix(path_text(os.fsencode(begun.model.name)))
    named = {item.name: item.digest for item in named_files(str(begun.plan.model), artifact.files, prefix)}
    leaves = [record_bytes(record) for record in records]
    root = merkle_root(leaves) if leaves else None
    payload = _payload(begun, named, dirty, root, times, folders={model: "model"} if is_folder else {})
    if len(payload) > LIMITS.evidence_bytes:
        raise AttestError(f"the statement has {len(payload)} bytes, more than evidence may have")
    kept = None
    if root is not None:
        stem = begun.statement.name.removesuffix(".json")
        kept = begun.statement.with_name(f"{stem}.{hex_of(root)[:16]}.records")
        replace_file(kept, b"".join(leaf + b"\n" for leaf in leaves))
    replace_file(begun.statement, payload)
    if begun.bundle is not None:
        _sign(begun, payload, begun.bundle, passphrase)
    return Stated(begun.statement, begun.bundle, kept, sha256_digest(payload))


def _payload(
    begun: Begun,
    named: Mapping[str, Digest],
    dirty: bool | None,
    root: Digest | None,
    times: tuple[int, int],
    *,
    folders: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    started, finished = (format_time(seconds) for seconds in times)
    predicate: JsonObject = {
        "created_at": finished,
        "depends_on": list(begun.depends_on),
        "roles": {"model": sorted(named)},
        "folders": dict(folders),
        "privacy": {"mode": "hash_only"},
        "method": FINE_TUNING if begun.base else TRAINING,
        "code": {"repository": begun.code.repository, "commit": begun.code.commit, "dirty": dirty},
        "datasets": dict(begun.datasets),
        "base": dict(begun.base),
        "environment": dict(begun.plan.environment),
        "pipeline": begun.plan.pipeline,
        "signer": begun.plan.signer,
        "time": {"started_at": started, "finished_at": finished},
        "evaluation": list(begun.evaluation),
        "metrics_root": root,
        "seed": begun.plan.seed,
    }
    return statement_bytes(named, predicate_type(CLAIM), predicate)


def _model(begun: Begun) -> str:
    return path_text(os.fsencode(begun.model.relative_to(begun.root).as_posix()))


def _places(plan: Plan, root: Path, model: Path) -> tuple[Path, Path | None]:
    """Where the statement and its bundle go; raises `AttestError` for places that must not be written."""
    stem = f"{flat_name(model, root)}.{CLAIM}"
    plain = root / _STATEMENTS / f"{stem}.json"
    out = None if plan.out is None else plan.place.start / plan.out
    if plan.key is None:
        check_target(out or plain, [model], lambda data: data)
        return out or plain, None
    bundle = out or root / EVIDENCE_FOLDER / f"{stem}{BUNDLE_SUFFIX}"
    check_target(plain, [model], lambda data: data)
    check_target(bundle, [model], bundled_payload)
    return plain, bundle


def _input(plan: Plan, name: str, value: str | Path, model: Path, inputs: dict[Path, Digest]) -> Digest:
    """The digest of data or a base; what lies on disk is added to `inputs`."""
    given = parse_digest(value) if isinstance(value, str) else None
    if given is not None:
        return given
    path = real_path(plan.place.start / value)
    if path == model or path in model.parents or model in path.parents or is_same(path, model):
        raise AttestError(f"{name} and the model lie in each other: {path}", hint="write the model elsewhere")
    if path not in inputs:
        inputs[path] = file_digest(path, str(value))
    return inputs[path]


def record_bytes(record: JsonObject) -> bytes:
    """A leaf of the Merkle tree: canonical JSON; raises `AttestError` for NaN, infinity and numbers out of range."""
    try:
        return dumps(record)
    except CanonicalJsonError as error:
        raise AttestError(f"{record.get('name') or record['kind']} cannot be recorded: {error}") from None


def file_digest(path: Path, given: str) -> Digest:
    """The digest of a file or folder, as an artifact at that path would have."""
    names_folder(path, Path(given))
    found = collect_files(path.parent, path_text(os.fsencode(path.name)), given)
    named = named_files(given, found.files)
    return found.digest or named[0].digest


def _predecessor(path: Path, only: str | None = None) -> Digest:
    payload = payload_of(read_file(path, MAX_STATEMENT))
    claim = check_statement(payload).claim
    if claim not in EDGES[CLAIM] or only not in {None, claim}:
        raise AttestError(
            f"{path} is a statement of {claim}, and {CLAIM} builds on none of it",
            hint=f"one of: {only or ', '.join(sorted(EDGES[CLAIM]))}",
        )
    return sha256_digest(payload)


def _still_the_same(begun: Begun) -> bool | None:
    """Whether code differed from the commit, at the start or now; raises `AttestError` for obligations 1 to 3."""
    for path, digest in begun.inputs.items():
        if file_digest(path, str(path)) != digest:
            raise AttestError(
                f"{path} changed during the training, so nobody can say what was trained on",
                hint="train again, on a copy that nobody writes to",
            )
    now = code_state(begun.root, [begun.model, *begun.inputs], untracked=False)
    if now.commit != begun.code.commit:
        raise AttestError("another commit was checked out during the training", hint="train in a checkout of its own")
    seen = _look(begun.model)
    if not seen:
        raise AttestError(f"the training wrote no model to {begun.plan.model}", hint="check its path")
    if seen == begun.seen:
        raise AttestError(f"nothing was written to {begun.plan.model} during the training", hint="check its path")
    return None if begun.code.dirty is None else begun.code.dirty or bool(now.dirty)


def _look(model: Path) -> Mapping[str, tuple[int, int]]:
    """Which files are there, and when each was last written or replaced."""
    found = {}
    for path in (model, *sorted(model.rglob("*"))):
        try:
            status = path.lstat()
        except OSError:
            continue  # gone meanwhile, or not there yet: reading it later says so
        if not path.is_dir():
            found[str(path)] = (status.st_ino, status.st_ctime_ns)
    return found


def _sign(begun: Begun, payload: bytes, bundle: Path, passphrase: Passphrase) -> None:
    try:
        signer = open_key(begun.plan.place.start, begun.plan.key or "", [begun.model], passphrase)
        replace_file(bundle, sign_payload(payload, signer))
    except GateError as error:
        raise AttestError(
            f"the statement is written to {begun.statement}, but could not be signed: {error}",
            hint=f"gate sign {begun.statement} --key KEY",
        ) from error
