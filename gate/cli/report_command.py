"""`gate report`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gate.app.log import is_identity, logged_decision
from gate.app.report import saved_decision
from gate.app.workspace import Request
from gate.cli.attesting import attesting_options, prepare_signing, rendered
from gate.cli.document import read_bytes
from gate.cli.output import OutputFile, show, wants_colour
from gate.report.interface import FORMATS


@click.command(
    "report",
    epilog="""\b
Examples:
  gate check --base origin/main --output decision.json
  gate report decision.json
  gate report decision.json --format html --output report.html
  gate report 01J8ZQ4T7M3N5P6R7S8T9V0W1X --format markdown
  gate report decision.json --format vsa --key keys/gate.key --output verdict.jsonl
""",
)
@click.argument("decision", metavar="DECISION")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="Of the report.")
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write it to a file, emptied first.")
@attesting_options
def command(decision: str, form: str, output: Path | None) -> int:
    """Show a saved decision in another form.

    DECISION is a file that `gate check --output` wrote, or the id of a decision in the log of gate.yaml, or
    latest; - reads standard input. The exit code is 0 whatever the decision says: it was made before, and nothing is judged here.
    """
    target = OutputFile(output) if output is not None else None
    prepare_signing({form}, decision)
    if decision == "-" or Path(decision).exists() or not is_identity(decision):
        found = saved_decision(*read_bytes(decision, "DECISION"))
    else:
        found = logged_decision(Request(Path.cwd(), None, "gate.yaml", None, True, 0), decision)
    text = rendered(form, found, colour=target is None and wants_colour(sys.stdout.isatty()))
    if target is not None:
        target.write(text)
    else:
        show(text)
    return 0
