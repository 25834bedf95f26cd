"""`gate attest reveal`: the content that a statement carries, plain or encrypted, checked against the statement."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from gate.app.produce import MAX_STATEMENT
from gate.attest.files import create_whole, read_file
from gate.attest.privacy import open_payload
from gate.attest.statement import check_statement, payload_of
from gate.errors import AttestError, ConfigError
from gate.formats.predicates.common import member, text
from gate.formats.predicates.privacy import ENCRYPTED
from gate.model.digest import Digest
from gate.model.evidence import Statement

_IDENTITY_BYTES: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class RevealRequest:
    """What to reveal: `path` is the file's, `None` for the only one. `out` is a file, `None` for that name here."""

    start: Path
    statement: Path
    identity: Path | None = None
    path: str | None = None
    out: Path | None = None


@dataclass(frozen=True, slots=True)
class Revealed:
    """A content that has the digest of the statement's subject of that path."""

    path: str
    digest: Digest
    content: bytes


def reveal(request: RevealRequest) -> Revealed:
    """The content of one file; raises `AttestError`, or `ConfigError` for an identity that is needed or not.

    It is what the statement says. Who said it is not looked at.
    """
    data = read_file(request.start / request.statement, 2 * MAX_STATEMENT)
    statement = check_statement(payload_of(data))
    path, digest = _chosen(statement, request.path)
    payload = member(statement.predicate, "privacy", "payloads", path)
    if member(statement.predicate, "privacy", "mode") != ENCRYPTED:
        if request.identity is not None:
            raise ConfigError(f"--identity: {path} is not encrypted in this statement")
        return Revealed(path, digest, base64.b64decode(text(payload, "content") or ""))
    if request.identity is None:
        raise ConfigError(f"{path} is encrypted", hint="--identity FILE, the key file of one of its recipients")
    identity = read_file(request.start / request.identity, _IDENTITY_BYTES)
    return Revealed(path, digest, open_payload(payload, path, digest, identity))


def write_revealed(request: RevealRequest, revealed: Revealed) -> Path:
    """Writes the content, for its owner alone, to a file that did not exist; raises `AttestError`."""
    out = request.start / (request.out or PurePosixPath(revealed.path).name)
    create_whole(out, revealed.content)
    return out


def _chosen(statement: Statement, wanted: str | None) -> tuple[str, Digest]:
    payloads = member(statement.facts, "privacy", "payloads")
    known = [str(path) for path in payloads] if isinstance(payloads, list) else []
    if not known:
        raise AttestError("the statement carries no contents, only digests", hint="privacy_mode of its configuration")
    if wanted is None and len(known) > 1:
        raise ConfigError(f"the statement carries {len(known)} contents", hint=f"--path, one of: {', '.join(known)}")
    path = known[0] if wanted is None else wanted
    if path not in known:
        raise ConfigError(
            f"--path: the statement carries no content of {path[:120]!r}", hint=f"one of: {', '.join(known)}"
        )
    return path, next(item.digest for item in statement.subjects if item.name == path and item.digest is not None)
