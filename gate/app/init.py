"""`gate init`: writes what `propose` or `convert` suggests, and a development key. Nothing that exists is changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate.app.attest import KeygenRequest, keygen
from gate.app.convert import FOLDER, KINDS, convert, render
from gate.app.ladder import BASELINE, Level
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
LLMSA_POLICY: Final = "policy/examples/mvp-gates.yaml"
_KEY_VALID_S: Final = 90 * 24 * 3600
_KIND: Final = "p256"


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be written below the root. `makes_key` is false when there is a public key already, or none needed."""

    root: Path
    proposal: Proposal
    signs: bool
    makes_key: bool


@dataclass(frozen=True, slots=True)
class Initialised:
    """What was written, and the artifact to sign first."""

    written: tuple[str, ...]
    first: Found


def plan(start: Path, root: Path | None, now_s: int, level: Level = BASELINE) -> Plan:
    """Looks around; raises `ConfigError` when there is a configuration already, or nothing to judge."""
    top = (root or find_root(start) or start).resolve()
    if (top / DEFAULT_PATH).exists() or (top / DEFAULT_PATH).is_symlink():
        raise ConfigError(f"there is a {DEFAULT_PATH} already, and it is not overwritten", hint="gate doctor")
    until = format_time(now_s + _KEY_VALID_S)[:10]
    proposal = propose(top, until, PUBLIC, level)
    return Plan(top, proposal, level.signs, makes_key=level.signs and not (top / PUBLIC).exists())


def carry_out(planned: Plan) -> Initialised:
    """Writes the key pair, then the configuration; raises `AttestError` for what cannot be written."""
    root = planned.root
    written = _make_key(root) if planned.makes_key else _ignore(root)
    create_file(root / DEFAULT_PATH, planned.proposal.text.encode("utf-8"), 0o644)
    first = next(found for found in planned.proposal.found if found.active)
    return Initialised((*written, DEFAULT_PATH), first)


@dataclass(frozen=True, slots=True)
class Conversion:
    """What would be written below the root: text by path, the configuration last; and what a person has to know."""

    root: Path
    files: Mapping[str, str]
    notes: tuple[str, ...]
    makes_key: bool


def plan_conversion(start: Path, root: Path | None, sources: Sequence[Path], now_s: int) -> Conversion:
    """Reads files of llmsa; raises `ConfigError` when one is not what it has to be, or something would be overwritten.

    Where no policy is among them, the one that llmsa itself writes is read if it is there.
    """
    top = (root or find_root(start) or start).resolve()
    named = [start / source for source in sources]
    policy = top / LLMSA_POLICY
    if policy.is_file() and len(named) == 1 and named[0].resolve() != policy:
        named.append(policy)
    found = convert(top, named)
    until = format_time(now_s + _KEY_VALID_S)[:10]
    files = {f"{FOLDER}/{word}.yaml": found.configs[word] for word in KINDS if word in found.configs}
    files[DEFAULT_PATH] = render(found, until, PUBLIC)
    for path in files:
        if (top / path).exists() or (top / path).is_symlink():
            raise ConfigError(f"there is a {path} already, and it is not overwritten", hint="move it away first")
    return Conversion(top, files, tuple(dict.fromkeys(found.notes)), makes_key=not (top / PUBLIC).exists())


def carry_out_conversion(planned: Conversion) -> tuple[str, ...]:
    """Writes the key pair, the configurations of collectors, then `gate.yaml`; returns the paths."""
    written = _make_key(planned.root) if planned.makes_key else _ignore(planned.root)
    for path, text in planned.files.items():
        create_file(planned.root / path, text.encode("utf-8"), 0o644)
    return (*written, *planned.files)


def _make_key(root: Path) -> list[str]:
    written = _ignore(root)
    keygen(KeygenRequest(Place(root, root), _KIND, Path(KEY), Path(PUBLIC)))
    return [*written, KEY, PUBLIC]


def _ignore(root: Path) -> list[str]:
    """Keeps what the gate writes out of the repository."""
    if (root / IGNORE).exists():
        return []
    create_file(root / IGNORE, b"*\n", 0o644)
    return [IGNORE]
