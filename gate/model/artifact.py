"""What asks for admission, as it lies on disk (or as it is referred to)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from gate.model.digest import Digest, hex_of
from gate.model.scan import Template


class ArtifactKind(Enum):
    """The kinds of artifacts that `gate.yaml` may name."""

    WEIGHTS = "weights"
    ADAPTER = "adapter"
    DATASET = "dataset"
    PACKAGE = "package"
    CONTAINER = "container"
    PROMPT = "prompt"
    CORPUS = "corpus"
    EVALUATION = "evaluation"
    ROUTE = "route"
    SLO = "slo"
    PLUGIN = "plugin"


@dataclass(frozen=True, slots=True)
class ArtifactFile:
    """One entry below an artifact's root.

    `digest` is `None` for what is not a regular file: then `format` is `symlink` or `special`, and nothing of it
    was read. `bytes` is its size. `format` is set by inspection, `unknown` until then, and so are `templates`: the chat
    templates in it, by their place.
    """

    digest: Digest | None
    bytes: int
    format: str = "unknown"
    templates: Mapping[str, Template] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Artifact:
    """One artifact: a file, a folder, or a reference to a container image.

    `path` is relative to the root, `None` for an image. The keys of `files` are paths relative to `path`; a
    single file has its own base name as the only key. `digest` is `None` where there is nothing to digest: a
    tag, or a folder that holds a link or a device. `ignored` are the entries below a folder that `gate.yaml` says to
    ignore, with what they are: they are in neither `files` nor `digest`, and nothing of them was read.
    """

    name: str
    kind: ArtifactKind
    path: str | None
    reference: str | None
    mutable_reference: bool
    base: str | None
    digest: Digest | None
    files: Mapping[str, ArtifactFile]
    is_folder: bool = False
    ignored: Mapping[str, str] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """The size of all regular files."""
        return sum(file.bytes for file in self.files.values())


def tree_digest(files: Mapping[str, ArtifactFile]) -> Digest | None:
    r"""The digest of a folder: SHA-256 over the lines `<hex>  <path>\n` in code point order of the paths.

    These are the lines of `sha256sum`, as in the `dirHash` of in-toto (Go's h1, written in hexadecimal). A line
    feed inside a name is written `\x0a`, which no other name gives. `None` when an entry has no digest or there
    are none.
    """
    if not files or any(file.digest is None for file in files.values()):
        return None
    total = hashlib.sha256()
    for path, file in sorted(files.items()):
        line = f"{hex_of(file.digest or Digest(''))}  {path.replace(chr(10), chr(92) + 'x0a')}\n"
        total.update(line.encode("utf-8"))
    return Digest("sha256:" + total.hexdigest())
