"""The section `evidence` of `gate.yaml`: folders, and registries that list what refers to an image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gate.config.nodes import Source, relative_path
from gate.config.registry import ACCESS, read_access, read_repository
from gate.formats.image_reference import parse_image, parse_layout
from gate.formats.llmsa import FORMAT
from gate.formats.strict_yaml import Node, suggestion
from gate.model.registry import OciEvidence, RegistryAccess
from gate.model.settings import ArtifactSettings


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where evidence lies; `legacy` are the directories that hold bundles of llmsa and nothing else that counts."""

    directories: tuple[str, ...]
    registries: tuple[OciEvidence, ...]
    legacy: tuple[str, ...]


def read_evidence(node: Node | None, artifacts: Mapping[str, ArtifactSettings], source: Source) -> Evidence:
    """The folders and the registries, each once."""
    directories: dict[str, str | None] = {}
    registries: list[OciEvidence] = []
    for item in node.items() if node is not None else ():
        fields = item.fields("directory", "format", "oci")
        if ("directory" in fields) == ("oci" in fields) or ("format" in fields and "oci" in fields):
            raise item.error("evidence needs a directory, or oci: {artifact: NAME}; a format is one of a directory")
        if "oci" in fields:
            registries.append(_registry(fields["oci"], artifacts, source))
            continue
        directory = relative_path(fields["directory"])
        form = fields["format"].choice(FORMAT) if "format" in fields else None
        if directories.setdefault(directory, form) != form:
            raise item.error(f"{directory!r} is named with and without a format")
    legacy = tuple(path for path, form in directories.items() if form == FORMAT)
    return Evidence(tuple(directories), tuple(dict.fromkeys(registries)), legacy)


def _registry(node: Node, artifacts: Mapping[str, ArtifactSettings], source: Source) -> OciEvidence:
    fields = node.fields("artifact", "repository", *ACCESS)
    if "artifact" not in fields:
        raise node.error("evidence from a registry needs the artifact whose image it refers to")
    artifact = fields["artifact"].text()
    if artifact not in artifacts:
        raise fields["artifact"].error(f"no artifact {artifact!r}{suggestion(artifact, list(artifacts))}")
    in_layout = _check_image(fields["artifact"], artifacts[artifact])
    if in_layout and "repository" not in fields and len(fields) > 1:
        raise node.error("the image lies in a layout on disk: without a repository nothing else is asked")
    access = read_access(fields, source, RegistryAccess().timeout_s)
    return OciEvidence(artifact, read_repository(fields["repository"]) if "repository" in fields else None, access)


def _check_image(node: Node, artifact: ArtifactSettings) -> bool:
    """Whether an artifact is an image in a layout; raises `ConfigError` unless it is an image with a digest."""
    if artifact.image is None:
        raise node.error(f"the artifact {artifact.name!r} is no image: only to images evidence is attached")
    try:
        layout = parse_layout(artifact.image)
        digest = parse_image(artifact.image).digest if layout is None else layout.digest
    except ValueError as error:
        raise node.error(f"the image of {artifact.name!r}: {error}") from None
    if digest is None:
        raise node.error(
            f"the image of {artifact.name!r} has no digest, and a tag may change: name it as registry/name@sha256:..."
        )
    return layout is not None
