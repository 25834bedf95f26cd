"""What is attached to the images that a cluster is asked to run, read from their registries (SECURITY 30, 40, 41).

1. An image of a registry that is not configured is refused, and nothing is connected to
2. A tag is refused, or looked up for whoever asks; the digest is that of the bytes that came
3. What is read is what `gate check` reads; bytes that are kept by digest are hashed again before they are used
4. A list of what is attached is used for a while, hashed again each time. An error is told and never kept. One that
   is in use is looked up again before its time is over, and no list is used for longer by that
5. An older list stands for a registry that cannot be reached, if the configuration says so; never for one that answers
6. Whoever asks waits until its own deadline. A registry is asked once for all who wait, within a time of its own
"""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from gate.collect.oci import check_extra
from gate.errors import EvidenceError, UnavailableError
from gate.formats.image_reference import Repository, parse_image, parse_repository
from gate.formats.lru import Lru, sealed
from gate.model.admission_settings import AdmissionSettings, Outage, Tags
from gate.model.digest import Digest
from gate.model.evidence import Evidence
from gate.model.settings import Limits

if TYPE_CHECKING:
    from gate.collect.looking import Contents, Registry

_LATEST: Final = "latest"
_OLD: Final = 0.5
"""The part of its time after which a list that is asked for is looked up again, at the earliest."""
_RENEWED: Final = 10_000
"""Lists of which it is known that they were looked up again."""


class ImageError(EvidenceError):
    """What names an image does not say which one, or one that may not be looked at."""


class UnknownRegistryError(ImageError):
    """An image lies in a registry that the configuration does not name, so it is not asked."""


class TagError(ImageError):
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


@dataclass(frozen=True, slots=True)
class Listing:
    """What was attached to an image when it was looked at, from `seen_at` on. `seal` is over all of it."""

    items: tuple[Evidence, ...]
    skipped: tuple[tuple[str, str], ...]
    platforms: tuple[Digest, ...]
    seen_at: float
    seal: bytes = b""

    @property
    def size(self) -> int:
        """The bytes of it."""
        return sum(len(part) for part in self._parts())

    def sealed_for(self, key: str) -> bytes:
        """What the seal is, if it is the list for this key."""
        return sealed((key.encode(), *self._parts()))

    def _parts(self) -> Iterator[bytes]:
        yield repr((self.seen_at, len(self.items), len(self.skipped))).encode()
        for item in self.items:
            yield item.origin.encode()
            yield item.data
            yield b"llmsa" if item.is_legacy else b""
            yield b"no message" if item.message is None else b"message"
            yield item.message or b""
        for origin, reason in self.skipped:
            yield origin.encode()
            yield reason.encode()
        for platform in self.platforms:
            yield platform.encode()


