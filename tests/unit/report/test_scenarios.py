"""Evaluations in every form: counts that add up, and nothing of a scenario that reaches the reader raw."""

from __future__ import annotations

import dataclasses
import json
import re
import xml.etree.ElementTree as ET

import pytest

from gate.formats import schema
from gate.formats.scenario import read_set
from gate.model.scenario import Ended, Evaluated, Result
from gate.report.scenarios import FORMATS, cells, list_json, render_scenarios, scenarios_json
from gate.report.scenarios_text import list_table, scenarios_plot, scenarios_summary, scenarios_table
from tests.support.scenario_sets import evaluated, scenario, set_files

GOOD = {"allow/good": 0, "deny/bad": 13, "deny/seen": 13, "unseen/hidden": 0}
BAD = {"allow/good": 10, "deny/bad": 0, "deny/seen": 13, "unseen/hidden": 13}
SVG = "{http://www.w3.org/2000/svg}"


def test_the_document_fits_its_schema_and_its_counts_add_up() -> None:
    value = json.loads(
        render_scenarios("json", evaluated(BAD, refusing=("artifact.signed",), why="it is", rejected=("eval",)))
    )
    assert schema.problem("scenarios.json", value) is None
    assert value["decisions"]["total"] == {
        "true_refusals": 2, "false_allows": 1, "true_allows": 0, "false_refusals": 1, "unseen": 0,
    }  # fmt: skip
    assert value["decisions"]["by_threat"]["forged"]["false_refusals"] == 1
    assert value["decisions"]["by_profile"] == {"baseline": value["decisions"]["total"]}
    assert set(value["decisions"]["by_target"]) == {"deployment", "training"}
    assert value["false_allows"] == ["deny/bad"]
    assert value["false_refusals"] == ["allow/good"]
    assert value["unseen"] == [{"name": "unseen/hidden", "because": "nothing tells it", "seen_by": ["deny/seen"]}]
    assert value["coverage"]["controls"] == {"artifact.signed": {"enforced": 3, "passed": 0, "refused": 3, "waived": 0}}
    assert value["coverage"]["claims"] == {"eval": {"verified": 0, "rejected": 3}}
    assert value["coverage"]["artifacts"] == {"weights": 4}
    assert [one["result"] for one in value["scenarios"]] == [
        "false_refusal", "false_allow", "true_refusal", "true_refusal",
    ]  # fmt: skip


def test_cells_are_counted_and_empty_ones_say_why() -> None:
    found = {(cell.kind, cell.threat, cell.target): cell for cell in cells(evaluated(GOOD))}
    assert len(found) == 8
    assert found["weights", "forged", "deployment"].is_held
    hidden = found["weights", "hidden", "training"]
    assert (hidden.attacks, hidden.refused, hidden.unseen, hidden.twins) == (2, 1, 1, 1)
    assert found["dataset", "forged", "deployment"].reason == "nothing loads it"
    assert not found["weights", "forged", "training"].is_held
    assert not next(cell for cell in cells(evaluated({"deny/bad": 0})) if cell.attacks).is_held


def test_the_table_names_what_is_wrong_and_what_nothing_tells() -> None:
    text = scenarios_table(evaluated(GOOD))
    assert "1/2 1?" in text
    assert "none" in text
    assert "dataset x deployment: nothing loads it" in text
    assert "nothing tells it; refused in deny/seen" in text
    assert text.endswith("as expected: 4 scenarios, 0 false allows, 0 false refusals, 1 attacks not seen statically\n")
    assert "FALSE ALLOW  deny" not in text
    text = scenarios_table(evaluated(BAD, differences=("exit code 13, not 0",)))
    assert "FALSE ALLOW  deny/bad: A model\n  no reason was given" in text
    assert "FALSE REFUSAL  allow/good: A model" in text
    assert "OTHERWISE  deny/seen: A model\n  exit code 13, not 0" in text
    assert "NOT AS EXPECTED: 4 scenarios, 1 false allows, 1 false refusals, 3 for another reason" in text


