"""Decisions are recorded before they are given (SECURITY 36); and how the log that `gate.yaml` names is opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from gate.attest.signer import open_signer
from gate.attest.signers.key import ED25519, P256
from gate.collect.git import Repository
from gate.errors import AttestError, ConfigError, RecordError
from gate.evaluate.bundle import PolicyBundle
from gate.model.decision import Decision
from gate.model.document import InputDocument
from gate.model.record import Checkpoint, Record
from gate.model.settings import LOG_SUFFIXES, CheckpointSettings, RecordSettings
from gate.record.chain import entry_of, policy_of
from gate.record.checkpoint import NoteKey, NoteSigner, make_checkpoint, note_key
from gate.record.interface import DecisionLog
from gate.report.json import recorded_json

Passphrase = Callable[[str], str]


def nobody_to_ask(what: str) -> NoReturn:
    """Stands for a passphrase where nobody can be asked: decisions are recorded without people."""
    raise AttestError(f"{what}: nobody can be asked while a decision is recorded", hint="use a key without passphrase")


def record_decision(
    settings: RecordSettings,
    root: Path,
    repository: Repository | None,
    bundle: PolicyBundle,
    decision: Decision,
    document: InputDocument,
    at_s: int,
) -> Record:
    """Appends a decision with all that it was made from, and a checkpoint when one is due.

    It is on disk when this returns. Raises `RecordError`, or another `GateError`: then the decision may not be given.
    """
    check_place(settings, root, repository)
    log = open_log(settings, root, append=True)
    try:
        entry = entry_of(recorded_json(decision), document.canonical, policy_of(bundle.digest, bundle.files))
        (record,) = log.append([entry], at_s)
        if settings.checkpoint is not None:
            last = log.last_checkpoint()
            if record.seq + 1 - (0 if last is None else last.size) >= settings.checkpoint.every:
                checkpoint_now(log, settings.checkpoint, root, nobody_to_ask)
    finally:
        log.close()
    return record


def open_log(settings: RecordSettings, root: Path, *, append: bool = False) -> DecisionLog:
    """The log that is configured; raises `ConfigError`, `EvidenceError`, or `RecordError` where it is for appending."""
    if settings.sqlite is not None:
        from gate.record.sqlite import open_sqlite

        return open_sqlite(root / settings.sqlite, create=append)
    from gate.record.postgres import open_postgres

    dsn_file = None if settings.dsn_file is None else root / settings.dsn_file
    return open_postgres(settings.service, dsn_file)


def checkpoint_now(
    log: DecisionLog, settings: CheckpointSettings, root: Path, passphrase: Passphrase
) -> Checkpoint | None:
    """Signs the head of the log with the configured key; raises a `GateError`."""
    signer = note_signer(settings.key, settings.origin, root, passphrase)
    return make_checkpoint(log, signer, public_keys(settings))


def note_signer(key: str, origin: str, root: Path, passphrase: Passphrase) -> NoteSigner:
    """What signs the checkpoints of a log; raises `AttestError` or `ConfigError`."""
    signer = open_signer(key, root, passphrase)
    if signer.algorithm not in {ED25519, P256}:
        raise ConfigError(f"checkpoints cannot be signed with {signer.algorithm}", hint="gate keygen --type ed25519")
    return NoteSigner(note_key(origin, signer.public_key_pem, "the signing key"), signer.sign)


def public_keys(settings: CheckpointSettings) -> tuple[NoteKey, ...]:
    """The configured keys that checkpoints are proved with; raises `ConfigError`."""
    return tuple(note_key(settings.origin, pem, path) for path, pem in settings.public_keys.items())


def check_place(settings: RecordSettings, root: Path, repository: Repository | None) -> None:
    """Refuses a log that came with what is judged: its records would be signed as ours, or it would lie elsewhere.

    What SQLite reads beside the file counts as the log: pages in it take the place of those in the file.
    """
    path = None if settings.sqlite is None else _below(root, settings.sqlite)
    if path is None:
        return
    beside = [path.with_name(f"{path.name}{suffix}") for suffix in LOG_SUFFIXES]
    folders = [folder for folder in path.parents if folder.parts]
    for place in (*reversed(folders), *beside):
        if (root / place).is_symlink():
            raise RecordError(f"{path}: {place.name} is a link", hint="remove it: the log lies where it is named")
    if repository is None:
        return
    # A folder that is tracked itself is a submodule, with everything in it.
    found = sorted({str(place) for place in (*folders, *beside)} & repository.tracked())
    if found:
        raise RecordError(
            f"{found[0]} is tracked by git, so whoever proposes a change can bring a log along",
            hint=f"git rm --cached {found[0]}, and keep the log out of the repository",
        )


def _below(root: Path, text: str) -> Path | None:
    """The path of a log below the root; `None` for one that lies elsewhere."""
    path = Path(text)
    if not path.is_absolute():
        return path
    below = (path.relative_to(top) for top in (root, root.resolve()) if path.is_relative_to(top))
    return next(below, None)
