"""`gate log`: what was recorded, shown, searched, verified, exported and, once others have it, pruned."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from gate.app.record import Passphrase, nobody_to_ask, note_signer, open_log, public_keys
from gate.app.workspace import Request, WorkTree, root_of
from gate.attest.files import read_file
from gate.attest.signer import key_file
from gate.config.nodes import NAME
from gate.config.settings import load_record
from gate.errors import ConfigError, EvidenceError, GateError, RecordError
from gate.formats.checkpoint import MAX_NOTE, CheckpointError, parse_note, parse_proof, proof_text
from gate.formats.decision_document import DecisionFormatError, read_decision
from gate.model.decision import Decision
from gate.model.digest import Digest
from gate.model.record import NO_RECORD, Checkpoint, Floor, LogVerification, Query, Record, Recorded
from gate.model.settings import CheckpointSettings, RecordSettings
from gate.record.checkpoint import NoteKey, check_inclusion, inclusion, make_checkpoint, note_key, proved
from gate.record.export import export_lines, exported_notes, verify_lines
from gate.record.interface import DecisionLog, check_record, find_decision, recorded, search
from gate.record.verify import verify_log

LATEST: Final = "latest"
_IDENTITY: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{4,26}")
_KEY_BYTES: Final = 64 << 10
_PROOF_BYTES: Final = 16 << 20
_NO_RECORD: Final = "gate.yaml has no section `record`, so no decision is recorded"


@dataclass(frozen=True, slots=True)
class LogPlace:
    """Which log is meant, and the folder that relative paths in its settings start at."""

    settings: RecordSettings
    root: Path


@dataclass(frozen=True, slots=True)
class Asked:
    """What a log is compared with: files of public keys, and of checkpoints that were kept elsewhere."""

    keys: Sequence[Path] = ()
    witnesses: Sequence[Path] = ()


def log_place(request: Request, sqlite: Path | None = None) -> LogPlace:
    """The log of `gate.yaml` in the work tree, or the one in a file; raises `ConfigError`."""
    if sqlite is not None:
        return LogPlace(RecordSettings(sqlite=str(sqlite.absolute())), request.start)
    root = root_of(request)
    settings = load_record(request.config, WorkTree(root))
    if settings is None:
        raise ConfigError(_NO_RECORD, hint="record: {sqlite: .gate/record/decisions.db}, or --sqlite FILE")
    return LogPlace(settings, root)


def log_files(place: LogPlace) -> tuple[Path, ...]:
    """The file that says what a log holds, or where it is; none for one that a service of PostgreSQL names."""
    named = place.settings.sqlite or place.settings.dsn_file
    return () if named is None else (place.root / named,)


@contextlib.contextmanager
def log_of(place: LogPlace, *, append: bool = False) -> Iterator[DecisionLog]:
    """The log, open; raises a `GateError`."""
    log = open_log(place.settings, place.root, append=append)
    try:
        yield log
    finally:
        log.close()


def recorded_decision(log: DecisionLog, identity: str) -> tuple[Recorded, Decision]:
    """A recorded decision by its id, the beginning of it, or as the `latest`; raises `EvidenceError`."""
    if identity == LATEST:
        newest = next(log.records(newest_first=True), None)
        found = None if newest is None else recorded(log, newest)
    else:
        found = find_decision(log, identity)
    if found is None:
        raise EvidenceError(f"{log.name} holds no decision {identity}", hint="gate log query")
    try:
        return found, read_decision(found.decision)
    except DecisionFormatError as error:
        raise EvidenceError(f"record {found.seq} is no decision: {error}", hint="gate log verify") from None


def is_identity(text: str) -> bool:
    """Whether a text can be the id of a decision, the beginning of one, or `latest`."""
    return text == LATEST or _IDENTITY.fullmatch(text) is not None


def logged_decision(place: LogPlace, identity: str) -> Decision:
    """A decision in a log; raises a `GateError`."""
    with log_of(place) as log:
        return recorded_decision(log, identity)[1]


def found_records(log: DecisionLog, query: Query, limit: int) -> tuple[list[Record], bool]:
    """The newest records that fit, and whether there are more; raises `EvidenceError` for one that was changed."""
    found = list(islice(search(log, query), limit + 1))
    for record in found:
        check_record(record)
    return found[:limit], len(found) > limit


def verify(place: LogPlace, asked: Asked) -> LogVerification:
    """Looks at everything in the log; raises a `GateError` for keys and checkpoints that cannot be read."""
    witnesses = [_text(path, MAX_NOTE) for path in asked.witnesses]
    with log_of(place) as log:
        return verify_log(log, _keys(place, asked, log.checkpoints(), witnesses), witnesses)


def verify_file(place: LogPlace | None, path: Path, asked: Asked) -> LogVerification:
    """Looks at exported lines; raises like `verify`."""
    witnesses = [_text(witness, MAX_NOTE) for witness in asked.witnesses]
    try:
        with path.open("rb") as lines:
            keys = _keys(place, asked, (), [*witnesses, *exported_notes(lines)])
            lines.seek(0)
            return verify_lines(str(path), lines, keys, witnesses)
    except OSError as error:
        raise EvidenceError(f"{path} cannot be read: {error.strerror}") from None


def inclusion_proof(log: DecisionLog, record: Record) -> str:
    """The proof that a record is in the log, as text; raises `EvidenceError`."""
    return proof_text(inclusion(log, record))


@dataclass(frozen=True, slots=True)
class Proved:
    """What a proof of inclusion shows. `problem` says why it shows nothing."""

    origin: str
    size: int
    index: int
    record: bytes
    problem: str | None
    is_signed: bool


def verify_proof(place: LogPlace | None, path: Path, asked: Asked) -> Proved:
    """Follows a proof to its checkpoint; raises a `GateError` for what is no proof."""
    text = _text(path, _PROOF_BYTES)
    try:
        proof = parse_proof(text)
        note = parse_note(proof.note)
    except CheckpointError as error:
        raise EvidenceError(f"{path} is no proof of inclusion: {error}", hint="gate log show ID --proof") from None
    keys = _keys(place, asked, (), [proof.note])
    try:
        check_inclusion(proof)
        problem = proved(note, keys) if keys else None
    except CheckpointError as error:
        problem = str(error)
    return Proved(note.tree.origin, note.tree.size, proof.index, proof.record, problem, bool(keys))


def make_checkpoint_now(
    log: DecisionLog, place: LogPlace, key: str | None, origin: str | None, passphrase: Passphrase
) -> tuple[Checkpoint, str]:
    """Signs the head of the log with the configured key, or with another; and the key as verifiers are given it.

    Raises a `GateError`, also for an empty log.
    """
    configured = place.settings.checkpoint
    if configured is None and (key is None or origin is None):
        raise ConfigError("gate.yaml has no record.checkpoint", hint="--key KEY --origin NAME")
    settings = configured or CheckpointSettings(key="", origin="")
    signer = note_signer(key or settings.key, origin or settings.origin, place.root, passphrase)
    made = make_checkpoint(log, signer, public_keys(settings))
    if made is None:
        raise RecordError(f"{log.name}: nothing was recorded yet, so there is nothing to sign")
    return made, signer.key.text


@dataclass(frozen=True, slots=True)
class Pruning:
    """What is removed, or would be: the records below `size`, out of so many that are there."""

    size: int
    removed: int
    kept: int


def prune(place: LogPlace, asked: Asked, before_s: int, *, dry_run: bool = False) -> Pruning:
    """Removes the oldest records: those of before a time which every consumer has and a checkpoint signs.

    The log is verified first, so that no evidence of a change is removed with it. Raises `RecordError`.
    """
    with log_of(place, append=not dry_run) as log:
        checkpoints = log.checkpoints()
        keys = _keys(place, asked, checkpoints, [])
        if checkpoints and not keys:
            raise RecordError(
                f"{log.name} is not pruned: no public key proves its checkpoints",
                hint="--key FILE, or record.checkpoint.public_keys in gate.yaml",
            )
        verified = verify_log(log, keys)
        if verified.findings:
            first = verified.findings[0]
            raise RecordError(f"{log.name} is not pruned: {first.code}: {first.detail}", hint="gate log verify")
        consumers = log.consumers()
        if not consumers:
            raise RecordError(f"{log.name} is not pruned: nobody has acknowledged an export", hint="gate log export")
        limit, prev = _limit(log, before_s, min(consumers.values()), {item.size for item in checkpoints})
        below = [item for item in checkpoints if item.size == limit]
        total = verified.records
        if not below or limit <= verified.first:
            return Pruning(verified.first, 0, total)
        removed = limit - verified.first
        if not dry_run:
            log.prune(Floor(limit, prev, below[0].peaks))
        return Pruning(limit, removed, total - removed)


def export(log: DecisionLog, consumer: str | None, start: int | None, limit: int | None) -> str:
    """Lines for a consumer, which begin behind what it acknowledged; raises `ConfigError` or `EvidenceError`."""
    begin = start or 0
    if consumer is not None:
        _check_consumer(consumer)
        begin = log.consumers().get(consumer, 0)
    return "".join(line.decode() for line in export_lines(log, begin, limit))


def acknowledge(log: DecisionLog, consumer: str, size: int) -> None:
    """A consumer has the first `size` records; raises `ConfigError` for more than there are."""
    _check_consumer(consumer)
    if size > log.size():
        raise ConfigError(f"{log.name} has {log.size()} records, and not {size}")
    log.acknowledge(consumer, size)


def _check_consumer(name: str) -> None:
    if not NAME.fullmatch(name):
        raise ConfigError(f"--consumer {name[:80]!r} is not a name", hint="letters, digits, '.', '_' and '-'")


def _limit(log: DecisionLog, before_s: int, acknowledged: int, sizes: set[int]) -> tuple[int, Digest]:
    """The largest size of a checkpoint below which every record is old enough and acknowledged; and the hash there."""
    found = (0, NO_RECORD)
    for record in log.records():
        if record.at_s >= before_s or record.seq >= acknowledged:
            break
        if record.seq + 1 in sizes:
            found = (record.seq + 1, record.hash)
    return found


def _keys(
    place: LogPlace | None, asked: Asked, stored: Sequence[Checkpoint], witnesses: Sequence[str]
) -> tuple[NoteKey, ...]:
    """The keys that checkpoints may be signed with: those that are asked for and those that are configured.

    A configured log has one name. Without it, any name that a checkpoint gives is taken: the keys decide.
    """
    configured = None if place is None else place.settings.checkpoint
    texts = [*(item.note for item in stored), *witnesses]
    # A key that was given is one even where no name can be read: then it signed nothing of what is there.
    names = {configured.origin} if configured is not None else _origins(texts) or {""}
    pems = [(str(path), read_file(path, _KEY_BYTES)) for path in asked.keys]
    found = [note_key(name, pem, path) for path, pem in pems for name in sorted(names)]
    if configured is not None and place is not None:
        found += public_keys(configured)
        # A key that is no file may not be there, or not be ours to use, where a log is only looked at.
        if not found and key_file(configured.key) is not None:
            with contextlib.suppress(GateError):
                found.append(note_signer(configured.key, configured.origin, place.root, nobody_to_ask).key)
    return tuple(found)


def _origins(texts: Sequence[str]) -> set[str]:
    found = set()
    for text in texts:
        with contextlib.suppress(CheckpointError):
            found.add(parse_note(text).tree.origin)
    return found


def _text(path: Path, limit: int) -> str:
    try:
        return read_file(path, limit).decode("utf-8")
    except UnicodeDecodeError:
        raise EvidenceError(f"{path} is not UTF-8") from None
