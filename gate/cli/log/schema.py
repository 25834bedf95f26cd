"""`gate log schema`."""

from __future__ import annotations

import click

from gate.cli.output import show
from gate.record.tables import POSTGRES


@click.command("schema", epilog="\b\nExample:\n  gate log schema | psql service=gate-owner\n")
def command() -> int:
    """Print the tables and roles for PostgreSQL.

    The owner of the database runs them once. The gate itself gets a login with the role gate_writer, which can add
    records and take none back.
    """
    show(POSTGRES)
    return 0
