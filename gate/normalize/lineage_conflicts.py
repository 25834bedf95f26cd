"""Where verified statements cannot all be right about where one thing comes from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gate.model.digest import Digest
from gate.model.lineage import Conflict, Edge

# Of these a thing has one set: statements that give different ones disagree.
_ONE: Final = ("base", "code", "source")
_UNNAMED: Final = "unnamed"


@dataclass(slots=True)
class Said:
    """Who said what of a thing, of what has a digest: targets by thing and relation, and payload and name.

    `configured` are the bases that gate.yaml gives.
    """

    stated: dict[tuple[str, str], dict[Digest, dict[str, set[str]]]] = field(default_factory=dict)
    configured: dict[str, set[str]] = field(default_factory=dict)

    def state(self, node: str, relation: str, payload: Digest, name: str = "", target: str | None = None) -> None:
        """That a statement says something of the relation; without a target, that there is nothing."""
        names = self.stated.setdefault((node, relation), {}).setdefault(payload, {})
        if target is not None:
            names.setdefault(name, set()).add(target)

    def targets(self, node: str, relation: str) -> Mapping[Digest, frozenset[str]]:
        """What each statement says, without the names; a statement that says "nothing" is there."""
        found = self.stated.get((node, relation), {})
        return {payload: frozenset().union(*names.values()) for payload, names in found.items()}


def conflicts_of(said: Said, reached: Collection[str], edges: Sequence[Edge]) -> list[Conflict]:
    """The conflicts about the things that were reached."""
    holders: dict[str, set[str]] = {}
    for edge in edges:
        if edge.relation == "file of":
            holders.setdefault(edge.derived, set()).add(edge.origin)
    found: list[Conflict] = []
    for node, relation in sorted(said.stated):
        if node in reached:
            one = list(_different(said, node, relation)) if relation in _ONE else []
            found += one or list(_renamed(said, node, relation))
            if relation == "base":
                found += _other_bases(said, node, holders)
    return found


def _different(said: Said, node: str, relation: str) -> Iterator[Conflict]:
    by_payload = said.targets(node, relation)
    if len(set(by_payload.values())) > 1:
        yield Conflict(
            node, relation, f"statements give it different origins as its {relation}", tuple(sorted(by_payload))
        )


def _renamed(said: Said, node: str, relation: str) -> Iterator[Conflict]:
    """One name for different bytes, in different statements about one thing."""
    by_name: dict[str, dict[Digest, set[str]]] = {}
    for payload, names in said.stated[node, relation].items():
        for name, targets in names.items():
            by_name.setdefault(name, {})[payload] = targets
    for name, by_payload in sorted(by_name.items()):
        if name != _UNNAMED and len({frozenset(targets) for targets in by_payload.values()}) > 1:
            detail = f"statements give different digests for its {relation} {name}"
            yield Conflict(node, "name", detail, tuple(sorted(by_payload)))


def _other_bases(said: Said, node: str, holders: Mapping[str, set[str]]) -> Iterator[Conflict]:
    """A base that neither a bill of materials nor gate.yaml knows, where they name one."""
    bases = said.targets(node, "base")
    own = frozenset[str]().union(*bases.values())
    own |= {holder for base in own for holder in holders.get(base, ())}
    ancestors = said.targets(node, "ancestor")
    listed = frozenset[str]().union(*ancestors.values())
    if bases and listed and own.isdisjoint(listed):
        detail = "its base is not among the ancestors that a bill of materials lists"
        yield Conflict(node, "base", detail, tuple(sorted({*bases, *ancestors})))
    if bases and said.configured.get(node) and own.isdisjoint(said.configured[node]):
        detail = "statements name another base than gate.yaml"
        yield Conflict(node, "base", detail, tuple(sorted(bases)))
