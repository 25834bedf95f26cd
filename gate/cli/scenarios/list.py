"""`gate scenarios list`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.scenarios import FOLDER, load_set
from gate.cli.output import show
from gate.report.scenarios import list_json
from gate.report.scenarios_text import list_table


@click.command(
    "list",
    epilog="""\b
Examples:
  gate scenarios list
  gate scenarios list --only backdoored --format json
""",
)
@click.option(
    "--folder", type=click.Path(path_type=Path), default=FOLDER, show_default=True, metavar="DIR", help="The set."
)
@click.option("--only", multiple=True, metavar="TEXT", help="Only scenarios with TEXT in their name; can be repeated.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def command(*, folder: Path, only: tuple[str, ...], form: str) -> int:
    """List the scenarios of a set.

    The name of a scenario begins with the decision that is right: allow, deny, error (no decision may be made), or
    unseen for an attack that no static gate can see.
    """
    scenarios = [work.scenario for work in load_set(folder, only)[1]]
    show(list_json(scenarios) if form == "json" else list_table(scenarios))
    return 0
