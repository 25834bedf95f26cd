"""The lineage of a decision as drawings: what artifacts come from, what is said about them, what that builds on.

Each drawing holds what is connected. Nodes that nobody could tell apart in a drawing, such as the hundred artifacts of
one statement, are one node that counts them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gate.model.decision import Decision
from gate.model.evidence import Concern
from gate.report import summary
from gate.report.html.heat import artifacts_of
from gate.report.html.layout import components, heights, layers

MAX_NODES: Final = 3_000
"""Nodes of all drawings together; what has no room is counted."""
_ALIKE: Final = 4
_WIDTH: Final = 224
_HEIGHT: Final = 46
_GAP_X: Final = 72
_GAP_Y: Final = 14
_MARGIN: Final = 8
_LABEL: Final = 30
_NAMED: Final = 5
_SENTENCES: Final[Mapping[str, str]] = {
    "base": "{end} has the base {start}",
    "about": "{start} is about {end}",
    "claimed": "{start} says that it is about {end}",
    "dependency": "{end} builds on {start}",
}


@dataclass(frozen=True, slots=True)
class Node:
    """`kind` is `artifact`, `statement`, `rejected` or `missing`; `is_bad` marks what the decision refuses for.

    `artifacts` are the names of those that it is or stands for.
    """

    id: str
    kind: str
    title: str
    note: str
    is_bad: bool
    artifacts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """A node with its place in pixels and what of its text has room."""

    node: Node
    x: int
    y: int
    title: str
    note: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is connected. `lines` are paths in the language of SVG, `relations` the same edges in words."""

    number: int
    title: str
    is_bad: bool
    width: int
    height: int
    nodes: tuple[Placed, ...]
    lines: tuple[tuple[str, str], ...]
    relations: tuple[str, ...]
    artifacts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Graph:
    """`edges` lead from what is there first to what rests on it, with the relation: one of `_SENTENCES`."""

    nodes: Mapping[str, Node]
    edges: Mapping[tuple[str, str], str]


def drawings(decision: Decision, refused: frozenset[str]) -> tuple[tuple[Drawing, ...], int]:
    """The drawings, those with something refused first, and how many had no room. `refused` are names of artifacts."""
    graph = _folded(_graph(decision, refused))
    groups = components(graph.nodes, graph.edges)
    groups.sort(key=lambda group: (not any(graph.nodes[node].is_bad for node in group), -len(group)))
    owner = {node: place for place, group in enumerate(groups) for node in group}
    edges: dict[int, dict[tuple[str, str], str]] = defaultdict(dict)
    for edge, relation in graph.edges.items():
        edges[owner[edge[0]]][edge] = relation
    found: list[Drawing] = []
    room = MAX_NODES
    for place, group in enumerate(groups):
        room -= len(group)
        if room < 0:
            return tuple(found), len(groups) - place
        found.append(_drawn(place + 1, _Graph({node: graph.nodes[node] for node in group}, edges[place])))
    return tuple(found), 0


# --- the graph -------------------------------------------------------------------------------------------------------


def _graph(decision: Decision, refused: frozenset[str]) -> _Graph:
    nodes: dict[str, Node] = {}
    edges: dict[tuple[str, str], str] = {}
    artifacts = artifacts_of(decision)
    for name, artifact in artifacts.items():
        note = str(summary.member(artifact, "kind") or "artifact")
        nodes[f"a {name}"] = Node(f"a {name}", "artifact", name, note, name in refused, (name,))
    for name, artifact in artifacts.items():
        base = summary.member(artifact, "base")
        if isinstance(base, str) and base in artifacts:
            edges[f"a {base}", f"a {name}"] = "base"
    for item in decision.verified:
        key = f"s {item.payload}"
        nodes[key] = Node(key, "statement", item.claim, f"by {summary.signers(item.signers)}", is_bad=False)
        edges.update({(key, f"a {name}"): "about" for name in item.artifacts if name in artifacts})
    for item in decision.verified:
        for needed in item.depends_on:
            before = f"s {needed}"
            if before not in nodes:
                nodes[before] = Node(before, "missing", "not there or rejected", summary.short(needed), is_bad=True)
            edges[before, f"s {item.payload}"] = "dependency"
    for refusal in decision.rejected:
        key = f"r {refusal.evidence}"
        is_bad = refusal.concern is not Concern.OTHERS
        nodes[key] = Node(key, "rejected", refusal.claimed or "unreadable", refusal.code, is_bad)
        edges.update({(key, f"a {name}"): "claimed" for name in refusal.artifacts if name in artifacts})
    return _Graph(nodes, edges)


