"""Lineage, drawn: from each artifact to its origins, with what is not known marked as such.

Edges point from what was made to what it was made from. The JSON document is `urn:gate:lineage:v1`
(`schemas/lineage.json`); nothing is left out of it or shortened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from gate.formats.canonical_json import pretty
from gate.formats.rfc3339 import format_time
from gate.model.json import JsonObject, JsonValue
from gate.model.lineage import Basis, Edge, Lineage, Node, NodeKind, Source
from gate.report.escape import dot, mermaid, terminal

FORMATS: Final = ("text", "mermaid", "dot", "json")
LINEAGE_SCHEMA: Final = "urn:gate:lineage:v1"
_LABEL: Final = 120
_SHORT: Final = 12
# Deeper things are not indented further: a long lineage must not fill the disk with blanks.
_DEEPEST: Final = 40
_BASIS: Final[Mapping[Basis, str]] = {
    Basis.CONFIGURATION: "gate.yaml",
    Basis.FILES: "the files here",
}


def render_lineage(form: str, found: Lineage) -> str:
    """The graph in one of `FORMATS`."""
    if form == "json":
        return pretty(lineage_json(found))
    return "\n".join({"text": _text, "mermaid": _mermaid, "dot": _dot}[form](found))


def lineage_summary(found: Lineage) -> str:
    """The line that ends the text, alone: what is said where the drawing goes into a file."""
    counts = (
        (len(found.nodes), "thing"),
        (len(found.edges), "edge"),
        (len(found.statements), "statement"),
        (len(found.gaps), "gap"),
        (len(found.conflicts), "conflict"),
    )
    return ", ".join(f"{number} {word}{'' if number == 1 else 's'}" for number, word in counts)


# -- JSON --------------------------------------------------------------------------------------------------------------


def lineage_json(found: Lineage) -> JsonObject:
    """The document."""
    return {
        "schema": LINEAGE_SCHEMA,
        "roots": list(found.roots),
        "nodes": {name: _json_node(node) for name, node in found.nodes.items()},
        "edges": [
            {
                "from": edge.derived,
                "to": edge.origin,
                "relation": edge.relation,
                "basis": edge.basis.value,
                "statements": list(edge.statements),
            }
            for edge in found.edges
        ],
        "statements": {payload: _json_source(source) for payload, source in found.statements.items()},
        "gaps": [{"node": gap.node, "code": gap.code, "detail": gap.detail} for gap in found.gaps],
        "conflicts": [
            {"node": item.node, "code": item.code, "detail": item.detail, "statements": list(item.statements)}
            for item in found.conflicts
        ],
        "unused": [
            {"origin": item.origin, "code": item.code, "claimed": item.claimed, "artifacts": list(item.artifacts)}
            for item in found.unused
        ],
    }


def _json_node(node: Node) -> JsonObject:
    return {
        "kind": node.kind.value,
        "names": list(node.names),
        "what": list(node.what),
        "digests": dict(node.digests),
        "statements": list(node.statements),
    }


def _json_source(source: Source) -> JsonObject:
    signers: list[JsonValue] = [
        {"name": one.name, "kind": one.kind, "spki": one.spki, "issuer": one.issuer, "subject": one.subject}
        for one in source.signers
    ]
    return {
        "origin": source.origin,
        "claim": source.claim,
        "signers": signers,
        "stated_at_s": source.stated_at_s,
        "signed_at_s": source.signed_at_s,
    }


# -- text --------------------------------------------------------------------------------------------------------------


def _text(found: Lineage) -> Iterator[str]:
    if not found.nodes:
        yield "gate.yaml names no artifact"
    following = _following(found)
    notes = _notes(found)
    shown: set[str] = set()
    derived_from = {edge.origin for edge in found.edges if edge.derived != edge.origin}
    tops = [root for root in found.roots if root not in derived_from]
    for top in (*tops, *found.roots):
        if top not in shown:
            yield from _tree(found, following, notes, top, shown)
    for item in found.unused:
        about = f", about {', '.join(item.artifacts)}" if item.artifacts else ""
        claimed = item.claimed or "unknown"
        yield terminal(f"NOT USED  {item.origin}: {item.code}, claims {claimed}{about}")
    yield lineage_summary(found)


def _tree(
    found: Lineage,
    following: Mapping[str, Sequence[Edge]],
    notes: Mapping[str, Sequence[str]],
    top: str,
    shown: set[str],
) -> Iterator[str]:
    """A thing and below it what it comes from; one that was shown before is only named again."""
    waiting: list[tuple[str, Edge | None, int]] = [(top, None, 0)]
    while waiting:
        name, edge, level = waiting.pop()
        indent = "  " * min(level, _DEEPEST)
        again = name in shown
        shown.add(name)
        role = f"{edge.relation}  " if edge is not None else ""
        said = f"  [{_by(found, edge)}]" if edge is not None else ""
        yield f"{indent}{role}{_title(found.nodes[name])}{', above' if again else ''}{said}"
        if not again:
            for note in (*_stated(found, name, following.get(name, ())), *notes.get(name, ())):
                yield f"{indent}  {note}"
            waiting += [(item.origin, item, level + 1) for item in reversed(following.get(name, ()))]


def _stated(found: Lineage, name: str, edges: Sequence[Edge]) -> Iterator[str]:
    """Who says of a thing that it comes from nowhere else; who names an origin of it stands there."""
    shown = {payload for edge in edges for payload in edge.statements}
    for payload in found.nodes[name].statements:
        if payload not in shown:
            yield f"begins here  [{_source(found.statements[payload])}]"


def _title(node: Node) -> str:
    names = ", ".join(node.names[:3]) + (f" and {len(node.names) - 3} more" if len(node.names) > 3 else "")
    parts = (names, " ".join(node.what), _short_digest(node))
    return "  ".join(terminal(part, _LABEL) for part in parts if part)


def _short_digest(node: Node) -> str:
    for algorithm, value in node.digests.items():
        return f"{algorithm}:{value[:_SHORT]}"
    return ""


def _by(found: Lineage, edge: Edge) -> str:
    """Who says so: at most two statements, and how many more."""
    if edge.basis is not Basis.STATEMENTS:
        return _BASIS[edge.basis]
    shown = [_source(found.statements[payload]) for payload in edge.statements[:2]]
    more = len(edge.statements) - len(shown)
    return "; ".join(shown) + (f"; {more} more" if more else "")


def _source(source: Source) -> str:
    names = ", ".join(signer.name for signer in source.signers)
    at_s = source.signed_at_s if source.signed_at_s is not None else source.stated_at_s
    when = f", {format_time(at_s)}" if at_s is not None else ""
    return f"{terminal(source.claim, _LABEL)} by {terminal(names, _LABEL)}{when}"


def _notes(found: Lineage) -> Mapping[str, Sequence[str]]:
    notes: dict[str, list[str]] = {}
    for gap in found.gaps:
        notes.setdefault(gap.node, []).append(f"GAP  {terminal(gap.detail)}")
    for item in found.conflicts:
        origins = ", ".join(found.statements[payload].origin for payload in item.statements)
        notes.setdefault(item.node, []).append(f"CONFLICT  {terminal(f'{item.detail}: {origins}')}")
    return notes


def _following(found: Lineage) -> Mapping[str, Sequence[Edge]]:
    """The edges of each thing, in the order of role and name."""
    following: dict[str, list[Edge]] = {}
    for edge in sorted(found.edges, key=lambda edge: (edge.relation, found.nodes[edge.origin].names)):
        following.setdefault(edge.derived, []).append(edge)
    return following


# -- drawings ----------------------------------------------------------------------------------------------------------


def _mermaid(found: Lineage) -> Iterator[str]:
    numbers, styles = _numbers(found), _styles(found)
    yield "flowchart BT"
    for name, node in found.nodes.items():
        yield f'  n{numbers[name]}["{mermaid(_label(node, styles[name]), _LABEL)}"]:::{styles[name]}'
    for edge in found.edges:
        yield f'  n{numbers[edge.derived]} -->|"{mermaid(edge.relation)}"| n{numbers[edge.origin]}'
    yield "  classDef known stroke:#2a7,stroke-width:2px"
    yield "  classDef gap stroke:#888,stroke-dasharray:2"
    yield "  classDef conflict stroke:#c22,stroke-width:2px,stroke-dasharray:4"


def _dot(found: Lineage) -> Iterator[str]:
    lines = {"known": "solid", "gap": "dotted", "conflict": "dashed"}
    numbers, styles = _numbers(found), _styles(found)
    yield "digraph lineage {"
    yield "  rankdir=BT;"
    for name, node in found.nodes.items():
        label, style = dot(_label(node, styles[name]), _LABEL), lines[styles[name]]
        yield f'  n{numbers[name]} [shape=box, style={style}, label="{label}"];'
    for edge in found.edges:
        yield f'  n{numbers[edge.derived]} -> n{numbers[edge.origin]} [label="{dot(edge.relation)}"];'
    yield "}"


def _numbers(found: Lineage) -> Mapping[str, int]:
    return {name: number for number, name in enumerate(found.nodes)}


def _styles(found: Lineage) -> Mapping[str, str]:
    known = dict.fromkeys(found.nodes, "known")
    return {**known, **{gap.node: "gap" for gap in found.gaps}, **{item.node: "conflict" for item in found.conflicts}}


def _label(node: Node, state: str) -> str:
    word = "" if state == "known" else state.upper()
    what = " ".join(node.what) or ("" if node.kind is NodeKind.DIGEST else node.kind.value)
    name = node.names[0] if node.names else ""
    return " | ".join(part for part in (word, name[: _LABEL // 2], what, _short_digest(node)) if part)
