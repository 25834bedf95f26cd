"""What is attached to the images that a cluster is asked to run, read from their registries (SECURITY 30, 40, 41)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from gate.errors import EvidenceError
from gate.formats.image_reference import Repository
from gate.model.admission_settings import AdmissionSettings
from gate.model.digest import Digest
from gate.model.evidence import Evidence
from gate.model.settings import Limits


class UnknownRegistryError(EvidenceError):
    """An image lies in a registry that the configuration does not name, so it is not asked."""


class TagError(EvidenceError):
    """An image is named by a tag, or by nothing at all, and the configuration refuses that."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """An image with the digest that is judged; `was_tag` tells that a tag was looked up for it just now."""

    repository: Repository
    digest: Digest
    was_tag: bool = False

    @property
    def reference(self) -> str:
        """The image with its digest: `registry/name@sha256:...`."""
        return f"{self.repository}@{self.digest}"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What is attached to an image, as its registry listed it `age_s` seconds ago.

    `skipped` is what is attached and no evidence, with the reason. `is_last_seen` tells that the registry could not be
    reached and an older list stands for it. `platforms` are the manifests that an index lists, in its order: what is
    attached to one of them is not read here, and says nothing about the index.
    """

    items: tuple[Evidence, ...]
    skipped: Mapping[str, str]
    age_s: float
    is_last_seen: bool = False
    platforms: tuple[Digest, ...] = ()


class Registries:
    """All registries that images may come from, for any number of threads at once.

    `ends_at` is what `clock` says at the asker's own deadline; the registry's own time limit is another one.
    """

    def __init__(
        self, settings: AdmissionSettings, limits: Limits, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Raises `ConfigError` without the extra `oci`, and for a `ca` that is none. Nothing is connected to."""
        self._settings, self._limits, self._clock = settings, limits, clock

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends all connections; whoever still waits is told so."""

    def resolve(self, reference: str, ends_at: float) -> Resolved:
        """The image that a reference means.

        Raises `UnknownRegistryError` and `TagError` without asking anybody, `UnavailableError` when the registry could
        not be reached or did not answer in time, and `EvidenceError` for everything else that was wrong.
        """
        raise NotImplementedError

    def fetched(self, resolved: Resolved, ends_at: float) -> Fetched:
        """What is attached to an image; raises what `resolve` does, and `LimitError`."""
        raise NotImplementedError

    def counts(self) -> Mapping[str, int]:
        """What happened so far, by a closed set of words."""
        return {}
