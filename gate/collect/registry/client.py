"""What the gate asks of a registry: manifests and blobs by digest, and what refers to an image.

1. Everything is addressed by digest, and the bytes that came are hashed: no header of an answer is believed.
2. 404 means that something is not there. Every other refusal is an error, never "nothing found".
3. Credentials are sent to the registry only; a redirect elsewhere is asked without them.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, Self
from urllib.parse import urljoin, urlsplit

from gate.collect.registry.access import PORTS, Origin, Target
from gate.collect.registry.addresses import Reach
from gate.collect.registry.authorization import Authorizer, Finder
from gate.collect.registry.connections import Connections
from gate.collect.registry.credentials import find_credentials
from gate.collect.registry.transport import UNAVAILABLE, Answer, Request, Transport
from gate.errors import EvidenceError, LimitError, UnavailableError
from gate.formats.oci import DOCUMENT_BYTES, IMAGES, INDEX, Descriptor, OciError, fallback_tag, parse_index
from gate.model.digest import Digest, sha256_digest

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS: Final = 3
_NEXT: Final = re.compile(r'<([\x21-\x3b\x3d\x3f-\x7e]{1,4096})>\s*;[^,]*?\brel="?next"?', re.IGNORECASE)
_ADDRESS_CHARACTERS: Final = 8192
_ADDRESS: Final = re.compile(r"[\x21-\x7e]{1,8192}")
PULL: Final = "pull"
PUSH: Final = "pull,push"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is asked for: referrers and pages of them, pauses before asking again."""

    referrers: int = 10_000
    pages: int = 100
    pauses_s: tuple[float, ...] = (0.2, 0.8, 2.4)


def connections_to(target: Target, *, keep: int = 0, clock: Callable[[], float] = time.monotonic) -> Connections:
    """Connections to a registry, and to where it sends; raises `ConfigError` for an authority that is none."""
    access, local = target.access, target.is_local
    here = Reach(loopback=local or access.private, private=access.private, link_local=access.private)
    # A redirect or a token server may lie beside the registry, but never on a link-local address: there the machines
    # of clouds find their own credentials.
    reach = {target.origin.host: here, "": replace(here, link_local=False)}
    return Connections(reach, access.ca, keep=keep, clock=clock)


