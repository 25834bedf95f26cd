"""`gate webhook`: the same decision at the moment a workload is admitted to a cluster."""

from __future__ import annotations

from typing import Final

import click

from gate.cli.lazy import LazyGroup

COMMANDS: Final = {
    "serve": "Answer the API server of a cluster, over HTTPS.",
}


@click.group("webhook", cls=LazyGroup, commands_below="gate.cli.webhook", lines=COMMANDS)
def command() -> None:
    """Decide what a cluster may run.

    The section `admission` of gate.yaml says how. The page docs/how-to/install-the-webhook.md goes through all of it.
    """
