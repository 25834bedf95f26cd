"""Images and their evidence in an OCI layout on disk (OCI image specification 1.1, image-layout.md).

1. The folder lies below the root; links are never followed and devices never opened (SECURITY 12)
2. Every byte is believed for its digest alone: a blob's name is compared with what was read, each time
3. An image is whole: its manifest, configuration and layers are there, of the size and type that is said, and of an
   index every entry
4. What `index.json` lists as attached to the image is evidence like any other, to be verified
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate.collect.attached import Attached, read_index, read_manifest
from gate.collect.files import Entry, opened_file, opened_folder, opened_root, plain_segments, read_at_most, unreadable
from gate.collect.hashing import Tell, hash_files, nothing, unheard
from gate.errors import EvidenceError, LimitError
from gate.formats.carriers.cosign import ATTESTATIONS, KIND, KINDS, SBOMS, SIGNATURES, UNSIGNED_SBOM
from gate.formats.image_reference import LayoutReference
from gate.formats.oci import (
    DOCUMENT_BYTES,
    IMAGES,
    INDEX,
    INDEXES,
    MANIFEST,
    Descriptor,
    OciError,
    check_layout,
    fallback_tag,
    image_type,
    parse_index,
)
from gate.model.digest import Digest, hex_of, sha256_digest
from gate.model.evidence import Evidence
from gate.model.settings import Limits

_BLOBS: Final = (b"blobs", b"sha256")
_NAME: Final = "org.opencontainers.image.ref.name"
_DAMAGED: Final = "copy the image again; all of it has to be there, every platform of an index"


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout that is open: its folder, its name for people, and what its `index.json` lists."""

    folder: int
    name: str
    listed: tuple[Descriptor, ...]

    def manifest(self, reference: str, kinds: tuple[str, ...] = IMAGES) -> tuple[bytes, str] | None:
        """A manifest or index by digest with the media type that it has by its content; `None` where there is none."""
        digest = Digest(reference)
        data = _read(self.folder, (*_BLOBS, hex_of(digest).encode()), DOCUMENT_BYTES, self._place(digest))
        if data is None:
            return None
        self._check(data, digest)
        try:
            kind = image_type(data)
        except OciError as error:
            raise EvidenceError(f"{self._place(digest)}: {error}") from None
        if kind not in kinds:
            raise EvidenceError(f"{self._place(digest)} is of the type {kind!r}")
        return data, kind

    def blob(self, descriptor: Descriptor, limit: int) -> bytes:
        """The bytes that a manifest describes; raises `EvidenceError`, also when they are missing."""
        place = self._place(descriptor.digest)
        if descriptor.size > limit:
            raise LimitError(
                f"{place} has {descriptor.size} bytes, more than the {limit} that are read",
                hint="raise limits.evidence_bytes in gate.yaml",
            )
        data = _read(self.folder, (*_BLOBS, hex_of(descriptor.digest).encode()), descriptor.size, place)
        if data is None:
            raise EvidenceError(f"{place} does not exist", hint=_DAMAGED)
        self._check(data, descriptor.digest)
        return data

    def _check(self, data: bytes, digest: Digest) -> None:
        if sha256_digest(data) != digest:
            raise EvidenceError(f"{self._place(digest)} holds other bytes: {sha256_digest(data)}", hint=_DAMAGED)

    def _place(self, digest: Digest) -> str:
        return f"{self.name}/blobs/sha256/{hex_of(digest)}"


@contextmanager
def opened_layout(root: Path, path: str) -> Iterator[Layout]:
    """A layout below the root; raises `EvidenceError` for a folder that is none or cannot be read."""
    with opened_root(root) as base:
        try:
            with opened_folder(base, plain_segments(path)) as folder:
                version = _document(folder, "oci-layout", path)
                index = _document(folder, "index.json", path)
                try:
                    check_layout(version)
                    listed = parse_index(index)
                except OciError as error:
                    raise EvidenceError(f"{path!r} is no OCI layout that the gate reads: {error}") from None
                yield Layout(folder, path, listed)
        except OSError as error:
            raise unreadable(path, error) from error


def check_image(root: Path, image: LayoutReference, limits: Limits, tell: Tell = unheard) -> None:
    """Raises `EvidenceError` unless an image is in its layout, whole and unchanged.

    Its layers are hashed like other files, whatever their size.
    """
    with opened_layout(root, image.path) as layout:
        whole = _Whole(layout, limits)
        whole.enter(_listed(layout, image.digest, limits))
        with opened_folder(layout.folder, _BLOBS) as blobs:
            _check_blobs(blobs, list(whole.blobs.values()), f"{layout.name}/blobs/sha256/", tell)


def read_layout(root: Path, image: LayoutReference, limits: Limits) -> tuple[list[Evidence], dict[str, str]]:
    """What is attached to an image in its layout and may be evidence, and the rest with why it is left out.

    Raises `EvidenceError` for what cannot be read, `LimitError` for more or larger pieces than the limits allow.
    """
    with opened_layout(root, image.path) as layout:
        attached = Attached(layout, image.digest, limits)
        tag = fallback_tag(image.digest)
        referrers: list[Descriptor] = []
        for item in layout.listed:
            name = item.annotations.get(_NAME, "").rpartition(":")[2]
            if name == tag:
                referrers += _fallback(layout, item)
            elif name == tag + SBOMS:
                attached.skipped[f"{layout.name}@{item.digest}"] = UNSIGNED_SBOM
            elif name in {tag + SIGNATURES, tag + ATTESTATIONS} or item.annotations.get(KIND) in KINDS:
                attached.tagged(*_there(layout, item))
            elif item.media_type == MANIFEST and _subject(layout, item) == image.digest:
                referrers.append(item)
        attached.referrers(referrers)
        attached.inside(*_there(layout, _listed(layout, image.digest, limits)[0]))
        return attached.result()


