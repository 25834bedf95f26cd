"""`gate init`: writes what `propose` suggests, and a development key. Nothing that exists is changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate.app.attest import KeygenRequest, keygen
from gate.app.produce import Place
from gate.app.propose import Found, Proposal, propose
from gate.attest.files import create_file
from gate.collect.git import find_root
from gate.config.settings import DEFAULT_PATH
from gate.errors import ConfigError
from gate.formats.rfc3339 import format_time

KEY: Final = ".gate/keys/development.key"
PUBLIC: Final = "keys/development.pub"
IGNORE: Final = ".gate/.gitignore"
_KEY_VALID_S: Final = 90 * 24 * 3600
_KIND: Final = "p256"


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be written below the root. `makes_key` is false when there is a public key already."""

    root: Path
    proposal: Proposal
    makes_key: bool


@dataclass(frozen=True, slots=True)
class Initialised:
    """What was written, and the artifact to sign first."""

    written: tuple[str, ...]
    first: Found


def plan(start: Path, root: Path | None, now_s: int) -> Plan:
    """Looks around; raises `ConfigError` when there is a configuration already, or nothing to judge."""
    top = (root or find_root(start) or start).resolve()
    if (top / DEFAULT_PATH).exists() or (top / DEFAULT_PATH).is_symlink():
        raise ConfigError(f"there is a {DEFAULT_PATH} already, and it is not overwritten", hint="gate doctor")
    until = format_time(now_s + _KEY_VALID_S)[:10]
    return Plan(top, propose(top, until, PUBLIC), makes_key=not (top / PUBLIC).exists())


def carry_out(planned: Plan) -> Initialised:
    """Writes the key pair, then the configuration; raises `AttestError` for what cannot be written."""
    root = planned.root
    written = []
    if not (root / IGNORE).exists():
        create_file(root / IGNORE, b"*\n", 0o644)
        written.append(IGNORE)
    if planned.makes_key:
        keygen(KeygenRequest(Place(root, root), _KIND, Path(KEY), Path(PUBLIC)))
        written += [KEY, PUBLIC]
    create_file(root / DEFAULT_PATH, planned.proposal.text.encode("utf-8"), 0o644)
    first = next(found for found in planned.proposal.found if found.active)
    return Initialised((*written, DEFAULT_PATH), first)
