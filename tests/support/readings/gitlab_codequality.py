"""`gate check --format gitlab-codequality`, read as GitLab does: by fingerprint, the last one counts."""

from __future__ import annotations

import json

from tests.support.readings import Reading
from tests.support.readings.words import exit_code_of, id_of, is_dry_run, verdict_of


def read(text: str) -> Reading:
    issues = {issue["fingerprint"]: issue for issue in json.loads(text)}
    [verdict] = [issue for issue in issues.values() if issue["check_name"] == "verdict"]
    words = verdict["description"].removeprefix("verdict: ")
    found = verdict_of(words)
    assert verdict["severity"] == ("info" if found == "allow" else "blocker")
    rules = [(issue["check_name"], issue["severity"]) for issue in issues.values() if "/" not in issue["check_name"]]
    return Reading(
        verdict=found,
        refused=frozenset(name for name, how in rules if how not in {"minor", "info"}) - {"verdict"},
        id=id_of(words),
        exit_code=exit_code_of(words),
        dry_run=is_dry_run(words),
        warned=frozenset(name for name, how in rules if how == "minor"),
    )
