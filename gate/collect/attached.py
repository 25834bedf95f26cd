"""What is attached to an image: signatures and attestations in every form, in a registry or an OCI layout on disk.

What is attached is a hint by whoever could write there (SECURITY 30, 40): everything is enumerated, types are read in
the manifests, bytes are believed for their digest alone, and which image a signature is about is said by what it signs.

1. What refers to the image (OCI 1.1), and what cosign's tags hold: `sha256-<digest>.sig` and `.att`
2. Attestations that BuildKit wrote into the image's own index
3. The same evidence in two places counts once
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from gate.errors import EvidenceError, LimitError
from gate.formats.bundle import MEDIA_TYPE
from gate.formats.carriers import buildkit, cosign
from gate.formats.oci import INDEXES, MANIFEST, MANIFESTS, Descriptor, Manifest, OciError, parse_index, parse_manifest
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import Evidence
from gate.model.settings import Limits

_FAMILY = "application/vnd.dev.sigstore.bundle"
_KNOWN = frozenset({cosign.SIMPLE_SIGNING, cosign.ENVELOPE, buildkit.STATEMENT})


class Holder(Protocol):
    """Where manifests and blobs lie; what it gives has the digest that was asked for."""

    @property
    def name(self) -> str:
        """What stands in front of digests, for people."""

    def manifest(self, reference: str, kinds: tuple[str, ...] = ...) -> tuple[bytes, str] | None:
        """A manifest with its media type, which is one of `kinds`; `None` where there is none."""

    def blob(self, descriptor: Descriptor, limit: int) -> bytes:
        """The bytes that a manifest describes."""


class Attached:
    """Collects what is attached to one image: `found`, and in `skipped` what is no evidence, with the reason."""

    def __init__(self, holder: Holder, subject: Digest, limits: Limits) -> None:
        self.found: list[Evidence] = []
        self.skipped: dict[str, str] = {}
        self._holder = holder
        self._subject = subject
        self._limits = limits
        self._seen: dict[tuple[bytes, bytes | None], str] = {}

    def result(self) -> tuple[list[Evidence], dict[str, str]]:
        """What was found and what was left out."""
        return self.found, self.skipped

    def referrers(self, listed: Iterable[Descriptor]) -> None:
        """What is listed as referring to the image, in the order of its digests.

        Raises `EvidenceError` for what is listed and is not there, or is not what it says.
        """
        for digest, item in sorted({item.digest: item for item in listed}.items()):
            origin = f"{self._holder.name}@{digest}"
            if item.media_type != MANIFEST:
                self.skipped[origin] = f"not a bundle but {item.media_type[:100]!r}"
                continue
            found = self._holder.manifest(digest, (MANIFEST,))
            if found is None:
                raise EvidenceError(
                    f"{origin} is listed and is not there", hint="publish it again, or have it unlisted"
                )
            self.referrer(found[0], origin)

    def referrer(self, data: bytes, origin: str) -> None:
        """A manifest that may refer to the image. What a list says of its type is a hint, and often a wrong one."""
        manifest = read_manifest(data, MANIFEST, origin)
        is_bundle = manifest.artifact_type == MEDIA_TYPE
        if not is_bundle and not any(_is_known(layer) for layer in manifest.layers):
            self.skipped[origin] = f"not a bundle but {manifest.artifact_type[:100]!r}"
        elif manifest.subject != self._subject:
            self.skipped[origin] = "its subject is another manifest"
        elif not is_bundle:
            self._layers(manifest, origin)
        elif len(manifest.layers) != 1 or manifest.layers[0].media_type != MEDIA_TYPE:
            raise EvidenceError(f"{origin} says that it attaches a bundle, and does not hold exactly one")
        else:
            self._layer(manifest.layers[0], origin)

    def tagged(self, data: bytes, kind: str) -> None:
        """The manifest under a tag of cosign's: any number of signatures or attestations."""
        origin = f"{self._holder.name}@{sha256_digest(data)}"
        if kind not in MANIFESTS:
            self.skipped[origin] = f"cosign's tag names no manifest but {kind!r}"
        else:
            self._layers(read_manifest(data, kind, origin), origin)

    def inside(self, data: bytes, kind: str) -> tuple[Descriptor, ...]:
        """What the image's own index holds beside the images: attestations about them. All that it lists is told."""
        if kind not in INDEXES:
            return ()
        entries = read_index(data, kind, f"{self._holder.name}@{self._subject}")
        for entry in entries:
            if not buildkit.is_attestation(entry):
                continue
            origin = f"{self._holder.name}@{entry.digest}"
            found = self._holder.manifest(entry.digest, MANIFESTS)
            if found is None:
                self.skipped[origin] = "an attestation in the image's index that is not there"
            else:
                self._layers(read_manifest(found[0], found[1], origin), origin)
        return entries

    def _layers(self, manifest: Manifest, origin: str) -> None:
        for number, layer in enumerate(manifest.layers):
            self._layer(layer, f"{origin}#layers[{number}]")

    def _layer(self, layer: Descriptor, origin: str) -> None:
        """The evidence in a layer, by its exact media type."""
        limit = self._limits.evidence_bytes
        if not _is_known(layer):
            self.skipped[origin] = f"not a signature but {layer.media_type[:100]!r}"
            return
        if layer.media_type == buildkit.STATEMENT and layer.size > limit:
            self.skipped[origin] = f"{buildkit.UNSIGNED}; it was not read, for it has {layer.size} bytes"
            return
        data = self._holder.blob(layer, limit)
        try:
            if layer.media_type == cosign.SIMPLE_SIGNING:
                self._add(Evidence(origin, cosign.signed_image(data, layer.annotations), message=data))
            elif layer.media_type == cosign.ENVELOPE:
                self._add(Evidence(origin, cosign.signed_statement(data, layer.annotations)))
            elif layer.media_type == buildkit.STATEMENT and not buildkit.is_signed(data):
                self.skipped[origin] = buildkit.UNSIGNED
            else:
                self._add(Evidence(origin, data))
        except cosign.CosignError as error:
            raise EvidenceError(
                f"{origin} is attached as cosign attaches signatures, and is none: {error}",
                hint="sign the image again, or remove what is attached",
            ) from None

    def _add(self, item: Evidence) -> None:
        key = item.data, item.message
        if key in self._seen:
            if self._seen[key] != item.origin:
                self.skipped[item.origin] = f"the same evidence as {self._seen[key]}"
            return
        self._seen[key] = item.origin
        if len(self.found) >= self._limits.evidence_count:
            raise LimitError(
                f"{self._holder.name} has more than {self._limits.evidence_count} pieces of evidence for the image",
                hint="raise limits.evidence_count in gate.yaml",
            )
        self.found.append(item)


def _is_known(layer: Descriptor) -> bool:
    return layer.media_type in _KNOWN or layer.media_type.startswith(_FAMILY)


def read_manifest(data: bytes, kind: str, origin: str) -> Manifest:
    """A manifest; raises `EvidenceError`, which begins with `origin`."""
    try:
        return parse_manifest(data, kind)
    except OciError as error:
        raise EvidenceError(f"{origin}: {error}") from None


def read_index(data: bytes, kind: str, origin: str) -> tuple[Descriptor, ...]:
    """What an index lists; raises `EvidenceError`, which begins with `origin`."""
    try:
        return parse_index(data, kind)
    except OciError as error:
        raise EvidenceError(f"{origin}: {error}") from None
