"""One registry as a webhook uses it: looks on threads of its own, kept connections, and bytes kept by digest."""

from __future__ import annotations

import threading
from collections import Counter as _Counts
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from gate.collect.flights import Flights
from gate.collect.oci import look_up
from gate.collect.registry.access import Target
from gate.collect.registry.client import PULL, Bounds, Client, connections_to
from gate.errors import EvidenceError, UnavailableError
from gate.formats.carriers.buildkit import is_attestation
from gate.formats.image_reference import Repository
from gate.formats.lru import Lru, sealed
from gate.formats.oci import IMAGES, Descriptor
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import Evidence
from gate.model.registry import RegistryAccess
from gate.model.settings import Limits

if TYPE_CHECKING:
    from gate.collect.admission import Listing

LOOKS: Final = 16
"""How many images of one registry are looked at at a time."""
WAITING: Final = 1024
"""How many more wait for that."""
CONTENT_S: Final = 600.0
"""How long bytes are used before they are asked for again."""
_TOKEN_S: Final = 45.0
"""A token is good for a minute at least, whoever gives it."""
_PAUSES_S: Final = (0.1, 0.3)
_WORDS: Final = (
    "hits",
    "misses",
    "fetches",
    "last_seen",
    "errors",
    "unavailable",
    "corrupted",
    "content_hits",
    "content_misses",
)
_TOKENS: Final = 1024
T = TypeVar("T")
Found = tuple[tuple[Evidence, ...], tuple[tuple[str, str], ...], tuple[Digest, ...]]
"""Evidence, what is none with the reason, and the platforms of an index."""


class Counter:
    """Numbers by a closed set of words."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: _Counts[str] = _Counts(dict.fromkeys(_WORDS, 0))

    def add(self, word: str) -> None:
        """One more."""
        with self._lock:
            self._numbers[word] += 1

    def counts(self) -> Mapping[str, int]:
        """All of them."""
        with self._lock:
            return dict(self._numbers)


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes under a digest, with their type and when they came; `seal` is over all but the bytes."""

    data: bytes
    kind: str
    read_at: float
    seal: bytes


class Contents:
    """Manifests and blobs by repository and digest, each believed for its bytes alone.

    After a while a registry is asked again: what was removed there shall be missed here as well.
    """

    def __init__(
        self, limit: int, counter: Counter, clock: Callable[[], float], kept: Lru[Content] | None = None
    ) -> None:
        self.kept: Lru[Content] = Lru(limit) if kept is None else kept
        self.kept.resize(limit)
        self._counter, self._clock = counter, clock

    def get(self, repository: str, digest: Digest, kinds: tuple[str, ...]) -> tuple[bytes, str] | None:
        """The bytes that have a digest, if they are of one of these kinds."""
        key = f"{repository}@{digest}"
        found = self.kept.get(key)
        if found is not None:
            if sha256_digest(found.data) != digest or _seal(key, found.kind, found.read_at) != found.seal:
                self._counter.add("corrupted")
                self.kept.discard(key, found)
            elif found.kind in kinds and 0 <= self._clock() - found.read_at < CONTENT_S:
                self._counter.add("content_hits")
                return found.data, found.kind
        self._counter.add("content_misses")
        return None

    def put(self, repository: str, digest: Digest, data: bytes, kind: str) -> None:
        """Keeps bytes that were proved to have a digest."""
        key, now = f"{repository}@{digest}", self._clock()
        self.kept.put(key, Content(data, kind, now, _seal(key, kind, now)), len(data))


def _seal(key: str, kind: str, read_at: float) -> bytes:
    return sealed((key.encode(), kind.encode("utf-8", "surrogatepass"), repr(read_at).encode()))


_BLOB: Final = "blob"


class _Repository:
    """A repository of which what was read by digest is not read again."""

    def __init__(self, client: Client, contents: Contents) -> None:
        self._client, self._contents = client, contents

    @property
    def name(self) -> str:
        return self._client.name

    def referrers(self, subject: Digest) -> tuple[tuple[Descriptor, ...], bool]:
        return self._client.referrers(subject)

    def manifest(self, reference: str, kinds: tuple[str, ...] = IMAGES) -> tuple[bytes, str] | None:
        if ":" not in reference:
            return self._client.manifest(reference, kinds)
        digest = Digest(reference)
        found = self._contents.get(self.name, digest, kinds)
        if found is None:
            found = self._client.manifest(reference, kinds)
            if found is not None:
                self._contents.put(self.name, digest, *found)
        return found

    def blob(self, descriptor: Descriptor, limit: int) -> bytes:
        found = self._contents.get(self.name, descriptor.digest, (_BLOB,))
        if found is not None and len(found[0]) <= descriptor.size <= limit:
            return found[0]
        data = self._client.blob(descriptor, limit)
        self._contents.put(self.name, descriptor.digest, data, _BLOB)
        return data


