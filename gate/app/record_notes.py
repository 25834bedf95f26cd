"""What `gate doctor` says about the decision log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gate.app.notes import Level, Note
from gate.app.record import nobody_to_ask, note_signer, open_log, public_keys
from gate.app.workspace import Workspace
from gate.attest.signer import key_file
from gate.errors import ConfigError, GateError
from gate.model.settings import CheckpointSettings


def examine_record(workspace: Workspace) -> Iterator[Note]:
    """Whether decisions are recorded, and whether somebody could take them back unnoticed. Nothing is written."""
    settings = workspace.settings.record
    if settings is None:
        fix = "record: {sqlite: .gate/record/decisions.db} (docs/how-to/decision-log.md)"
        yield Note(Level.WEAK, "decisions are not recorded, so nobody can show later what was decided", fix)
        return
    if settings.checkpoint is None:
        text = "the decision log has no checkpoints: who can write it can rewrite it unnoticed"
        yield Note(Level.WEAK, text, "set record.checkpoint (docs/how-to/decision-log.md)")
    elif not settings.checkpoint.public_keys:
        text = "checkpoints of the decision log are proved with the private key alone"
        yield Note(Level.WEAK, text, "set record.checkpoint.public_keys")
    try:
        if settings.checkpoint is not None:
            _examine_key(settings.checkpoint, workspace.root)
        if settings.sqlite is not None and not Path(workspace.root / settings.sqlite).exists():
            yield Note(Level.OK, f"decision log {settings.sqlite}: made by the next check")
            return
        log = open_log(settings, workspace.root)
        try:
            yield Note(Level.OK, f"decision log {log.name}: {log.size()} records")
        finally:
            log.close()
    except GateError as error:
        yield Note(Level.WRONG, str(error), error.hint)


def _examine_key(settings: CheckpointSettings, root: Path) -> None:
    """Raises a `GateError` where the next checkpoint could not be signed, or not proved. A key elsewhere is not asked.

    A check that cannot sign the checkpoint that is due gives no answer.
    """
    known = public_keys(settings)
    if key_file(settings.key) is None:
        return
    signer = note_signer(settings.key, settings.origin, root, nobody_to_ask)
    if known and signer.key.text not in {key.text for key in known}:
        fix = "add the public key that belongs to it"
        raise ConfigError("record.checkpoint.public_keys does not hold that of record.checkpoint.key", hint=fix)
