"""Drawings of chains: gaps are seen as gaps, circles end, and no name draws anything of its own."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.model.digest import Digest
from gate.model.evidence import Rejected, SignerIdentity, Statement, Verified, VerifiedSet
from gate.report.chain import FORMATS, chain_nodes, render_chain
from tests.support.decisions import digest, rejected
from tests.unit.report.test_verification import CONTROL, HOSTILE


def good(word: str, claim: str, *needed: str, origin: str | None = None, signer: str = "release") -> Verified:
    depends_on = tuple(digest(item) for item in needed)
    statement = Statement(claim, "urn:x", (), (), False, depends_on, None, {}, {})
    people = (SignerIdentity(signer, "key", digest("key")),)
    return Verified(digest(word), digest(f"evidence {word}"), origin or f"{word}.json", statement, people)


def bad(
    word: str, claim: str | None, *needed: str, origin: str | None = None, code: str = "chain.dangling"
) -> Rejected:
    depends_on = tuple(digest(item) for item in needed)
    return rejected(
        code=code, origin=origin or f"{word}.json", claimed=claim, payload=digest(word), depends_on=depends_on
    )


def chain(*items: Verified | Rejected) -> VerifiedSet:
    return VerifiedSet(
        tuple(item for item in items if isinstance(item, Verified)),
        tuple(item for item in items if isinstance(item, Rejected)),
    )


WHOLE: Final = chain(
    good("prompt", "prompt"),
    good("corpus", "corpus"),
    good("eval", "eval", "prompt", "corpus"),
    good("route", "route", "eval"),
    bad("slo", "slo", "route", "lost"),
)


def short(word: str) -> str:
    return digest(word)[:19]


def test_the_text_is_a_tree_with_its_gaps() -> None:
    before = sorted(("prompt", "corpus"), key=digest)
    below_slo = sorted(("route", "lost"), key=digest)
    tree = [f"slo REJECTED  {short('slo')}  slo.json, chain.dangling"]
    for word in below_slo:
        if word == "lost":
            tree.append(f"  unknown MISSING  {short('lost')}  not there, named by slo.json")
            continue
        tree.append(f"  route  {short('route')}  route.json, by release")
        tree.append(f"    eval  {short('eval')}  eval.json, by release")
        tree += [f"      {item}  {short(item)}  {item}.json, by release" for item in before]
    assert render_chain("text", WHOLE).splitlines() == [*tree, "6 statements: 4 verified, 1 rejected, 1 missing"]


def test_the_json_has_nodes_and_edges() -> None:
    value = json.loads(render_chain("json", WHOLE))
    assert {node["state"] for node in value["nodes"].values()} == {"verified", "rejected", "missing"}
    assert value["nodes"][digest("eval")] == {
        "claim": "eval",
        "origin": "eval.json",
        "state": "verified",
        "note": "by release",
    }
    edges = {(edge["from"], edge["to"]) for edge in value["edges"]}
    assert edges == {
        (digest(one), digest(other))
        for one, other in (
            *(("eval", "prompt"), ("eval", "corpus"), ("route", "eval"), ("slo", "route"), ("slo", "lost")),
        )
    }


@pytest.mark.parametrize(("form", "arrow"), [("mermaid", "-->"), ("dot", "->")])
def test_drawings_have_the_same_nodes_and_edges(form: str, arrow: str) -> None:
    text = render_chain(form, WHOLE)
    nodes = dict(re.findall(r'^  (n\d+)(?:\["| \[.*label=")([^|"]*?) ?\|', text, re.MULTILINE))
    claims = {name: label.replace("#124;", "").strip() for name, label in nodes.items()}
    edges = {(claims[one], claims[two]) for one, two in re.findall(rf"^  (n\d+) {arrow} (n\d+);?$", text, re.MULTILINE)}
    assert edges == {("eval", "prompt"), ("eval", "corpus"), ("route", "eval"), ("slo", "route"), ("slo", "unknown")}
    assert text.startswith({"mermaid": "flowchart BT\n", "dot": "digraph chain {\n"}[form])


def test_nothing_at_all() -> None:
    assert render_chain("text", chain()) == "no statement is there"
    assert json.loads(render_chain("json", chain()))["nodes"] == {}
    assert render_chain("dot", chain()).endswith("}")
    assert render_chain("mermaid", chain()).startswith("flowchart")
    unread = rejected(origin="junk.json", claimed=None)
    assert render_chain("text", chain(unread)) == "no statement is there"


def test_a_statement_that_is_shown_before_is_only_named_again() -> None:
    text = render_chain("text", chain(good("a", "dataset"), good("b", "dataset", "a"), good("c", "corpus", "a", "b")))
    assert text.count("a.json") == 2
    assert len(re.findall(r"a\.json, above$", text, re.MULTILINE)) == 1


@pytest.mark.parametrize("form", FORMATS)
def test_circles_end(form: str) -> None:
    circle = chain(bad("a", "prompt", "c"), bad("b", "eval", "a"), bad("c", "slo", "b"), bad("d", "route", "d"))
    text = render_chain(form, circle)
    for word in "abcd":
        assert f"{word}.json" in text
    tail = chain(bad("a", "prompt", "b"), bad("b", "eval", "a"), good("top", "route", "a"))
    assert "top.json" in render_chain(form, tail)
    # A circle beside a tree, which no statement without users leads to.
    beside = chain(bad("a", "prompt", "b"), bad("b", "eval", "a"), good("alone", "corpus"))
    assert {"a.json", "b.json", "alone.json"} <= set(re.findall(r"\w+\.json", render_chain(form, beside)))


@pytest.mark.parametrize("form", FORMATS)
def test_a_long_chain_is_drawn_at_once(form: str) -> None:
    items = [good(str(number), "dataset", *([str(number - 1)] if number else [])) for number in range(5_000)]
    started = time.monotonic()
    text = render_chain(form, chain(*items))
    assert time.monotonic() - started < 20
    assert len(text) < 5_000 * 400


GRAPHS = st.dictionaries(
    st.integers(0, 7), st.tuples(st.booleans(), st.lists(st.integers(0, 9), max_size=4)), max_size=8
)


@given(GRAPHS)
def test_every_statement_and_every_edge_of_any_graph_is_drawn(graph: Mapping[int, tuple[bool, Sequence[int]]]) -> None:
    items = [
        (good if is_good else bad)(str(number), "dataset", *map(str, needed))
        for number, (is_good, needed) in graph.items()
    ]
    nodes = chain_nodes(chain(*items))
    named = {number for _, needed in graph.values() for number in needed}
    assert set(nodes) == {digest(str(number)) for number in {*graph, *named}}
    states = {digest: node.state for digest, node in nodes.items()}
    for number in {*graph, *named}:
        expected = "missing" if number not in graph else "verified" if graph[number][0] else "rejected"
        assert states[digest(str(number))] == expected
    lines = render_chain("text", chain(*items)).splitlines()
    shown = {line.split("sha256:")[1][:12] for line in lines if "sha256:" in line}
    assert shown == {str(node)[7:19] for node in nodes}


@pytest.mark.parametrize("form", FORMATS)
def test_hostile_names(form: str) -> None:
    plain = render_chain(form, chain(good("a", "prompt"), bad("b", "eval", "a")))
    for text in (*HOSTILE, *(one + two for one, two in itertools.pairwise(HOSTILE))):
        found = chain(
            good("a", text, origin=text or "-", signer=text), bad("b", text, "a", origin=text or "-", code=text)
        )
        drawn = render_chain(form, found)
        assert not CONTROL.search(drawn)
        assert len(drawn.splitlines()) == len(plain.splitlines())
        if form == "json":
            assert set(json.loads(drawn)["nodes"]) == {digest("a"), digest("b")}
        if form == "mermaid":
            labels = re.findall(r'^  n\d+\["([^"]*)"\]:::\w+$', drawn, re.MULTILINE)
            assert len(labels) == 2
            assert not any(re.search(r"[<>\[\]`(){}\\]|&", label) for label in labels)
        if form == "dot":
            assert len(re.findall(r'label="(?:[^"\\]|\\[\\"])*"\];$', drawn, re.MULTILINE)) == 2


def test_a_statement_that_is_rejected_and_verified_is_verified() -> None:
    nodes = chain_nodes(chain(good("a", "prompt"), bad("a", "prompt")))
    assert nodes[Digest(digest("a"))].state == "verified"
