"""What a lock file says of the packages that it locks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dependency:
    """One package in a lock file.

    `digests` are `<algorithm>:<hex>`, of each file that may be installed, by SHA-256, SHA-384 or SHA-512. `source` is
    where it is from, as the file says; `None` is the index that its tool asks. `is_mutable` tells that tomorrow other
    bytes can come from there, whatever the file says of hashes: a branch or commit of a repository, a folder. `folder`
    is that folder, relative to the lock file, where it is known. `is_complete` tells that there is one version, and a
    secure hash of each file.
    """

    name: str
    version: str | None
    digests: tuple[str, ...] = ()
    source: str | None = None
    folder: str | None = None
    is_local: bool = False
    is_mutable: bool = False
    is_complete: bool = True

    @property
    def is_pinned(self) -> bool:
        """Whether nothing but these bytes can be installed."""
        return bool(self.digests) and self.is_complete and not self.is_mutable and not self.is_local


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock file as it was read. `format` is `None` where it is not known; then, as for each problem, it is no lock.

    The keys of `packages` are `<name>@<version>`, or the source where there is no version.
    """

    format: str | None
    packages: Mapping[str, Dependency]
    problems: tuple[str, ...] = ()
