"""`gate check --format github`, read as the runner of GitHub Actions reads the output of a step."""

from __future__ import annotations

from tests.support.ci_commands import commands
from tests.support.readings import Reading
from tests.support.readings.words import exit_code_of, id_of, is_dry_run, verdict_of


def read(text: str) -> Reading:
    found = commands(text)
    assert len(found) == len(text.splitlines())
    first, *others = found
    assert first.properties == {"title": "gate"}
    verdict = verdict_of(first.data)
    assert first.name == ("notice" if verdict == "allow" else "error")
    titles = {
        name: frozenset(one.properties["title"] for one in others if one.name == name and _is_control(one.properties))
        for name in ("error", "warning")
    }
    return Reading(
        verdict=verdict,
        refused=titles["error"],
        id=id_of(first.data),
        exit_code=exit_code_of(first.data),
        dry_run=is_dry_run(first.data),
        warned=titles["warning"],
    )


def _is_control(properties: dict[str, str]) -> bool:
    return properties["title"] != "gate" and "/" not in properties["title"]
