"""`gate check --format sarif`, read as code scanning reads it: results that nobody suppressed are open."""

from __future__ import annotations

import json
from typing import Any

from tests.support.readings import Reading


def read(text: str) -> Reading:
    [run] = json.loads(text)["runs"]
    controls = {
        rule["id"]: rule["properties"] for rule in run["tool"]["driver"]["rules"] if "status" in rule["properties"]
    }
    opened = {level: _rules(run, level) & controls.keys() for level in ("error", "warning")}
    notices = " ".join(notice["message"]["text"] for notice in run["invocations"][0]["toolExecutionNotifications"])
    verdict = run["properties"]["verdict"]
    # What a reader of results alone would take it for.
    assert any(result["level"] == "error" for result in _open(run)) == (verdict != "allow")
    assert run["invocations"][0]["executionSuccessful"] == (verdict != "error")
    return Reading(
        verdict=verdict,
        refused=frozenset(opened["error"]),
        id=run["properties"]["decision"],
        exit_code=run["invocations"][0]["exitCode"],
        dry_run="DRY RUN" in notices,
        waived=frozenset(name for name, rule in controls.items() if rule["status"] == "waived"),
        warned=frozenset(opened["warning"]),
    )


def _open(run: dict[str, Any]) -> list[dict[str, Any]]:
    return [result for result in run["results"] if not result["suppressions"]]


def _rules(run: dict[str, Any], level: str) -> set[str]:
    return {result["ruleId"] for result in _open(run) if result["level"] == level}
