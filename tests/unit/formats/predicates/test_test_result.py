"""in-toto test results, and results that contradict themselves."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.formats.predicates.reading import code_of, read

TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"


class TestTestResult:
    BASE = {"result": "PASSED", "configuration": [{"name": "ci.yml"}]}  # noqa: RUF012 - read only

    @pytest.mark.parametrize(
        ("changes", "facts"),
        [
            ({}, ("passed", 0, 0, 0)),
            ({"passedTests": ["a", "b"], "warnedTests": [], "failedTests": None}, ("passed", 2, 0, 0)),
            ({"result": "WARNED", "passedTests": ["a"], "warnedTests": ["b"]}, ("warned", 1, 1, 0)),
            ({"result": "WARNED"}, ("warned", 0, 0, 0)),
            ({"result": "FAILED"}, ("failed", 0, 0, 0)),
            (
                {"result": "FAILED", "passedTests": ["a"], "warnedTests": ["b"], "failedTests": ["c"]},
                ("failed", 1, 1, 1),
            ),
        ],
    )
    def test_result_and_counts_are_the_facts(self, changes: Any, facts: tuple[Any, ...]) -> None:
        found = read(TEST_RESULT, self.BASE | changes)
        assert found.claim == "test.result"
        assert found.facts == dict(zip(("result", "passed", "warned", "failed"), facts, strict=True))

    @pytest.mark.parametrize(
        "changes",
        [
            {"failedTests": ["a"]},
            {"result": "WARNED", "failedTests": ["a"]},
            {"result": "WARNED", "warnedTests": ["b"], "failedTests": ["a"]},
            {"warnedTests": ["a"]},
            {"passedTests": ["a"], "warnedTests": ["a"]},
            {"passedTests": ["a"], "failedTests": ["a"]},
        ],
        ids=str,
    )
    def test_s13_a_result_that_contradicts_its_own_lists_is_refused(self, changes: Any) -> None:
        assert code_of(TEST_RESULT, self.BASE | changes) == "predicate"

    @pytest.mark.parametrize(
        "changes",
        [
            {"result": "passed"},
            {"result": "Passed"},
            {"result": "PASS"},
            {"result": "PASSED "},
            {"result": "OK"},
            {"result": ""},
            {"result": None},
            {"result": True},
            {"result": ["PASSED"]},
            {"configuration": []},
            {"configuration": None},
            {"configuration": {}},
            {"configuration": ["x"]},
            {"failedTests": "a"},
            {"failedTests": 0},
            {"failedTests": [1]},
            {"failedTests": {"a": 1}},
            {"passedTests": [None]},
            {"warnedTests": False},
            {"url": 1},
        ],
        ids=str,
    )
    def test_a_malformed_result_is_refused(self, changes: Any) -> None:
        assert code_of(TEST_RESULT, self.BASE | changes) == "predicate"
        assert code_of(TEST_RESULT, {}) == "predicate"
