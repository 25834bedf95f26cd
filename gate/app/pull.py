"""`gate pull`: the bundles that a registry lists as referring to an image become files."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gate.app.produce import BUNDLE_SUFFIX, MAX_STATEMENT, Progress
from gate.app.publish import image_reference, resolve
from gate.attest.files import replace_files
from gate.collect.oci import open_client, referred
from gate.collect.registry.access import Target
from gate.decide import EXIT_ALLOW, EXIT_MISSING
from gate.formats.bundle import BundleError, parse_container
from gate.model.digest import Digest, sha256_digest
from gate.model.registry import RegistryAccess
from gate.model.settings import Limits

_IMAGE_SIGNATURE: Final = "cosign's signature of an image has no file: `evidence: - oci:` reads it where it is"
_LIMITS: Final = replace(Limits(), evidence_bytes=2 * MAX_STATEMENT)


@dataclass(frozen=True, slots=True)
class PullRequest:
    """The image whose evidence is wanted, and the folder to write it to."""

    image: str
    out: Path
    access: RegistryAccess


@dataclass(frozen=True, slots=True)
class PulledItem:
    """A bundle that was written. `reference` pins the manifest that attaches it."""

    reference: str
    bundle: Digest
    path: Path


@dataclass(frozen=True, slots=True)
class Pulled:
    """What refers to an image: bundles, and the rest with why it was left out. `subject` is `None` without an image."""

    subject: str | None
    items: tuple[PulledItem, ...]
    skipped: Mapping[str, str]

    @property
    def exit_code(self) -> int:
        """0 when there is a bundle, 10 when there is none."""
        return EXIT_ALLOW if self.items else EXIT_MISSING


def pull(request: PullRequest, progress: Progress = nullcontext) -> Pulled:
    """Writes all bundles, each named by its digest, once all of them were read.

    Raises `EvidenceError` when the registry cannot be read, `AttestError` when a file cannot be written, `ConfigError`
    for what is no reference.
    """
    image = image_reference(request.image)
    with open_client(Target(image.repository, request.access), _LIMITS) as client, progress(f"reading {request.image}"):
        subject = resolve(client, image)
        found, skipped = ([], {}) if subject is None else referred(client, subject, _LIMITS)
    items: list[PulledItem] = []
    files: dict[Path, bytes] = {}
    for evidence in found:
        if evidence.message is not None:
            skipped[evidence.origin] = _IMAGE_SIGNATURE
            continue
        try:
            problem = None if parse_container(evidence.data, limit=len(evidence.data)).is_bundle else "no bundle"
        except BundleError as error:
            problem = f"no bundle that the gate reads: {error}"
        if problem is not None:
            skipped[evidence.origin] = problem
            continue
        digest = sha256_digest(evidence.data)
        path = request.out / f"{digest.replace(':', '-')}{BUNDLE_SUFFIX}"
        files[path] = evidence.data
        items.append(PulledItem(evidence.origin, digest, path))
    replace_files(files)
    name = None if subject is None else f"{image.repository}@{subject}"
    return Pulled(name, tuple(items), dict(sorted(skipped.items())))
