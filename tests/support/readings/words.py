"""What the formats made of prose have in common: the words of the first and the last line."""

from __future__ import annotations

import re

VERDICTS = {"ALLOW": "allow", "DENY": "deny", "NO DECISION": "error"}
_EXIT = re.compile(r"\bexit ([0-9]+) \(")
_DECISION = re.compile(r"\bdecision `?([A-Za-z0-9.-]*[A-Za-z0-9])")


def verdict_of(line: str) -> str:
    """The verdict in the line that begins a report."""
    words = re.match(r"(?:## )?(ALLOW|DENY|NO DECISION)\b", line)
    assert words is not None, line
    return VERDICTS[words[1]]


def exit_code_of(text: str) -> int:
    """The exit code in a line."""
    return int(_EXIT.findall(text)[-1])


def id_of(text: str) -> str:
    """The decision's id in a line."""
    return str(_DECISION.findall(text)[-1])


def is_dry_run(text: str) -> bool:
    """Whether it says that the run was a dry one."""
    return "DRY RUN" in text