class Registries:
    """All registries that images may come from, for any number of threads at once.

    `ends_at` is what `clock` says at the asker's own deadline; the registry's own time limit is another one.
    """

    def __init__(
        self,
        settings: AdmissionSettings,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
        before: Registries | None = None,
    ) -> None:
        """`before` are those of an earlier configuration: what they keep by digest is kept on.

        Raises `ConfigError` without the extra `oci`, and for a `ca` that is none. Nothing is connected to.
        """
        check_extra()
        from gate.collect import looking

        self._settings, self._limits, self._clock = settings, limits, clock
        self._counter = looking.Counter()
        # Half of the memory is for bytes by digest, half for lists with the evidence in them.
        kept = None if before is None else before._contents.kept  # noqa: SLF001  # one of us
        self._contents: Contents = looking.Contents(settings.cache_bytes // 2, self._counter, clock, kept)
        self._renewed: dict[str, float] = {}
        self._listings: Lru[Listing] = Lru(settings.cache_bytes // 2)
        self._registries: dict[str, Registry] = {
            host: looking.Registry(host, registry.access, limits, self._contents, self._counter, clock)
            for host, registry in settings.registries.items()
        }
        self._evidence = {
            host: parse_repository(registry.evidence)
            for host, registry in settings.registries.items()
            if registry.evidence is not None
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends all connections; whoever still waits is told so, and so is whoever asks later."""
        for registry in self._registries.values():
            registry.close()

    def resolve(self, reference: str, ends_at: float) -> Resolved:
        """The image that a reference means.

        Raises `UnknownRegistryError` and `TagError` without asking anybody, `ImageError` for what is no reference,
        `UnavailableError` when the registry could not be reached or did not answer in time, and `EvidenceError` for
        everything else that was wrong.
        """
        try:
            image = parse_image(reference)
        except ValueError as error:
            raise ImageError(str(error), hint="name the image as registry/name@sha256:...") from None
        registry = self._registry(image.repository)
        if image.digest is not None:
            return Resolved(image.repository, image.digest)
        if self._settings.tags is not Tags.RESOLVE:
            raise TagError(
                f"the image {reference[:200]!r} has no digest, and a tag may change",
                hint="name the image as registry/name@sha256:..., or set admission.tags: resolve in gate.yaml",
            )
        tag = image.tag or _LATEST
        digest = registry.digest_of(image.repository, tag, ends_at)
        return Resolved(image.repository, digest, was_tag=True)

    def fetched(self, resolved: Resolved, ends_at: float) -> Fetched:
        """What is attached to an image; raises what `resolve` does, and `LimitError`."""
        registry, repository = self._place(resolved)
        key = f"{repository}@{resolved.digest}"
        kept = self._kept(key)
        now = self._clock()
        if kept is not None and self._is_fresh(kept, now):
            self._counter.add("hits")
            if self._is_old(key, kept, now):
                registry.begin(key, self._looking(key, registry, repository, resolved.digest, kept.seen_at))
            return _told(kept, now)
        self._counter.add("misses")
        is_usable = kept is not None and self._is_usable(kept, now)
        # Who has something to fall back on leaves itself the time to use it.
        until = now + (ends_at - now) / 2 if is_usable else ends_at
        looking = self._looking(key, registry, repository, resolved.digest)
        try:
            found = registry.listing(key, looking, until - now)
            # A look that others had begun may have taken long: what it saw first may not be so any more.
            while found.seen_at < now and not self._is_fresh(found, self._clock()):
                found = registry.listing(key, looking, until - self._clock())
        except UnavailableError:
            # What is kept now: another look may have been answered meanwhile, and that answer is not overruled.
            kept = self._kept(key)
            now = self._clock()
            if kept is None or not self._is_usable(kept, now):
                raise
            self._counter.add("last_seen")
            return _told(kept, now, is_last_seen=not self._is_fresh(kept, now))
        return _told(found, self._clock())

    def counts(self) -> Mapping[str, int]:
        """What happened so far, by a closed set of words; the same for each of them however often they are asked."""
        connections = sum(registry.reused for registry in self._registries.values())
        shared = sum(registry.shared for registry in self._registries.values())
        return {**self._counter.counts(), "shared": shared, "connections_reused": connections}

    # --- one look -----------------------------------------------------------------------------------------------------

    def _registry(self, repository: Repository) -> Registry:
        found = self._registries.get(repository.registry)
        if found is None:
            raise UnknownRegistryError(
                f"{repository.registry} is not a registry that images may come from: {repository}",
                hint="admission.registries in gate.yaml names them",
            )
        return found

    def _place(self, resolved: Resolved) -> tuple[Registry, Repository]:
        """Where evidence about an image lies."""
        self._registry(resolved.repository)
        repository = self._evidence.get(resolved.repository.registry, resolved.repository)
        return self._registry(repository), repository

    def _looking(
        self, key: str, registry: Registry, repository: Repository, digest: Digest, after: float = -math.inf
    ) -> Callable[[], Listing]:
        return lambda: self._look(key, registry, repository, digest, after)

    def _look(self, key: str, registry: Registry, repository: Repository, digest: Digest, after: float) -> Listing:
        """Reads what is attached, unless somebody has just done that `after` some time."""
        kept, now = self._kept(key), self._clock()
        if kept is not None and self._is_fresh(kept, now) and kept.seen_at > after:
            return kept
        self._counter.add("fetches")
        try:
            found = registry.look(repository, digest)
        except UnavailableError:
            self._counter.add("unavailable")
            raise
        except BaseException:
            # It answered, and not with what was seen last.
            self._counter.add("errors")
            self._listings.discard(key)
            raise
        listing = Listing(*found, now)
        listing = Listing(*found, now, listing.sealed_for(key))
        if listing.items:
            self._listings.put(key, listing, listing.size)
        else:
            # Somebody is about to attach something, or has taken it all away: neither is to be forgotten for a while.
            self._listings.discard(key)
        return listing

    def _kept(self, key: str) -> Listing | None:
        """The list that is kept for a key, if it is what was put there."""
        kept = self._listings.get(key)
        if kept is None:
            return None
        try:
            if kept.sealed_for(key) == kept.seal:
                return kept
        except Exception:  # noqa: BLE001, S110  # what is broken may break whoever looks at it
            pass
        self._counter.add("corrupted")
        self._listings.discard(key, kept)
        return None

    def _is_fresh(self, kept: Listing, now: float) -> bool:
        return 0 <= now - kept.seen_at < self._settings.listing_s

    def _is_old(self, key: str, kept: Listing, now: float) -> bool:
        """Whether to look again by the side, which is done once: who asks for what is in use does not wait for that.

        Lists that were made together are not all looked at again together.
        """
        share = _OLD + (1 - _OLD) / 2 * (zlib.crc32(key.encode()) & 0xFF) / 0xFF
        if now - kept.seen_at < self._settings.listing_s * share or self._renewed.get(key) == kept.seen_at:
            return False
        if len(self._renewed) >= _RENEWED:
            self._renewed.clear()
        self._renewed[key] = kept.seen_at
        return True

    def _is_usable(self, kept: Listing, now: float) -> bool:
        """Whether it may stand for a registry that cannot be reached."""
        return self._settings.outage is Outage.LAST_SEEN and 0 <= now - kept.seen_at <= self._settings.last_seen_s


def _told(kept: Listing, now: float, *, is_last_seen: bool = False) -> Fetched:
    age_s = max(0.0, now - kept.seen_at)
    return Fetched(kept.items, dict(kept.skipped), age_s, is_last_seen, kept.platforms)