class Client:
    """One repository of a registry. Use it as a context manager: its time limit runs from its making."""

    def __init__(
        self,
        target: Target,
        rights: str = PULL,
        bounds: Bounds | None = None,
        find: Finder = find_credentials,
        connections: Connections | None = None,
        authorization: str | None = None,
    ) -> None:
        """`connections` are those of `connections_to`; without them it has its own, which end with it.

        `authorization` is what another client of this repository was given. Raises `ConfigError` for an authority that
        is none.
        """
        self.target = target
        self.bounds = bounds or Bounds()
        self._origin = target.origin
        self._base = f"/v2/{target.repository.name}"
        own = connections_to(target) if connections is None else connections
        self._transport = Transport(target.access.timeout_s, own, self.bounds.pauses_s)
        self._authorizer = Authorizer(target, rights, self._transport, find)
        self.authorization = authorization

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._transport.close()

    def end(self) -> None:
        """Ends its time now, from whatever thread; what it is about to read breaks off."""
        self._transport.deadline.end()

    @property
    def name(self) -> str:
        """The repository, for people."""
        return str(self.target.repository)

    def manifest(self, reference: str, kinds: tuple[str, ...] = IMAGES) -> tuple[bytes, str] | None:
        """A manifest by digest or tag with its media type, `None` where there is none.

        By digest, the bytes have it. Raises `EvidenceError`, also for another media type than those asked for.
        """
        path = f"{self._base}/manifests/{reference}"
        answer = self._ask(self._request("GET", path, {"Accept": ", ".join(kinds)}, limit=DOCUMENT_BYTES))
        if answer.status == 404:
            return None
        self._expect(answer, path, 200)
        if ":" in reference:
            self._check(answer.body, Digest(reference), path)
        return answer.body, self._kind(answer, path, kinds)

    def blob(self, descriptor: Descriptor, limit: int) -> bytes:
        """The bytes that a manifest describes; raises `EvidenceError`, also when they are missing.

        Raises `LimitError` for more than `limit` bytes, of which none are asked for.
        """
        path = f"{self._base}/blobs/{descriptor.digest}"
        if descriptor.size > limit:
            raise LimitError(
                f"{self._place(path)} has {descriptor.size} bytes, more than the {limit} that are read",
                hint="raise limits.evidence_bytes in gate.yaml",
            )
        answer = self._followed(self._request("GET", path, limit=descriptor.size))
        self._expect(answer, path, 200)
        self._check(answer.body, descriptor.digest, path)
        return answer.body

    def referrers(self, subject: Digest) -> tuple[tuple[Descriptor, ...], bool]:
        """What refers to a manifest, and whether the registry itself says so: else a tag lists it, if there is one.

        Whether the registry knows referrers is decided by asking for them. Nothing is filtered, by neither side.
        """
        first = f"{self._base}/referrers/{subject}"
        answer = self._ask(self._request("GET", first, {"Accept": INDEX}, limit=DOCUMENT_BYTES))
        if answer.status == 404:
            data = self.fallback_index(subject)
            listed = () if data is None else self._index(data, f"{self._base}/manifests/{fallback_tag(subject)}")
            return self._bounded(dict.fromkeys(listed)), False
        entries: dict[Descriptor, None] = {}
        for page, place in self._pages(answer, first):
            self._expect(page, place, 200)
            self._kind(page, place, (INDEX,))
            entries |= dict.fromkeys(self._index(page.body, place))
            self._bounded(entries)
        return tuple(entries), True

    def fallback_index(self, subject: Digest) -> bytes | None:
        """The index under the tag that lists what refers to a manifest, `None` where there is no such tag.

        Every kind of manifest is asked for: registries say 404 also for one of a kind that was not asked for.
        """
        found = self.manifest(fallback_tag(subject))
        if found is not None and found[1] != INDEX:
            place = self._place(f"{self._base}/manifests/{fallback_tag(subject)}")
            raise EvidenceError(f"{place} is no index of what refers to an image, but {found[1]}")
        return None if found is None else found[0]

    def _pages(self, answer: Answer, first: str) -> Iterator[tuple[Answer, str]]:
        seen, path = {first}, first
        for _ in range(self.bounds.pages):
            yield answer, path
            link = _NEXT.search(answer.headers.get("link", "")[:_ADDRESS_CHARACTERS])
            if link is None:
                return
            origin, path = self._address(urljoin(f"{self._origin}{path}", link[1]), first)
            if origin != self._origin or path.partition("?")[0] != first or path in seen:
                raise EvidenceError(f"{self._place(first)} has a next page elsewhere, or one that was read already")
            seen.add(path)
            answer = self._ask(self._request("GET", path, {"Accept": INDEX}, limit=DOCUMENT_BYTES))
        raise LimitError(f"{self._place(first)} has more than {self.bounds.pages} pages")

    def _bounded(self, entries: Mapping[Descriptor, None]) -> tuple[Descriptor, ...]:
        if len(entries) > self.bounds.referrers:
            raise LimitError(
                f"more than {self.bounds.referrers} manifests refer to the image",
                hint="raise limits.evidence_count in gate.yaml",
            )
        return tuple(entries)

    def _index(self, data: bytes, place: str) -> tuple[Descriptor, ...]:
        try:
            return parse_index(data)
        except OciError as error:
            raise EvidenceError(f"{self._place(place)} is no index of manifests: {error}") from None

    # --- exchanges ----------------------------------------------------------------------------------------------------

    def _request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        limit: int = 0,
        is_repeatable: bool = False,
    ) -> Request:
        return Request(method, self._origin, path, headers or {}, body, limit, is_repeatable)

    def _ask(self, request: Request) -> Answer:
        """The registry's answer, with authorization once it has asked for it."""
        answer = self._send(request)
        if answer.status == 401:
            self.authorization = self._authorizer.answer(answer)
            answer = self._send(request)
        if answer.status in {401, 403}:
            raise EvidenceError(
                f"{request.place} is refused (HTTP status {answer.status})",
                hint=f"docker login {self.target.repository.registry}, as someone with the right to do this",
            )
        return answer

    def _send(self, request: Request) -> Answer:
        if self.authorization is None:
            return self._transport.send(request)
        headers = {**request.headers, "Authorization": self.authorization}
        return self._transport.send(replace(request, headers=headers))

    def _followed(self, request: Request) -> Answer:
        """The answer after at most three redirects; another origin than the registry gets no credentials."""
        answer = self._ask(request)
        for _ in range(_MAX_REDIRECTS):
            if answer.status not in _REDIRECTS:
                return answer
            here = f"{request.origin}{request.path}"
            origin, path = self._located(answer, here, request.path)
            if request.origin.scheme == "https" and origin.scheme != "https":
                raise EvidenceError(f"{request.place} redirects from HTTPS to plain HTTP")
            request = replace(request, origin=origin, path=path)
            answer = self._ask(request) if origin == self._origin else self._transport.send(request)
        raise EvidenceError(f"{request.place}: more than {_MAX_REDIRECTS} redirects")

    def _located(self, answer: Answer, here: str, source: str) -> tuple[Origin, str]:
        """Where an answer sends; raises `EvidenceError`, also when it does not say where."""
        location = answer.headers.get("location", "")
        return self._address(urljoin(here, location) if location else "", source)

    def _address(self, text: str, source: str) -> tuple[Origin, str]:
        """Origin and path of an address that the registry gave; raises `EvidenceError`."""
        try:
            parts = urlsplit(text)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            host, port, parts = "", None, urlsplit("")
        if parts.scheme not in PORTS or not host or parts.username is not None or not _ADDRESS.fullmatch(text):
            raise EvidenceError(f"{self._place(source)} sends elsewhere, to what is no address")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Origin(parts.scheme, host, port or PORTS[parts.scheme]), path

    def _expect(self, answer: Answer, path: str, *statuses: int) -> None:
        if answer.status not in statuses:
            raised = UnavailableError if answer.status in UNAVAILABLE else EvidenceError
            raise raised(
                f"{self._place(path)}: HTTP status {answer.status}", hint="see the registry's log, and try again"
            )

    def _check(self, data: bytes, digest: Digest, path: str) -> None:
        if sha256_digest(data) != digest:
            raise EvidenceError(
                f"{self._place(path)}: the bytes that came have the digest sha256:{hashlib.sha256(data).hexdigest()}",
                hint="the registry, or something on the way to it, gives other content than was asked for",
            )

    def _kind(self, answer: Answer, path: str, kinds: tuple[str, ...]) -> str:
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in kinds:
            raise EvidenceError(f"{self._place(path)} answered with the content type {kind[:80]!r}")
        return kind

    def _place(self, path: str) -> str:
        return f"{self._origin}{path.partition('?')[0]}"
