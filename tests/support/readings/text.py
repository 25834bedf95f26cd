"""`gate check`: the report for a terminal."""

from __future__ import annotations

import re

from tests.support.readings import Reading
from tests.support.readings.words import exit_code_of, id_of, is_dry_run, verdict_of

_LABEL = re.compile(r"(?m)^  ([a-z_]+(?:\.[a-z_]+)+)(?:\n? +)(.*)")


def read(text: str) -> Reading:
    lines = text.splitlines()
    verdict = verdict_of(lines[0])
    labels = dict(_LABEL.findall(text))
    warned = {name for name, words in labels.items() if words.startswith("warning: ")}
    return Reading(
        verdict=verdict,
        # Below an ALLOW are the controls that passed.
        refused=frozenset(labels.keys() - warned if verdict != "allow" else ()),
        id=id_of(lines[-1]),
        exit_code=exit_code_of(lines[-1]),
        dry_run=is_dry_run(text),
        warned=frozenset(warned),
    )
