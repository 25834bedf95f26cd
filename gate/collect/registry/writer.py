"""Storing in a registry, so that doing it again changes nothing.

What is stored is content under its digest: it is looked for first, and read back after. Only the tag that lists
referrers, where a registry has no referrers API, is written by name, and then read again until it lists everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gate.collect.registry.access import Target
from gate.collect.registry.authorization import Finder
from gate.collect.registry.client import PUSH, Bounds, Client
from gate.collect.registry.credentials import find_credentials
from gate.errors import EvidenceError
from gate.formats.oci import INDEX, OciError, extended_index, fallback_tag
from gate.model.digest import Digest, sha256_digest
from gate.model.json import JsonObject

_BYTES = {"Content-Type": "application/octet-stream"}


class Writer(Client):
    """A repository that may be written to."""

    def __init__(self, target: Target, bounds: Bounds | None = None, find: Finder = find_credentials) -> None:
        super().__init__(target, PUSH, bounds, find)

    def put_blob(self, data: bytes) -> None:
        """Stores a blob unless it is there; raises `EvidenceError`.

        An upload is not asked for twice: when it breaks off, what counts is whether the blob is there afterwards.
        """
        digest = sha256_digest(data)
        if self._has_blob(digest):
            return
        try:
            self._upload(data, digest)
        except EvidenceError:
            if not self._has_blob(digest):
                raise

    def _has_blob(self, digest: Digest) -> bool:
        path = f"{self._base}/blobs/{digest}"
        answer = self._followed(self._request("HEAD", path))
        self._expect(answer, path, 200, 404)
        return answer.status == 200

    def _upload(self, data: bytes, digest: Digest) -> None:
        path = f"{self._base}/blobs/uploads/"
        answer = self._ask(self._request("POST", path, {"Content-Length": "0"}, b""))
        self._expect(answer, path, 202)
        origin, place = self._located(answer, f"{self._origin}{path}", path)
        if origin != self._origin:
            raise EvidenceError(
                f"{self._origin} wants the upload to go to {str(origin)[:100]!r}, and nothing is sent there",
                hint="a registry behind a proxy has to know the address by which it is reached",
            )
        place += f"{'&' if '?' in place else '?'}digest={digest.replace(':', '%3A')}"
        self._expect(self._ask(self._request("PUT", place, _BYTES, data)), path, 201)

    def put_manifest(self, data: bytes, kind: str) -> bool:
        """Stores a manifest under its digest and reads it back; whether it was not there before."""
        digest = sha256_digest(data)
        if self.manifest(digest, (kind,)) is not None:
            return False
        path = f"{self._base}/manifests/{digest}"
        headers = {"Content-Type": kind}
        self._expect(self._ask(self._request("PUT", path, headers, data, is_repeatable=True)), path, 201)
        if self.manifest(digest, (kind,)) is None:
            raise EvidenceError(f"{self._place(path)} was stored, and is not there")
        return True

    def list_referrers(self, subject: Digest, entries: Sequence[JsonObject]) -> str | None:
        """Makes sure that manifests are listed as referring to an image; the tag that does it, `None` for the API.

        Two who write the tag at once may undo each other's work; whoever sees that writes again. Raises
        `EvidenceError` when they are still not listed after a few attempts.
        """
        wanted: Mapping[object, None] = dict.fromkeys(entry["digest"] for entry in entries)
        for pause_s in (0.0, *self.bounds.pauses_s):
            self._wait(pause_s)
            listed, has_api = self.referrers(subject)
            if wanted.keys() <= {item.digest for item in listed}:
                return None if has_api else fallback_tag(subject)
            if not has_api:
                self._extend(subject, entries)
        raise EvidenceError(
            f"{self.target.repository} does not list what was stored as referring to {subject}",
            hint="publish again; if somebody else publishes for the image now, do it one after the other",
        )

    def _extend(self, subject: Digest, entries: Sequence[JsonObject]) -> None:
        path = f"{self._base}/manifests/{fallback_tag(subject)}"
        try:
            data = extended_index(self.fallback_index(subject), entries)
        except OciError as error:
            raise EvidenceError(f"{self._place(path)} is no index of manifests: {error}") from None
        if data is not None:
            self._expect(self._ask(self._request("PUT", path, {"Content-Type": INDEX}, data)), path, 201)

    def _wait(self, pause_s: float) -> None:
        try:
            self._transport.deadline.pause(pause_s)
        except TimeoutError:
            raise EvidenceError(
                f"{self._origin} took more than the {self.target.access.timeout_s} seconds that everything has",
                hint="--timeout gives it more",
            ) from None
