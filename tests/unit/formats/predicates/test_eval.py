"""Evaluations: what is better must be what the one bound of a metric implies."""

from __future__ import annotations

from typing import Any, Final

import pytest

from gate.model.digest import sha256_digest
from gate.model.evidence import Statement, Subject
from tests.unit.formats.predicates.reading import code_of, read

KIND: Final = "urn:promotion-gate:predicate:eval:v1"
PATH: Final = "eval/candidate.json"
FILES: Final = (Subject(PATH, sha256_digest(b"{}")),)


def predicate(better: str | None, least: str | None, most: str | None) -> dict[str, Any]:
    roles = ("testset", "scoring_config", "baseline_results", "run_environment", "others")
    return {
        "depends_on": [],
        "roles": {**{role: [] for role in roles}, "candidate_results": [PATH]},
        "folders": {},
        "privacy": {"mode": "hash_only"},
        "suite": "s",
        "harness": "json",
        "metrics": {"a": {"candidate": "0.5", "baseline": None, "better": better}},
        "thresholds": {"a": {"min": least, "max": most}},
        "tolerances": {},
        "samples": None,
        "result": "passed",
    }


@pytest.mark.parametrize(
    ("better", "least", "most"),
    [
        ("higher", "0.1", None),
        ("lower", None, "0.9"),
        ("lower", "0.1", "0.9"),
        ("higher", "0.1", "0.9"),
        (None, "0.1", None),
        ("lower", None, None),
    ],
)
def test_a_direction_that_fits_the_bounds_is_read(better: str | None, least: str | None, most: str | None) -> None:
    found: Statement = read(KIND, predicate(better, least, most), FILES)
    assert found.facts["collected"] is True


@pytest.mark.parametrize(("better", "least", "most"), [("lower", "0.1", None), ("higher", None, "0.9")])
def test_a_direction_against_the_only_bound_is_refused(better: str, least: str | None, most: str | None) -> None:
    assert code_of(KIND, predicate(better, least, most), FILES) == "direction"
