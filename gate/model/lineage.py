"""Lineage: where things come from, as far as verified statements say so, and where nothing says it.

A thing is what a digest names. Two things are one when their digest is one; a name alone makes nothing the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from gate.model.digest import Digest
from gate.model.evidence import SignerIdentity


class NodeKind(Enum):
    """How a thing is known."""

    ARTIFACT = "artifact"
    """It asks for admission: `gate.yaml` names it, and its bytes were read."""
    DIGEST = "digest"
    """Statements name its digest."""
    COMMIT = "commit"
    """Statements name a commit: lineage begins there."""
    STATEMENT = "statement"
    """A verified statement that others build on, or a composition."""
    NAME = "name"
    """A statement names it without a digest that says which it is."""


class Basis(Enum):
    """What an edge rests on."""

    STATEMENTS = "statements"
    CONFIGURATION = "configuration"
    FILES = "files"
    """The digests of files that the gate read itself."""


@dataclass(frozen=True, slots=True)
class Node:
    """A thing. `id` is its digest where it has one; `what` are kinds of artifacts, or the claim of a statement.

    `names` are what it is called, by whoever: sorted, those of artifacts alone where it is one. `digests` is what is
    known of it by algorithm, in hex. `statements` are the payload digests of those that say where it comes from, also
    where that is nowhere else.
    """

    id: str
    kind: NodeKind
    names: tuple[str, ...]
    what: tuple[str, ...]
    digests: Mapping[str, str]
    statements: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    """What `derived` comes from: `origin`, as its `relation`. `statements` are the payload digests of who says so."""

    derived: str
    origin: str
    relation: str
    basis: Basis
    statements: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A verified statement as the evidence of edges; times are in seconds since 1970, `signed_at_s` is trusted."""

    origin: str
    claim: str
    signers: tuple[SignerIdentity, ...]
    stated_at_s: int | None
    signed_at_s: int | None


@dataclass(frozen=True, slots=True)
class Gap:
    """What is not known of a thing. `code` is `digest`, `origin`, `files`, `base` or `rejected`."""

    node: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """Statements that cannot all be right about a thing. `code` is `base`, `code`, `source`, `name` or `digest`."""

    node: str
    code: str
    detail: str
    statements: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class Unused:
    """Rejected evidence that claims to say where something comes from: unproved, and part of nothing."""

    origin: str
    code: str
    claimed: str | None
    artifacts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lineage:
    """The graph from `roots`, the artifacts and compositions that were asked for: all in it is reached from there."""

    roots: tuple[str, ...]
    nodes: Mapping[str, Node]
    edges: tuple[Edge, ...]
    statements: Mapping[Digest, Source]
    gaps: tuple[Gap, ...]
    conflicts: tuple[Conflict, ...]
    unused: tuple[Unused, ...]
