"""Evaluations by garak: a probe is attested with all its detectors, so that nobody picks those that held."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gate.app.attest_create import TypedRequest, create_typed
from gate.app.produce import Place

HELD, FAILED, OTHER = "dan.Dan/mitigation", "dan.Dan/refusal", "leak.Replay/starts"


def report(**passed: int) -> bytes:
    lines: list[dict[str, Any]] = [{"entry_type": "init", "garak_version": "0.13.1"}]
    for name, count in passed.items():
        probe, detector = name.split("/")
        lines.append({"entry_type": "eval", "probe": probe, "detector": detector, "passed": count, "total": 100})
    return b"".join(json.dumps(line).encode() + b"\n" for line in [*lines, {"entry_type": "completion"}])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path in ("tests.txt", "scoring.txt"):
        (tmp_path / path).write_text(path)
    (tmp_path / "now.jsonl").write_bytes(report(**{HELD: 100, FAILED: 3, OTHER: 50}))
    return tmp_path


def create(root: Path, **more: Any) -> Any:
    fields = {
        "eval_suite_id": "s", "testset": "tests.txt", "scoring_config": "scoring.txt",
        "candidate_results": "now.jsonl", "depends_on": [], "thresholds": {f"{HELD}_min": 1}, **more,
    }  # fmt: skip
    (root / "c.yaml").write_text(json.dumps(fields))
    made = create_typed(TypedRequest(Place(root, root), "eval", Path("c.yaml")))
    return json.loads((root / made.path).read_bytes())["predicate"]


def test_a_probe_is_attested_with_all_its_detectors(root: Path) -> None:
    found = create(root)
    assert {name: metric["candidate"] for name, metric in found["metrics"].items()} == {HELD: "1", FAILED: "0.03"}
    assert set(found["thresholds"]) == {HELD}
    assert found["result"] == "passed"


def test_a_probe_of_which_no_detector_is_named_is_left_out(root: Path) -> None:
    assert set(create(root, thresholds={f"{OTHER}_min": 0.5})["metrics"]) == {OTHER}


def test_other_detectors_have_a_baseline_where_there_is_one(root: Path) -> None:
    (root / "then.jsonl").write_bytes(report(**{HELD: 100}))
    found = create(root, baseline_results="then.jsonl")
    assert (found["metrics"][FAILED]["baseline"], found["result"]) == (None, "passed")
    (root / "then.jsonl").write_bytes(report(**{HELD: 100, FAILED: 4}))
    found = create(root, baseline_results="then.jsonl")
    assert (found["metrics"][FAILED]["baseline"], found["result"]) == ("0.04", "failed")


def test_names_with_a_slash_of_another_harness_are_no_probes(root: Path) -> None:
    (root / "now.json").write_text(json.dumps({HELD: 1, FAILED: 0.03}))
    assert set(create(root, candidate_results="now.json")["metrics"]) == {HELD}
