"""`gate lineage` as a person uses it, on signed statements: from an image back to the data."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from gate.formats import schema
from gate.report.lineage import FORMATS
from tests.acceptance.world import MODEL, NOW, Done, World, inside
from tests.support.pages import HOW_TO, run_page
from tools.scenario_collected import STYLE, TUNED_ARTIFACTS, TUNED_GATES, below, collected, training, tree_digest
from tools.scenario_draft import config
from tools.scenario_evidence import bundle, key, provenance, sha256, statement, subjects

IMAGE: Final = "a" * 64
SERVER: Final = f"server: {{kind: container, image: 'registry.example/llm/server@sha256:{IMAGE}'}}"
SIGNERS: Final = {
    "release": "claims: [artifact.signature]",
    "builder": 'claims: ["build.*", "training.*"]',
    "approver": "claims: [dataset]",
}
REVIEWS: Final = {"data/reviews.csv": b"good,1\n"}
ADAPTER: Final = {"adapter_model.safetensors": b"style"}


@pytest.fixture
def tuned(tmp_path: Path) -> World:
    """A model, an adapter that was trained on it, and an image with both."""
    text = config((*TUNED_ARTIFACTS, SERVER), gates=TUNED_GATES, signers=SIGNERS)
    world = World.make(tmp_path / "world", text, change={f"{STYLE}/{name}": data for name, data in ADAPTER.items()})
    base = tree_digest(world.model_files())
    datasets = {"reviews": f"sha256:{sha256(REVIEWS['data/reviews.csv'])}", "more": f"sha256:{'b' * 64}"}
    trained = training(below(STYLE, ADAPTER), base={"summarizer": base}, datasets=datasets)
    world.put("style-trained.json", bundle(trained, key("builder")))
    parts = [
        {"uri": "model", "digest": {"sha256": base.removeprefix("sha256:")}},
        {"uri": "adapter", "digest": {"sha256": tree_digest(ADAPTER).removeprefix("sha256:")}},
        {"uri": "pkg:pypi/torch", "digest": {"md5": "c" * 32}},
    ]
    image = provenance([{"name": "server", "digest": {"sha256": IMAGE}}], dependencies=parts)
    world.put("server.json", bundle(image, key("builder")))
    world.put("reviews.json", bundle(dataset(sources={}), key("approver")))
    world.write_all(REVIEWS)
    return world


def dataset(**more: Any) -> bytes:
    facts = {"owner": "data team", "classification": "internal", "license": "CC0-1.0", "personal_data": False, **more}
    return collected("dataset", {"files": REVIEWS}, **facts)


def lineage(world: World, *arguments: str) -> Done:
    return inside("lineage", "--root", str(world.root), "--now", NOW, *arguments)


def test_from_the_image_to_the_data(tuned: World) -> None:
    done = lineage(tuned)
    assert done.code == 0
    lines = [re.sub(r"  (sha256|gitCommit):\w+|  \[[^]]*\]", "", line).rstrip() for line in done.out.splitlines()]
    assert lines == [
        "server  container",
        "  dependency  pkg:pypi/torch",
        "    GAP  named by .gate/attestations/server.json without a digest, so nothing says which it is",
        "  dependency  style  adapter",
        "    base  summarizer  weights",
        "      source  https://code.example/acme/app, https://code.example/acme/training",
        "    base  summarizer  weights, above",
        "    code  https://code.example/acme/app, https://code.example/acme/training, above",
        "    dataset  more",
        "      GAP  named by .gate/attestations/style-trained.json, nothing verified says where it comes from",
        "    dataset  reviews",
        "      begins here",
        "  dependency  summarizer  weights, above",
        "7 things, 9 edges, 4 statements, 2 gaps, 0 conflicts",
    ]
    assert "[training.provenance by builder, 2026-11-20T10:00:00Z]" in done.out
    assert "[gate.yaml]" in done.out


def test_the_json_names_who_says_what(tuned: World) -> None:
    value = json.loads(lineage(tuned, "--format", "json").out)
    assert schema.problem("lineage.json", value) is None
    relations = {(edge["relation"], edge["basis"]) for edge in value["edges"]}
    assert {("base", "statements"), ("base", "configuration"), ("dependency", "statements")} <= relations
    for edge in value["edges"]:
        assert bool(edge["statements"]) is (edge["basis"] == "statements")
        assert {value["statements"][payload]["signers"][0]["name"] for payload in edge["statements"]} <= {"builder"}


def test_a_bill_of_materials_is_followed(tuned: World) -> None:
    signers = {**SIGNERS, "release": "claims: [artifact.signature, sbom]"}
    tuned.write("gate.yaml", config((*TUNED_ARTIFACTS, SERVER), gates=TUNED_GATES, signers=signers))
    before = {"type": "machine-learning-model", "name": "llama", "hashes": [{"alg": "SHA-256", "content": "d" * 64}]}
    reviews = {"alg": "SHA-256", "content": sha256(REVIEWS["data/reviews.csv"])}
    model = {
        "type": "machine-learning-model",
        "bom-ref": "m",
        "name": "summarizer",
        "pedigree": {"ancestors": [before]},
        "modelCard": {"modelParameters": {"datasets": [{"ref": "d"}]}},
    }
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": model},
        "components": [
            {"type": "data", "bom-ref": "d", "name": "reviews", "hashes": [reviews]},
            {"type": "library", "bom-ref": "t", "name": "torch", "purl": "pkg:pypi/torch@2"},
        ],
        "dependencies": [{"ref": "m", "dependsOn": ["t"]}],
    }
    bill = statement("https://cyclonedx.org/bom/v1.6", subjects(tuned.model_files()), document)
    tuned.put("bom.json", bundle(bill, key("release")))
    value = json.loads(lineage(tuned, "--artifact", "summarizer", "--format", "json").out)
    edges = {(edge["relation"], *value["nodes"][edge["to"]]["names"]) for edge in value["edges"]}
    assert edges == {
        ("ancestor", "llama"),
        ("component", "pkg:pypi/torch@2"),
        ("dataset", "reviews"),
        ("source", "https://code.example/acme/app"),
    }
    assert sorted(gap["code"] for gap in value["gaps"]) == ["digest", "origin"]


def test_a_statement_of_a_stranger_makes_no_edge(tuned: World) -> None:
    before = json.loads(lineage(tuned, "--format", "json").out)
    forged = training(below(STYLE, ADAPTER), base={"mine": f"sha256:{'d' * 64}"})
    tuned.put("forged.json", bundle(forged, key("stranger")))
    after = json.loads(lineage(tuned, "--format", "json").out)
    assert after["edges"] == before["edges"]
    assert after["conflicts"] == []
    assert [item["origin"] for item in after["unused"]] == [".gate/attestations/forged.json"]
    assert [gap["code"] for gap in after["gaps"] if gap not in before["gaps"]] == ["rejected"]


def test_two_builders_who_disagree_are_a_conflict(tuned: World) -> None:
    other = training(below(STYLE, ADAPTER), base={"mine": f"sha256:{'d' * 64}"})
    tuned.put("other.json", bundle(other, key("builder")))
    done = lineage(tuned, "--artifact", "style")
    assert done.code == 0
    assert re.search(r"CONFLICT  statements give it different origins as its base: .*other\.json", done.out)


@pytest.mark.parametrize("form", FORMATS)
def test_the_output_file_holds_what_is_printed(tuned: World, tmp_path: Path, form: str) -> None:
    target = tmp_path / "lineage"
    printed = lineage(tuned, "--format", form)
    written = lineage(tuned, "--format", form, "--output", str(target))
    assert written.code == 0
    assert re.fullmatch(r"\d+ things, .*2 gaps, 0 conflicts\n", written.out)
    assert target.read_text() == printed.out == lineage(tuned, "--format", form, "--jobs", "2").out


def test_an_artifact_that_is_not_there(tuned: World) -> None:
    done = lineage(tuned, "--artifact", "stile")
    assert done.code == 2
    assert "did you mean 'style'" in done.err


def test_a_changed_model_is_seen_as_a_gap(tuned: World) -> None:
    tuned.write(f"{MODEL}/model.safetensors", b"other")
    value = json.loads(lineage(tuned, "--artifact", "summarizer", "--format", "json").out)
    assert {gap["code"] for gap in value["gaps"]} == {"origin", "rejected"}


@pytest.mark.no_cover
def test_the_page_works_as_written(tuned: World, tmp_path: Path) -> None:
    shown = run_page("lineage.md", tuned.root, tmp_path / "bin")
    (sample,) = re.findall(r"```\n(style .*?)```", (HOW_TO / "lineage.md").read_text(), re.DOTALL)
    assert sample in shown
    assert schema.problem("lineage.json", json.loads((tuned.root / "lineage.json").read_text())) is None
    for name, start in (("lineage.mmd", "flowchart"), ("lineage.dot", "digraph")):
        assert (tuned.root / name).read_text().startswith(start)
