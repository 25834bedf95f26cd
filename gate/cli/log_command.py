"""`gate log`: what was decided, kept so that nobody changes it unnoticed."""

from __future__ import annotations

from typing import Final

import click

from gate.cli.lazy import LazyGroup

COMMANDS: Final = {
    "show": "Show a recorded decision, or prove that it is in the log.",
    "query": "List decisions by artifact, signer, control, verdict and time.",
    "verify": "Find edits, deletions, reordering and truncation.",
    "checkpoint": "Sign the head of the log.",
    "export": "Write records as JSON Lines, for other systems.",
    "prune": "Remove old records that others have and a checkpoint signs.",
    "schema": "Print the tables and roles for PostgreSQL.",
}


@click.group("log", cls=LazyGroup, commands_below="gate.cli.log", lines=COMMANDS)
def command() -> None:
    """Look at the decisions that were recorded.

    Where gate.yaml has the section `record`, every decision is written and synced before it is given. The page
    docs/how-to/decision-log.md goes through all of it.
    """