class Registry:
    """One registry, for any number of threads at once."""

    def __init__(
        self,
        host: str,
        access: RegistryAccess,
        limits: Limits,
        contents: Contents,
        counter: Counter,
        clock: Callable[[], float],
    ) -> None:
        """Raises `ConfigError` for an authority that is none."""
        self._access, self._limits, self._contents = access, limits, contents
        self._counter, self._clock = counter, clock
        # An origin is the same for all repositories of a registry.
        anywhere = Target(Repository(host, "any"), access)
        self._connections = connections_to(anywhere, keep=LOOKS, clock=clock)
        self._host = host
        self._lock = threading.Lock()
        self._listings: Flights[Listing] = Flights(host, LOOKS, WAITING)
        self._tags: Flights[Digest] = Flights(host, LOOKS, WAITING)
        self._tokens: dict[Repository, tuple[str, float]] = {}
        self._clients: set[Client] = set()
        self._is_closed = False

    @property
    def shared(self) -> int:
        """How often somebody waited for what another had asked for."""
        return self._listings.shared + self._tags.shared

    @property
    def reused(self) -> int:
        """How often a kept connection was used again."""
        return self._connections.reused

    def close(self) -> None:
        """Ends what is under way and what is kept."""
        with self._lock:
            self._is_closed = True
            clients = list(self._clients)
        for client in clients:
            client.end()
        self._listings.close()
        self._tags.close()
        self._connections.close()

    def digest_of(self, repository: Repository, tag: str, ends_at: float) -> Digest:
        """The digest of the bytes that a tag names now."""
        key, wait_s = f"{repository}:{tag}", ends_at - self._clock()
        return self._in_time(key, lambda: self._tags.join(key, lambda: self._tag(repository, tag), wait_s))

    def listing(self, key: str, look: Callable[[], Listing], wait_s: float) -> Listing:
        """What a look finds, be it one that is under way already."""
        return self._in_time(key, lambda: self._listings.join(key, look, wait_s))

    def begin(self, key: str, look: Callable[[], Listing]) -> None:
        """Begins a look that somebody will ask for; if it cannot be begun, that is told then."""
        with suppress(UnavailableError):
            self._listings.begin(key, look)

    def look(self, repository: Repository, digest: Digest) -> Found:
        """What is attached to an image, from within a look."""
        with self._client(repository) as client:
            attached, entries = look_up(_Repository(client, self._contents), digest, self._limits)
        items, skipped = attached.result()
        platforms = tuple(entry.digest for entry in entries if not is_attestation(entry))
        return tuple(items), tuple(skipped.items()), platforms

    def _tag(self, repository: Repository, tag: str) -> Digest:
        with self._client(repository) as client:
            found = client.manifest(tag)
        if found is None:
            raise EvidenceError(f"there is no image {repository}:{tag}", hint="push it, or name the one that is there")
        return sha256_digest(found[0])

    @contextmanager
    def _client(self, repository: Repository) -> Iterator[Client]:
        """A client with the time limit of the registry, which ends when the registry is closed."""
        token, until = self._tokens.get(repository, ("", 0.0))
        known = token if self._clock() < until else None
        bounds = Bounds(referrers=self._limits.evidence_count, pauses_s=_PAUSES_S)
        target = Target(repository, self._access)
        with Client(target, PULL, bounds, connections=self._connections, authorization=known) as client:
            with self._lock:
                if self._is_closed:
                    raise UnavailableError(f"{self._host} is not asked any more")
                self._clients.add(client)
            try:
                yield client
            except BaseException:
                # It may have been the token's fault.
                with self._lock:
                    self._tokens.pop(repository, None)
                raise
            finally:
                with self._lock:
                    self._clients.discard(client)
        if client.authorization is not None:
            with self._lock:
                kept_until = until if client.authorization == known else self._clock() + _TOKEN_S
                self._tokens[repository] = client.authorization, kept_until
                while len(self._tokens) > _TOKENS:
                    del self._tokens[next(iter(self._tokens))]

    def _in_time(self, what: str, wait: Callable[[], T]) -> T:
        try:
            return wait()
        except TimeoutError:
            raise UnavailableError(
                f"{what}: the registry did not answer in time",
                hint="see whether the registry is overloaded; admission.limits.deadline in gate.yaml is the limit",
            ) from None
