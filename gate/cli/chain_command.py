"""`gate chain`: how statements build on one another."""

from __future__ import annotations

from typing import Final

import click

from gate.cli.lazy import LazyGroup

COMMANDS: Final = {"show": "Draw the chain of statements, with its gaps."}


@click.group("chain", cls=LazyGroup, commands_below="gate.cli.chain", lines=COMMANDS)
def command() -> None:
    """Show how statements build on one another."""
