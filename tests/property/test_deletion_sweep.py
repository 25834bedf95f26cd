"""No part of a passing input can be deleted, emptied or retyped without the pass being lost (SECURITY 28).

`allow_list.json` names the exceptions of each control: sections it does not read at all, and single changes of what it
reads, with the reason why the answer may stay.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema
import pytest

from gate._regorus import PolicyError, PolicySet
from tests.property import rego_library as library

ALLOWED = json.loads((library.HERE / "allow_list.json").read_text("utf-8"))
INPUTS = library.inputs()


@dataclass(frozen=True)
class Entry:
    """One entry of the allow-list. `*` in `path` is any one key, `**` at its end anything below."""

    path: tuple[str, ...]
    changes: frozenset[str]

    def allows(self, place: library.Place, change: str) -> bool:
        deep = self.path[-1] == "**"
        pattern = self.path[:-1] if deep else self.path
        fits = len(place) >= len(pattern) if deep else len(place) == len(pattern)
        return (
            fits
            and change in self.changes
            and all(part in ("*", str(key)) for part, key in zip(pattern, place, strict=False))
        )


EVERY_CHANGE = frozenset({library.DELETE, *library.REPLACEMENTS})


def unread(control: str) -> list[Entry]:
    """What the control does not read."""
    groups = ["nobody", *ALLOWED["controls"][control]["does_not_read"]]
    paths = [path for group in groups for path in ALLOWED["groups"][group]["paths"]]
    return [Entry(tuple(path.split("/")), EVERY_CHANGE) for path in paths]


def exceptions(control: str) -> list[Entry]:
    """Changes of what the control reads that may leave the pass."""
    entries = [*ALLOWED["whenever_read"], *ALLOWED["controls"][control]["may_stay"]]
    return [Entry(tuple(entry["path"].split("/")), frozenset(entry["changes"])) for entry in entries]


def status(policies: PolicySet, control: str, document: dict[str, Any]) -> str:
    entrypoint = f"data.gate.controls.{control}.status"
    try:
        return str(
            json.loads(
                policies.evaluate(entrypoint, json.dumps(document), time_limit_s=library.TIME_LIMIT_S).json or "null"
            )
        )
    except PolicyError:
        return "refused"


def changes(document: dict[str, Any], control: str) -> Iterator[tuple[library.Place, str, dict[str, Any]]]:
    ignored = unread(control)
    for place in library.places(document):
        for change in sorted(EVERY_CHANGE):
            if any(entry.allows(place, change) for entry in ignored):
                continue
            result = library.damaged(document, place, change)
            if json.dumps(result) != json.dumps(document):
                yield place, change, result


@pytest.mark.parametrize("name", INPUTS)
def test_inputs_are_valid(name: str) -> None:
    schema = json.loads((library.ROOT / "schemas/input.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(INPUTS[name])


@pytest.mark.parametrize("control", library.controls())
def test_no_change_leaves_a_pass(control: str) -> None:
    policies = library.compiled(f"data.gate.controls.{control}.status")
    passing = [document for document in INPUTS.values() if status(policies, control, document) == "pass"]
    assert passing, "some input must pass"
    allowed = exceptions(control)
    used, wrong, count = set(), [], 0
    for document in passing:
        for place, change, result in changes(document, control):
            count += 1
            if status(policies, control, result) == "pass":
                found = [entry for entry in allowed if entry.allows(place, change)]
                used.update(found)
                if not found:
                    wrong.append(("/".join(map(str, place)), change))
    assert not wrong
    assert count >= 50
    own = exceptions(control)[len(ALLOWED["whenever_read"]) :]
    assert not [entry for entry in own if entry not in used], "an exception that nothing needs"


def test_each_exception_has_a_reason() -> None:
    entries = [*ALLOWED["groups"].values(), *ALLOWED["whenever_read"]]
    entries += [entry for control in ALLOWED["controls"].values() for entry in control["may_stay"]]
    assert all(len(entry["reason"]) > 20 for entry in entries)
    assert sorted(ALLOWED["controls"]) == library.controls()
