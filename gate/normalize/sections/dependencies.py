"""`dependencies`: what the lock files of packages lock, and who attested that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gate.formats.locks.identity import index_of, is_of
from gate.model.dependencies import Dependency, Lock
from gate.model.digest import hex_of
from gate.model.evidence import Statement, Subject, Verified
from gate.model.json import JsonObject

_PROVENANCE = "build.provenance"
_PUBLICATION = "package.publication"
_Speaking = Mapping[str, Mapping[str, Statement]]


def dependencies_section(locks: Mapping[str, Mapping[str, Lock]], verified: Sequence[Verified]) -> JsonObject:
    """The section, by artifact name and path of the lock file.

    `attested` has, for each digest of a package, the statements whose subjects have it: by SHA-256 or, as packages of
    npm have them, by another secure algorithm alone. A publication must call those bytes the package that the lock
    says, on the index of that lock; a provenance may call them what it likes, but not another package.
    """
    known = _by_digest(verified) if locks else {}
    return {
        name: {
            path: {
                "format": lock.format,
                "packages": {key: _package(item, index_of(lock.format), known) for key, item in lock.packages.items()},
                "problems": list(lock.problems),
            }
            for path, lock in found.items()
        }
        for name, found in locks.items()
    }


def _package(item: Dependency, index: str | None, known: _Speaking) -> JsonObject:
    attested = {
        digest: sorted(
            payload for payload, statement in known[digest].items() if _attests(statement, digest, item, index)
        )
        for digest in item.digests
        if digest in known
    }
    return {
        "name": item.name,
        "version": item.version,
        "pinned": item.is_pinned,
        "digests": list(item.digests),
        "source": item.source,
        "local": item.is_local,
        "attested": {digest: payloads for digest, payloads in attested.items() if payloads},
    }


def _attests(statement: Statement, digest: str, item: Dependency, index: str | None) -> bool:
    """Whether a statement that has this digest speaks of this package, by every name that it gives to these bytes."""
    if index is None:
        return False
    said = {
        is_of(index, item.name, item.version, subject.name)
        for subject in statement.subjects
        if digest in _digests(subject)
    }
    if statement.claim == _PROVENANCE:
        return False not in said
    return statement.facts.get("index") == index and said == {True}


def _by_digest(verified: Sequence[Verified]) -> _Speaking:
    """The statements that can attest a package, by each digest of their subjects and by their own."""
    found: dict[str, dict[str, Statement]] = {}
    for item in verified:
        if item.statement.claim in {_PROVENANCE, _PUBLICATION}:
            for subject in item.statement.subjects:
                for digest in _digests(subject):
                    found.setdefault(digest, {})[item.payload] = item.statement
    return found


def _digests(subject: Subject) -> list[str]:
    digests = [f"{algorithm}:{text}" for algorithm, text in subject.other_digests.items()]
    return digests if subject.digest is None else [*digests, f"sha256:{hex_of(subject.digest)}"]
