"""The chain of statements, drawn: who builds on whom, what does not count, and what is not there.

Edges point from a statement to what it builds on. What a rejected statement says of itself is drawn too, marked: a gap
is to be seen as a gap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gate.formats.canonical_json import pretty
from gate.model.digest import Digest
from gate.model.evidence import VerifiedSet
from gate.model.json import JsonObject
from gate.report.escape import dot, mermaid, terminal

FORMATS: Final = ("text", "mermaid", "dot", "json")
_LABEL: Final = 120
_SHORT: Final = 19
# Deeper statements are not indented further: a long chain must not fill the disk with blanks.
_DEEPEST: Final = 40


@dataclass(frozen=True, slots=True)
class Node:
    """A statement: `state` is `verified`, `rejected` or `missing`; `note` says who signed it, or why it is refused."""

    digest: Digest
    claim: str
    origin: str
    state: str
    note: str
    depends_on: tuple[Digest, ...] = ()


def chain_nodes(found: VerifiedSet) -> Mapping[Digest, Node]:
    """The nodes by payload digest: what is verified, what is rejected, and what others name and is not there."""
    nodes: dict[Digest, Node] = {}
    for refused in found.rejected:
        if refused.payload is not None:
            nodes[refused.payload] = Node(
                refused.payload,
                refused.claimed or "unknown",
                refused.origin,
                "rejected",
                refused.code,
                refused.depends_on,
            )
    for item in found.verified:
        signers = ", ".join(signer.name for signer in item.signers)
        nodes[item.payload] = Node(
            item.payload, item.statement.claim, item.origin, "verified", f"by {signers}", item.statement.depends_on
        )
    for node in list(nodes.values()):
        for digest in node.depends_on:
            nodes.setdefault(digest, Node(digest, "unknown", "", "missing", f"named by {node.origin}"))
    return dict(sorted(nodes.items(), key=lambda pair: (pair[1].claim, pair[1].origin, pair[0])))


def render_chain(form: str, found: VerifiedSet) -> str:
    """The chain in one of `FORMATS`."""
    nodes = chain_nodes(found)
    if form == "json":
        return pretty(_json(nodes))
    lines = {"text": _text, "mermaid": _mermaid, "dot": _dot}[form](nodes)
    return "\n".join(lines)


def _json(nodes: Mapping[Digest, Node]) -> JsonObject:
    return {
        "schema": "urn:gate:chain:v1",
        "nodes": {
            digest: {"claim": node.claim, "origin": node.origin, "state": node.state, "note": node.note}
            for digest, node in nodes.items()
        },
        "edges": [
            {"from": digest, "to": needed} for digest, node in nodes.items() for needed in sorted(node.depends_on)
        ],
    }


def _text(nodes: Mapping[Digest, Node]) -> Iterator[str]:
    if not nodes:
        yield "no statement is there"
        return
    used = {needed for node in nodes.values() for needed in node.depends_on}
    tops = [digest for digest in nodes if digest not in used] or list(nodes)
    shown: set[Digest] = set()
    for digest in tops:
        yield from _tree(nodes, digest, 0, shown)
    for digest in nodes:
        if digest not in shown:
            yield from _tree(nodes, digest, 0, shown)
    states = [node.state for node in nodes.values()]
    counts = ", ".join(f"{states.count(state)} {state}" for state in ("verified", "rejected", "missing"))
    yield f"{len(nodes)} statements: {counts}"


def _tree(nodes: Mapping[Digest, Node], top: Digest, depth: int, shown: set[Digest]) -> Iterator[str]:
    """A statement and below it what it builds on; one that was shown before is only named again."""
    waiting = [(top, depth)]
    while waiting:
        digest, level = waiting.pop()
        node, again = nodes[digest], digest in shown
        shown.add(digest)
        mark = {"verified": "", "rejected": " REJECTED", "missing": " MISSING"}[node.state]
        where = terminal(node.origin or "not there", _LABEL)
        rest = ", above" if again else f", {terminal(node.note, _LABEL)}"
        yield f"{'  ' * min(level, _DEEPEST)}{terminal(node.claim, _LABEL)}{mark}  {digest[:_SHORT]}  {where}{rest}"
        if not again:
            waiting += [(needed, level + 1) for needed in sorted(node.depends_on, reverse=True)]


def _mermaid(nodes: Mapping[Digest, Node]) -> Iterator[str]:
    numbers = _numbers(nodes)
    yield "flowchart BT"
    for digest, node in nodes.items():
        yield f'  n{numbers[digest]}["{mermaid(_label(node), _LABEL)}"]:::{node.state}'
    for digest, node in nodes.items():
        for needed in sorted(node.depends_on):
            yield f"  n{numbers[digest]} --> n{numbers[needed]}"
    yield "  classDef verified stroke:#2a7,stroke-width:2px"
    yield "  classDef rejected stroke:#c22,stroke-width:2px,stroke-dasharray:4"
    yield "  classDef missing stroke:#888,stroke-dasharray:2"


def _dot(nodes: Mapping[Digest, Node]) -> Iterator[str]:
    styles = {"verified": "solid", "rejected": "dashed", "missing": "dotted"}
    numbers = _numbers(nodes)
    yield "digraph chain {"
    yield "  rankdir=BT;"
    for digest, node in nodes.items():
        label = dot(_label(node), _LABEL)
        yield f'  n{numbers[digest]} [shape=box, style={styles[node.state]}, label="{label}"];'
    for digest, node in nodes.items():
        for needed in sorted(node.depends_on):
            yield f"  n{numbers[digest]} -> n{numbers[needed]};"
    yield "}"


def _numbers(nodes: Mapping[Digest, Node]) -> Mapping[Digest, int]:
    return {digest: number for number, digest in enumerate(nodes)}


def _label(node: Node) -> str:
    parts: Sequence[str] = (
        node.claim,
        node.digest[:_SHORT],
        node.origin,
        "" if node.state == "verified" else node.state,
    )
    return " | ".join(part for part in parts if part)