def test_what_tells_an_unseen_attack_is_said_as_it_came_out() -> None:
    """Nothing is said to be refused that was let through, or that nobody played."""
    text = scenarios_table(evaluated(GOOD | {"deny/seen": 0}))
    assert "nothing tells it; LET THROUGH in deny/seen" in text
    text = scenarios_table(evaluated({"unseen/hidden": 0}))
    assert "nothing tells it; to be refused in deny/seen" in text


def test_what_was_not_chosen_is_not_counted() -> None:
    found = evaluated({"deny/bad": 13})
    assert "forged" in scenarios_table(found)
    assert "hidden " not in scenarios_table(found).split("\n\n")[1]
    assert "not seen statically, and what" not in scenarios_table(found)
    assert scenarios_summary(found) == "as expected: 1 scenario, 0 false allows, 0 false refusals"


def test_a_bar_shows_what_there_is_one_of() -> None:
    text = scenarios_plot(evaluated(BAD))
    assert re.search(r"^forged +! 0/1  x$", text, re.MULTILINE)
    assert re.search(r"^hidden +## 2/2  x$", text, re.MULTILINE)
    many = evaluated(GOOD)
    lots = dataclasses.replace(many, ended=(*many.ended, *(many.ended[1],) * 500))
    assert max(map(len, scenarios_plot(lots).splitlines())) <= 120
    assert scenarios_plot(dataclasses.replace(many, ended=())).startswith("attacks: ")


def test_the_drawing_is_one_file_that_tells_its_content_without_colours() -> None:
    for found in (evaluated(GOOD), evaluated(BAD), dataclasses.replace(evaluated(GOOD), ended=())):
        text = render_scenarios("svg", found)
        root = ET.fromstring(text)
        assert root.tag == f"{SVG}svg"
        assert root.get("role") == "img"
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
        assert {one.tag for one in root.iter()} <= {
            f"{SVG}{name}" for name in ("svg", "title", "desc", "style", "rect", "text")
        }
        assert scenarios_summary(found) in (root.findtext(f"{SVG}desc") or "")
        titles = [one.findtext(f"{SVG}title") for one in root.iter(f"{SVG}rect") if one.find(f"{SVG}title") is not None]
        assert "forged in dataset for deployment: nothing loads it" in titles
    bad = render_scenarios("svg", evaluated(BAD))
    assert "forged: 1 attacks let through" in bad
    assert 'class="hole"' in bad


HOSTILE = "\x1b[31m\u202e</text><script>alert(1)</script>&\"'\x00|`x`"


@pytest.mark.parametrize("form", FORMATS)
def test_s34_texts_of_scenarios_are_shown_as_texts(form: str) -> None:
    """A set of somebody else, another gate's last words: none of it is markup, or speaks to the terminal."""
    told = read_set(
        set_files(title=HOSTILE, impossible=[{"kind": "dataset", "threat": None, "target": None, "reason": HOSTILE}])
    )
    ended = [Ended(scenario("deny/bad", title=HOSTILE), 0, why=HOSTILE, differences=(HOSTILE,))]
    found = evaluated(GOOD)
    by = dataclasses.replace(found.by, name=HOSTILE)
    text = render_scenarios(form, Evaluated(told, by, tuple(ended)))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    if form == "svg":
        assert "<script" not in text
        ET.fromstring(text)
    if form == "json":
        assert json.loads(text)["gate"]["name"] == HOSTILE


def test_lists() -> None:
    scenarios = read_set(set_files()).scenarios
    text = list_table(scenarios)
    assert text.splitlines()[0].split() == ["scenario", "threat", "kind", "target", "what", "is", "going", "on"]
    assert text.endswith("\n4 scenarios\n")
    assert [one["threat"] for one in json.loads(list_json(scenarios))] == [None, "forged", "hidden", "hidden"]
    assert "\x1b" not in list_table([scenario(title=HOSTILE)])


def test_equal_evaluations_give_equal_text() -> None:
    for form in FORMATS:
        assert render_scenarios(form, evaluated(GOOD)) == render_scenarios(form, evaluated(GOOD))
    assert scenarios_json(evaluated(GOOD))["schema"] == "urn:gate:scenarios:v1"
    assert {result.value for result in Result} == {
        "true_refusal", "false_allow", "true_allow", "false_refusal", "unseen",
    }  # fmt: skip
