"""How answers to scenarios are called."""

from __future__ import annotations

import pytest

from gate.model.scenario import Ended, Impossible, Result
from tests.support.scenario_sets import GOOD, UNSEEN, evaluated, merged, scenario

ERROR = {"expect": {"decision": "error", "gate": {"exit_code": 2, "failing": []}}}


@pytest.mark.parametrize(
    ("name", "changes", "code", "result"),
    [
        ("allow/x", GOOD, 0, Result.TRUE_ALLOW),
        ("allow/x", GOOD, 13, Result.FALSE_REFUSAL),
        ("allow/x", GOOD, 2, Result.FALSE_REFUSAL),
        ("deny/x", {}, 13, Result.TRUE_REFUSAL),
        ("deny/x", {}, 1, Result.TRUE_REFUSAL),
        ("deny/x", {}, -9, Result.TRUE_REFUSAL),
        ("deny/x", {}, 0, Result.FALSE_ALLOW),
        ("error/x", ERROR, 2, Result.TRUE_REFUSAL),
        ("error/x", ERROR, 0, Result.FALSE_ALLOW),
        ("unseen/x", UNSEEN, 0, Result.UNSEEN),
        ("unseen/x", UNSEEN, 13, Result.TRUE_REFUSAL),
    ],
)
def test_only_exit_code_0_is_a_yes(name: str, changes: dict[str, object], code: int, result: Result) -> None:
    ended = Ended(scenario(name, **merged(changes, {})), code)
    assert ended.result is result
    assert ended.is_right == (result not in {Result.FALSE_ALLOW, Result.FALSE_REFUSAL})


def test_a_right_answer_for_another_reason_is_not_right() -> None:
    assert not Ended(scenario(), 13, differences=("refused by nothing",)).is_right
    assert evaluated({"deny/bad": 13}).is_right
    assert not evaluated({"deny/bad": 0, "allow/good": 0}).is_right


def test_what_is_impossible_covers_what_it_names() -> None:
    assert Impossible(None, None, None, "x").covers("a", "b", "c")
    assert Impossible("a", None, "c", "x").covers("a", "b", "c")
    assert not Impossible("a", "z", None, "x").covers("a", "b", "c")