def _fallback(layout: Layout, item: Descriptor) -> tuple[Descriptor, ...]:
    """What the index lists that stands for the referrers API."""
    if item.media_type != INDEX:
        place = f"{layout.name}@{item.digest}"
        raise EvidenceError(f"{place} is no index of what refers to an image, but {item.media_type[:100]!r}")
    return _entries(layout, item)


def _subject(layout: Layout, item: Descriptor) -> Digest | None:
    """What a manifest refers to. Most that are listed refer to nothing."""
    return read_manifest(*_there(layout, item), f"{layout.name}@{item.digest}").subject


def _entries(layout: Layout, item: Descriptor) -> tuple[Descriptor, ...]:
    return read_index(*_there(layout, item), f"{layout.name}@{item.digest}")


def _there(layout: Layout, item: Descriptor) -> tuple[bytes, str]:
    """What a descriptor describes: it is there, of the type and size that it says."""
    found = layout.manifest(item.digest)
    place = f"{layout.name}@{item.digest}"
    if found is None:
        raise EvidenceError(f"{place} is listed and is not there", hint=_DAMAGED)
    data, kind = found
    if kind != item.media_type or len(data) != item.size:
        raise EvidenceError(
            f"{place} is described as {item.size} bytes of {item.media_type[:100]!r}, and is {len(data)} of {kind!r}",
            hint=_DAMAGED,
        )
    return found


def _listed(layout: Layout, digest: Digest, limits: Limits) -> Sequence[Descriptor]:
    """The descriptors of an image in `index.json`, or else in the indexes that it lists, level by level."""
    level: Sequence[Descriptor] = layout.listed
    seen: set[Digest] = set()
    while level:
        found = [item for item in level if item.digest == digest]
        if found:
            return found
        indexes = {item.digest: item for item in level if item.media_type in INDEXES and item.digest not in seen}
        seen |= indexes.keys()
        _limited(len(seen), limits)
        level = [entry for item in indexes.values() for entry in _entries(layout, item)]
    raise EvidenceError(
        f"the layout {layout.name!r} does not list {digest}",
        hint="check the digest: `skopeo inspect oci:...` prints it",
    )


def _limited(count: int, limits: Limits) -> None:
    if count > limits.files:
        raise LimitError(f"an image has more than {limits.files} parts", hint="raise limits.files in gate.yaml")


class _Whole:
    """All parts of an image: its manifests are read here, `blobs` is what they describe besides."""

    def __init__(self, layout: Layout, limits: Limits) -> None:
        self.blobs: dict[tuple[Digest, int], Descriptor] = {}
        self._layout = layout
        self._limits = limits
        self._seen: set[Descriptor] = set()

    def enter(self, items: Sequence[Descriptor]) -> None:
        """Reads manifests and indexes, and those in them. Each is read once, so that no nesting takes long."""
        waiting = list(items)
        while waiting:
            item = waiting.pop()
            if item in self._seen:
                continue
            self._seen.add(item)
            data, kind = _there(self._layout, item)
            place = f"{self._layout.name}@{item.digest}"
            if kind in INDEXES:
                waiting += read_index(data, kind, place)
            else:
                manifest = read_manifest(data, kind, place)
                self.blobs |= {(part.digest, part.size): part for part in (manifest.config, *manifest.layers)}
            _limited(len(self._seen) + len(self.blobs), self._limits)


def _check_blobs(folder: int, parts: Sequence[Descriptor], prefix: str, tell: Tell) -> None:
    entries = []
    for part in parts:
        name = hex_of(part.digest).encode()
        try:
            status = os.lstat(name, dir_fd=folder)
        except FileNotFoundError:
            raise EvidenceError(f"{prefix}{hex_of(part.digest)} does not exist", hint=_DAMAGED) from None
        if not stat.S_ISREG(status.st_mode):
            raise EvidenceError(f"{prefix}{hex_of(part.digest)} is no regular file", hint="links are not followed")
        if status.st_size != part.size:
            raise EvidenceError(
                f"{prefix}{hex_of(part.digest)} has {status.st_size} bytes, the image says {part.size}", hint=_DAMAGED
            )
        entries.append(Entry(name, status))
    for part, hashed in zip(parts, hash_files(folder, entries, None, prefix, nothing, tell), strict=True):
        if hashed.digest != part.digest:
            raise EvidenceError(f"{prefix}{hex_of(part.digest)} holds other bytes: {hashed.digest}", hint=_DAMAGED)


def _document(folder: int, name: str, path: str) -> bytes:
    data = _read(folder, (name.encode(),), DOCUMENT_BYTES, f"{path}/{name}")
    if data is None:
        raise EvidenceError(f"{path!r} is no OCI layout: it has no file {name!r}", hint="skopeo copy ... oci:path")
    return data


def _read(folder: int, segments: Sequence[bytes], limit: int, place: str) -> bytes | None:
    """A regular file of at most `limit` bytes, `None` where there is none; raises `EvidenceError`, also for a link."""
    try:
        with opened_file(folder, segments) as (descriptor, _):
            data = read_at_most(descriptor, limit)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable(place, error) from error
    if data is None:
        raise EvidenceError(f"{place} has more than the {limit} bytes that it may have", hint=_DAMAGED)
    return data
