"""What a recall is asked for, and how evidence is compared with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gate.app.recall_artifact import Recipes
from gate.attest.files import read_file
from gate.errors import AttestError, ConfigError
from gate.formats.strict_yaml import suggestion
from gate.model.digest import Digest, parse_digest
from gate.model.recall import Target
from gate.model.settings import Settings
from gate.verify.containers import Opened
from gate.verify.keys import KeyFormatError, load_key
from gate.verify.recall import IdentityMatcher, KeyMatcher, Matcher, certified_key, key_store

_KEY_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person named: exactly one of `key`, `identity`, `evidence` and `artifact`, and where to look."""

    key: str | None = None
    identity: str | None = None
    issuer: str | None = None
    evidence: str | None = None
    artifact: str | None = None
    directories: tuple[Path, ...] = ()
    decisions: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is recalled, and where it is a signer, who says whether it signed something.

    `is_unknown` tells that only the digest of the key is known, so that nothing can be proved. `recipes` are the files
    of an artifact by what else a manifest calls them, `notes` what is to be said.
    """

    target: Target
    matcher: Matcher | None = None
    is_unknown: bool = False
    recipes: Recipes = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def prepare(asked: Asked, settings: Settings | None, now_s: int, containers: Iterable[Opened], limit: int) -> Prepared:
    """Finds the key, the identity or the evidence; raises `ConfigError` for what is none.

    `containers` is all evidence, which is read where a key is known by its digest alone.
    """
    if asked.key is not None:
        return _key(asked.key, settings, now_s, containers, limit)
    if asked.identity is not None:
        return _identity(asked.identity, asked.issuer, settings, now_s)
    given = asked.evidence or ""
    digest = parse_digest(given)
    if digest is None:
        raise ConfigError(f"--evidence: {given[:100]!r} is not sha256: and 64 lower-case hex digits")
    return Prepared(Target("evidence", digest, frozenset({digest})))


def _key(given: str, settings: Settings | None, now_s: int, containers: Iterable[Opened], limit: int) -> Prepared:
    signers = settings.trust.signers if settings is not None else {}
    spki = parse_digest(given)
    label = given
    if given in signers:
        identity, pem = signers[given].identity, signers[given].key_pem
        if identity is not None and identity.subject is None:
            raise ConfigError(f"--key: {given!r} is whoever matches a pattern", hint="--identity SUBJECT --issuer URL")
        if identity is not None:
            return _identity(identity.subject or "", identity.issuer, settings, now_s)
    elif spki is not None:
        known = (item.key_pem for item in signers.values() if item.key_pem is not None)
        pem = next((item for item in known if load_key(item).spki == spki), None) or _certified(containers, spki)
        if pem is None:
            return Prepared(Target("key", label, spki=spki), KeyMatcher(spki, None, None, limit), True)
    else:
        pem = _read_key(given, list(signers))
    try:
        found, store = key_store(pem or b"", now_s)
    except KeyFormatError as error:
        raise ConfigError(f"--key: {given[:200]!r}: {error}") from None
    label = given if spki is not None else f"{given} ({found})"
    return Prepared(Target("key", label, spki=found), KeyMatcher(found, pem, store, limit))


def _certified(containers: Iterable[Opened], spki: Digest) -> bytes | None:
    found = (certified_key(container, spki) for container in containers)
    return next((pem for pem in found if pem is not None), None)


def _read_key(given: str, signers: list[str]) -> bytes:
    try:
        return read_file(Path(given), _KEY_BYTES)
    except AttestError as error:
        near = suggestion(given, signers)
        raise ConfigError(
            f"--key: {given[:200]!r} is no signer in gate.yaml{near}, no sha256:<hex>, and no key file: {error}"
        ) from None


def _identity(subject: str, issuer: str | None, settings: Settings | None, now_s: int) -> Prepared:
    label = subject if issuer is None else f"{subject} of {issuer}"
    target = Target("identity", label, subject=subject, issuer=issuer)
    return Prepared(target, IdentityMatcher(subject, issuer, settings.trust if settings is not None else None, now_s))
