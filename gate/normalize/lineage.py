"""The graph of where artifacts come from, out of verified statements alone.

 1. Only verified statements make edges; what the configuration says, and files that the gate read, are marked as such.
 2. Things are one when a digest is one, never because of a name. A name without a digest belongs to its statement.
 3. What nothing verified describes is a gap, and so is what rejected evidence would have said.
 4. Statements that cannot all be right make a conflict; none of them is preferred, all of their edges are there.

The result depends on the set of statements alone. Each thing and each statement is looked at once, so cycles end.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from gate.errors import LimitError
from gate.formats.predicates.model_signature import root_digest
from gate.model.artifact import Artifact
from gate.model.digest import Digest
from gate.model.evidence import Rejected, Statement, Verified, VerifiedSet
from gate.model.lineage import Basis, Conflict, Edge, Gap, Lineage, Node, NodeKind, Source, Unused
from gate.normalize.lineage_conflicts import Said, conflicts_of
from gate.normalize.origins import (
    COMMIT,
    ORIGIN_CLAIMS,
    Origins,
    Part,
    origins_of,
    subject_digests,
    words,
    words_about,
)

MAX_EDGES: Final = 500_000
_COMPOSITION: Final = "composition"
_SUMMARY: Final = "verification.summary"


def build_lineage(artifacts: Mapping[str, Artifact], evidence: VerifiedSet, only: str | None = None) -> Lineage:
    """The graph from all artifacts, or from the one named; raises `LimitError` for more than `MAX_EDGES` edges."""
    graph = _Graph(artifacts, evidence)
    roots = graph.roots() if only is None else (graph.artifact_id(only),)
    return graph.grown(roots)


@dataclass(slots=True)
class _Thing:
    """A node that is not finished."""

    kind: NodeKind
    what: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    digests: dict[str, str] = field(default_factory=dict)
    namers: set[Digest] = field(default_factory=set)
    described: set[Digest] = field(default_factory=set)
    contradicted: set[Digest] = field(default_factory=set)


class _Graph:
    """What is known before the graph grows, and the graph."""

    def __init__(self, artifacts: Mapping[str, Artifact], evidence: VerifiedSet) -> None:
        self._artifacts = dict(sorted(artifacts.items()))
        self._rejected = evidence.rejected
        self._statements = {item.payload: item for item in sorted(evidence.verified, key=lambda item: item.payload)}
        self._origins = {payload: origins_of(item.statement) for payload, item in self._statements.items()}
        self._about: dict[str, dict[Digest, None]] = {}
        self._things: dict[str, _Thing] = {}
        self._edges: dict[tuple[str, str, str, Basis], set[Digest]] = {}
        self._gaps: set[Gap] = set()
        self._said = Said()
        self._waiting: deque[str] = deque()
        self._applied: set[Digest] = set()
        self._known: dict[str, set[str]] = {}
        self._files: dict[str, set[str]] = {}
        self._covering: dict[str, list[Digest]] = {}
        self._summaries: dict[str, list[Digest]] = {}
        self._partial: dict[str, list[str]] = {}
        self._index()

    # -- what is known before --------------------------------------------------------------------------------------

    def _index(self) -> None:
        for payload, item in self._statements.items():
            for word in words_about(item.statement):
                self._about.setdefault(word, {})[payload] = None
            if item.statement.claim == _COMPOSITION:
                self._know(_composition_root(item.statement), _statement_id(payload))
            self._know(payload, _statement_id(payload))
            self._know(item.evidence, _statement_id(payload))
            kept = self._covering if item.statement.claim != _SUMMARY else self._summaries
            for name in item.artifacts if item.statement.claim != _COMPOSITION else ():
                if _describes(item.statement, self._origins[payload]):
                    kept.setdefault(name, []).append(payload)
        for name, artifact in self._artifacts.items():
            digests = _digests_of(artifact)
            for digest in {artifact.digest, root_digest(digests) if digests else None}:
                self._know(digest, self.artifact_id(name))
            if artifact.is_folder:
                for digest in digests:
                    self._files.setdefault(digest, set()).add(self.artifact_id(name))
            if name not in self._covering:
                described = {digest for digest in digests if self._statements_about((digest,), {})}
                self._partial[name] = sorted(described) if artifact.is_folder else []

    def _know(self, digest: Digest | None, node: str) -> None:
        if digest is not None:
            self._known.setdefault(digest, set()).add(node)

    def artifact_id(self, name: str) -> str:
        return self._artifacts[name].digest or f"artifact:{name}"

    def roots(self) -> tuple[str, ...]:
        """All artifacts, and the compositions of what is among them."""
        found = [self.artifact_id(name) for name in self._artifacts]
        for payload, item in self._statements.items():
            if item.statement.claim == _COMPOSITION and item.artifacts:
                found.append(_statement_id(payload))
        return tuple(dict.fromkeys(found))

    # -- the graph -------------------------------------------------------------------------------------------------

    def grown(self, roots: tuple[str, ...]) -> Lineage:
        for root in roots:
            self._enter(root)
        while self._waiting:
            self._visit(self._waiting.popleft())
        reached = self._reached(roots)
        nodes = {name: self._node(name) for name in sorted(reached)}
        edges = [
            Edge(derived, origin, relation, basis, tuple(sorted(payloads)))
            for (derived, origin, relation, basis), payloads in self._edges.items()
            if derived in reached
        ]
        conflicts = conflicts_of(self._said, reached, edges)
        conflicts += [
            Conflict(
                name, "digest", "statements give it other digests beside the one that they share", tuple(sorted(seen))
            )
            for name in reached
            if (seen := self._things[name].contradicted)
        ]
        used = {payload for edge in edges for payload in edge.statements}
        used |= {payload for conflict in conflicts for payload in conflict.statements}
        used |= {payload for node in nodes.values() for payload in node.statements}
        return Lineage(
            roots=roots,
            nodes=nodes,
            edges=tuple(sorted(edges, key=lambda e: (e.derived, e.relation, e.origin, e.basis.value))),
            statements={payload: _source(self._statements[payload]) for payload in sorted(used)},
            gaps=tuple(sorted(self._all_gaps(reached), key=lambda gap: (gap.node, gap.code, gap.detail))),
            conflicts=tuple(sorted(conflicts, key=lambda item: (item.node, item.code, item.detail))),
            unused=tuple(_unused(self._rejected)),
        )

    def _enter(self, node: str) -> None:
        """A node that has a name of its own; what statements call by digest is entered by `_target`."""
        if node in self._things:
            return
        if node.startswith("statement:"):
            item = self._statements[Digest(node.removeprefix("statement:"))]
            names = {subject.name for subject in item.statement.subjects[:1] if subject.name}
            thing = _Thing(NodeKind.STATEMENT, {item.statement.claim}, names, _split(item.payload))
        else:
            own = [artifact for name, artifact in self._artifacts.items() if self.artifact_id(name) == node]
            thing = _Thing(NodeKind.ARTIFACT, {item.kind.value for item in own}, {item.name for item in own})
            thing.digests = _split(own[0].digest) if own[0].digest is not None else {}
        self._things[node] = thing
        self._waiting.append(node)

    def _visit(self, node: str) -> None:
        thing = self._things[node]
        if thing.kind is NodeKind.ARTIFACT:
            for name in sorted(thing.names):
                self._visit_artifact(node, self._artifacts[name])
        elif thing.kind is NodeKind.STATEMENT:
            self._visit_statement(node, self._statements[Digest(node.removeprefix("statement:"))])
        else:
            self._visit_digest(node, thing)

    def _visit_artifact(self, node: str, artifact: Artifact) -> None:
        if artifact.base is not None:
            base = self.artifact_id(artifact.base)
            self._enter(base)
            self._edge(node, base, "base", Basis.CONFIGURATION)
            self._said.configured.setdefault(node, set()).add(base)
        for payload in (*self._covering.get(artifact.name, ()), *self._summaries.get(artifact.name, ())):
            self._apply(node, payload)
        for digest in self._partial.get(artifact.name, ()):
            self._digest_node(digest, {})
            self._edge(node, digest, "file", Basis.FILES)

    def _visit_statement(self, node: str, item: Verified) -> None:
        if item.statement.claim != _COMPOSITION and item.artifacts:
            for name in item.artifacts:
                self._enter(self.artifact_id(name))
                self._edge(node, self.artifact_id(name), "about", Basis.STATEMENTS, item.payload)
            return
        self._apply(node, item.payload)

    def _visit_digest(self, node: str, thing: _Thing) -> None:
        if not self._held_by(node):
            for payload in self._statements_about(words(thing.digests), thing.digests):
                self._apply(node, payload)
        for artifact in self._held_by(node):
            self._enter(artifact)
            self._edge(node, artifact, "file of", Basis.FILES)

    def _held_by(self, node: str) -> list[str]:
        """The artifacts that a file is of, unless it is the file that says where its artifact comes from."""
        held = self._files.get(node, set())
        return sorted(item for item in held if (item, node, "file", Basis.FILES) not in self._edges)

    def _statements_about(self, asked: Iterable[str], digests: Mapping[str, str]) -> list[Digest]:
        """The statements that describe a thing of some digests, and contradict none of them."""
        found = {payload for word in asked for payload in self._about.get(word, ())}
        return sorted(
            payload
            for payload in found
            if _describes(self._statements[payload].statement, self._origins[payload])
            and self._statements[payload].statement.claim not in {_COMPOSITION, _SUMMARY}
            and not _contradicts(self._statements[payload].statement, digests)
        )

    def _apply(self, node: str, payload: Digest) -> None:
        """The edges that a statement makes for a thing that it is about, and once those between its parts."""
        origins = self._origins[payload]
        self._things[node].described.add(payload)
        if origins.states_base:
            self._said.state(node, "base", payload)
        for link in origins.links:
            if link.derived is None:
                self._link(node, link.relation, payload, origins.parts[link.origin], link.origin)
        for needed in self._statements[payload].statement.depends_on:
            self._enter(_statement_id(needed))
            self._edge(node, _statement_id(needed), "builds on", Basis.STATEMENTS, payload)
        if payload not in self._applied:
            self._applied.add(payload)
            for link in origins.links:
                if link.derived is not None:
                    derived = self._target(payload, origins.parts[link.derived], link.derived)
                    self._link(derived, link.relation, payload, origins.parts[link.origin], link.origin)

    def _link(self, derived: str, relation: str, payload: Digest, part: Part, key: str) -> None:
        target = self._target(payload, part, key)
        self._edge(derived, target, relation, Basis.STATEMENTS, payload)
        if self._things[target].kind is not NodeKind.NAME:
            self._said.state(derived, relation, payload, part.name, target)

    def _target(self, payload: Digest, part: Part, key: str) -> str:
        """The node of what a statement names; one without a digest is the statement's own."""
        named = words(part.digests)
        if not named:
            node = (
                "name:" + hashlib.sha256(f"{payload}\n{key}\n{part.name}".encode("utf-8", "replace")).hexdigest()[:32]
            )
            thing = self._things.setdefault(node, _Thing(NodeKind.NAME))
        else:
            node = self._digest_node(named[0], part.digests, payload)
            thing = self._things[node]
        thing.namers.add(payload)
        if thing.kind in {NodeKind.DIGEST, NodeKind.COMMIT, NodeKind.NAME}:
            thing.names.add(part.name)
        return node

    def _digest_node(self, word: str, digests: Mapping[str, str], payload: Digest | None = None) -> str:
        known = self._known.get(word, set())
        if len(known) == 1:
            (node,) = known
            self._enter(node)
            return node
        if word not in self._things:
            kind = NodeKind.COMMIT if word.startswith(f"{COMMIT}:") else NodeKind.DIGEST
            self._things[word] = _Thing(kind, digests=_split(word))
            self._waiting.append(word)
        thing = self._things[word]
        for algorithm, value in digests.items():
            if thing.digests.setdefault(algorithm, value) != value and payload is not None:
                thing.contradicted.add(payload)
        return word

    def _edge(self, derived: str, origin: str, relation: str, basis: Basis, payload: Digest | None = None) -> None:
        payloads = self._edges.setdefault((derived, origin, relation, basis), set())
        if payload is not None:
            payloads.add(payload)
        if len(self._edges) > MAX_EDGES:
            raise LimitError(
                f"the lineage has more than {MAX_EDGES} edges", hint="ask for one artifact with --artifact NAME"
            )

    # -- what comes out --------------------------------------------------------------------------------------------

    def _reached(self, roots: Iterable[str]) -> set[str]:
        following: dict[str, list[str]] = {}
        for derived, origin, _, _ in self._edges:
            following.setdefault(derived, []).append(origin)
        reached, waiting = set(roots), list(roots)
        while waiting:
            for node in following.get(waiting.pop(), ()):
                if node not in reached:
                    reached.add(node)
                    waiting.append(node)
        return reached

    def _node(self, name: str) -> Node:
        thing = self._things[name]
        names, what = tuple(sorted(thing.names)), tuple(sorted(thing.what))
        return Node(name, thing.kind, names, what, dict(thing.digests), tuple(sorted(thing.described)))

    def _all_gaps(self, reached: set[str]) -> Iterator[Gap]:
        held = {derived for derived, _, relation, _ in self._edges if relation == "file of"}
        for name in reached:
            thing = self._things[name]
            if thing.kind is NodeKind.NAME:
                yield Gap(
                    name, "digest", f"named by {self._namers(thing)} without a digest, so nothing says which it is"
                )
            elif thing.kind is NodeKind.ARTIFACT:
                for own in sorted(thing.names):
                    yield from self._artifact_gaps(name, self._artifacts[own])
            elif thing.kind is NodeKind.DIGEST and name not in held and not thing.described:
                yield Gap(name, "origin", f"named by {self._namers(thing)}, nothing verified says where it comes from")

    def _namers(self, thing: _Thing) -> str:
        origins = sorted(self._statements[payload].origin for payload in thing.namers)
        more = f" and {len(origins) - 1} more" if len(origins) > 1 else ""
        return f"{origins[0]}{more}"

    def _artifact_gaps(self, node: str, artifact: Artifact) -> Iterator[Gap]:
        if artifact.digest is None:
            yield Gap(node, "digest", f"{artifact.name} has no digest, so nothing says which it is")
        elif artifact.name not in self._covering:
            total, described = len(set(_digests_of(artifact))), len(self._partial.get(artifact.name, ()))
            if not described:
                yield Gap(node, "origin", f"nothing verified says where {artifact.name} comes from")
            elif described < total:
                missing = f"{total - described} of {total} files of {artifact.name}"
                yield Gap(node, "files", f"nothing verified says where {missing} come from")
        if artifact.base is not None and not self._said.targets(node, "base"):
            yield Gap(node, "base", f"gate.yaml says that it is made for {artifact.base}, nothing verified says so")
        for item in self._rejected:
            if artifact.name in item.artifacts and _would_tell(item):
                yield Gap(node, "rejected", f"{item.origin} is not used: {item.code}")


