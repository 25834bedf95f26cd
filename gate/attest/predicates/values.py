"""What the collectors of several claims read: files or folders, digests by name, and what may be absent."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gate.attest.collector import Files, Found
from gate.errors import AttestError
from gate.formats.strict_yaml import Node
from gate.model.artifact import ArtifactFile, tree_digest
from gate.model.digest import Digest, parse_digest
from gate.model.json import JsonObject


@dataclass(frozen=True, slots=True)
class Tree:
    """A file, or a folder with all files below it. `path` is below the root."""

    path: str
    files: Sequence[Found]
    is_folder: bool

    @property
    def below(self) -> Mapping[str, Digest]:
        """The files by their path below the folder; a single file by its base name."""
        if not self.is_folder:
            return {posixpath.basename(self.path): self.files[0].digest}
        return {item.path.removeprefix(f"{self.path}/"): item.digest for item in self.files}

    @property
    def digest(self) -> Digest:
        """The digest of an artifact at this path, as the gate computes it."""
        whole = tree_digest({path: ArtifactFile(digest, 0) for path, digest in self.below.items()})
        return whole if self.is_folder and whole is not None else self.files[0].digest

    def folders(self, role: str) -> Mapping[str, str]:
        """The member `folders` of a predicate in which this tree has a role."""
        return {self.path: role} if self.is_folder else {}


def tree(node: Node, files: Files) -> Tree:
    """The file or folder of a path; raises a `GateError` that names the place."""
    try:
        found = files.file(node)
    except AttestError:
        path, below = files.folder(node)
        return Tree(path, below, is_folder=True)
    return Tree(found.path, [found], is_folder=False)


def trees(nodes: Sequence[Node], files: Files) -> tuple[list[Found], Mapping[str, str]]:
    """All files of some paths, and the folders among them, in the role `files`."""
    found = [tree(node, files) for node in nodes]
    folders = {path: role for item in found for path, role in item.folders("files").items()}
    return [file for item in found for file in item.files], folders


def digest_of(node: Node, files: Files) -> Digest:
    """A `sha256:<hex>` as written, or the digest of the file or folder at a path."""
    return parse_digest(node.text()) or tree(node, files).digest


def named_digests(fields: Mapping[str, Node], key: str, files: Files) -> JsonObject:
    """The digests of a key by name; none where it is absent."""
    return {name: digest_of(node, files) for name, node in members(fields, key).items()}


def members(fields: Mapping[str, Node], key: str) -> Mapping[str, Node]:
    """The members of a key that may be absent."""
    return fields[key].members() if key in fields else {}


def items(fields: Mapping[str, Node], key: str) -> Sequence[Node]:
    """The items of a key that may be absent."""
    return fields[key].items() if key in fields else ()


def optional_text(fields: Mapping[str, Node], key: str) -> str | None:
    """The text of a key; `None` where it is absent or null."""
    return fields[key].text() if key in fields and fields[key].value is not None else None


def truth(node: Node) -> bool:
    """`true` or `false`."""
    if not isinstance(node.value, bool):
        raise node.error("expected true or false")
    return node.value
