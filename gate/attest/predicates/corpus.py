"""Corpora: the manifest is expanded, so that every document it lists is a subject, and one that changes is seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from gate.attest.collector import Collected, Collector, Files, Found
from gate.errors import AttestError
from gate.formats.merkle import files_root
from gate.formats.predicates.corpus import CLAIM
from gate.formats.strict_json import StrictJsonError, loads
from gate.formats.strict_yaml import Node
from gate.model.artifact import ArtifactKind
from gate.model.digest import Digest, digest_from_hex, parse_digest, sha256_digest
from gate.model.json import JsonValue

_MANIFEST_BYTES: Final = 64 << 20
_PATHS: Final = ("path", "file", "uri")
_DIGESTS: Final = ("sha256", "digest")


def _collect(fields: Mapping[str, Node], files: Files) -> Collected:
    manifest, data = files.content(fields["document_manifest"])
    documents = _documents(manifest, data, fields["document_manifest"], files)
    command = fields["build_command"].text() if "build_command" in fields else None
    builder = fields["index_builder_image_digest"]
    if parse_digest(builder.text()) is None:
        raise builder.error("expected the sha256:<hex> of an image")
    return Collected(
        roles={
            "connector_configs": [files.file(node) for node in fields["connector_configs"].items()],
            "document_manifest": [manifest],
            "documents": documents,
            "chunking_config": [files.file(fields["chunking_config"])],
            "embedding_input": [files.file(fields["embedding_input"])],
            "vector_index": [files.file(fields["vector_index"])],
        },
        members={
            "snapshot_id": fields["corpus_snapshot_id"].text(),
            "embedding_model": fields["embedding_model"].text(),
            "index_builder_image_digest": builder.text(),
            "build_command_digest": None if command is None else sha256_digest(command.encode()),
            "documents": {
                "count": len(documents),
                "root": files_root({item.path: item.digest for item in documents}),
            },
        },
        main=manifest,
    )


def _documents(manifest: Found, data: bytes, node: Node, files: Files) -> list[Found]:
    """The documents that a manifest lists, which are what it says they are; raises `AttestError`."""
    found: dict[str, Found] = {}
    for path, stated in _entries(manifest.path, data):
        document = files.beside(manifest, path, node)
        if stated is not None and stated != document.digest:
            raise AttestError(
                f"{manifest.path}: {path!r} is {document.digest}, the manifest says {stated}",
                hint="make the manifest again, or bring the document back",
            )
        if document.path in found:
            raise AttestError(f"{manifest.path}: {path!r} is listed twice")
        found[document.path] = document
    return [found[path] for path in sorted(found)]


def _entries(where: str, data: bytes) -> Iterator[tuple[str, Digest | None]]:
    """The path and the stated digest of each document. A manifest is a list, or an object with a list `documents`."""
    try:
        value = loads(data, limit=_MANIFEST_BYTES)
    except StrictJsonError as error:
        raise AttestError(f"{where}: {error}") from None
    listed = value.get("documents") if isinstance(value, Mapping) else value
    if not isinstance(listed, list) or not listed:
        raise AttestError(f"{where} lists no documents", hint='{"documents": [{"path": "a.txt", "sha256": "<hex>"}]}')
    for number, item in enumerate(listed):
        yield _entry(f"{where}: document {number + 1}", item)


def _entry(what: str, item: JsonValue) -> tuple[str, Digest | None]:
    if isinstance(item, str):
        return item, None
    if not isinstance(item, Mapping):
        raise AttestError(f"{what} is neither a path nor an object with one")
    path = next((item[key] for key in _PATHS if key in item), None)
    stated = next((item[key] for key in _DIGESTS if key in item), None)
    if not isinstance(path, str) or not path:
        raise AttestError(f"{what} has no path")
    if stated is None:
        return path, None
    digest = digest_from_hex(stated.removeprefix("sha256:")) if isinstance(stated, str) else None
    if digest is None:
        raise AttestError(f"{what}: its digest is no sha256 in lower-case hexadecimal")
    return path, digest


_REQUIRED: Final = (
    "corpus_snapshot_id",
    "connector_configs",
    "document_manifest",
    "chunking_config",
    "embedding_model",
    "embedding_input",
    "index_builder_image_digest",
    "vector_index",
)
COLLECTOR = Collector(
    claim=CLAIM, keys=(*_REQUIRED, "build_command"), required=_REQUIRED, collect=_collect, kind=ArtifactKind.CORPUS
)
