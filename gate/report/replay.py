"""What became of a recorded decision when it was made again."""

from __future__ import annotations

from typing import Final

from gate.model.difference import Replayed
from gate.model.json import JsonObject
from gate.report.diff import diff_json, diff_text, difference_json, difference_lines, verdict_words
from gate.report.escape import terminal

SCHEMA: Final = "urn:gate:replay:v1"


def replay_json(found: Replayed) -> JsonObject:
    """A `urn:gate:replay:v1` document."""
    return {
        "schema": SCHEMA,
        "id": found.id,
        "verdict": found.verdict,
        "same": found.is_same_bytes,
        "problems": list(found.problems),
        "makers": [difference_json(item) for item in found.makers],
        "diff": None if found.diff is None else diff_json(found.diff),
    }


def replay_text(found: Replayed) -> str:
    """For a terminal: whether the record gives the decision, and if not, what differs."""
    what = f"decision {terminal(found.id, 80)} ({verdict_words(found.verdict)})"
    makers = [f"  {line}" for line in difference_lines(found.makers)]
    if found.is_same_bytes:
        return "\n".join([f"SAME  {what}: its record gives it again, byte for byte", *makers]) + "\n"
    lines = [f"DIFFERENT  {what}: its record does not give it"]
    lines += [f"  {terminal(problem)}" for problem in found.problems]
    if found.problems:
        lines += ["", "The record is not what the decision was made from, so nothing was evaluated."]
    elif found.diff is not None and not found.diff.is_same:
        lines += makers and [*makers, ""]
        lines.append(diff_text(found.diff).rstrip("\n"))
    else:
        lines += [*makers, "", "Both say the same; only the order in the document differs."]
    return "\n".join(lines) + "\n"
