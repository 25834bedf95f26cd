"""Both engines with the same policy: what one report, or one rule, is in each of them, in comparable text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from gate._native import PolicyError, PolicySet
from tests.property import rego_library as library
from tests.support.opa_server import OpaServer

REPORT = "data.gate.main.report"
ERROR = "error"
UNDEFINED = "undefined"


def canonical(value: object) -> str:
    """The same text for the same value, whoever wrote it."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def embedded(policies: PolicySet, document: object, rule: str = REPORT) -> str:
    """A rule's value in the embedded engine."""
    try:
        answer = policies.evaluate(rule, json.dumps(document), time_limit_s=library.TIME_LIMIT_S)
    except PolicyError:
        return ERROR
    return UNDEFINED if answer.json is None else canonical(json.loads(answer.json))


def served(opa: OpaServer, document: object, rule: str = REPORT) -> str:
    """A rule's value from a server."""
    path = f"/v1/{rule.replace('.', '/')}?strict-builtin-errors=true"
    status, content = opa.post(path, json.dumps({"input": document}).encode("utf-8"))
    if status != 200:
        return ERROR
    answered = json.loads(content)
    assert "warning" not in answered
    return canonical(answered["result"]) if "result" in answered else UNDEFINED


@dataclass
class Comparison:
    """Counts what was asked of both, and keeps the first differences."""

    opa: OpaServer
    policies: PolicySet

    def __post_init__(self) -> None:
        self.asked = self.errors = self.different = 0
        self.examples: list[tuple[object, str, str]] = []
        self.statuses: set[str] = set()

    def compare(self, document: object, name: object, rule: str = REPORT) -> str:
        """What both say, or what the embedded engine says and a difference more."""
        one, other = embedded(self.policies, document, rule), served(self.opa, document, rule)
        self.asked += 1
        self.errors += one == ERROR
        if one != other:
            self.different += 1
            self.examples = [*self.examples, (name, one, other)][:3]
        return one

    def compare_report(self, document: object, name: object) -> str:
        """Like `compare`, and notes which statuses controls got."""
        one = self.compare(document, name)
        if one not in {ERROR, UNDEFINED}:
            controls: Mapping[str, Mapping[str, str]] = json.loads(one)["controls"]
            self.statuses.update(control["status"] for control in controls.values())
        return one

    def summary(self, what: str) -> str:
        """For the block that the test run prints."""
        return f"{self.asked} {what}: {self.different} differences"
