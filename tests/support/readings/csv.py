"""`gate check --format csv`, read as a spreadsheet reads it."""

from __future__ import annotations

import csv
import io

from tests.support.readings import Reading


def read(text: str) -> Reading:
    lines = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    verdict, *others = lines
    assert verdict["line"] == "verdict"
    controls = [line for line in others if line["line"] == "control"]
    stands = [(line["id"], line["mode"]) for line in controls if line["status"] in {"fail", "error"}]
    return Reading(
        verdict=verdict["status"],
        refused=frozenset(name for name, mode in stands if mode == "enforce"),
        id=verdict["id"],
        exit_code=int(verdict["code"]),
        dry_run=verdict["mode"] == "dry run",
        waived=frozenset(line["id"] for line in controls if line["status"] == "waived"),
        warned=frozenset(name for name, mode in stands if mode != "enforce"),
    )
