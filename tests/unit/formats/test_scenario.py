"""Scenarios as other gates read them: what does not fit is refused with its place, never skipped."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from gate.formats.scenario import ScenarioError, read_scenario, read_set
from gate.model.scenario import Expected, Impossible, OwnWords
from tests.support.scenario_sets import GOOD, SET, UNSEEN, merged, scenario, scenario_bytes, set_files


def test_a_set_is_read_with_its_scenarios_in_the_order_of_their_names() -> None:
    found = read_set(set_files())
    assert [one.name for one in found.scenarios] == ["allow/good", "deny/bad", "deny/seen", "unseen/hidden"]
    assert found.title == "A small set"
    assert found.threats["forged"].title == "Forged"
    assert found.impossible == (Impossible("dataset", None, "deployment", "nothing loads it"),)
    assert found.reason("dataset", "hidden", "deployment") == "nothing loads it"
    assert found.reason("dataset", "hidden", "training") is None


def test_a_scenario_is_read() -> None:
    links = {"a": "../b"}
    changes: dict[str, Any] = {
        "base": {"executable": ["x"]},
        "change": {"against": None, "deleted": ["y"], "executable": ["z"], "links": links},
    }
    found = scenario(**changes)
    assert (found.expected, found.against, found.now_s) == (Expected.DENY, None, 1795176000)
    assert (found.base_executable, found.deleted, found.executable, found.links) == (("x",), ("y",), ("z",), links)
    assert found.own == OwnWords(13, ("artifact.signed",), (), (), ())
    assert found.artifacts == ("weights",)
    assert found.is_attack
    assert not scenario("allow/good", **GOOD).is_attack


def test_the_digest_is_over_all_files() -> None:
    files = set_files()
    lines = "".join(f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in sorted(files.items()))
    assert read_set(files).digest == "sha256:" + hashlib.sha256(lines.encode()).hexdigest()
    assert read_set({**files, "deny/bad/base/x": b"1"}).digest != read_set({**files, "deny/bad/base/x": b"2"}).digest


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"deny/x/base/a": b""}, r"deny/x/base/a belongs to no scenario: there is no deny/x/scenario\.json"),
        ({"deny/a/b/scenario.json": scenario_bytes()}, "deny/a/b/scenario.json belongs to no scenario"),
        ({"deny/Bad/scenario.json": scenario_bytes()}, "'deny/Bad' is no name"),
        ({"other/x/scenario.json": scenario_bytes()}, "'other/x' is no name"),
        ({"deny/x/scenario.json": b"{"}, r"deny/x/scenario\.json: "),
        ({"deny/x/scenario.json": b'{"a": 1, "a": 2}'}, r"deny/x/scenario\.json: "),
        ({"deny/x/scenario.json": scenario_bytes(more=1)}, r"deny/x/scenario\.json: "),
        ({"deny/x/scenario.json": scenario_bytes(twin="allow/none")}, "there is no scenario 'allow/none'"),
        ({"deny/x/scenario.json": scenario_bytes(threat="other")}, "knows no threat 'other'"),
        ({"allow/x/scenario.json": scenario_bytes()}, "the folder says allow, and it says deny"),
        ({"deny/x/scenario.json": scenario_bytes(threat="none")}, "a threat belongs to what is not allowed"),
        ({"allow/x/scenario.json": scenario_bytes(**merged(GOOD, {"threat": "forged"}))}, "a threat belongs"),
        ({"deny/x/scenario.json": scenario_bytes(expect={"because": "x"})}, "belongs to what is unseen"),
        (
            {"unseen/x/scenario.json": scenario_bytes(**merged(UNSEEN, {"expect": {"because": None}}))},
            "belongs to what is unseen",
        ),
        (
            {"unseen/x/scenario.json": scenario_bytes(**merged(UNSEEN, {"expect": {"seen_by": ["deny/no"]}}))},
            "there is no scenario 'deny/no'",
        ),
        (
            {"unseen/x/scenario.json": scenario_bytes(**merged(UNSEEN, {"expect": {"seen_by": []}}))},
            "names at least one scenario for what is unseen",
        ),
        ({"deny/x/scenario.json": scenario_bytes(expect={"seen_by": ["deny/seen"]})}, "names at least one scenario"),
        (
            {"unseen/x/scenario.json": scenario_bytes(**merged(UNSEEN, {"expect": {"seen_by": ["unseen/hidden"]}}))},
            "'unseen/hidden' is no refused attack of threat 'hidden'",
        ),
        (
            {"unseen/x/scenario.json": scenario_bytes(**merged(UNSEEN, {"expect": {"seen_by": ["deny/bad"]}}))},
            "'deny/bad' is no refused attack of threat 'hidden'",
        ),
        ({"deny/x/scenario.json": scenario_bytes(twin="deny/bad")}, "'deny/bad' is no good change, so it is no twin"),
        ({"deny/x/scenario.json": scenario_bytes(now="2026-13-20T12:00:00Z")}, "is no time"),
        ({"scenarios.json": json.dumps(merged(SET, {"matrix": {"threats": ["x"]}})).encode()}, "no threat 'x'"),
        ({"scenarios.json": b"[]"}, r"scenarios\.json: "),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(files: dict[str, bytes], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        read_set({**set_files(), **files})


def test_a_folder_without_a_set_is_none() -> None:
    with pytest.raises(ScenarioError, match=r"there is no scenarios\.json"):
        read_set({})


def test_a_scenario_stands_alone_too() -> None:
    """Whether its twin is there, only a set tells."""
    assert read_scenario("deny/x", scenario_bytes(twin="allow/elsewhere")).twin == "allow/elsewhere"
