"""`gate demo`: the gate at work on an application that it brings along."""

from __future__ import annotations

from typing import Final

import click

from gate.cli.lazy import LazyGroup

COMMANDS: Final = {"run": "Tamper with an attested application in every known way, and show what is noticed."}


@click.group("demo", cls=LazyGroup, commands_below="gate.cli.demo", lines=COMMANDS)
def command() -> None:
    """See what the gate notices, on an application that it brings along."""