def _folded(graph: _Graph) -> _Graph:
    """The graph with nodes of one kind, note and neighbourhood together, where they are many."""
    before: dict[str, list[str]] = defaultdict(list)
    after: dict[str, list[str]] = defaultdict(list)
    for start, end in graph.edges:
        after[start].append(end)
        before[end].append(start)
    alike: dict[tuple[object, ...], list[Node]] = defaultdict(list)
    for node in graph.nodes.values():
        title = node.title if node.kind != "artifact" else ""
        around = (tuple(sorted(before[node.id])), tuple(sorted(after[node.id])))
        alike[node.kind, node.note, node.is_bad, title, around].append(node)
    into: dict[str, str] = {}
    nodes: dict[str, Node] = {}
    for group in alike.values():
        first = group[0]
        if len(group) <= _ALIKE:
            nodes.update({node.id: node for node in group})
            into.update({node.id: node.id for node in group})
            continue
        names = dict.fromkeys(node.title for node in group)
        listed = ", ".join(list(names)[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
        title = f"{len(group)} x {first.note if first.kind == 'artifact' else first.title}"
        note = listed if len(names) > 1 else first.note
        artifacts = tuple(name for node in group for name in node.artifacts)
        nodes[first.id] = Node(first.id, first.kind, title, note, first.is_bad, artifacts)
        into.update(dict.fromkeys((node.id for node in group), first.id))
    kept = {node: nodes[node] for node in graph.nodes if node in nodes}
    return _Graph(kept, {(into[start], into[end]): relation for (start, end), relation in graph.edges.items()})


# --- drawing ---------------------------------------------------------------------------------------------------------


def _drawn(number: int, graph: _Graph) -> Drawing:
    columns = layers(list(graph.nodes), graph.edges)
    step = _HEIGHT + _GAP_Y
    tops = heights(columns, graph.edges, step)
    placed: dict[str, Placed] = {}
    for column, names in enumerate(columns):
        for name in names:
            node = graph.nodes[name]
            x, y = _MARGIN + column * (_WIDTH + _GAP_X), _MARGIN + tops[name]
            placed[name] = Placed(node, x, y, _cut(node.title), _cut(node.note))
    lines = [(relation, _line(placed[start], placed[end])) for (start, end), relation in graph.edges.items()]
    return Drawing(
        number=number,
        title=_title(graph.nodes.values()),
        is_bad=any(node.is_bad for node in graph.nodes.values()),
        width=len(columns) * (_WIDTH + _GAP_X) - _GAP_X + 2 * _MARGIN,
        height=max(map(len, columns)) * step - _GAP_Y + 2 * _MARGIN,
        nodes=tuple(placed.values()),
        lines=tuple(lines),
        relations=tuple(_relations(graph)),
        artifacts=tuple(name for node in graph.nodes.values() for name in node.artifacts),
    )


def _line(start: Placed, end: Placed) -> str:
    """A curve from the right side of one node to the left side of another."""
    x1, y1 = start.x + _WIDTH, start.y + _HEIGHT // 2
    x2, y2 = end.x, end.y + _HEIGHT // 2
    bend = max(abs(x2 - x1) // 2, _GAP_X // 2)
    return f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"


def _cut(text: str) -> str:
    return text if len(text) <= _LABEL else f"{text[: _LABEL - 3]}..."


def _title(nodes: Iterable[Node]) -> str:
    """What a drawing is about: its artifacts by name, else what there is."""
    nodes = list(nodes)
    names = [name for node in nodes for name in node.artifacts]
    if names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        return ", ".join(names[:_NAMED]) + more
    kinds = Counter(node.kind for node in nodes)
    return "about no artifact: " + ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))


def _relations(graph: _Graph) -> Sequence[str]:
    """The drawing in sentences; a node without edges is one of its own."""
    joined = {node for edge in graph.edges for node in edge}
    alone = [_named(node) for name, node in graph.nodes.items() if name not in joined]
    said = [
        _SENTENCES[relation].format(start=_named(graph.nodes[start]), end=_named(graph.nodes[end]))
        for (start, end), relation in graph.edges.items()
    ]
    return said + [f"nothing here says where {name} comes from, or is about it" for name in alone]


def _named(node: Node) -> str:
    return f"{node.kind} {node.title} ({node.note})"