def _unused(rejected: Iterable[Rejected]) -> Iterator[Unused]:
    for item in sorted(rejected, key=lambda item: (item.origin, item.evidence)):
        if _would_tell(item):
            yield Unused(item.origin, item.code, item.claimed, item.artifacts)


def _would_tell(item: Rejected) -> bool:
    return item.claimed is None or item.claimed in ORIGIN_CLAIMS


def _describes(statement: Statement, origins: Origins) -> bool:
    """Whether it says where its subjects come from, a summary what it rests on: of both, one that lists nothing not."""
    if statement.claim in {"sbom", _SUMMARY}:
        return any(link.derived is None for link in origins.links)
    return statement.claim in ORIGIN_CLAIMS


def _contradicts(statement: Statement, digests: Mapping[str, str]) -> bool:
    """Whether every subject that shares a digest differs in another one."""
    sharing = [
        own
        for own in map(subject_digests, statement.subjects)
        if any(own.get(algorithm) == value for algorithm, value in digests.items())
    ]
    return bool(sharing) and all(
        any(own.get(algorithm, value) != value for algorithm, value in digests.items()) for own in sharing
    )


def _composition_root(statement: Statement) -> Digest | None:
    files = {item.name: item.digest for item in statement.subjects if item.digest is not None}
    return root_digest([files[name] for name in sorted(files)]) if files else None


def _digests_of(artifact: Artifact) -> list[Digest]:
    return [file.digest for _, file in sorted(artifact.files.items()) if file.digest is not None]


def _statement_id(payload: Digest) -> str:
    return f"statement:{payload}"


def _split(word: str) -> dict[str, str]:
    algorithm, _, value = word.partition(":")
    return {algorithm: value}


def _source(item: Verified) -> Source:
    statement = item.statement
    return Source(item.origin, statement.claim, item.signers, statement.stated_at_s, item.signed_at_s)
