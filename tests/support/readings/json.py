"""`gate check --format json`."""

from __future__ import annotations

import json

from tests.support.readings import Reading

_BAD = ("fail", "error")


def read(text: str) -> Reading:
    found = json.loads(text)
    controls = found["controls"].items()
    return Reading(
        verdict=found["verdict"],
        refused=frozenset(name for name, one in controls if one["mode"] == "enforce" and one["status"] in _BAD),
        id=found["id"],
        exit_code=found["exit_code"],
        dry_run=found["dry_run"],
        waived=frozenset(name for name, one in controls if one["status"] == "waived"),
        warned=frozenset(name for name, one in controls if one["mode"] != "enforce" and one["status"] in _BAD),
    )
