"""The provenance chain (SECURITY 14)."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.model.digest import Digest
from gate.model.evidence import Statement
from gate.verify.chain import broken_edges, building_on, inherited, resolve_chain
from tests.support.evidence import digest_of

Graph = dict[str, str]
"""What each statement depends on: letters by letter."""
EDGES = st.dictionaries(
    st.sampled_from("abcdefgh"), st.text("abcdefghx", max_size=4).map(lambda text: "".join(set(text)))
)


def d(name: str) -> Digest:
    return digest_of(name)


def resolved(graph: Graph) -> tuple[dict[str, str], dict[str, str]]:
    """The ancestors of each statement, and the code of each broken one."""
    names = {d(name): name for name in "abcdefghx"}
    found, broken = resolve_chain({d(name): tuple(d(item) for item in needed) for name, needed in graph.items()})
    return (
        {names[digest]: "".join(sorted(names[item] for item in items)) for digest, items in found.items()},
        {names[digest]: code for digest, (code, _) in broken.items()},
    )


@pytest.mark.parametrize(
    ("graph", "ancestors", "broken"),
    [
        ({}, {}, {}),
        ({"a": ""}, {"a": ""}, {}),
        ({"a": "b", "b": ""}, {"a": "b", "b": ""}, {}),
        ({"a": "bc", "b": "d", "c": "d", "d": ""}, {"a": "bcd", "b": "d", "c": "d", "d": ""}, {}),
        ({"a": "bcd", "b": "cd", "c": "d", "d": ""}, {"a": "bcd", "b": "cd", "c": "d", "d": ""}, {}),
        ({"a": "a"}, {}, {"a": "self"}),
        ({"a": "ab", "b": ""}, {"b": ""}, {"a": "self"}),
        ({"a": "x"}, {}, {"a": "dangling"}),
        ({"a": "bx", "b": ""}, {"b": ""}, {"a": "dangling"}),
        ({"a": "b", "b": "x"}, {}, {"a": "unresolved", "b": "dangling"}),
        ({"a": "b", "b": "a"}, {}, {"a": "unresolved", "b": "unresolved"}),
        ({"a": "b", "b": "c", "c": "a"}, {}, dict.fromkeys("abc", "unresolved")),
        ({"a": "b", "b": "c", "c": "b", "d": ""}, {"d": ""}, dict.fromkeys("abc", "unresolved")),
        ({"a": "b", "b": "b", "c": ""}, {"c": ""}, {"a": "unresolved", "b": "self"}),
        ({"a": "bc", "b": "", "c": "x"}, {"b": ""}, {"a": "unresolved", "c": "dangling"}),
        ({"a": "bx", "b": "a"}, {}, {"a": "dangling", "b": "unresolved"}),
    ],
)
def test_s14_a_statement_holds_when_all_that_it_builds_on_holds(
    graph: Graph, ancestors: dict[str, str], broken: dict[str, str]
) -> None:
    assert resolved(graph) == (ancestors, broken)


def holds(graph: Graph, name: str, below: str = "") -> bool:
    """The rule as a recursion, slowly."""
    return name in graph and name not in below and all(holds(graph, item, below + name) for item in graph[name])


@given(EDGES)
def test_s14_every_graph_is_judged_by_the_plain_recursive_rule(graph: Graph) -> None:
    ancestors, broken = resolved(graph)
    assert set(ancestors) == {name for name in graph if holds(graph, name)}
    assert set(broken) == set(graph) - set(ancestors)


@given(EDGES, st.randoms(use_true_random=False))
def test_s14_the_order_does_not_matter(graph: Graph, chance: random.Random) -> None:
    order = list(graph.items())
    chance.shuffle(order)
    assert resolved(dict(order)) == resolved(graph)


def test_s14_a_dangling_chain_names_what_is_missing() -> None:
    _, broken = resolve_chain({d("a"): (d("x"),)})
    assert broken[d("a")][1] == f"depends on {d('x')}, which is not among the verified statements"


def test_a_thousand_links_hold() -> None:
    links = [digest_of(str(number)) for number in range(1_000)]
    graph = {digest: tuple(links[number - 1 : number]) for number, digest in enumerate(links)}
    ancestors, broken = resolve_chain(graph)
    assert not broken
    assert ancestors[links[-1]] == tuple(sorted(links[:-1]))


def test_one_missing_link_refuses_all_that_follow() -> None:
    links = [digest_of(str(number)) for number in range(1_000)]
    graph = {digest: tuple(links[number - 1 : number]) for number, digest in enumerate(links)}
    del graph[links[500]]
    ancestors, broken = resolve_chain(graph)
    assert set(ancestors) == set(links[:500])
    assert set(broken) == set(links[501:])


# -- what a chain passes on --------------------------------------------------------------------------------------------


@given(EDGES)
def test_words_are_inherited_along_any_chain_even_a_circle(graph: Graph) -> None:
    own = {d(name): frozenset({name}) for name in graph}
    found = inherited(own, {d(name): tuple(d(item) for item in needed) for name, needed in graph.items()})
    for name in graph:
        reached, waiting = {name}, [name]
        while waiting:
            more = {item for item in graph[waiting.pop()] if item in graph} - reached
            reached |= more
            waiting += more
        assert found[d(name)] == reached


@pytest.mark.parametrize(
    ("graph", "own", "expected"),
    [
        ({"a": "b", "b": ""}, {"b": "x"}, {"a": "x", "b": "x"}),
        ({"a": "b", "b": "c", "c": ""}, {"c": "x", "a": "y"}, {"a": "xy", "b": "x", "c": "x"}),
        ({"a": "bc", "b": "d", "c": "d", "d": ""}, {"d": "x", "c": "y"}, {"a": "xy", "b": "x", "c": "xy", "d": "x"}),
        ({"a": "b", "b": "a"}, {"a": "x", "b": "y"}, {"a": "xy", "b": "xy"}),
        ({"a": "a"}, {"a": "x"}, {"a": "x"}),
        ({"a": "x"}, {}, {"a": ""}),
    ],
    ids=["one link", "two links", "diamond", "circle", "self", "dangling"],
)
def test_words_are_inherited(graph: Graph, own: dict[str, str], expected: dict[str, str]) -> None:
    words = {d(name): frozenset(own.get(name, "")) for name in graph}
    found = inherited(words, {d(name): tuple(d(item) for item in needed) for name, needed in graph.items()})
    assert found == {d(name): frozenset(items) for name, items in expected.items()}


def test_nothing_is_inherited_from_nothing() -> None:
    own = {d("a"): frozenset[str](), d("b"): frozenset[str]()}
    assert inherited(own, {d("a"): (d("b"),), d("b"): ()}) == own


# -- what may be built on what, and when -------------------------------------------------------------------------------


def said(claim: str, *needed: str, at: int | None = None, collected: bool = False) -> Statement:
    depends_on = tuple(d(name) for name in needed)
    return Statement(claim, "urn:x", (), (), False, depends_on, at, {"collected": collected}, {})


@pytest.mark.parametrize(
    ("statements", "broken"),
    [
        ({}, {}),
        ({"a": said("eval", "b"), "b": said("prompt")}, {}),
        ({"a": said("prompt", "b"), "b": said("slo")}, {"a": "edge"}),
        ({"a": said("route", "b"), "b": said("prompt")}, {"a": "edge"}),
        ({"a": said("eval", "b", "c"), "b": said("prompt"), "c": said("route")}, {"a": "edge"}),
        ({"a": said("waiver", "b"), "b": said("waiver")}, {"a": "edge"}),
        # What is not there, and what names itself, is for `resolve_chain` to say.
        ({"a": said("prompt", "x")}, {}),
        ({"a": said("prompt", "a")}, {}),
        ({"a": said("prompt", "x", "b"), "b": said("slo")}, {"a": "edge"}),
        ({"a": said("prompt", "a", "b"), "b": said("slo")}, {"a": "edge"}),
        # Nothing builds on what was stated later.
        ({"a": said("eval", "b", at=5), "b": said("prompt", at=4)}, {}),
        ({"a": said("eval", "b", at=5), "b": said("prompt", at=5)}, {}),
        ({"a": said("eval", "b", at=5), "b": said("prompt", at=6)}, {"a": "order"}),
        ({"a": said("eval", "b", at=5), "b": said("prompt")}, {}),
        ({"a": said("eval", "b"), "b": said("prompt", at=6)}, {}),
        ({"a": said("eval", "b", "c", at=5), "b": said("prompt", at=4), "c": said("corpus", at=6)}, {"a": "order"}),
        # A collected evaluation, route or service level says nothing alone.
        *(({"a": said(claim, collected=True)}, {"a": "no_predecessor"}) for claim in ("eval", "route", "slo")),
        ({"a": said("prompt", collected=True), "b": said("eval")}, {}),
        ({"a": said("eval", "b", collected=True), "b": said("prompt", collected=True)}, {}),
        ({"a": said("eval", "x", collected=True)}, {}),
    ],
)
def test_s14_edges_are_of_the_right_kind_and_order(statements: dict[str, Statement], broken: dict[str, str]) -> None:
    found = broken_edges({d(name): statement for name, statement in statements.items()})
    assert {digest: code for digest, (code, _) in found.items()} == {d(name): code for name, code in broken.items()}
    assert all(detail for _, detail in found.values())


def test_all_that_builds_on_something_is_found_once() -> None:
    graph = {"a": "", "b": "a", "c": "b", "d": "x", "e": "ab", "f": "f", "g": "cd"}
    edges = {d(name): tuple(d(item) for item in needed) for name, needed in graph.items()}
    assert building_on({d("a")}, edges) == {d(name) for name in "bceg"}
    assert building_on({d("c"), d("x")}, edges) == {d("d"), d("g")}
    assert building_on({d("f")}, edges) == {d("f")}
    assert building_on(set(), edges) == set()
