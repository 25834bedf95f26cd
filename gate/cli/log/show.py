"""`gate log show`."""

from __future__ import annotations

import sys

import click

from gate.app.log import inclusion_proof, log_of, recorded_decision
from gate.cli.log_options import chosen_log, log_options
from gate.cli.output import show, wants_colour
from gate.report.interface import FORMATS, render
from gate.report.log import record_text


@click.command(
    "show",
    epilog="""\b
Examples:
  gate log show latest
  gate log show 01J8ZQ4T7M3N5P6R7S8T9V0W1X
  gate log show 01J8ZQ4T --format json > decision.json
  gate log show 01J8ZQ4T --proof > decision.tlog-proof
""",
)
@click.argument("identity", metavar="ID")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    metavar="FORMAT",
    default="text",
    show_default=True,
    help=f"Of the report: {', '.join(FORMATS)}.",
)
@click.option("--proof", is_flag=True, help="Prove that it is in the log, up to the last checkpoint (tlog-proof@v1).")
@log_options
def command(identity: str, form: str, *, proof: bool) -> int:
    """Show a recorded decision, or prove that it is in the log.

    ID is that of the decision, its beginning, or latest. The exit code is 0 whatever the decision says: it was made
    before.
    """
    with log_of(chosen_log()) as log:
        found, decision = recorded_decision(log, identity)
        if proof:
            show(inclusion_proof(log, found.record))
            return 0
    colour = wants_colour(sys.stdout.isatty())
    show((record_text(found.record) + "\n" if form == "text" else "") + render(form, decision, colour=colour))
    return 0
