"""Evidence that is attached to an image, in a registry or in an OCI layout (SECURITY 30, 40).

What a registry says of itself is not believed: types are read in the manifests, digests are computed, and what it holds
is evidence like any other, to be verified.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gate.collect.attached import Attached, Holder
from gate.collect.layout import read_layout
from gate.collect.registry.access import Target
from gate.errors import ConfigError
from gate.formats.carriers.cosign import ATTESTATIONS, SBOMS, SIGNATURES, UNSIGNED_SBOM
from gate.formats.image_reference import parse_image, parse_layout, parse_repository
from gate.formats.oci import IMAGES, Descriptor, fallback_tag
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import Evidence
from gate.model.registry import OciEvidence
from gate.model.settings import Limits

if TYPE_CHECKING:
    from gate.collect.registry.client import Client
    from gate.collect.registry.writer import Writer


class Lists(Holder, Protocol):
    """A repository that tells what refers to a manifest."""

    def referrers(self, subject: Digest) -> tuple[tuple[Descriptor, ...], bool]:
        """What refers to a manifest, and whether the registry itself says so."""


def open_client(target: Target, limits: Limits) -> Client:
    """A client that reads; raises `ConfigError` without the extra `oci`."""
    check_extra()
    from gate.collect.registry.client import Bounds, Client

    return Client(target, bounds=Bounds(referrers=limits.evidence_count))


def open_writer(target: Target) -> Writer:
    """A client that may write; raises `ConfigError` without the extra `oci`."""
    check_extra()
    from gate.collect.registry.writer import Writer

    return Writer(target)


def check_extra() -> None:
    """Raises `ConfigError` where registries cannot be asked at all."""
    try:
        import urllib3  # noqa: F401  # whether it is there
    except ImportError:
        raise ConfigError("registries need the extra `oci`", hint="pip install 'gate[oci]'") from None


def read_attached(root: Path, source: OciEvidence, image: str, limits: Limits) -> tuple[list[Evidence], dict[str, str]]:
    """What is attached to an artifact's image and may be evidence, and what else is, with why it is left out.

    It is read from the layout of an image that lies in one, else from its registry, or from the repository that the
    source names. An image to which nothing is attached has no evidence, and neither has one that the registry does not
    know. Raises `EvidenceError` when something cannot be read, `LimitError` for more or larger pieces than the limits
    allow, `ConfigError` for an image without digest: what a tag points at may change between two looks.
    """
    try:
        layout = parse_layout(image)
        named = None if source.repository is None else parse_repository(source.repository)
        if layout is None:
            reference = parse_image(image)
            repository, digest = named or reference.repository, reference.digest
        elif named is None:
            return read_layout(root, layout, limits)
        else:
            repository, digest = named, layout.digest
    except ValueError as error:
        raise ConfigError(f"evidence of {source.artifact}: {error}") from None
    if digest is None:
        raise ConfigError(
            f"evidence of {source.artifact}: the image {image!r} has no digest, and a tag may change",
            hint="name the image as registry/name@sha256:...",
        )
    with open_client(Target(repository, source.access), limits) as client:
        return referred(client, digest, limits)


def referred(client: Lists, subject: Digest, limits: Limits) -> tuple[list[Evidence], dict[str, str]]:
    """What is attached to an image: first what refers to it, then cosign's tags, then what its index holds.

    A tag is looked up once, and the bytes that came have the digest that is told.
    """
    return look_up(client, subject, limits)[0].result()


def look_up(client: Lists, subject: Digest, limits: Limits) -> tuple[Attached, tuple[Descriptor, ...]]:
    """The same, and what the image's index lists, attestations included; nothing for an image that is no index."""
    attached = Attached(client, subject, limits)
    attached.referrers(client.referrers(subject)[0])
    for suffix in (SIGNATURES, ATTESTATIONS, SBOMS):
        found = client.manifest(fallback_tag(subject) + suffix)
        if found is not None and suffix == SBOMS:
            attached.skipped[f"{client.name}@{sha256_digest(found[0])}"] = UNSIGNED_SBOM
        elif found is not None:
            attached.tagged(*found)
    image = client.manifest(subject, IMAGES)
    if image is None:
        return attached, ()
    return attached, attached.inside(*image)
