"""A weakened control is noticed by its own tests: no mutant survives but the written, equivalent ones.

`gate policy mutate` does the work, here file by file.
"""

from __future__ import annotations

import functools

import pytest

from gate.app.policy_mutate import Verdict, Workshop, judge, read_accepted, summary
from gate.app.workshop import Sources, load_sources
from tests.property import rego_library as library

ACCEPTED = read_accepted(library.ROOT, "tests/property/equivalent_mutants.json", [])
FILES = sorted(path.removeprefix("rego/") for path in library.modules("rego"))


@functools.cache
def sources() -> Sources:
    return load_sources(library.ROOT, ["rego"], ["rego_tests"])


@functools.cache
def workshop() -> Workshop:
    return Workshop(sources())


def test_the_accepted_mutants_are_few_and_have_reasons() -> None:
    assert len(ACCEPTED) <= 25
    assert all(len(entry.reason) > 20 for entry in ACCEPTED)
    assert {entry.file.removeprefix("rego/") for entry in ACCEPTED} <= set(FILES)
    assert len({(entry.file, entry.mutant) for entry in ACCEPTED}) == len(ACCEPTED)


@pytest.mark.parametrize("file", FILES)
def test_no_weaker_file_survives(file: str) -> None:
    works = workshop().works(file, ACCEPTED)
    verdicts = [(work, judge(work)) for work in works]
    report = summary(sources(), verdicts, ACCEPTED, [file])
    assert [f"{item.place}:{item.mutant.line}: {item.mutant.name}" for item in report.survivors] == []
    assert [entry.mutant for entry in report.stale] == []
    assert report.total >= 3
    assert report.timed_out == 0
    assert all(Verdict.KILLED in found for _, found in verdicts)
