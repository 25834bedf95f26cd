"""`gate publish`: bundles are attached to an image in a registry, where `evidence: - oci:` and cosign find them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gate.app.produce import BUNDLE_SUFFIX, MAX_STATEMENT, Progress
from gate.attest.files import read_file
from gate.collect.oci import open_client, open_writer
from gate.collect.registry.access import Target
from gate.errors import AttestError, ConfigError, EvidenceError
from gate.formats.bundle import MEDIA_TYPE, BundleError, parse_container
from gate.formats.image_reference import ImageReference, Repository, parse_image, parse_repository
from gate.formats.intoto import StatementError, parse_statement
from gate.formats.oci import EMPTY_CONFIG, MANIFEST, Descriptor, attachment, bundle_annotations, describe
from gate.formats.strict_json import loads_object
from gate.model.digest import Digest
from gate.model.json import JsonObject
from gate.model.registry import RegistryAccess
from gate.model.settings import Limits

if TYPE_CHECKING:
    from gate.collect.registry.client import Client
    from gate.collect.registry.writer import Writer

_VERSIONS: Final = frozenset({MEDIA_TYPE, "application/vnd.dev.sigstore.bundle+json;version=0.3"})
_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class PublishRequest:
    """What to publish: a bundle or a folder of them, about an image, maybe into another repository than it lies in.

    `created_s` is the time to write beside each bundle, if any; no clock is read.
    """

    source: Path
    image: str
    access: RegistryAccess
    repository: str | None = None
    must_be_pinned: bool = False
    created_s: int | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """One bundle in the registry. `reference` pins the manifest that attaches it; `is_new` if it was not there."""

    path: Path
    reference: str
    bundle: Digest
    predicate_type: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Publication:
    """What was published about an image. `tag` lists it where the registry has no referrers API."""

    subject: str
    tag: str | None
    items: tuple[Published, ...]
    ignored: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class _Bundle:
    path: Path
    data: bytes
    predicate_type: str


def publish(request: PublishRequest, progress: Progress = nullcontext) -> Publication:
    """Attaches bundles to an image; doing it again changes nothing.

    Raises `AttestError` for what is no bundle, before anything is sent, and when the registry does not do what it
    should; `ConfigError` for what is no reference.
    """
    image = image_reference(request.image, must_be_pinned=request.must_be_pinned)
    repository = _repository(request.repository) or image.repository
    paths, ignored = _files(request.source)
    bundles = [_bundle(path) for path in paths]
    try:
        with progress(f"looking for {request.image}"):
            subject = _subject(image, request.access)
        with open_writer(Target(repository, request.access)) as writer, progress(f"publishing to {repository}"):
            return _publish(writer, bundles, subject, ignored, request.created_s)
    except EvidenceError as error:
        raise AttestError(str(error), hint=error.hint) from None


def image_reference(text: str, *, must_be_pinned: bool = False) -> ImageReference:
    """The image that a person named; raises `ConfigError` for what is none, or has no digest though it must."""
    try:
        image = parse_image(text)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    if image.digest is None and must_be_pinned:
        raise ConfigError(
            f"{text!r} has no digest, and a tag may change", hint="name it as registry/name@sha256:..., or use --oci"
        )
    return image


def resolve(client: Client, image: ImageReference) -> Digest | None:
    """The digest of an image; a tag is looked up once, `None` if there is no such tag."""
    if image.digest is not None:
        return image.digest
    found = client.manifest(_tag(image))
    return None if found is None else describe(*found).digest


def _tag(image: ImageReference) -> str:
    return image.tag or "latest"


def _repository(text: str | None) -> Repository | None:
    try:
        return None if text is None else parse_repository(text)
    except ValueError as error:
        raise ConfigError(f"--repository: {error}") from None


def _subject(image: ImageReference, access: RegistryAccess) -> Descriptor:
    with open_client(Target(image.repository, access), _LIMITS) as client:
        found = client.manifest(image.digest or _tag(image))
    if found is None:
        raise AttestError(
            f"there is no image {image.repository}{f'@{image.digest}' if image.digest else f':{_tag(image)}'}",
            hint="push the image first: what is published refers to it",
        )
    return describe(*found)


def _publish(
    writer: Writer, bundles: Sequence[_Bundle], subject: Descriptor, ignored: tuple[Path, ...], created_s: int | None
) -> Publication:
    items: list[Published] = []
    entries: list[JsonObject] = []
    writer.put_blob(EMPTY_CONFIG)
    for bundle in bundles:
        layer = describe(bundle.data, MEDIA_TYPE)
        annotations = bundle_annotations(bundle.predicate_type, created_s)
        manifest = attachment(subject, layer, annotations)
        stored = describe(manifest, MANIFEST)
        writer.put_blob(bundle.data)
        is_new = writer.put_manifest(manifest, MANIFEST)
        reference = f"{writer.target.repository}@{stored.digest}"
        items.append(Published(bundle.path, reference, layer.digest, bundle.predicate_type, is_new))
        entries.append({**stored.json, "artifactType": MEDIA_TYPE, "annotations": dict(annotations)})
    tag = writer.list_referrers(subject.digest, entries)
    return Publication(f"{writer.target.repository}@{subject.digest}", tag, tuple(items), ignored)


def _files(source: Path) -> tuple[list[Path], tuple[Path, ...]]:
    """The file that was named, or the bundles of a folder by their names, and the other files in it."""
    if not source.is_dir():
        return [source], ()
    try:
        found = sorted(path for path in source.iterdir() if path.is_symlink() or not path.is_dir())
    except OSError as error:
        raise AttestError(f"cannot read {source}: {error.strerror}") from None
    bundles = [path for path in found if path.name.endswith(BUNDLE_SUFFIX)]
    if not bundles:
        raise AttestError(f"{source} holds no file named *{BUNDLE_SUFFIX}", hint="gate sign writes them")
    return bundles, tuple(path for path in found if path not in set(bundles))


def _bundle(path: Path) -> _Bundle:
    """A bundle with a statement in it; raises `AttestError` for anything else, whatever its name."""
    if path.is_symlink():
        raise AttestError(f"{path} is a link; links are not followed", hint="name the file itself")
    data = read_file(path, 2 * MAX_STATEMENT)
    try:
        container = parse_container(data, limit=2 * MAX_STATEMENT)
        statement = parse_statement(container.envelope.payload, limit=MAX_STATEMENT)
    except (BundleError, StatementError) as error:
        raise AttestError(f"{path} is not published: {error}", hint="only signed bundles are: gate sign") from None
    version = loads_object(data, limit=2 * MAX_STATEMENT).get("mediaType")
    if not container.is_bundle or version not in _VERSIONS or not container.envelope.signatures:
        raise AttestError(f"{path} is not published: it is no signed Sigstore bundle v0.3", hint="gate sign makes one")
    return _Bundle(path, data, statement.predicate_type)
