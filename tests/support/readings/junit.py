"""`gate check --format junit`, read as a CI service reads it: what is neither failed, broken nor skipped passed."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from tests.support.readings import Reading


def read(text: str) -> Reading:
    top = ET.fromstring(text)
    told = {one.get("name"): one.get("value") for one in top.iter("property")}
    suites = {suite.get("name"): suite for suite in top.iter("testsuite")}
    for suite in suites.values():
        cases = list(suite.iter("testcase"))
        assert int(suite.get("tests", "")) == len(cases)
        for kind, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert int(suite.get(count, "")) == sum(case.find(kind) is not None for case in cases)
    [verdict] = suites["verdict"].iter("testcase")
    found = "deny" if verdict.find("failure") is not None else "error" if verdict.find("error") is not None else "allow"
    assert told["verdict"] == found
    cases = [*suites["controls"].iter("testcase")] if "controls" in suites else []
    aside = [*suites["controls that only warn"].iter("testcase")] if "controls that only warn" in suites else []
    return Reading(
        verdict=found,
        refused=frozenset(_named(cases, "failure") | _named(cases, "error")),
        id=told["decision"],
        exit_code=int(told["exit_code"] or ""),
        dry_run=told["dry_run"] == "true",
        waived=frozenset(_named([*cases, *aside], "skipped", "waived: ")),
        warned=frozenset(_named(aside, "skipped", "warning: ")),
    )


def _named(cases: list[ET.Element], kind: str, words: str = "") -> set[str]:
    found = ((case.get("name", ""), case.find(kind)) for case in cases)
    return {name for name, one in found if one is not None and one.get("message", "").startswith(words)}
