"""Small sets of scenarios: some of the real ones, or one that a test tells."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gate.formats.scenario import read_scenario, read_set
from gate.model.scenario import Ended, Evaluated, Evaluator, Scenario

REAL = Path(__file__).resolve().parents[2] / "fixtures" / "scenarios"
SET: dict[str, Any] = {
    "schema": "urn:gate:scenario-set:v1",
    "title": "A small set",
    "threats": {
        "forged": {"title": "Forged", "description": "It is forged."},
        "hidden": {"title": "Hidden", "description": "It is hidden."},
    },
    "matrix": {"kinds": ["weights", "dataset"], "threats": ["forged", "hidden"], "targets": ["training", "deployment"]},
    "impossible": [{"kind": "dataset", "threat": None, "target": "deployment", "reason": "nothing loads it"}],
}
SCENARIO: dict[str, Any] = {
    "schema": "urn:gate:scenario:v1",
    "title": "A model",
    "threat": "forged",
    "kind": "weights",
    "target": "deployment",
    "profile": "baseline",
    "twin": "allow/good",
    "now": "2026-11-20T12:00:00Z",
    "artifacts": [{"name": "m", "kind": "weights", "path": "m", "image": None, "base": None}],
    "signers": [{"name": "release", "key": "k.pub", "identity": None, "claims": ["artifact.signature"]}],
    "base": {"executable": []},
    "change": {"against": "main", "deleted": [], "executable": [], "links": {}},
    "expect": {
        "decision": "deny",
        "because": None,
        "seen_by": [],
        "gate": {"exit_code": 13, "failing": ["artifact.signed"], "passing": [], "waived": [], "words": []},
    },
}
GOOD: dict[str, Any] = {
    "threat": "none",
    "twin": None,
    "expect": {"decision": "allow", "gate": {"exit_code": 0, "failing": []}},
}
UNSEEN: dict[str, Any] = {
    "threat": "hidden",
    "target": "training",
    "expect": {
        "decision": "unseen",
        "because": "nothing tells it",
        "seen_by": ["deny/seen"],
        "gate": {"exit_code": 0, "failing": []},
    },
}


def merged(value: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The value with changes, object by object."""
    found = copy.deepcopy(dict(value))
    for name, change in changes.items():
        both = isinstance(change, dict) and isinstance(found.get(name), dict) and name != "links"
        found[name] = merged(found[name], change) if both else change
    return found


def scenario_bytes(**changes: Any) -> bytes:
    """`scenario.json` of a refused one, with changes."""
    return json.dumps(merged(SCENARIO, changes)).encode()


def scenario(name: str = "deny/bad", **changes: Any) -> Scenario:
    """A scenario as it is read."""
    return read_scenario(name, scenario_bytes(**changes))


def set_files(**changes: Any) -> dict[str, bytes]:
    """The files of a small set: one good, one bad, one that nothing tells, and one where something does."""
    return {
        "scenarios.json": json.dumps(merged(SET, changes)).encode(),
        "allow/good/scenario.json": scenario_bytes(**GOOD),
        "deny/bad/scenario.json": scenario_bytes(),
        "deny/seen/scenario.json": scenario_bytes(threat="hidden", target="training"),
        "unseen/hidden/scenario.json": scenario_bytes(**UNSEEN),
    }


def evaluated(codes: Mapping[str, int], **more: Any) -> Evaluated:
    """The small set as it ended with some exit codes; `more` goes to each that was not allowed."""
    told = read_set(set_files())
    ended = [
        Ended(one, codes[one.name], **(more if codes[one.name] else {})) for one in told.scenarios if one.name in codes
    ]
    return Evaluated(told, Evaluator("gate", "1", "sha256:" + "a" * 64), tuple(ended))


def real_set(folder: Path, *names: str) -> Path:
    """A folder with some of the real scenarios; what they name has to be among them."""
    folder.mkdir()
    shutil.copy(REAL / "scenarios.json", folder)
    for name in names:
        shutil.copytree(REAL / name, folder / name)
    return folder
