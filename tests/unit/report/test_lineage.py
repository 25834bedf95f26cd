"""Drawings of lineage: gaps and conflicts are seen as such, and no name draws anything of its own."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
import time

import pytest

from gate.formats import schema
from gate.model.artifact import ArtifactKind
from gate.model.lineage import Lineage
from gate.report.lineage import FORMATS, lineage_summary, render_lineage
from tests.support.decisions import digest, rejected
from tests.support.evidence import folder, single_file
from tests.unit.normalize.test_lineage import BASE, TUNED, built, grown, said, trained
from tests.unit.report.test_verification import CONTROL, HOSTILE


def drawn(found: Lineage) -> list[str]:
    return render_lineage("text", found).splitlines()


def short(word: str) -> str:
    return digest(word)[:19]


def test_the_text_is_a_tree_to_the_origins_with_gaps_and_conflicts() -> None:
    model = single_file("model", "m", "m")
    found = grown(
        trained("one", artifacts=[model], base={"base": digest("base")}, datasets={"data": digest("data")}),
        trained("two", artifacts=[model], base={"base": digest("other")}),
        said("card", "dataset", [digest("data")], sources={"crawl": None}),
        rejected(origin="bad.json", claimed="build.provenance", code="signature.untrusted", payload=digest("bad")),
        artifacts=[model],
    )
    text = [re.sub(r", 20\d\d-[^]]*", "", line) for line in drawn(found)]
    sure = sorted(["base", "other"], key=digest)
    word = {"base": "one", "other": "two"}
    says = "statements give it different origins as its base"
    both = ", ".join(f"{item}.json" for item in sorted(["one", "two"], key=digest))
    assert text == [
        f"model  weights  {(model.digest or '')[:19]}",
        f"  CONFLICT  {says}: {both}",
        *(
            line
            for item in sure
            for line in (
                f"  base  base  {short(item)}  [training.provenance by signer of {word[item]}]",
                f"    GAP  named by {word[item]}.json, nothing verified says where it comes from",
            )
        ),
        f"  dataset  data  {short('data')}  [training.provenance by signer of one]",
        "    source  crawl  [dataset by signer of card]",
        "      GAP  named by card.json without a digest, so nothing says which it is",
        "NOT USED  bad.json: signature.untrusted, claims build.provenance, about summarizer",
        "5 things, 4 edges, 3 statements, 3 gaps, 1 conflict",
    ]


def test_what_was_shown_is_only_named_again() -> None:
    found = grown(
        trained("base", artifacts=[BASE]),
        trained("tuned", artifacts=[TUNED], base={"base": str(BASE.digest)}),
        trained(
            "lora",
            artifacts=[(lora := folder("lora", {"x": "x"}, ArtifactKind.ADAPTER))],
            base={"base": str(BASE.digest), "tuned": str(TUNED.digest)},
        ),
        artifacts=[BASE, TUNED, lora],
    )
    lines = drawn(found)
    assert [line.split()[0] for line in lines[:-1]] == ["lora", "base", "begins", "base", "base"]
    assert sum(", above" in line for line in lines) == 1


def test_a_cycle_is_shown_from_somewhere() -> None:
    one, two = single_file("one", "1", "1"), single_file("two", "2", "2")
    found = grown(
        trained("one", artifacts=[one], base={"two": str(two.digest)}),
        trained("two", artifacts=[two], base={"one": str(one.digest)}),
        artifacts=[one, two],
    )
    assert len(drawn(found)) == 4
    assert drawn(found)[2].count(", above") == 1


def test_many_statements_and_names_are_counted() -> None:
    model = single_file("model", "m", "m")
    items = [built(f"b{n}", artifacts=[model], dependencies={f"name {n}": {"sha256": "a" * 64}}) for n in range(5)]
    line = drawn(grown(*items, artifacts=[model]))[1]
    assert "and 2 more" in line
    assert "; 3 more]" in line


def test_configuration_and_files_say_so() -> None:
    lora = dataclasses.replace(folder("lora", {"x": "x"}), base="tuned")
    file = TUNED.files["b.safetensors"].digest
    text = render_lineage("text", grown(built("part", file), artifacts=[TUNED, lora]))
    assert "[gate.yaml]" in text
    assert "[the files here]" in text


def test_nothing_at_all() -> None:
    assert drawn(grown()) == ["gate.yaml names no artifact", "0 things, 0 edges, 0 statements, 0 gaps, 0 conflicts"]
    for form in FORMATS:
        assert render_lineage(form, grown())


def test_rejected_evidence_says_about_what() -> None:
    about = dataclasses.replace(rejected(origin="x.json", claimed=None), artifacts=("model",))
    text = render_lineage("text", grown(about, artifacts=[single_file("model", "m", "m")]))
    assert "claims unknown, about model" in text


@pytest.mark.parametrize(("form", "arrow"), [("mermaid", "-->"), ("dot", "->")])
def test_drawings_mark_gaps_and_conflicts(form: str, arrow: str) -> None:
    model = single_file("model", "m", "m")
    found = grown(
        trained("one", artifacts=[model], base={"base": digest("base")}),
        trained("two", artifacts=[model]),
        artifacts=[model],
    )
    text = render_lineage(form, found)
    assert len(re.findall(arrow, text)) == 1
    assert "CONFLICT | model | weights" in text.replace("#124;", "|")
    assert "GAP | base | sha256:" in text.replace("#124;", "|")
    assert len({"conflict", "gap"} & set(re.findall(r":::(\w+)", text))) == (2 if form == "mermaid" else 0)
    assert ("dashed" in text and "dotted" in text) is (form == "dot")


def test_the_json_fits_its_schema() -> None:
    model = single_file("model", "m", "m")
    found = grown(
        trained("one", artifacts=[model], base={"base": digest("base")}),
        trained("two", artifacts=[model]),
        rejected(origin="bad.json", claimed=None),
        artifacts=[model],
    )
    value = json.loads(render_lineage("json", found))
    assert schema.problem("lineage.json", value) is None
    assert len(value["gaps"]) == len(found.gaps)
    assert lineage_summary(found).startswith("2 things, 1 edge, 2 statements")


@pytest.mark.parametrize("form", FORMATS)
def test_s34_hostile_names_draw_nothing(form: str) -> None:
    model = single_file("model", "m", "m")
    for text in (*HOSTILE, *(one + two for one, two in itertools.pairwise(HOSTILE))):
        name = text or "-"
        plain, found = (
            grown(
                dataclasses.replace(trained("one", artifacts=[model], base={word: digest("base")}), origin=word),
                trained("two", artifacts=[model]),
                rejected(origin=word, claimed=None, code=word),
                artifacts=[dataclasses.replace(model, name=model.name)],
            )
            for word in ("plain", name)
        )
        drawing = render_lineage(form, found)
        assert not CONTROL.search(drawing)
        assert len(drawing.splitlines()) == len(render_lineage(form, plain).splitlines())
        if form == "json":
            assert schema.problem("lineage.json", json.loads(drawing)) is None
        if form == "mermaid":
            labels = re.findall(r'^  n\d+\["([^"]*)"\]:::\w+$', drawing, re.MULTILINE)
            assert len(labels) == 2
            assert not any(re.search(r"[<>\[\]`(){}\\]|&", label) for label in labels)
        if form == "dot":
            assert len(re.findall(r'^  n\d+ \[.*label="(?:[^"\\]|\\[\\"])*"\];$', drawing, re.MULTILINE)) == 2


@pytest.mark.parametrize("form", FORMATS)
def test_a_long_lineage_is_drawn_at_once(form: str) -> None:
    model = single_file("model", "m", "m")
    items = [built(str(n), str(n), dependencies={f"{n + 1}": {"sha256": digest(str(n + 1))[7:]}}) for n in range(2_000)]
    found = grown(
        built("m", artifacts=[model], dependencies={"0": {"sha256": digest("0")[7:]}}), *items, artifacts=[model]
    )
    started = time.monotonic()
    text = render_lineage(form, found)
    assert time.monotonic() - started < 20
    assert len(text) < 2_000 * 1_500
