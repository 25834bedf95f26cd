"""Evidence that a registry lists as referring to an image: bundles, read by digest (SECURITY 30, 40).

What a registry says of itself is not believed: types are read in the manifests, digests are computed, and what it holds
is evidence like any other, to be verified.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.collect.registry.access import Target
from gate.errors import ConfigError, EvidenceError
from gate.formats.bundle import MEDIA_TYPE
from gate.formats.image_reference import parse_image, parse_repository
from gate.formats.oci import MANIFEST, OciError, parse_manifest
from gate.model.digest import Digest
from gate.model.evidence import Evidence
from gate.model.registry import OciEvidence
from gate.model.settings import Limits

if TYPE_CHECKING:
    from gate.collect.registry.client import Client
    from gate.collect.registry.writer import Writer


def open_client(target: Target, limits: Limits) -> Client:
    """A client that reads; raises `ConfigError` without the extra `oci`."""
    _check_extra()
    from gate.collect.registry.client import Bounds, Client

    return Client(target, bounds=Bounds(referrers=limits.evidence_count))


def open_writer(target: Target) -> Writer:
    """A client that may write; raises `ConfigError` without the extra `oci`."""
    _check_extra()
    from gate.collect.registry.writer import Writer

    return Writer(target)


def _check_extra() -> None:
    try:
        import urllib3  # noqa: F401  # whether it is there
    except ImportError:
        raise ConfigError("registries need the extra `oci`", hint="pip install 'gate[oci]'") from None


def read_referrers(source: OciEvidence, image: str, limits: Limits) -> tuple[list[Evidence], dict[str, str]]:
    """The bundles that refer to an artifact's image, and what else does, with why it is left out.

    An image that nothing refers to has no evidence, and neither has one that the registry does not know. Raises
    `EvidenceError` when the registry cannot be read, `LimitError` for more or larger pieces than the limits allow,
    `ConfigError` for an image without digest: what a tag points at may change between two looks.
    """
    try:
        reference = parse_image(image)
        repository = reference.repository if source.repository is None else parse_repository(source.repository)
    except ValueError as error:
        raise ConfigError(f"evidence of {source.artifact}: {error}") from None
    if reference.digest is None:
        raise ConfigError(
            f"evidence of {source.artifact}: the image {image!r} has no digest, and a tag may change",
            hint="name the image as registry/name@sha256:...",
        )
    with open_client(Target(repository, source.access), limits) as client:
        return referred(client, reference.digest, limits)


def referred(client: Client, subject: Digest, limits: Limits) -> tuple[list[Evidence], dict[str, str]]:
    """The bundles among what refers to a manifest, sorted by digest, and the rest with why it is left out."""
    bundles: list[Evidence] = []
    skipped: dict[str, str] = {}
    listed = {item.digest: item for item in client.referrers(subject)[0]}
    for digest, item in sorted(listed.items()):
        origin = f"{client.target.repository}@{digest}"
        if item.media_type != MANIFEST:
            skipped[origin] = f"not a bundle but {item.media_type[:100]!r}"
            continue
        data = _bundle(client, subject, digest, origin, limits)
        if isinstance(data, str):
            skipped[origin] = data
        else:
            bundles.append(Evidence(origin, data))
    return bundles, skipped


def _bundle(client: Client, subject: Digest, digest: Digest, origin: str, limits: Limits) -> bytes | str:
    """The bundle that a manifest attaches, or why it attaches none."""
    found = client.manifest(digest, (MANIFEST,))
    if found is None:
        raise EvidenceError(f"{origin} is listed and is not there", hint="publish it again, or have it unlisted")
    try:
        manifest = parse_manifest(found[0])
    except OciError as error:
        raise EvidenceError(f"{origin}: {error}") from None
    # What the list says of the type is a hint, and often a wrong one.
    if manifest.artifact_type != MEDIA_TYPE:
        return f"not a bundle but {manifest.artifact_type[:100]!r}"
    if manifest.subject != subject:
        return "its subject is another manifest"
    if len(manifest.layers) != 1 or manifest.layers[0].media_type != MEDIA_TYPE:
        raise EvidenceError(f"{origin} says that it attaches a bundle, and does not hold exactly one")
    return client.blob(manifest.layers[0], limits.evidence_bytes)
