"""Collectors: from a configuration file to what a statement says, one module a claim in `gate.attest.predicates`.

A collector names the keys of its configuration and turns them into roles, folders and members of the predicate. It
reads files only through `Files`, so what is attested is what verification enumerates: plain files below the root,
no links, each read once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from gate.errors import AttestError
from gate.formats.strict_yaml import Node
from gate.model.artifact import ArtifactKind
from gate.model.digest import Digest
from gate.model.json import JsonObject

COMMON_KEYS: Final = (
    "age_recipient",
    "age_recipients",
    "depends_on",
    "encrypted_payload_path",
    "encryption_recipient_fingerprint",
    "payload_paths",
    "privacy_mode",
)
"""Keys of every collector's configuration."""
_POLICY: Final = "gate.yaml"
_WORKING: Final = ".gate/"


@dataclass(frozen=True, slots=True)
class Found:
    """A file: its path below the root and its SHA-256."""

    path: str
    digest: Digest


class Files(Protocol):
    """What a collector reads from. Paths in the configuration are relative to the folder of its file."""

    def file(self, node: Node) -> Found:
        """A regular file; raises a `GateError` that names the place in the configuration."""

    def folder(self, node: Node) -> tuple[str, Sequence[Found]]:
        """The path of a folder, and all files below it, at least one; raises a `GateError` for links and devices."""

    def content(self, node: Node) -> tuple[Found, bytes]:
        """A file and its bytes, which are the ones that were digested."""

    def beside(self, found: Found, path: str, node: Node) -> Found:
        """The file at a path that is relative to the folder of another file; errors name `node`."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collector found. `roles` holds every role of the claim, `members` are those of the predicate.

    `main` is the file whose content is embedded where a privacy mode asks for content and names no file. `depends_on`
    are the payload digests of statements that the configuration names as what this one is about.
    """

    roles: Mapping[str, Sequence[Found]]
    members: JsonObject
    folders: Mapping[str, str] = field(default_factory=dict)
    main: Found | None = None
    depends_on: tuple[Digest, ...] = ()


Collect = Callable[[Mapping[str, Node], Files], Collected]


@dataclass(frozen=True, slots=True)
class Collector:
    """How statements of a claim are collected.

    `keys` are those of its configuration beside `COMMON_KEYS`, `required` the ones that must be there. A statement
    builds on one statement of each claim in `predecessors`, unless the configuration says which of them. With a
    `kind`, the rest of an artifact of that kind is attested too.
    `predicate_type` is that of a third party's claim, `None` for the gate's own.
    """

    claim: str
    keys: tuple[str, ...]
    required: tuple[str, ...]
    collect: Collect
    predecessors: tuple[str, ...] = ()
    kind: ArtifactKind | None = None
    predicate_type: str | None = None


def optional_file(fields: Mapping[str, Node], key: str, files: Files) -> list[Found]:
    """The file of a key that may be absent."""
    return [files.file(fields[key])] if key in fields else []


def check_roles(collector: Collector, collected: Collected) -> None:
    """Raises `AttestError` where what an application consists of is said to be a file of the gate's own."""
    for role, items in collected.roles.items() if collector.kind is not None else ():
        for item in items:
            if item.path == _POLICY or item.path.startswith(_WORKING):
                raise AttestError(
                    f"{role}: {item.path} belongs to the gate, not to the {collector.claim}",
                    hint="name a file of the application, outside .gate/",
                )


def check_keys(collector: Collector, root: Node) -> Mapping[str, Node]:
    """The members of a configuration; raises `YamlError` for unknown and `AttestError` for missing keys."""
    fields = root.fields(*collector.keys, *COMMON_KEYS)
    missing = [key for key in collector.required if key not in fields]
    if missing:
        raise AttestError(f"line {root.line}: {collector.claim} needs {', '.join(missing)}")
    return fields
