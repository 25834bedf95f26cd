"""Documents of an OCI registry: manifests, indexes and descriptors (OCI image specification 1.1).

Whatever a registry sends is read strictly, and only what is needed of it. What is written is canonical JSON, so that
the same bundle about the same image has the same manifest digest wherever it is published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gate.formats.canonical_json import CanonicalJsonError, dumps
from gate.formats.rfc3339 import format_time
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.digest import Digest, parse_digest, sha256_digest
from gate.model.json import JsonObject, JsonValue

MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
INDEX: Final = "application/vnd.oci.image.index.v1+json"
EMPTY: Final = "application/vnd.oci.empty.v1+json"
EMPTY_CONFIG: Final = b"{}"
MANIFESTS: Final = (MANIFEST, "application/vnd.docker.distribution.manifest.v2+json")
INDEXES: Final = (INDEX, "application/vnd.docker.distribution.manifest.list.v2+json")
IMAGES: Final = (MANIFEST, INDEX, MANIFESTS[1], INDEXES[1])
"""What an image may be: of one platform, or an index of several."""
DOCUMENT_BYTES: Final = 4 << 20
"""What the distribution specification lets a registry limit manifests to."""
_MAX_SIZE: Final = 1 << 53
_LAYOUT_VERSION: Final = "1.0.0"


class OciError(ValueError):
    """A document is not what the specification says."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a registry says of something that it stores. Only the digest is proved, by what is then read."""

    media_type: str
    digest: Digest
    size: int
    artifact_type: str | None = None
    annotations: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def json(self) -> JsonObject:
        """As it stands in a manifest."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


@dataclass(frozen=True, slots=True)
class Manifest:
    """An image manifest, of an image or of what refers to one: its type, what it is about and what it holds."""

    artifact_type: str
    subject: Digest | None
    layers: tuple[Descriptor, ...]
    config: Descriptor


def describe(data: bytes, media_type: str) -> Descriptor:
    """The descriptor of some bytes."""
    return Descriptor(media_type, sha256_digest(data), len(data))


def parse_manifest(data: bytes, kind: str = MANIFEST) -> Manifest:
    """An image manifest of the media type that was told; raises `OciError`.

    The type of what it holds is `artifactType`, or else that of its configuration.
    """
    value = _document(data, kind)
    layers, subject, held = value.get("layers"), value.get("subject"), value.get("artifactType", "")
    if not isinstance(layers, list):
        raise OciError("the manifest has no list of layers")
    if not isinstance(held, str):
        raise OciError("artifactType is not a string")
    config = _descriptor(value.get("config"), "config")
    return Manifest(
        held or config.media_type,
        _descriptor(subject, "subject").digest if subject is not None else None,
        tuple(_descriptor(layer, f"layer {number}") for number, layer in enumerate(layers)),
        config,
    )


def parse_index(data: bytes, kind: str = INDEX) -> tuple[Descriptor, ...]:
    """The manifests that an index lists; raises `OciError`. Some registries write `null` for an empty list."""
    return tuple(_descriptor(item, f"entry {number}") for number, item in enumerate(_entries(data, kind)[1]))


def image_type(data: bytes) -> str:
    """The media type of an image by its own content; raises `OciError` for what could be read as either type."""
    value = _document(data, *IMAGES)
    is_index = "manifests" in value
    if is_index == ("layers" in value or "config" in value):
        raise OciError("the document is not clearly either a manifest or an index")
    kinds = INDEXES if is_index else MANIFESTS
    kind = value.get("mediaType", kinds[0])
    if not isinstance(kind, str) or kind not in kinds:
        raise OciError("the document is of another type than it says")
    return kind


def check_layout(data: bytes) -> None:
    """Raises `OciError` unless the bytes are the file `oci-layout` of a version that is known."""
    try:
        version = loads_object(data, limit=DOCUMENT_BYTES).get("imageLayoutVersion")
    except StrictJsonError as error:
        raise OciError(f"the file oci-layout is not strict JSON: {error}") from None
    if version != _LAYOUT_VERSION:
        raise OciError(f"imageLayoutVersion is not {_LAYOUT_VERSION!r}")


def extended_index(data: bytes | None, entries: Sequence[JsonObject]) -> bytes | None:
    """An index with the entries added that it lacks, `None` if it lacks none; raises `OciError`.

    What others listed stays as it is, whatever members it has. `data` is `None` where there is no index yet.
    """
    value, listed = ({}, []) if data is None else _entries(data, INDEX)
    known = {_descriptor(item, "an entry").digest for item in listed}
    missing = [entry for entry in entries if entry["digest"] not in known]
    if not missing:
        return None
    try:
        return dumps({**value, "schemaVersion": 2, "mediaType": INDEX, "manifests": [*listed, *missing]})
    except CanonicalJsonError as error:
        raise OciError(f"the index cannot be written again: {error}") from None


def attachment(subject: Descriptor, layer: Descriptor, annotations: Mapping[str, str]) -> bytes:
    """The manifest that attaches one blob to an image, its type being that of the blob."""
    return dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": layer.media_type,
            "config": describe(EMPTY_CONFIG, EMPTY).json,
            "layers": [layer.json],
            "subject": subject.json,
            "annotations": dict(annotations),
        }
    )


def bundle_annotations(predicate_type: str, created_s: int | None) -> Mapping[str, str]:
    """What cosign writes beside a bundle, so that people and tools see its type without reading it."""
    found = {
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": predicate_type,
    }
    return found if created_s is None else {**found, "org.opencontainers.image.created": format_time(created_s)}


def fallback_tag(digest: Digest) -> str:
    """The tag that lists what refers to an image where the registry has no referrers API.

    With the suffix `.sig`, `.att` or `.sbom` it is where cosign attaches signatures, attestations and SBOMs.
    """
    return digest.replace(":", "-")


def _document(data: bytes, *media_types: str) -> JsonObject:
    try:
        value = loads_object(data, limit=DOCUMENT_BYTES)
    except StrictJsonError as error:
        raise OciError(f"not strict JSON: {error}") from None
    version = value.get("schemaVersion")
    if isinstance(version, bool) or version != 2 or value.get("mediaType", media_types[0]) not in media_types:
        raise OciError(f"not a document of the type {media_types[0]}")
    return value


def _entries(data: bytes, kind: str) -> tuple[JsonObject, list[JsonValue]]:
    value = _document(data, kind)
    listed = value.get("manifests", [])
    if listed is not None and not isinstance(listed, list):
        raise OciError("manifests is not a list")
    return value, listed or []


def _descriptor(value: JsonValue, what: str) -> Descriptor:
    if not isinstance(value, Mapping):
        raise OciError(f"{what} is not a descriptor")
    media_type, text, size = value.get("mediaType"), value.get("digest"), value.get("size")
    kind = value.get("artifactType")
    digest = parse_digest(text) if isinstance(text, str) else None
    if digest is None:
        raise OciError(f"{what} has no sha256 digest")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= _MAX_SIZE:
        raise OciError(f"{what} has no size")
    if not isinstance(media_type, str) or not media_type or not isinstance(kind, str | None):
        raise OciError(f"{what} has no media type")
    return Descriptor(media_type, digest, size, kind, _annotations(value.get("annotations"), what))


def _annotations(value: JsonValue, what: str) -> Mapping[str, str]:
    """The annotations of a descriptor; some tools write `null` where there are none."""
    if value is None:
        return {}
    found = {name: text for name, text in value.items() if isinstance(text, str)} if isinstance(value, Mapping) else {}
    if not isinstance(value, Mapping) or len(found) != len(value):
        raise OciError(f"{what} has annotations that are no texts")
    return found
