"""`gate attest`: statements about files, their parts and what is in them."""

from __future__ import annotations

from typing import Final

import click

from gate.cli.lazy import LazyGroup

# In the order of use; each is `command` in the module of that name below `gate.cli.attest`.
COMMANDS: Final = {
    "create": "Create an in-toto statement about files.",
    "compose": "State that a base model and its adapters go together.",
    "reveal": "Open a content that a statement carries, encrypted or plain.",
}


@click.group("attest", cls=LazyGroup, commands_below="gate.cli.attest", lines=COMMANDS)
def command() -> None:
    """Create attestations."""
