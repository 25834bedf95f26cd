"""`trust.builders`, `drafts` and predicate types of others in `gate.yaml`: what is read, and each mistake."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from gate.formats import schema
from gate.model.settings import BuilderSettings
from tests.unit.config_cases import BASE, load, refused, text_of

ID = "https://forge.test/builder@v1"
TYPE = "https://example.com/inspection/v1"
GOOD: dict[str, Any] = {"id": ID, "signers": ["builder"], "level": 3}


def configured(**changes: Any) -> dict[str, Any]:
    value = copy.deepcopy(BASE)
    value["trust"]["signers"]["builder"] = {"key": "keys/builder.pub", "claims": ["build.*", TYPE]}
    value["trust"]["builders"] = {"forge": {key: item for key, item in {**GOOD, **changes}.items() if item is not ...}}
    return value


def test_a_builder_has_an_id_signers_and_a_level() -> None:
    value = configured(signers=["builder", "builder"])
    assert schema.problem("config.json", value) is None
    assert load(text_of(value)).trust.builders == {"forge": BuilderSettings(ID, ("builder",), 3)}
    assert load(text_of(BASE)).trust.builders == {}


def test_one_id_may_have_a_level_for_each_signer() -> None:
    value = configured()
    value["trust"]["signers"]["trainer"] = {"key": "keys/release.pub", "claims": ["training.provenance"]}
    value["trust"]["builders"]["weak"] = {"id": ID, "signers": ["trainer"], "level": 0}
    assert {name: item.level for name, item in load(text_of(value)).trust.builders.items()} == {"forge": 3, "weak": 0}
    value["trust"]["builders"]["weak"]["signers"] = ["trainer", "builder"]
    assert "are one" in refused(text_of(value))


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no id": ({"id": ...}, "needs 'id'"),
    "no signers": ({"signers": ...}, "needs 'signers'"),
    "no level": ({"level": ...}, "needs 'level'"),
    "another key": ({"levels": 3}, "levels"),
    "an id that is no URI": ({"id": "builder"}, "URI"),
    "an id that is no text": ({"id": 1}, "text"),
    "nobody": ({"signers": []}, "needs the signers"),
    "a signer that is not there": ({"signers": ["bilder"]}, "no signer 'bilder'"),
    "a signer of something else": ({"signers": ["ann"]}, "build.provenance nor training.provenance"),
    "level 4": ({"level": 4}, "from 0 to 3"),
    "a level below": ({"level": -1}, "from 0 to 3"),
    "a level that is true": ({"level": True}, "from 0 to 3"),
    "a level in words": ({"level": "3"}, "from 0 to 3"),
    "a fraction": ({"level": 2.5}, ""),
}


@pytest.mark.parametrize("name", BAD)
def test_a_builder_that_makes_no_sense_is_an_error(name: str) -> None:
    changes, problem = BAD[name]
    value = configured(**changes)
    assert problem in refused(text_of(value))
    if name not in {"a signer that is not there", "a signer of something else"}:
        assert schema.problem("config.json", value) is not None


def test_drafts_are_switched_on_by_name_and_change_the_trust() -> None:
    on = load(text_of({**BASE, "drafts": ["eval-result"]})).trust
    off = load(text_of(BASE)).trust
    assert (on.drafts, off.drafts) == (frozenset({"eval-result"}), frozenset())
    assert on.digest != off.digest
    assert load(text_of({**BASE, "drafts": []})).trust == off


@pytest.mark.parametrize("drafts", ["eval-result", ["eval.result"], ["promotion-record"], [1], {}, None], ids=str)
def test_other_drafts_are_an_error(drafts: Any) -> None:
    assert refused(text_of({**BASE, "drafts": drafts}))
    assert schema.problem("config.json", {**BASE, "drafts": drafts}) is not None


def test_a_type_of_others_is_a_claim_that_can_be_required_and_limited() -> None:
    value = configured()
    value["gates"] = [{"id": "G1", "trigger_paths": ["app/**"], "required_attestations": [TYPE]}]
    value["trust"]["thresholds"] = {TYPE: 1}
    value["parameters"] = {"evidence.fresh": {TYPE: "2d", "scorecard": "30d", "source.summary": "1w", "release": "1h"}}
    assert schema.problem("config.json", value) is None
    found = load(text_of(value))
    assert found.gates["G1"].required_attestations == (TYPE,)
    assert found.trust.thresholds == {TYPE: 1}
    limits = {TYPE: 172800, "scorecard": 2592000, "source.summary": 604800, "release": 3600}
    assert found.parameters == {"evidence.fresh": limits}


def test_a_type_that_no_signer_lists_cannot_be_required() -> None:
    value = configured()
    value["gates"] = [{"id": "G1", "trigger_paths": ["app/**"], "required_attestations": [TYPE + "0"]}]
    assert "no signer lists" in refused(text_of(value))


def test_a_threshold_of_a_type_is_at_most_its_signers() -> None:
    value = configured()
    value["trust"]["thresholds"] = {TYPE: 2}
    assert "from 1 to 1" in refused(text_of(value))
    value["trust"]["thresholds"] = {"https://slsa.dev/provenance/v1": 1}
    assert "its claim is build.provenance" in refused(text_of(value))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("https://example.com/*", "without `*`"),
        ("https://example.com/a b", "no predicate type"),
        ("https://example.com/\u00e9", "no predicate type"),
        ("HTTPS://example.com/x", "no predicate type"),
        ("build.x:y", "no predicate type"),
        (":x", "no predicate type"),
        ("https:", "no predicate type"),
        ("https://example.com/" + "x" * 600, "no predicate type"),
        ("https://slsa.dev/provenance/v1", "its claim is build.provenance"),
        ("https://slsa.dev/verification_summary/v1", "its claim is verification.summary"),
        ("https://in-toto.io/attestation/eval-result/v0.1", "its claim is eval.result"),
        ("urn:promotion-gate:predicate:mine:v1", "own namespace"),
        ("urn:Promotion-Gate:predicate:prompt:v1", "own namespace"),
    ],
    ids=lambda text: text[:40].encode("unicode_escape").decode(),
)
def test_s10_what_is_no_type_of_others_is_an_error(text: str, problem: str) -> None:
    value = copy.deepcopy(BASE)
    value["trust"]["signers"]["ann"]["claims"] = [text]
    assert problem in refused(text_of(value))
    if "no predicate type" in problem:
        assert schema.problem("config.json", value) is not None


def test_the_page_about_evidence_shows_a_configuration_that_is_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "evidence.md").read_text()
    found = load(page.partition("```yaml\n")[2].partition("```")[0])
    assert found.trust.builders["forge"].level == 2
    assert found.gates["inspected"].required_attestations == ("https://example.com/inspection/v1",)
