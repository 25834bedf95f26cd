from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import pytest

from gate.model.decision import Decision
from gate.model.evidence import Concern
from gate.report.html import lineage
from gate.report.html.lineage import Drawing, drawings
from tests.support.decisions import control, decision, digest, refusal, rejected, statement
from tests.support.large_decisions import large


def made(**changes: Any) -> Decision:
    subject = {
        "artifacts": {
            "base": {"kind": "weights", "base": None},
            "tuned": {"kind": "weights", "base": "base"},
            "lost": {"kind": "dataset", "base": "nowhere"},
        }
    }
    return decision(control("a.b"), **{"subject": subject, **changes})


def drawn(found: Decision, refused: frozenset[str] = frozenset()) -> tuple[Drawing, ...]:
    return drawings(found, refused)[0]


def test_bases_statements_and_what_they_build_on_are_drawn() -> None:
    data = statement("dataset", "steward", artifacts=())
    training = dataclasses.replace(
        statement("training.provenance", "trainer", artifacts=("tuned",)), depends_on=(data.payload, digest("gone"))
    )
    first, second = drawn(made(verified=(data, training)))
    assert set(first.relations) == {
        "artifact tuned (weights) has the base artifact base (weights)",
        "statement training.provenance (by trainer) is about artifact tuned (weights)",
        "statement training.provenance (by trainer) builds on statement dataset (by steward)",
        f"statement training.provenance (by trainer) builds on missing not there or rejected ({digest('gone')[:15]}..)",
    }
    assert first.is_bad, "a statement builds on what is not there"
    assert (first.title, first.artifacts) == ("base, tuned", ("base", "tuned"))
    assert second.relations == ("nothing here says where artifact lost (dataset) comes from, or is about it",)
    place = {placed.node.title: placed.x for placed in first.nodes}
    assert place["base"] < place["tuned"]
    assert place["dataset"] < place["training.provenance"] < place["tuned"]


def test_what_rejected_evidence_says_is_drawn_as_such() -> None:
    bad = rejected(artifacts=("lost", "elsewhere"))
    aside = rejected(evidence=digest("2"), concern=Concern.OTHERS, artifacts=(), claimed=None)
    found = drawn(made(rejected=(bad, aside)), frozenset({"tuned"}))
    assert [(figure.title, figure.is_bad) for figure in found] == [
        ("base, tuned", True),
        ("lost", True),
        ("about no artifact: 1 rejected", False),
    ]
    assert found[1].relations == (
        "rejected build.provenance (signature.untrusted) says that it is about artifact lost (dataset)",
    )
    assert {kind for kind, _ in found[1].lines} == {"claimed"}


def test_nodes_that_nobody_could_tell_apart_are_one() -> None:
    names = [f"m{n}" for n in range(9)]
    subject = {"artifacts": {name: {"kind": "weights"} for name in names}}
    shared = statement("sbom", "release", artifacts=tuple(names))
    own = [statement("dataset", "steward", word=str(n), artifacts=()) for n in range(6)]
    first, second = drawn(made(subject=subject, verified=(shared, *own)))
    assert [(placed.node.title, placed.node.note) for placed in first.nodes] == [
        ("sbom", "by release"),
        ("9 x weights", "m0, m1, m2, m3, m4, ..."),
    ]
    assert first.artifacts == tuple(names)
    assert first.title == "m0, m1, m2, m3, m4 and 4 more"
    assert [(placed.node.title, placed.node.note) for placed in second.nodes] == [("6 x dataset", "by steward")]


def test_long_names_are_cut_in_the_drawing_alone() -> None:
    [figure] = drawn(made(subject={"artifacts": {"long" * 20: {"kind": "weights"}}}))
    assert figure.nodes[0].title == "long" * 6 + "lon..."
    assert figure.nodes[0].node.title == "long" * 20


def test_nodes_do_not_overlap_and_lie_inside() -> None:
    for figure in drawn(large()):
        places = {(placed.x, placed.y) for placed in figure.nodes}
        assert len(places) == len(figure.nodes)
        assert all(0 <= x <= figure.width - 224 and 0 <= y <= figure.height - 46 for x, y in places)
        columns: dict[int, list[int]] = {}
        for x, y in places:
            columns.setdefault(x, []).append(y)
        for column in columns.values():
            column.sort()
            assert all(lower - upper >= 46 for upper, lower in itertools.pairwise(column))


def test_what_has_no_room_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage, "MAX_NODES", 100)
    found, left = drawings(large(), frozenset())
    assert 0 < sum(len(figure.nodes) for figure in found) <= 100
    assert left > 0


def test_the_golden_refusal_is_one_drawing() -> None:
    [figure] = drawn(refusal(), frozenset({"summarizer"}))
    assert {placed.node.kind for placed in figure.nodes} == {"artifact", "statement", "rejected"}
