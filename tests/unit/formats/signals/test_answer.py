"""What comes out of a plugin's process is an observation in every part, or an error."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gate.formats.signals.answer import ANSWER_BYTES, MAX_PROBLEMS, MAX_RULES, AnswerError, from_json, to_json
from gate.model.scan import Severity
from gate.model.signal import Events, Observation

GOOD = Observation(10, 20, 5, 1, 0, {"rule": Events(Severity.LOW, 2, 11, None)}, ("a problem",))
EVENT = {"severity": "low", "count": 1, "first_at_s": None, "last_at_s": None}


def test_an_observation_comes_back_as_it_went() -> None:
    for observation in (GOOD, Observation()):
        assert from_json(json.dumps(to_json(observation)).encode()) == observation


@pytest.mark.parametrize(
    ("member", "value"),
    [
        *((name, junk) for name in ("gap_s", "sightings", "dropped") for junk in (-1, "1", None, True, 1.5, 2**53)),
        *((name, junk) for name in ("started_at_s", "finished_at_s") for junk in (-1, "1", None, True, 253402300800)),
        ("started_at_s", 21),
        ("finished_at_s", 9),
        ("events", []),
        ("events", {f"rule {number}": EVENT for number in range(MAX_RULES + 1)}),
        ("events", {"": EVENT}),
        ("events", {" ": EVENT}),
        ("events", {"x" * 201: EVENT}),
        ("events", {"rule": []}),
        ("events", {"rule": {**EVENT, "more": 1}}),
        ("events", {"rule": {"severity": "low"}}),
        ("events", {"rule": {**EVENT, "severity": "severe"}}),
        ("events", {"rule": {**EVENT, "severity": []}}),
        ("events", {"rule": {**EVENT, "count": 0}}),
        ("events", {"rule": {**EVENT, "count": True}}),
        ("events", {"rule": {**EVENT, "first_at_s": -1}}),
        ("problems", {}),
        ("problems", "x"),
        ("problems", [1]),
        ("problems", [""]),
        ("problems", ["x" * 201]),
        ("problems", ["x"] * (MAX_PROBLEMS + 1)),
        ("more", 1),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_answer_of_another_shape_is_none(member: str, value: Any) -> None:
    with pytest.raises(AnswerError):
        from_json(json.dumps({**to_json(GOOD), member: value}).encode())


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"{", b" " * ANSWER_BYTES + b"{}"], ids=lambda data: str(data[:5]))
def test_an_answer_that_is_no_object_of_all_members_is_none(data: bytes) -> None:
    with pytest.raises(AnswerError):
        from_json(data)


@pytest.mark.parametrize("member", to_json(GOOD))
def test_no_member_of_an_answer_can_be_left_out(member: str) -> None:
    value = {name: item for name, item in to_json(GOOD).items() if name != member}
    with pytest.raises(AnswerError, match="does not hold exactly"):
        from_json(json.dumps(value).encode())
