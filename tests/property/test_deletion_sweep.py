"""No part of a passing input can be deleted, emptied or retyped without the pass being lost (SECURITY 28).

`allow_list.json` names the exceptions of each control: sections it does not read at all, and single changes of what it
reads, with the reason why the answer may stay. `gate policy sweep` does the work.
"""

from __future__ import annotations

import json

import jsonschema
import pytest

from gate.app.policy_sweep import AllowList, read_allowed, sweep
from gate.app.workshop import Sources, load_sources
from tests.property import rego_library as library

INPUTS = library.inputs()


@pytest.fixture(scope="module")
def sources() -> Sources:
    return load_sources(library.ROOT, ["rego"])


@pytest.fixture(scope="module")
def allowed(sources: Sources) -> AllowList:
    return read_allowed(library.ROOT, sources, "tests/property/allow_list.json")


@pytest.mark.parametrize("name", INPUTS)
def test_inputs_are_valid(name: str) -> None:
    schema = json.loads((library.ROOT / "schemas/input.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(INPUTS[name])


@pytest.mark.parametrize("control", library.controls())
def test_no_change_leaves_a_pass(control: str, sources: Sources, allowed: AllowList) -> None:
    report = sweep(sources, {control: INPUTS}, allowed)  # type: ignore[dict-item]
    assert report.findings == ()
    assert report.needless == (), "an exception that nothing needs"
    assert report.changes >= 50


def test_each_exception_has_a_reason(allowed: AllowList) -> None:
    entries = [*allowed.whenever_read, *allowed.unless_named]
    entries += [entry for group in (*allowed.groups.values(), *allowed.may_stay.values()) for entry in group]
    assert all(len(entry.reason) > 20 for entry in entries)
    assert sorted(allowed.may_stay) == sorted(allowed.does_not_read) == library.controls()
