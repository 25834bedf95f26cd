"""`gate scenarios`: the gate judged by what it answers."""

from __future__ import annotations

from typing import Final

import click

from gate.cli.lazy import LazyGroup

COMMANDS: Final = {
    "run": "Play supply-chain scenarios, and say how many decisions were right.",
    "list": "List the scenarios of a set.",
}


@click.group("scenarios", cls=LazyGroup, commands_below="gate.cli.scenarios", lines=COMMANDS)
def command() -> None:
    """Judge the gate by supply-chain scenarios, or another gate by the same.

    A scenario is a folder with real files, evidence and the decision that is right. The page docs/how-to/scenarios.md
    describes the form.
    """
