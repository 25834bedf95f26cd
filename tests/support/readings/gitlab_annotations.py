"""`gate check --format gitlab-annotations`: the labels of the links beside a job of GitLab."""

from __future__ import annotations

import json

from tests.support.readings import Reading
from tests.support.readings.words import VERDICTS, exit_code_of, id_of, is_dry_run, verdict_of


def read(text: str) -> Reading:
    found = {name: [one["external_link"]["label"] for one in links] for name, links in json.loads(text).items()}
    [section] = [name for name in found if name.removeprefix("gate: ") in VERDICTS]
    words = found[section][0]
    assert verdict_of(words) == VERDICTS[section.removeprefix("gate: ")]
    return Reading(
        verdict=verdict_of(words),
        refused=_controls(found.get("gate: refused", [])),
        id=id_of(words),
        exit_code=exit_code_of(words),
        dry_run=any(map(is_dry_run, found[section])),
        waived=_controls(found.get("gate: waived", [])),
        warned=_controls(found.get("gate: warned", [])),
    )


def _controls(labels: list[str]) -> frozenset[str]:
    return frozenset(label.partition(": ")[0] for label in labels)
