from __future__ import annotations

import itertools
import time

from hypothesis import given
from hypothesis import strategies as st

from gate.report.html.layout import components, heights, layers


def place(found: list[list[str]]) -> dict[str, int]:
    return {node: depth for depth, layer in enumerate(found) for node in layer}


def test_what_is_connected_is_one_component_whatever_the_direction() -> None:
    found = components("abcde", [("b", "a"), ("b", "c"), ("e", "d")])
    assert found == [["a", "b", "c"], ["d", "e"]]
    assert components([], []) == []


def test_edges_lead_to_later_layers() -> None:
    edges = [("a", "b"), ("b", "c"), ("a", "c")]
    assert layers("cba", edges) == [["a"], ["b"], ["c"]]


def test_what_nothing_leads_to_stands_beside_what_it_leads_to() -> None:
    assert place(layers("abcx", [("a", "b"), ("b", "c"), ("x", "c")])) == {"a": 0, "b": 1, "x": 1, "c": 2}


def test_neighbours_stand_side_by_side() -> None:
    nodes = ["a1", "a2", "a3", "b3", "b2", "b1"]
    assert layers(nodes, [("a1", "b1"), ("a2", "b2"), ("a3", "b3")]) == [["a1", "a2", "a3"], ["b1", "b2", "b3"]]


def test_circles_and_loops_have_a_place() -> None:
    assert place(layers("abc", [("a", "b"), ("b", "c"), ("c", "a")])) == {"a": 0, "b": 1, "c": 2}
    assert layers("a", [("a", "a")]) == [["a"]]
    assert layers([], []) == []


def test_long_chains_and_wide_stars_are_placed_soon() -> None:
    chain = [str(n) for n in range(20_000)]
    began = time.process_time()
    assert len(layers(chain, list(itertools.pairwise(chain)))) == len(chain)
    assert len(components(chain, [(chain[0], other) for other in chain[1:]])) == 1
    assert time.process_time() - began < 10


NODES = [chr(ord("a") + n) for n in range(12)]
EDGES = st.lists(st.tuples(st.sampled_from(NODES), st.sampled_from(NODES)), max_size=40)


@given(EDGES)
def test_every_node_has_one_place_in_its_component(edges: list[tuple[str, str]]) -> None:
    assert sorted(node for group in components(NODES, edges) for node in group) == NODES
    found = layers(NODES, edges)
    assert sorted(node for layer in found for node in layer) == NODES
    assert all(found), "no layer is empty"


@given(EDGES)
def test_without_circles_every_edge_leads_to_a_later_layer(edges: list[tuple[str, str]]) -> None:
    forward = [(start, end) for start, end in edges if start < end]
    depth = place(layers(NODES, forward))
    assert all(depth[start] < depth[end] for start, end in forward)


def test_nodes_stand_near_what_they_are_connected_with() -> None:
    edges = [("a", "x"), ("b", "x"), ("c", "x"), ("o", "a")]
    found = heights([["o"], ["a", "b", "c"], ["x"]], edges, 10)
    assert found == {"o": 0, "a": 0, "b": 10, "c": 20, "x": 10}
    assert heights([], [], 10) == {}


@given(EDGES)
def test_nodes_of_a_layer_keep_their_distance_and_lie_inside(edges: list[tuple[str, str]]) -> None:
    found = layers(NODES, edges)
    tops = heights(found, edges, 10)
    assert tops.keys() == set(NODES)
    for layer in found:
        column = [tops[node] for node in layer]
        assert all(lower - upper >= 10 for upper, lower in itertools.pairwise(column))
        assert column[0] >= 0
        assert column[-1] <= (max(map(len, found)) - 1) * 10
