"""`artifacts`: what asks for admission."""

from __future__ import annotations

from collections.abc import Mapping

from gate.model.artifact import Artifact, ArtifactFile
from gate.model.json import JsonObject


def artifacts_section(artifacts: Mapping[str, Artifact]) -> JsonObject:
    """The section, by artifact name."""
    return {name: _artifact(artifact) for name, artifact in artifacts.items()}


def _artifact(artifact: Artifact) -> JsonObject:
    return {
        "kind": artifact.kind.value,
        "digest": artifact.digest,
        "bytes": artifact.bytes,
        "path": artifact.path,
        "reference": artifact.reference,
        "mutable_reference": artifact.mutable_reference,
        "base": artifact.base,
        "files": {path: _file(file) for path, file in artifact.files.items()},
    }


def _file(file: ArtifactFile) -> JsonObject:
    return {
        "digest": file.digest,
        "bytes": file.bytes,
        "format": file.format,
        "templates": {
            name: {"digest": template.digest, "problems": list(template.problems)}
            for name, template in file.templates.items()
        },
    }
