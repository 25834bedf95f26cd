"""Places for the nodes of a directed graph: in layers from left to right, each edge leading to the right.

Linear in nodes and edges but for sorting. Nothing recurses, so a chain of any length has a place; an edge that would
close a circle is drawn and does not decide on places.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

_SWEEPS: Final = 4


def components(nodes: Iterable[str], edges: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The nodes that edges connect, whatever their direction: groups in the order of their first nodes."""
    nodes = list(nodes)
    neighbours: dict[str, list[str]] = {node: [] for node in nodes}
    for start, end in edges:
        neighbours[start].append(end)
        neighbours[end].append(start)
    found: list[list[str]] = []
    seen: set[str] = set()
    for first in nodes:
        if first in seen:
            continue
        seen.add(first)
        group, queue = [], deque([first])
        while queue:
            node = queue.popleft()
            group.append(node)
            fresh = [other for other in dict.fromkeys(neighbours[node]) if other not in seen]
            seen.update(fresh)
            queue.extend(fresh)
        found.append(group)
    return found


def layers(nodes: Sequence[str], edges: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The nodes by layer, those of one layer from top to bottom; edges lead to later layers."""
    after: dict[str, list[str]] = {node: [] for node in nodes}
    before: dict[str, list[str]] = {node: [] for node in nodes}
    for start, end in _acyclic(nodes, edges):
        after[start].append(end)
        before[end].append(start)
    depth = _depths(nodes, after, before)
    found: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node in nodes:
        found[depth[node]].append(node)
    for sweep in range(_SWEEPS):
        is_forward = sweep % 2 == 0
        _settle(found if is_forward else found[::-1], before if is_forward else after)
    return found


def heights(found: Sequence[Sequence[str]], edges: Iterable[tuple[str, str]], step: int) -> Mapping[str, int]:
    """How far from the top each node of the layers is: near what it is connected with, `step` from the next at least.

    The layer with the most nodes decides; nothing is higher than 0 or lower than its last.
    """
    near: dict[str, list[str]] = {node: [] for layer in found for node in layer}
    for start, end in edges:
        near[start].append(end)
        near[end].append(start)
    if not found:
        return {}
    tallest = max(range(len(found)), key=lambda place: len(found[place]))
    lowest = (len(found[tallest]) - 1) * step
    height: dict[str, int] = {}
    for place in (tallest, *range(tallest + 1, len(found)), *range(tallest - 1, -1, -1)):
        layer = found[place]
        wanted = []
        for index, node in enumerate(layer):
            known = [height[other] for other in near[node] if other in height]
            wanted.append(sum(known) // len(known) if known else index * step)
        for index in range(1, len(layer)):
            wanted[index] = max(wanted[index], wanted[index - 1] + step)
        room = lowest
        for index in range(len(layer) - 1, -1, -1):
            wanted[index] = min(wanted[index], room)
            room = wanted[index] - step
        height.update(zip(layer, wanted, strict=True))
    return height


def _acyclic(nodes: Sequence[str], edges: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The edges without those that close a circle on the way from the first nodes."""
    after: dict[str, list[str]] = {node: [] for node in nodes}
    for start, end in dict.fromkeys(edges):
        after[start].append(end)
    kept: list[tuple[str, str]] = []
    done: set[str] = set()
    for first in nodes:
        open_ones: set[str] = set()
        stack = [] if first in done else [(first, iter(after[first]))]
        while stack:
            node, rest = stack[-1]
            open_ones.add(node)
            following = next(rest, None)
            if following is None:
                stack.pop()
                open_ones.discard(node)
                done.add(node)
            elif following not in open_ones:
                kept.append((node, following))
                if following not in done:
                    stack.append((following, iter(after[following])))
    return kept


def _depths(nodes: Sequence[str], after: Mapping[str, list[str]], before: Mapping[str, list[str]]) -> dict[str, int]:
    """The length of the longest way that leads to each node; what none leads to stands beside what it leads to."""
    depth = dict.fromkeys(nodes, 0)
    waiting = {node: len(before[node]) for node in nodes}
    queue = deque(node for node in nodes if not waiting[node])
    while queue:
        node = queue.popleft()
        for end in after[node]:
            depth[end] = max(depth[end], depth[node] + 1)
            waiting[end] -= 1
            if not waiting[end]:
                queue.append(end)
    for node in nodes:
        if not before[node] and after[node]:
            depth[node] = min(depth[end] for end in after[node]) - 1
    return depth


def _settle(rows: Sequence[list[str]], towards: Mapping[str, list[str]]) -> None:
    """Orders each layer by where its neighbours of the layers before it are: fewer edges cross."""
    place: dict[str, float] = {}
    for row in rows:
        for index, node in enumerate(row):
            known = [place[other] for other in towards[node] if other in place]
            place[node] = sum(known) / len(known) if known else index / max(len(row), 1)
        row.sort(key=lambda node: place[node])
        for index, node in enumerate(row):
            place[node] = index / max(len(row), 1)
