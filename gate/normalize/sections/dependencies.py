"""`dependencies`: what the lock files of packages lock, and who attested that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gate.model.dependencies import Dependency, Lock
from gate.model.digest import hex_of
from gate.model.evidence import Verified
from gate.model.json import JsonObject

_CLAIMS = ("build.provenance", "package.publication")


def dependencies_section(locks: Mapping[str, Mapping[str, Lock]], verified: Sequence[Verified]) -> JsonObject:
    """The section, by artifact name and path of the lock file.

    `attested` has, for each digest of a package, the statements whose subjects have it: by SHA-256 or, as packages of
    npm have them, by another secure algorithm alone.
    """
    known = _by_digest(verified) if locks else {}
    return {
        name: {
            path: {
                "format": lock.format,
                "packages": {key: _package(item, known) for key, item in lock.packages.items()},
                "problems": list(lock.problems),
            }
            for path, lock in found.items()
        }
        for name, found in locks.items()
    }


def _package(item: Dependency, known: Mapping[str, set[str]]) -> JsonObject:
    return {
        "name": item.name,
        "version": item.version,
        "pinned": item.is_pinned,
        "digests": list(item.digests),
        "source": item.source,
        "local": item.is_local,
        "attested": {digest: sorted(known[digest]) for digest in item.digests if digest in known},
    }


def _by_digest(verified: Sequence[Verified]) -> Mapping[str, set[str]]:
    """The payload digests of the statements that can attest a package, by each digest of their subjects."""
    found: dict[str, set[str]] = {}
    for item in verified:
        if item.statement.claim not in _CLAIMS:
            continue
        for subject in item.statement.subjects:
            digests = [f"{algorithm}:{text}" for algorithm, text in subject.other_digests.items()]
            if subject.digest is not None:
                digests.append(f"sha256:{hex_of(subject.digest)}")
            for digest in digests:
                found.setdefault(digest, set()).add(item.payload)
    return found
