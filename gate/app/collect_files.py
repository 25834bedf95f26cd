"""What collectors read from: regular files below the root, found by enumeration, each digested once."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from gate.attest.collector import Found
from gate.attest.statement import named_files
from gate.collect.directory import collect_artifact, read_regular
from gate.errors import AttestError, EvidenceError
from gate.formats.strict_yaml import Node
from gate.model.artifact import Artifact, ArtifactKind
from gate.model.digest import sha256_digest
from gate.model.path import is_plain_relative
from gate.model.settings import ArtifactSettings, Limits

_LIMITS: Final = Limits()
_CONTENT_BYTES: Final = 64 << 20


class RootFiles:
    """`Files` for a configuration at a path below a root. Nothing outside the root is ever opened."""

    def __init__(self, root: Path, config: str) -> None:
        self._root: Final = root
        self._config: Final = config
        self._folder: Final = posixpath.dirname(config)
        self._known: Final[dict[str, Artifact]] = {}

    def file(self, node: Node) -> Found:
        """A regular file."""
        return self._file(self._path(node, node.text(), self._folder), node)

    def folder(self, node: Node) -> tuple[str, Sequence[Found]]:
        """The path of a folder and all files below it, at least one."""
        path = self._path(node, node.text(), self._folder)
        artifact = self._read(path, node)
        if not artifact.is_folder:
            raise self._error(node, f"{path} is a file, and a folder is needed")
        files = named_files(path, artifact.files, f"{path}/")
        return path, [Found(item.name, item.digest) for item in files]

    def content(self, node: Node) -> tuple[Found, bytes]:
        """A file and its bytes."""
        path = self._path(node, node.text(), self._folder)
        return self._content(path, node)

    def beside(self, found: Found, path: str, node: Node) -> Found:
        """The file at a path relative to the folder of another file."""
        return self._file(self._path(node, path, posixpath.dirname(found.path)), node)

    def reread(self, found: Found) -> bytes:
        """The bytes of a file that was found; raises `AttestError` when they are other ones by now."""
        data = read_regular(self._root, found.path, _CONTENT_BYTES)
        if sha256_digest(data) != found.digest:
            raise AttestError(f"{found.path} changed while it was read")
        return data

    def _content(self, path: str, node: Node) -> tuple[Found, bytes]:
        try:
            data = read_regular(self._root, path, _CONTENT_BYTES)
        except EvidenceError as error:
            raise self._error(node, str(error)) from None
        return Found(path, sha256_digest(data)), data

    def _file(self, path: str, node: Node) -> Found:
        artifact = self._read(path, node)
        if artifact.is_folder:
            raise self._error(node, f"{path} is a folder, and a file is needed")
        (item,) = named_files(path, artifact.files, f"{posixpath.dirname(path)}/".lstrip("/"))
        return Found(item.name, item.digest)

    def _read(self, path: str, node: Node) -> Artifact:
        if path not in self._known:
            settings = ArtifactSettings(name=path, kind=ArtifactKind.PROMPT, path=path, image=None, base=None)
            try:
                self._known[path] = collect_artifact(self._root, settings, _LIMITS)
            except EvidenceError as error:
                raise self._error(node, str(error).removeprefix(f"artifact {path}: ")) from None
        return self._known[path]

    def _path(self, node: Node, text: str, folder: str) -> str:
        path = posixpath.normpath(posixpath.join(folder, text))
        if text.startswith("/") or not is_plain_relative(path):
            raise self._error(node, f"{text[:120]!r} does not lie below the root", "paths are relative to this file")
        return path

    def _error(self, node: Node, message: str, hint: str = "") -> AttestError:
        return AttestError(f"{self._config}:{node.line}:{node.column}: {message}", hint=hint)


def subjects_of(roles: Mapping[str, Sequence[Found]]) -> Mapping[str, Found]:
    """Every file that has a role, by path."""
    return {found.path: found for files in roles.values() for found in files}
